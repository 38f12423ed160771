"""What moderation keeps about people: how it is exported, erased, and for how long it stays."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from portal.discussions.guests import veil_over
from portal.kernel import audit, clock, preserving
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.kernel.unit_of_work import unit_of_work
from portal.members.display import reader_of
from portal.members.queries import viewer_of
from portal.moderation.models import (
    Appeal,
    Case,
    Decision,
    Evidence,
    EvidenceReading,
    Flag,
    FlagOutcome,
    ModeratorAlias,
    PracticeAnswer,
    Shift,
)
from portal.moderation.policy import EVIDENCE_KEPT, READINGS_KEPT_DAYS
from portal.moderation.services.evidence import FORGET_JOB as FORGET_EVIDENCE

COMMENTS_KEPT = 365
FORGET_JOB = "forget comments of flags"
FORGET_READINGS = "forget who read what was disclosed"


def forget_comments() -> int:
    """Drop what flaggers wrote about cases decided a year ago; gives how many."""
    before = clock.now() - timedelta(days=COMMENTS_KEPT)
    kept = preserving.preserved_ids()
    old = select(Case.id).where(Case.decided_at < before, Case.member_id.not_in(kept))
    with unit_of_work():
        result = db.session.execute(
            update(Flag)
            .where(Flag.case_id.in_(old), Flag.comment != "", Flag.reporter_id.not_in(kept))
            .values(comment="")
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _flags_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Flag.post_id, Flag.rule_number, Flag.comment, Flag.outcome, Flag.created_at)
        .where(Flag.reporter_id == member_id)
        .order_by(Flag.id)
    )
    return [
        {
            "post": row.post_id,
            "rule": row.rule_number,
            "comment": row.comment,
            "outcome": row.outcome.value,
            "at": row.created_at.isoformat(),
        }
        for row in rows
    ]


def _erase_flags(member_id: int, _keep_text: bool) -> None:
    # A flag that is being looked at stays, without its maker's words; a settled one has done its work.
    db.session.execute(delete(Flag).where(Flag.reporter_id == member_id, Flag.outcome != FlagOutcome.PENDING))
    db.session.execute(update(Flag).where(Flag.reporter_id == member_id).values(comment=""))


def _decisions_about(member_id: int) -> Any:
    rows = (
        db.session.execute(select(Decision).where(Decision.member_id == member_id).order_by(Decision.id))
        .scalars()
        .all()
    )
    reader = reader_of(viewer_of(member_id))
    veil = veil_over(reader, [row.reason for row in rows], [row.thread_id for row in rows])
    return [
        {
            "post": row.post_id,
            "to the post": row.post_measure.value,
            "to the account": row.member_measure.value,
            "rule": row.rule_label,
            "reason": veil(row.reason, row.thread_id or 0),
            "at": row.decided_at.isoformat(),
            "taken back": row.undone_at.isoformat() if row.undone_at else None,
            "overturned": row.overturned_at.isoformat() if row.overturned_at else None,
        }
        for row in rows
    ]


def _erase_decisions(member_id: int, _keep_text: bool) -> None:
    # The public log names nobody and stays; what moderators noted among themselves goes.
    db.session.execute(update(Decision).where(Decision.member_id == member_id).values(note=""))


def _appeals_of(member_id: int) -> Any:
    rows = db.session.execute(select(Appeal).where(Appeal.member_id == member_id)).scalars()
    return [
        {"text": row.text, "outcome": row.outcome.value, "at": row.created_at.isoformat()} for row in rows
    ]


def _erase_appeals(member_id: int, _keep_text: bool) -> None:
    db.session.execute(update(Appeal).where(Appeal.member_id == member_id).values(text=""))


def _disclosed_by(member_id: int) -> Any:
    rows = db.session.execute(
        select(Evidence.case_id, Evidence.author_id, Evidence.written_at, Evidence.shared_at)
        .where(or_(Evidence.shared_by_id == member_id, Evidence.author_id == member_id))
        .order_by(Evidence.id)
    )
    return [
        {
            "case": row.case_id,
            "yours": row.author_id == member_id,
            "written": row.written_at.isoformat(),
            "disclosed": row.shared_at.isoformat(),
        }
        for row in rows
    ]


def _erase_disclosed(_member_id: int, _keep_text: bool) -> None:
    """What a case needs to be decided stays until it is over, and goes by itself then."""


def _readings_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(EvidenceReading).where(EvidenceReading.reader_id == member_id).order_by(EvidenceReading.id)
    ).scalars()
    return [{"case": row.case_id, "messages": row.messages, "at": row.at.isoformat()} for row in rows]


def forget_readings() -> int:
    """Drop the records of who read what was disclosed, a year after; gives how many."""
    before = clock.now() - timedelta(days=READINGS_KEPT_DAYS)
    kept = preserving.preserved_ids()
    about_kept = select(Case.id).where(Case.member_id.in_(kept))
    with unit_of_work():
        result = db.session.execute(
            delete(EvidenceReading)
            .where(
                EvidenceReading.at < before,
                EvidenceReading.reader_id.not_in(kept),
                EvidenceReading.case_id.not_in(about_kept),
            )
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _alias_of(member_id: int) -> Any:
    alias = db.session.get(ModeratorAlias, member_id)
    return {"in the public log": f"Moderator {alias.letter}"} if alias else None


def _keep(_member_id: int, _keep_text: bool) -> None:
    """A letter names nobody once the account does not."""


def _actions_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(AuditEntry.at, AuditEntry.action, AuditEntry.target_kind, AuditEntry.target_id)
        .where(AuditEntry.actor_id == member_id)
        .order_by(AuditEntry.number)
    )
    return [
        {
            "at": row.at.isoformat(),
            "action": row.action,
            "on": f"{row.target_kind} {row.target_id or ''}".strip(),
        }
        for row in rows
    ]


def _shifts_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Shift.first_day, Shift.last_day).where(Shift.member_id == member_id).order_by(Shift.id)
    )
    return [{"from": row.first_day.isoformat(), "until": row.last_day.isoformat()} for row in rows]


def _erase_shifts(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Shift).where(Shift.member_id == member_id))


def _practice_of(member_id: int) -> Any:
    rows = db.session.execute(select(PracticeAnswer).where(PracticeAnswer.member_id == member_id)).scalars()
    return [{"case": row.key, "reason": row.reason, "at": row.answered_at.isoformat()} for row in rows]


def _erase_practice(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(PracticeAnswer).where(PracticeAnswer.member_id == member_id))


def _erase_words_about(member_id: int, _keep_text: bool) -> None:
    # The rows stay, they hold numbers; their words may name the member.
    about = select(AuditEntry.number).where(
        AuditEntry.target_kind == "member", AuditEntry.target_id == member_id
    )
    audit.blank_details(db.session.execute(about).scalars().all())


CLASSES = (
    Personal("flags you made", ("flags",), _flags_of, _erase_flags, COMMENTS_KEPT, FORGET_JOB),
    Personal("decisions about you", ("decisions", "cases"), _decisions_about, _erase_decisions),
    Personal("appeals you made", ("appeals",), _appeals_of, _erase_appeals),
    Personal("your letter as a moderator", ("moderator_aliases",), _alias_of, _keep),
    Personal(
        "messages disclosed to moderators",
        ("evidence", "case_keys"),
        _disclosed_by,
        _erase_disclosed,
        EVIDENCE_KEPT.days,
        FORGET_EVIDENCE,
    ),
    Personal(
        "disclosed messages you read as a moderator",
        ("evidence_readings",),
        _readings_of,
        _keep,
        READINGS_KEPT_DAYS,
        FORGET_READINGS,
    ),
    Personal("when you are on duty", ("shifts",), _shifts_of, _erase_shifts),
    Personal("how you decided practice cases", ("practice_answers",), _practice_of, _erase_practice),
    Personal("what you did with a duty", ("audit_entries",), _actions_of, _erase_words_about),
)
