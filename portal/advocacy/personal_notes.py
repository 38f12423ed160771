"""What moderators wrote down about people, and planned with them: exported to them, and gone with them."""

from typing import Any

from sqlalchemy import delete, select, update

from portal.advocacy.models import (
    Asking,
    Candidate,
    CandidateStep,
    MemberNote,
    NominatedBy,
    Nomination,
    Spotlight,
    Stage,
)
from portal.kernel.db import db
from portal.kernel.personal import Personal


def _about(member_id: int) -> Any:
    rows = db.session.execute(
        select(MemberNote.text, MemberNote.at)
        .where(MemberNote.member_id == member_id)
        .order_by(MemberNote.id)
    )
    return [{"note": row.text, "at": row.at.isoformat()} for row in rows]


def _erase(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(MemberNote).where(MemberNote.member_id == member_id))
    db.session.execute(update(MemberNote).where(MemberNote.by_id == member_id).values(by_id=None))


def _candidacy(member_id: int) -> Any:
    """Where the member stands in what the vendor plans, in plain words, and what others said of them."""
    stages = db.session.execute(
        select(Candidate.stage, CandidateStep.stage.label("step"), CandidateStep.at, CandidateStep.reason)
        .join(CandidateStep, CandidateStep.candidate_id == Candidate.id)
        .where(Candidate.member_id == member_id)
        .order_by(CandidateStep.id)
    )
    said = db.session.execute(
        select(Nomination.note, Nomination.part, Nomination.at)
        .where(Nomination.member_id == member_id)
        .order_by(Nomination.id)
    )
    asked = db.session.execute(select(Asking).where(Asking.member_id == member_id).order_by(Asking.id))
    return {
        "steps": [{"step": _STEPS[row.step], "at": row.at.isoformat(), "why": row.reason} for row in stages],
        "why you were suggested": [
            {"note": row.note, "by": _PARTS[row.part], "at": row.at.isoformat()} for row in said
        ],
        "what you were asked": [
            {
                "words": row.words,
                "for": row.activities,
                "at": row.at.isoformat(),
                "you agreed to": row.agreed,
                "answered": row.answered_at.isoformat() if row.answered_at else None,
            }
            for row in asked.scalars()
        ],
    }


_STEPS = {
    Stage.SPOTTED: "a moderator noticed how you help",
    Stage.NOMINATED: "you were suggested",
    Stage.ASKED: "you were asked",
    Stage.CONSENTED: "you agreed to something",
    Stage.ACTIVE: "you do some of it",
    Stage.RESTING: "you are left alone for a while",
    Stage.RETIRED: "you are no longer asked",
}
_PARTS = {
    NominatedBy.MODERATOR: "a moderator",
    NominatedBy.ACCOUNT_OWNER: "somebody of the vendor who looks after your company",
    NominatedBy.PEER: "another customer",
    NominatedBy.SELF: "yourself",
}


def _erase_candidacy(member_id: int, _keep_text: bool) -> None:
    candidates = select(Candidate.id).where(Candidate.member_id == member_id)
    db.session.execute(delete(CandidateStep).where(CandidateStep.candidate_id.in_(candidates)))
    for model in (Candidate, Nomination, Asking):
        db.session.execute(delete(model).where(model.member_id == member_id))
    for column in (
        CandidateStep.by_id,
        Nomination.by_id,
        Nomination.read_by_id,
        Asking.by_id,
        Candidate.looked_after_by_id,
    ):
        db.session.execute(update(column.class_).where(column == member_id).values({column.key: None}))


def _suggestions(member_id: int) -> Any:
    rows = db.session.execute(
        select(Nomination.note, Nomination.at).where(Nomination.by_id == member_id).order_by(Nomination.id)
    )
    return [{"note": row.note, "at": row.at.isoformat()} for row in rows]


def _nothing(_member_id: int, _keep_text: bool) -> None:
    """Gone with the nominee; without its author's name until then."""


def _shown(member_id: int) -> Any:
    row = db.session.get(Spotlight, member_id)
    return {"post": row.post_id, "words": row.words, "badges": row.badges} if row else None


def _erase_shown(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Spotlight).where(Spotlight.member_id == member_id))


CLASSES = (
    Personal("notes of moderators about you", ("member_notes",), _about, _erase),
    Personal(
        "what the vendor would like to ask you",
        ("candidates", "candidate_steps", "nominations", "askings"),
        _candidacy,
        _erase_candidacy,
    ),
    Personal("whom you suggested", ("nominations",), _suggestions, _nothing),
    Personal("what you chose to be shown with", ("spotlights",), _shown, _erase_shown),
)
