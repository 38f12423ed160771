"""Reading what was disclosed to a case: while it is open, by those who may decide it, each time on record."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from portal.kernel import audit, clock, preserving
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation import policy
from portal.moderation.models import Case, CaseKey, CaseKind, CaseState, Evidence, EvidenceReading
from portal.moderation.queries import evidence
from portal.moderation.queries.parties import reason_against
from portal.moderation.services.aliases import alias_of

FORGET_JOB = "forget what was disclosed"


@dataclass(frozen=True)
class Disclosed:
    """One message as a reviewer reads it."""

    by: str
    about: bool  # by the member whom the case is about
    shared_by: str
    written_at: datetime
    text: str


def read_evidence(reader: Viewer, case_id: int) -> list[Disclosed]:
    """The messages that were disclosed to an open case, oldest first; that they were read is recorded.

    The case is one that the reader may see (queries.cases.case_view). Raises NotFound once it is decided, for
    those who may not decide it, and where nothing was disclosed; CannotOpen without the key.
    """
    with unit_of_work():
        case = db.session.get(Case, case_id)
        if case is None or not evidence.is_open_to(reader, case) or reason_against(reader, case):
            raise NotFound("nothing to read")
        source = evidence.source_case_id(case)
        author, sharer = aliased(Member), aliased(Member)
        rows = db.session.execute(
            select(Evidence, author.name.label("author"), sharer.name.label("sharer"))
            .join(author, author.id == Evidence.author_id)
            .join(sharer, sharer.id == Evidence.shared_by_id)
            .where(Evidence.case_id == source)
            .order_by(Evidence.written_at, Evidence.id)
        ).all()
        if not rows:
            raise NotFound("nothing to read")
        key = db.session.get_one(CaseKey, source).key()
        found = [
            Disclosed(
                by=row.author,
                about=row[0].author_id == case.member_id,
                shared_by=row.sharer,
                written_at=row[0].written_at,
                text=key.open(row[0].box, purpose=f"evidence:{row[0].ref}"),
            )
            for row in rows
        ]
        alias_of(reader.member_id or 0)
        db.session.add(
            EvidenceReading(
                case_id=source, reader_id=reader.member_id or 0, messages=len(found), at=clock.now()
            )
        )
        audit.record(reader, "read evidence", "case", case.id, f"{len(found)} messages")
    return found


def forget_evidence() -> int:
    """Throw away what was disclosed to cases whose decision can no longer be appealed; gives how many."""
    appeal = aliased(Case)
    before = clock.now() - policy.EVIDENCE_KEPT
    kept = preserving.preserved_ids()
    over = and_(
        Case.member_id.not_in(kept),
        ~exists().where(
            Evidence.case_id == Case.id, or_(Evidence.author_id.in_(kept), Evidence.shared_by_id.in_(kept))
        ),
        Case.state != CaseState.OPEN,
        Case.decided_at < before,
        ~exists().where(
            appeal.appeals_case_id == Case.id,
            appeal.kind == CaseKind.APPEAL,
            or_(appeal.state == CaseState.OPEN, appeal.decided_at >= before),
        ),
    )
    with unit_of_work():
        ids = list(
            db.session.execute(
                select(CaseKey.case_id).join(Case, Case.id == CaseKey.case_id).where(over).limit(500)
            ).scalars()
        )
        db.session.execute(delete(Evidence).where(Evidence.case_id.in_(ids)))
        db.session.execute(delete(CaseKey).where(CaseKey.case_id.in_(ids)))
    return len(ids)
