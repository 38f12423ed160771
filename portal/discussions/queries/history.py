"""The edits of a post, newest first, each as what it changed."""

from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.discussions.authors import BY_EDITOR
from portal.discussions.guests import veil_over
from portal.discussions.house_rules import taken_out_up_to
from portal.discussions.models import Post, PostRevision
from portal.discussions.queries.places import PostPlace
from portal.discussions.source_formats import markdown_of
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.markup import DiffLine, diff_sources
from portal.kernel.paging import Page
from portal.members.display import person_line, reader_of, with_person

A_PAGE = 20


class PostEdit(NamedTuple):
    """One edit: by whom, when, why, and the lines of the text with what went and what came."""

    id: int
    editor: str
    by_author: bool
    at: datetime
    reason: str
    old_title: str  # "" when the title stayed
    new_title: str
    lines: list[DiffLine]
    withheld: bool  # a rule took words out of what stood there: no text, no title


def edits_of(viewer: Viewer, post: PostPlace, before: int | None = None) -> Page:
    """Twenty edits, newest first; `next` is the id to go on from. The viewer's right was looked at before.

    What a moderator took out by a rule, and what stood there earlier, is for the author and moderators.
    """
    query: Any = (
        select(
            PostRevision.id,
            PostRevision.version,
            PostRevision.title,
            PostRevision.source,
            PostRevision.reason,
            PostRevision.created_at,
            PostRevision.editor_id,
            *BY_EDITOR,
        )
        .join(Post, Post.id == PostRevision.post_id)
        .where(PostRevision.post_id == post.id)
        .order_by(PostRevision.id.desc())
    )
    if before is not None and 0 < before < 2**31:
        # The row before which the page begins holds the text that the first edit shown led to.
        query = query.where(PostRevision.id <= before)
    query = with_person(query, PostRevision.editor_id)
    reader = reader_of(viewer)
    rows = list(db.session.execute(query.limit(A_PAGE + (2 if before else 1))))
    if before is None:
        newer_source, newer_title = markdown_of(post.source, post.source_format), post.thread.title
    elif rows:
        newer_source, newer_title = rows[0].source, rows[0].title
        rows = rows[1:]
    else:
        return Page([])
    texts = [newer_source, newer_title, post.thread.title]
    texts += [text for row in rows for text in (row.title, row.source, row.reason)]
    veil = partial(veil_over(reader, texts, [post.thread.id]), thread=post.thread.id)
    newer_source, newer_title = veil(newer_source), veil(newer_title)
    reads_all = viewer.member_id == post.author_id or viewer.may(Permission.MODERATE)
    # The same words may stand in every earlier text, so those are withheld too.
    withheld_up_to = taken_out_up_to(post.id) if rows and not reads_all else 0
    edits = []
    for row in rows[:A_PAGE]:
        title = veil(row.title)
        withheld = row.version <= withheld_up_to
        retitled = bool(title) and title != newer_title and not withheld
        edits.append(
            PostEdit(
                row.id,
                person_line(row, reader).name,
                row.editor_id == post.author_id,
                row.created_at,
                veil(row.reason),
                title if retitled else "",
                newer_title if retitled else "",
                [] if withheld else diff_sources(veil(row.source), newer_source),
                withheld,
            )
        )
        newer_source, newer_title = veil(row.source), title or newer_title
    more = len(rows) > A_PAGE
    return Page(edits, next=str(rows[A_PAGE - 1].id) if more else "")
