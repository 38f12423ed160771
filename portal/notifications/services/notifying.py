"""Telling members, once for each thing, in the ways they chose."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from portal.kernel import clock, jobs
from portal.kernel.db import db, flushed_rows
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState
from portal.notifications import kinds
from portal.notifications.models import Mail, Notice, Preference

SEND_JOB = "send mail"

_IDS: Any = bindparam("ids", expanding=True)
_TO_TELL = (
    select(Member.id, Member.email_confirmed_at, Preference.in_app, Preference.by_mail)
    .outerjoin(Preference, (Preference.member_id == Member.id) & (Preference.kind == bindparam("kind")))
    .where(
        Member.id.in_(_IDS),
        Member.state.in_([MemberState.ACTIVE, MemberState.SUSPENDED]),
        Member.email.is_not(None),
        ~select(Notice.id)  # asked for each member: by the member, notices are found by an index
        .where(Notice.member_id == Member.id, Notice.source_key == bindparam("source_key"))
        .exists(),
    )
)
_KEEP = insert(Notice).returning(Notice.member_id, Notice.id)
_QUEUE = insert(Mail)
_COUNT = update(Member).where(Member.id.in_(_IDS)).values(unread_notices=Member.unread_notices + 1)


def notify(
    kind_name: str,
    member_ids: Iterable[int],
    *,
    source_key: str,
    actor_id: int | None = None,
    post_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> int:
    """Tell these members; whoever was told of `source_key` before, or is the actor, is left out.

    Inside the caller's unit of work. Whether they may know is the caller's part, and is asked again when
    the notice is shown or mailed. Gives how many were told.
    """
    kind = kinds.find(kind_name)
    if kind is None:
        raise LookupError(f"no kind of notice is called {kind_name}")
    wanted = sorted({member_id for member_id in member_ids if member_id != actor_id})
    told = 0
    for start in range(0, len(wanted), 500):
        told += _notify_some(kind, wanted[start : start + 500], source_key, actor_id, post_id, data or {})
    if told:
        jobs.wake(SEND_JOB)
    return told


def _notify_some(
    kind: kinds.Kind,
    member_ids: list[int],
    source_key: str,
    actor_id: int | None,
    post_id: int | None,
    data: dict[str, Any],
) -> int:
    members = flushed_rows(_TO_TELL, {"ids": member_ids, "kind": kind.name, "source_key": source_key}).all()
    now = clock.now()
    notices: list[dict[str, Any]] = []
    mailed: list[int] = []
    unread: list[int] = []
    for row in members:
        in_app = kind.required or (kind.in_app if row.in_app is None else row.in_app)
        by_mail = kind.required or (kind.by_mail if row.by_mail is None else row.by_mail)
        if not in_app and not by_mail:
            continue
        if by_mail and row.email_confirmed_at is not None:
            mailed.append(row.id)
        notices.append(
            {
                "member_id": row.id,
                "kind": kind.name,
                "source_key": source_key,
                "actor_id": actor_id,
                "post_id": post_id,
                "data": data,
                "created_at": now,
                "read_at": None if in_app else now,
            }
        )
        if in_app:
            unread.append(row.id)
    ids = {row.member_id: row.id for row in flushed_rows(_KEEP, notices)} if notices else {}
    mails = [
        {
            "member_id": member_id,
            "notice_id": ids[member_id],
            "kind": kind.name,
            "message_id": f"notice-{ids[member_id]}-{clock.token(6)}",
            "created_at": now,
            "due_at": now,
            "body": {},
        }
        for member_id in mailed
    ]
    if mails:
        flushed_rows(_QUEUE, mails)
    if unread:
        flushed_rows(_COUNT, {"ids": unread})
    return len(notices)


def mark_read(member_id: int, notice_ids: list[int] | None = None) -> None:
    """Mark these notices of the member as read, or all of them."""
    with unit_of_work():
        unread = update(Notice).where(Notice.member_id == member_id, Notice.read_at.is_(None))
        if notice_ids is not None:
            unread = unread.where(Notice.id.in_(notice_ids))
        db.session.execute(unread.values(read_at=clock.now()))
        left = (
            select(func.count(Notice.id))
            .where(Notice.member_id == member_id, Notice.read_at.is_(None))
            .scalar_subquery()
        )
        db.session.execute(update(Member).where(Member.id == member_id).values(unread_notices=left))


def mark_thread_read(member_id: int, post_ids: list[int]) -> None:
    """Mark what was told about these posts as read, since the member has them on the screen."""
    with unit_of_work():
        ids = list(
            db.session.execute(
                select(Notice.id).where(
                    Notice.member_id == member_id, Notice.post_id.in_(post_ids), Notice.read_at.is_(None)
                )
            ).scalars()
        )
        if ids:
            mark_read(member_id, ids)
