"""What ledger and moderators hold about people, notes and plans too: exported, erased, kept how long."""

from typing import Any

from sqlalchemy import delete, select, update

from portal.advocacy.models import (
    Asking,
    Candidate,
    CandidateStep,
    Contest,
    Engagement,
    Entry,
    MemberNote,
    NominatedBy,
    Nomination,
    ScoreChoice,
    Spotlight,
    Stage,
    WeightsDecision,
)
from portal.advocacy.services.common import alone
from portal.advocacy.services.noting import note_engagements
from portal.kernel.db import db
from portal.kernel.personal import Personal


def _entries_of(member_id: int) -> Any:
    """What one received, and what one gave in the open. Who gave in private stands in no row."""
    rows = db.session.execute(
        select(Entry)
        .where((Entry.receiver_id == member_id) | (Entry.giver_id == member_id))
        .order_by(Entry.id)
    ).scalars()
    return [
        {
            "what": row.rule.value,
            "act": row.act.value,
            "counts": row.counts.value,
            "damped": row.damped.value,
            "side": "received" if row.receiver_id == member_id else "given",
            "post": row.post_id,
            "thread": row.thread_id,
            "from": row.occurred_at,
            "reason": row.reason if row.receiver_id == member_id else "",
        }
        for row in rows
    ]


def _keep_entries(_member_id: int, _keep_text: bool) -> None:
    """What others earned by somebody's thanks stays theirs: the rows point to a member without a name."""


def _choices_of(member_id: int) -> Any:
    row = db.session.get(ScoreChoice, member_id)
    if row is None:
        return None
    return {
        "not scored": row.not_scored,
        "not approached": row.not_approached,
        "changed at": row.changed_at,
    }


def _erase_choices(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(ScoreChoice).where(ScoreChoice.member_id == member_id))


def _contests_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Contest).where(Contest.member_id == member_id).order_by(Contest.id)
    ).scalars()
    return [
        {
            "entry": row.entry_id,
            "words": row.words,
            "made at": row.made_at,
            "answer": row.answer,
            "answered at": row.answered_at,
        }
        for row in rows
    ]


def _erase_contests(member_id: int, _keep_text: bool) -> None:
    db.session.execute(update(Contest).where(Contest.member_id == member_id).values(words="", answer=""))


def _decisions_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(WeightsDecision).where(WeightsDecision.decided_by_id == member_id).order_by(WeightsDecision.id)
    ).scalars()
    return [{"version": row.id, "reason": row.reason, "at": row.decided_at} for row in rows]


def _forget_decider(member_id: int, _keep_text: bool) -> None:
    """The decision and its reason are the site's; who made it goes."""
    db.session.execute(
        update(WeightsDecision).where(WeightsDecision.decided_by_id == member_id).values(decided_by_id=None)
    )


def _notes_about(member_id: int) -> Any:
    rows = db.session.execute(
        select(MemberNote.text, MemberNote.at)
        .where(MemberNote.member_id == member_id)
        .order_by(MemberNote.id)
    )
    return [{"note": row.text, "at": row.at.isoformat()} for row in rows]


def _erase_notes(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(MemberNote).where(MemberNote.member_id == member_id))
    db.session.execute(update(MemberNote).where(MemberNote.by_id == member_id).values(by_id=None))


def _engagements_of(member_id: int) -> Any:
    """What the member did, as it stands written down; who wrote it down did so as a duty."""
    rows = db.session.execute(
        select(Engagement).where(Engagement.member_id == member_id).order_by(Engagement.id)
    ).scalars()
    return [
        {
            "activity": row.activity.value,
            "on": row.done_on.isoformat(),
            "words": row.words,
            "written down at": row.recorded_at.isoformat(),
            "taken back at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
            "taken back because": row.withdrawn_reason,
        }
        for row in rows
    ]


def _erase_engagements(member_id: int, _keep_text: bool) -> None:
    """The words go with the records; in the ledger a row against each entry says that it stands no more."""
    alone(member_id)
    ids = list(db.session.execute(select(Engagement.id).where(Engagement.member_id == member_id)).scalars())
    db.session.execute(delete(Engagement).where(Engagement.member_id == member_id))
    if ids:
        note_engagements(member_id, ids)
    for column in (Engagement.recorded_by_id, Engagement.withdrawn_by_id):
        db.session.execute(update(Engagement).where(column == member_id).values({column.key: None}))


def _candidacy(member_id: int) -> Any:
    """Where the member stands in what the vendor plans, in plain words, and what others said of them."""
    stages = db.session.execute(
        select(Candidate.stage, CandidateStep.stage.label("step"), CandidateStep.at, CandidateStep.reason)
        .join(CandidateStep, CandidateStep.candidate_id == Candidate.id)
        .where(Candidate.member_id == member_id)
        .order_by(CandidateStep.id)
    )
    said = db.session.execute(
        select(Nomination.note, Nomination.part, Nomination.post_ids, Nomination.at)
        .where(Nomination.member_id == member_id)
        .order_by(Nomination.id)
    )
    asked = db.session.execute(select(Asking).where(Asking.member_id == member_id).order_by(Asking.id))
    return {
        "steps": [{"step": _STEPS[row.step], "at": row.at.isoformat(), "why": row.reason} for row in stages],
        "why you were suggested": [
            {
                "note": row.note,
                "with": [f"/posts/{one}" for one in row.post_ids],
                "by": _PARTS[row.part],
                "at": row.at.isoformat(),
            }
            for row in said
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
        select(Nomination.note, Nomination.post_ids, Nomination.at)
        .where(Nomination.by_id == member_id)
        .order_by(Nomination.id)
    )
    return [
        {"note": row.note, "with": [f"/posts/{one}" for one in row.post_ids], "at": row.at.isoformat()}
        for row in rows
    ]


def _keep_suggestions(_member_id: int, _keep_text: bool) -> None:
    """Gone with the nominee; without its author's name until then."""


def _shown(member_id: int) -> Any:
    row = db.session.get(Spotlight, member_id)
    return {"post": row.post_id, "words": row.words, "badges": row.badges} if row else None


def _erase_shown(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Spotlight).where(Spotlight.member_id == member_id))


CLASSES = (
    Personal(
        "Entries in the ledger of thanks",
        ("score_entries", "score_givers", "score_companies", "score_members", "score_scopes"),
        _entries_of,
        _keep_entries,
    ),
    Personal("Choices about your score", ("score_choices",), _choices_of, _erase_choices),
    Personal("Entries you contested", ("score_contests",), _contests_of, _erase_contests),
    Personal("Decisions about the weights", ("score_weights",), _decisions_of, _forget_decider),
    Personal("notes of moderators about you", ("member_notes",), _notes_about, _erase_notes),
    Personal(
        "what the vendor would like to ask you",
        ("candidates", "candidate_steps", "nominations", "askings"),
        _candidacy,
        _erase_candidacy,
    ),
    Personal("what you did for the vendor", ("engagements",), _engagements_of, _erase_engagements),
    Personal("whom you suggested", ("nominations",), _suggestions, _keep_suggestions),
    Personal("what you chose to be shown with", ("spotlights",), _shown, _erase_shown),
)
