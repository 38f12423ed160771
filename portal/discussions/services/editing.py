"""Edits with history, and deletion by the author."""

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, func, select

from portal.discussions.events import PostEdited, PostRemoved, ThreadChanged, ToolUsed
from portal.discussions.house_rules import cited
from portal.discussions.impartiality import check_impartial
from portal.discussions.models import (
    Board,
    Post,
    PostKind,
    PostRevision,
    PostState,
    Thread,
    ThreadKind,
)
from portal.discussions.moved_away import was_moved_since
from portal.discussions.policy import edit_needs_reason
from portal.discussions.screening import said
from portal.discussions.services.acceptance import drop_acceptance
from portal.discussions.services.counting import count_post, count_thread, find_activity, touch
from portal.discussions.services.former import keep_former
from portal.discussions.services.lookup import post_for
from portal.discussions.services.posting import clean_title, hold_post, look_at
from portal.discussions.services.tagging import parse_tags, set_tags
from portal.discussions.services.text import prepare, prepare_war_story
from portal.discussions.services.uploads import attach_uploads, let_go_pictures, pictures_in
from portal.kernel import clock, events, markup, preserving, site
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work


@dataclass(frozen=True)
class Edit:
    """What the edit form sends. `version` is the one the editor saw; title and tags only for openings."""

    body: str = ""
    sections: dict[str, str] | None = None
    title: str | None = None
    tags: str | None = None
    reason: str = ""
    version: int = 0
    rule: int | None = None


def edit_post(editor: Viewer, post_id: int, edit: Edit) -> Post:
    """Change the text of a post (and the title and tags of an opening).

    Within the grace window one's own fixes leave no mark; later the former text is kept in the history,
    and a moderator's edit needs a reason, one of words also a rule: their author is told. What would be held
    as a new post is held as an edit. Raises NotFound, Forbidden, Invalid; Conflict when the post was changed
    since `edit.version`.
    """
    title = clean_title(edit.title) if edit.title is not None else None
    names = parse_tags(edit.tags) if edit.tags is not None else None
    prepared = (
        prepare_war_story(edit.sections, editor)
        if edit.sections is not None
        else prepare(edit.body, by=editor)
    )
    now = clock.now()
    with unit_of_work():
        post, thread, board = post_for(editor, post_id)
        check_may_edit(
            editor,
            post.author_id,
            closed=thread.closed_at is not None,
            archived=board.archived_at is not None,
        )
        if editor.member_id != post.author_id:
            check_impartial(editor, thread.id, post.id)
        if post.version != edit.version:
            raise Conflict(_("This post was changed while you were writing."), post.version)
        is_opening = post.kind is PostKind.OPENING
        is_story = is_opening and thread.kind is ThreadKind.WAR_STORY
        if is_story != (edit.sections is not None):
            raise Invalid(_("This form does not belong to this post."), "body")
        by_other, label = editor.member_id != post.author_id, ""
        if by_other and not edit.reason.strip():
            raise Invalid(_("Say why you change somebody else's words."), "reason")
        new_title = title if is_opening and title is not None else thread.title
        if prepared.source == post.source and new_title == thread.title and names in (None, thread.tags):
            return post
        reasons = () if by_other else look_at(editor, new_title if is_opening else "", prepared, post.id)
        if reasons:
            _check_can_wait(post, thread, reasons)
        # A moderator who looks at a held edit reads what stood there before.
        if by_other and (prepared.source != post.source or new_title != thread.title):
            if edit.rule is None:
                raise Invalid(_("Choose the rule that these words break. Without one they stay."), "rule")
            label = cited(edit.rule).label
            events.publish(
                ToolUsed(
                    thread.id,
                    post.id,
                    editor.member_id or 0,
                    "edited",
                    " ".join(edit.reason.split())[:200],
                    edit.rule,
                    post.version,
                )
            )
        leaves_mark = (
            bool(reasons)
            or edit_needs_reason(
                editor, post.author_id, post.created_at, now, site.current().edit_grace_minutes
            )
            # An appeal that is won puts back the text of before.
            or was_moved_since(thread.id, post.created_at)
        )
        if leaves_mark:
            why = " ".join(f"{label}: {edit.reason}".split() if label else edit.reason.split())
            keep_former(post, thread, editor_id=editor.member_id or 0, reason=why, at=now)
        else:
            said_before = {"title": thread.title if is_opening else "", "source": post.source}
            preserving.keep_former(post.author_id, f"post {post.id}", said_before)
        before, pictures = set(post.mentions), pictures_in(post.source)
        post.source, post.html, post.excerpt = prepared.source, prepared.html, prepared.excerpt
        post.source_format = "markdown"
        post.sections = edit.sections
        post.mentions = prepared.mentions
        post.renderer_version = markup.RENDERER_VERSION
        post.version += 1
        attach_uploads(editor.member_id or 0, post)
        if pictures - pictures_in(post.source):
            let_go_pictures(post, for_good=False)
        touch(thread, board)
        if is_opening:
            retitled = new_title != thread.title
            if retitled:
                thread.title, thread.slug = new_title, slugify(new_title)
                thread.version += 1
            if names is not None and names != thread.tags:
                set_tags(thread, names)
                retitled = True
            if retitled:
                events.publish(ThreadChanged(thread.id, editor.member_id or 0, "retitled"))
        new_mentions = tuple(sorted(set(prepared.mentions) - before))
        if reasons:
            _hold_edit(post, thread, board, reasons)
            new_mentions = ()  # told when it is released
        events.publish(PostEdited(post.id, thread.id, editor.member_id or 0, new_mentions))
    return post


def _check_can_wait(post: Post, thread: Thread, reasons: tuple[str, ...]) -> None:
    """Raises Invalid for a shown post that others have built on: they do not wait for its author's edit."""
    if post.state is PostState.VISIBLE and (
        post.kind is PostKind.OPENING or thread.accepted_post_id == post.id
    ):
        raise Invalid(
            _(
                "A moderator would have to look at this first, and what others wrote would wait with it. "
                "%(names)s Leave that out here, or write it as a reply: that can wait by itself.",
                names=said(" ".join(reasons)),
            ),
            "body",
        )


def _hold_edit(post: Post, thread: Thread, board: Board, reasons: tuple[str, ...]) -> None:
    if post.state is PostState.VISIBLE:
        count_post(post, thread, board, -1)
        post.state = PostState.HELD
        find_activity(thread)
        touch(thread, board)
        events.publish(PostRemoved(post.id, thread.id, post.author_id))
    hold_post(post, thread, reasons)


def delete_own_post(author: Viewer, post_id: int) -> Post:
    """Delete one's own post; a line saying so keeps its place. Its words and its history go for good.

    Raises NotFound, Forbidden; Invalid for an opening that others have answered.
    """
    with unit_of_work():
        post, thread, board = post_for(author, post_id)
        if post.author_id != author.member_id:
            raise Forbidden(_("Only its author can delete a post."))
        if post.kind is PostKind.OPENING:
            others = db.session.execute(
                select(func.count())
                .select_from(Post)
                .where(
                    Post.thread_id == thread.id,
                    Post.author_id != author.member_id,
                    Post.state == PostState.VISIBLE,
                )
            ).scalar_one()
            if others:
                raise Invalid(
                    _("Others have written here, so the thread stays. Ask a moderator if it has to go."),
                    "post",
                )
        take_back(post, thread, board)
    return post


def take_back(post: Post, thread: Thread, board: Board) -> None:
    """Delete a post for its author, an opening with its thread. Inside a unit of work."""
    if thread.accepted_post_id == post.id:
        drop_acceptance(thread, board, post.author_id)
    if post.state is PostState.VISIBLE:
        if post.kind is PostKind.OPENING and thread.state is PostState.VISIBLE:
            count_thread(thread, board, -1)
            thread.state = PostState.DELETED
        count_post(post, thread, board, -1)
    elif post.kind is PostKind.OPENING:
        thread.state = PostState.DELETED
    post.state = PostState.DELETED
    post.state_at = clock.now()
    if preserving.is_preserved(post.author_id):
        _keep_words(post, thread)
    forget_words(post)
    find_activity(thread)
    touch(thread, board)
    events.publish(PostRemoved(post.id, thread.id, post.author_id))


def _keep_words(post: Post, thread: Thread) -> None:
    former = db.session.execute(
        select(PostRevision).where(PostRevision.post_id == post.id).order_by(PostRevision.version)
    ).scalars()
    preserving.keep(
        post.author_id,
        f"post {post.id}",
        {
            "title": thread.title if post.kind is PostKind.OPENING else "",
            "source": post.source,
            "format": str(post.source_format),
            "sections": post.sections,
            "written_at": post.created_at.isoformat(),
            "former": [
                {"title": one.title, "source": one.source, "until": one.created_at.isoformat()}
                for one in former
            ],
        },
    )


def forget_words(post: Post) -> None:
    """Take the text, its history and its pictures out of the database. Inside a unit of work."""
    post.source = post.html = post.excerpt = ""
    post.source_format = "markdown"
    post.sections = None
    post.mentions = []
    post.version += 1
    forget_history(post)


def forget_history(post: Post) -> None:
    """Take the former texts of a post, and pictures in them alone, out of the database. In a unit of work."""
    db.session.execute(delete(PostRevision).where(PostRevision.post_id == post.id))
    post.revisions_count = 0
    let_go_pictures(post, for_good=True)


def check_may_edit(editor: Viewer, author_id: int, *, closed: bool, archived: bool) -> None:
    """Raises Forbidden with the reason when the viewer may not change a post of that author."""
    if archived:
        raise Forbidden(_("This board is archived: nothing in it can be changed."))
    if editor.may(Permission.MODERATE):
        return
    if author_id != editor.member_id or not editor.may(Permission.POST):
        raise Forbidden(_("Only its author can edit this post."))
    if closed:
        raise Forbidden(_("This thread is closed: its posts can no longer be changed."))
