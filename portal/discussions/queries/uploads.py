"""Who may see which picture: whoever may read the post that has it, and always the one who sent it."""

from typing import NamedTuple

from sqlalchemy import func, select

from portal.discussions.house_rules import taken_out_up_to
from portal.discussions.models import Audience, Board, Post, PostRevision, PostState, Thread, Upload
from portal.discussions.policy import text_is_visible
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound


class Shown(NamedTuple):
    """A picture that the viewer may see, and whether everybody may."""

    name: str
    is_public: bool


class OwnPicture(NamedTuple):
    """A picture that no post has yet."""

    name: str
    width: int
    height: int


def picture_for(viewer: Viewer, name: str) -> Shown:
    """The picture, when the viewer may see it: in the text as it is, or in its history. Raises NotFound."""
    upload = db.session.execute(
        select(Upload.member_id, Upload.post_id).where(Upload.name == name)
    ).one_or_none()
    if upload is None:
        raise NotFound("no such picture")
    own = viewer.member_id is not None and upload.member_id == viewer.member_id
    if upload.post_id is None:
        if own:
            return Shown(name, False)
        raise NotFound("no such picture")
    row = db.session.execute(
        select(
            Board.audience,
            Post.state,
            Thread.state,
            Post.author_id,
            Post.source.contains(name, autoescape=True).label("in_text"),
        )
        .select_from(Post)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.id == upload.post_id, text_is_visible(viewer))
    ).one_or_none()
    if row is None:
        if own:  # a removed post is still there for its author, with its pictures
            return Shown(name, False)
        raise NotFound("no such picture")
    if row.in_text:
        return Shown(name, tuple(row[:3]) == (Audience.PUBLIC, PostState.VISIBLE, PostState.VISIBLE))
    if own or row.author_id == viewer.member_id or viewer.may(Permission.MODERATE):
        return Shown(name, False)
    last = db.session.execute(
        select(func.max(PostRevision.version)).where(
            PostRevision.post_id == upload.post_id, PostRevision.source.contains(name, autoescape=True)
        )
    ).scalar()
    if last is None or last <= taken_out_up_to(upload.post_id):
        raise NotFound("no such picture")
    return Shown(name, False)


def unused_pictures(viewer: Viewer) -> list[OwnPicture]:
    """The viewer's pictures that no post has yet, newest first; at most fifty."""
    rows = db.session.execute(
        select(Upload.name, Upload.width, Upload.height)
        .where(Upload.member_id == viewer.member_id, Upload.post_id.is_(None))
        .order_by(Upload.id.desc())
        .limit(50)
    )
    return [OwnPicture._make(row) for row in rows]
