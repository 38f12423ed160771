"""What was disclosed to a case: who may read it now, who has read it, and whether peers could."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, func, or_, select

from portal.kernel import clock
from portal.kernel.access import Duty, Permission, Status, Viewer
from portal.kernel.db import db
from portal.members.models import Company, Member, MemberState
from portal.moderation.models import Case, CaseState, Evidence, EvidenceReading, ModeratorAlias
from portal.moderation.queries.parties import is_named_second


@dataclass(frozen=True)
class Reading:
    """That somebody opened what was disclosed."""

    by: str  # "B": the letter of the public log
    at: datetime
    messages: int


def source_case_id(case: Case) -> int:
    """The case to which messages were disclosed: an appeal looks at those of the case it is about."""
    return case.appeals_case_id or case.id


def is_open_to(viewer: Viewer, case: Case) -> bool:
    """Whether the messages can be read now by this viewer, who may read the case."""
    may = viewer.may(Permission.MODERATE) or (is_named_second(viewer) and case.appeals_case_id is not None)
    return may and case.state is CaseState.OPEN and not (case.peers_only and viewer.is_staff)


def readable_count(viewer: Viewer, case: Case) -> int:
    """How many messages this viewer can open now; 0 once it is decided."""
    if not is_open_to(viewer, case):
        return 0
    return db.session.execute(
        select(func.count()).select_from(Evidence).where(Evidence.case_id == source_case_id(case))
    ).scalar_one()


def readings(case_ids: Iterable[int]) -> dict[int, list[Reading]]:
    """Who has read what was disclosed to these cases (and on appeal), oldest first, by case."""
    ids = list(case_ids)
    found: dict[int, list[Reading]] = {}
    rows = db.session.execute(
        select(EvidenceReading, ModeratorAlias.letter)
        .outerjoin(ModeratorAlias, ModeratorAlias.member_id == EvidenceReading.reader_id)
        .where(EvidenceReading.case_id.in_(ids))
        .order_by(EvidenceReading.id)
    )
    for row in rows:
        found.setdefault(row[0].case_id, []).append(Reading(row.letter or "", row[0].at, row[0].messages))
    return found


def moderators(*, peers_only: bool = False, leave_out: Iterable[int] = ()) -> list[int]:
    """Who is on duty: active members who moderate, without the parties themselves."""
    moderating = {Duty.MODERATOR.value, Duty.ADMIN.value}
    query: Any = select(Member.id, Member.duties).where(
        Member.state == MemberState.ACTIVE,
        Member.email_confirmed_at.is_not(None),
        or_(Member.suspended_until.is_(None), Member.suspended_until <= clock.now()),
        # few members have duties; the JSON text of an empty list is two characters on both databases
        cast(Member.duties, Text) != "[]",
        Member.id.not_in(list(leave_out)),
    )
    if peers_only:
        query = query.where(Member.status != Status.VENDOR)
    return [row.id for row in db.session.execute(query) if moderating & set(row.duties)]


def peers_for(parties: Iterable[int]) -> list[int]:
    """Peer moderators who could decide about these members: no party, nor of a party's company or a rival."""
    parties = list(parties)
    involved = db.session.execute(
        select(Company.id, Company.competitors)
        .join(Member, Member.company_id == Company.id)
        .where(Member.id.in_(parties))
    ).all()
    ids = {row.id for row in involved}
    rivals = {rival for row in involved for rival in row.competitors or ()}
    peers = db.session.execute(
        select(Member.id, Member.company_id, Company.competitors)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id.in_(moderators(peers_only=True, leave_out=parties)))
    ).all()
    return [
        row.id for row in peers if row.company_id not in ids | rivals and not ids & set(row.competitors or ())
    ]
