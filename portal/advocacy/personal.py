"""What the ledger holds about people: exported, erased and kept how long (kernel.personal)."""

from typing import Any

from sqlalchemy import delete, select, update

from portal.advocacy.models import Contest, Entry, ScoreChoice, WeightsDecision
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


CLASSES = (
    Personal(
        "Entries in the ledger of thanks",
        ("score_entries", "score_givers", "score_companies", "score_members"),
        _entries_of,
        _keep_entries,
    ),
    Personal("Choices about your score", ("score_choices",), _choices_of, _erase_choices),
    Personal("Entries you contested", ("score_contests",), _contests_of, _erase_contests),
    Personal("Decisions about the weights", ("score_weights",), _decisions_of, _forget_decider),
)
