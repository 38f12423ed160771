"""Authors as they appear where they wrote: columns for `person_line`, and who may connect name and words.

Whoever opened a thread as role, industry, size and country is that to everybody, in all that they write in
it. Every query that shows an author takes its columns from here; a house test looks that none takes others.
"""

from sqlalchemy import ColumnElement, and_, or_

from portal.discussions.models import Post, PostRevision, ShownAs, Thread
from portal.kernel.access import Viewer
from portal.members.display import not_masked, person_columns, reader_of

BY_POST = person_columns(Post.author_shown_as == ShownAs.ROLE)
BY_THREAD = person_columns(Thread.author_shown_as == ShownAs.ROLE)
# Whoever edited a post whose author appears as a role: the author is a role there too, a moderator is not.
BY_EDITOR = person_columns(
    and_(Post.author_shown_as == ShownAs.ROLE, Post.author_id == PostRevision.editor_id)
)


def named_in_thread(viewer: Viewer | None = None) -> ColumnElement[bool]:
    """SQL: this viewer may know which member opened the thread; without a viewer, everybody may."""
    return _named(Thread, viewer)


def named_in_post(viewer: Viewer | None = None) -> ColumnElement[bool]:
    """SQL: this viewer may know which member wrote the post; without a viewer, everybody may."""
    return _named(Post, viewer)


def may_name_author(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: the author of the post has a name to this viewer. Use with a query that joins Post and Member."""
    return and_(named_in_post(viewer), not_masked(reader_of(viewer)))


def _named(what: type[Post] | type[Thread], viewer: Viewer | None) -> ColumnElement[bool]:
    by_name = what.author_shown_as == ShownAs.NAME
    if viewer is None or viewer.member_id is None:
        return by_name
    return or_(by_name, what.author_id == viewer.member_id)
