"""Pictures in posts: taken anew, kept as files, and which post each belongs to."""

import contextlib
import json
import os
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update

from portal.discussions.models import Draft, Post, PostRevision, PostState, Upload
from portal.kernel import clock, preserving
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import DomainError, Forbidden, TooMany
from portal.kernel.pictures import reencode
from portal.kernel.preserving import KeptWords
from portal.kernel.unit_of_work import unit_of_work

MAX_SIDE = 2000  # pixels
MOST_AN_HOUR = 60
UNUSED_KEPT = timedelta(days=7)
KEPT = "picture"  # what an order keeps aside of one: its file stays while this row does

# Names made here; other packages keep theirs in the same folder under a prefix.
_OURS = re.compile(r"\.?[A-Za-z0-9_-]{32}\.webp(?:\.half)?")
_NAMES = re.compile(r"/uploads/([A-Za-z0-9_-]{16,60}\.(?:webp|png|jpg|gif))")


class NoRoom(DomainError):
    """The disk is full: nothing was kept."""

    status = 507


def keep_picture(member: Viewer, data: bytes, folder: Path) -> Upload:
    """Encode a picture anew and keep it in `folder`, to be named in a post within a week.

    Raises Invalid (field "file") for what is no still picture or too large, TooMany after sixty in an hour,
    Forbidden, NoRoom.
    """
    if not member.may(Permission.POST):
        raise Forbidden(_("You cannot write here."))
    _check_flood(member)
    picture = reencode(data, max_side=MAX_SIDE)
    name = f"{clock.token(24)}.webp"
    _write(folder, name, picture.bytes)
    try:
        with unit_of_work():
            upload = Upload(
                name=name,
                member_id=member.member_id or 0,
                width=picture.width,
                height=picture.height,
                bytes=len(picture.bytes),
                created_at=clock.now(),
            )
            db.session.add(upload)
    except BaseException:
        (folder / name).unlink(missing_ok=True)
        raise
    return upload


def attach_uploads(member_id: int, post: Post) -> None:
    """Note that the pictures named in the post belong to it. Inside a unit of work."""
    names = _NAMES.findall(post.source)
    if names:
        db.session.execute(
            update(Upload)
            .where(Upload.name.in_(names), Upload.member_id == member_id, Upload.post_id.is_(None))
            .values(post_id=post.id)
        )


def pictures_in(*texts: str) -> set[str]:
    """The names of pictures in these texts."""
    return {name for text in texts for name in _NAMES.findall(text)}


def let_go_pictures(post: Post, *, for_good: bool) -> None:
    """Part the post from pictures that neither its text nor its history names. Inside a unit of work.

    Another post or a draft of the same member keeps one that it names. Else it is unused from now on, or gone
    `for_good`, its file with the next sweep. An order that holds for the author or for whoever sent it keeps
    the file aside.
    """
    pictures = list(
        db.session.execute(select(Upload).where(Upload.post_id == post.id).order_by(Upload.id)).scalars()
    )
    if not pictures:
        return
    former = db.session.execute(select(PostRevision.source).where(PostRevision.post_id == post.id)).scalars()
    named = pictures_in(post.source, *former)
    for picture in pictures:
        if picture.name in named:
            continue
        picture.post_id = _post_naming(picture)
        if picture.post_id is None and for_good and picture.name not in _in_drafts([picture.member_id]):
            _keep_aside(picture, post.author_id)
            db.session.delete(picture)


def drop_picture(member: Viewer, name: str, folder: Path) -> None:
    """Delete one's own picture that no post has; another one stays as it is."""
    with unit_of_work():
        picture = db.session.execute(
            select(Upload)
            .where(Upload.name == name, Upload.member_id == member.member_id, Upload.post_id.is_(None))
            .with_for_update()
        ).scalar_one_or_none()
        if picture is None:
            return
        kept = _keep_aside(picture)
        db.session.delete(picture)
    if not kept:
        (folder / Path(name).name).unlink(missing_ok=True)


def forget_unused(folder: Path) -> int:
    """Delete pictures that no post took within a week, and files that no row names; gives how many.

    A picture that is named in a draft lives as long as the draft.
    """
    before = clock.now() - UNUSED_KEPT
    old = db.session.execute(
        select(Upload.name, Upload.member_id).where(
            Upload.post_id.is_(None),
            Upload.created_at < before,
            Upload.member_id.not_in(preserving.preserved_ids()),
        )
    ).all()
    drafted = _in_drafts({row.member_id for row in old})
    unused = [row.name for row in old if row.name not in drafted]
    if unused:
        with unit_of_work():
            db.session.execute(delete(Upload).where(Upload.name.in_(unused), Upload.post_id.is_(None)))
    for name in unused:
        (folder / name).unlink(missing_ok=True)
    return len(unused) + _sweep(folder)


def _sweep(folder: Path) -> int:
    """Remove files of ours that are a day old and have no row: of a power cut, or of an erased account."""
    if not folder.is_dir():
        return 0
    before = (clock.now() - timedelta(days=1)).timestamp()
    old = [path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.stat().st_mtime < before]
    gone = 0
    kept = db.session.execute(select(KeptWords.words).where(KeptWords.what == KEPT)).scalars()
    aside = {words["name"] for words in kept}
    for start in range(0, len(old), 500):
        part = {path.name: path for path in old[start : start + 500]}
        known = set(db.session.execute(select(Upload.name).where(Upload.name.in_(part))).scalars())
        for name in part.keys() - known - aside:
            part[name].unlink(missing_ok=True)
            gone += 1
    return gone


def _post_naming(picture: Upload) -> int | None:
    """Another post of whoever sent the picture that shows it too."""
    return db.session.execute(
        select(Post.id)
        .where(
            Post.author_id == picture.member_id,
            Post.state != PostState.DELETED,
            Post.source.contains(picture.name, autoescape=True),
        )
        .order_by(Post.id)
        .limit(1)
    ).scalar_one_or_none()


def _in_drafts(member_ids: Iterable[int]) -> set[str]:
    """The names of pictures in the drafts of these members."""
    drafts = db.session.execute(select(Draft.fields).where(Draft.member_id.in_(list(member_ids)))).scalars()
    return pictures_in(*(json.dumps(fields) for fields in drafts))


def _keep_aside(picture: Upload, *others: int) -> bool:
    """Whether an order keeps the file although its row goes."""
    for member_id in (picture.member_id, *others):
        if preserving.is_preserved(member_id):
            preserving.keep(member_id, KEPT, {"name": picture.name, "post": picture.post_id})
            return True
    return False


def _check_flood(member: Viewer) -> None:
    since = clock.now() - timedelta(hours=1)
    taken, first = db.session.execute(
        select(func.count(), func.min(Upload.created_at)).where(
            Upload.member_id == member.member_id, Upload.created_at > since
        )
    ).one()
    if taken >= MOST_AN_HOUR:
        raise TooMany(
            _("You sent %(taken)s pictures within an hour. Wait a little before the next one.", taken=taken),
            retry_after=max(1, round((first - since).total_seconds())),
        )


def _write(folder: Path, name: str, data: bytes) -> None:
    """Whole or not at all: the name appears when every byte is on the disk."""
    half = folder / f".{name}.half"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(folder / name)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        raise NoRoom(
            _("The picture could not be kept: there is no room just now. Your text is not lost.")
        ) from error
