"""A member says that an entry is wrong, somebody looks, and the answer comes with a reason.

A moderator can reverse an entry or put it in force again; no function here grants a point.
"""

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.advocacy.models import Act, Contest, Entry, Rule
from portal.advocacy.policy import LOOKS
from portal.advocacy.queries import contests, deeds, weights
from portal.advocacy.services import telling
from portal.advocacy.services.recording import correct, last_rows, standing
from portal.advocacy.services.sums import fold, lock
from portal.kernel import audit, clock, form_keys
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.lines import line_of
from portal.kernel.unit_of_work import unit_of_work

LONGEST = 1000
LONGEST_REASON = 600
MOST_OPEN = 10


def contest(member: Viewer, entry_id: int | None, words: str, *, form_key: str = "") -> None:
    """Ask for a second look at one's own entry, or the whole (None). Raises Invalid, NotFound; Repeated.

    An entry can be contested once more after the answer: then somebody else looks.
    """
    words = line_of(words, "words", _("Say what is wrong, in a few words."), LONGEST)
    with form_keys.once(form_key, member.member_id or 0) as outcome:
        if entry_id is not None:
            owner = db.session.execute(
                select(Entry.receiver_id).where(Entry.id == entry_id, Entry.rule != Rule.CONVERSATION)
            ).scalar_one_or_none()
            if owner != member.member_id:
                raise NotFound("no such entry")
        waiting = (
            db.session.execute(
                select(Contest.entry_id).where(
                    Contest.member_id == member.member_id, Contest.answered_at.is_(None)
                )
            )
            .scalars()
            .all()
        )
        if entry_id in waiting:
            raise Invalid(_("You asked for this already; the answer comes to your notices."), "words")
        if entry_id is not None and _looked(member.member_id or 0, entry_id) >= LOOKS:
            raise Invalid(
                _("Two people looked at this entry, one after the other: it stays with that."), "words"
            )
        if len(waiting) >= MOST_OPEN:
            raise Invalid(_("Several of your questions wait already; they are answered first."), "words")
        db.session.add(
            Contest(
                member_id=member.member_id or 0,
                entry_id=entry_id,
                words=words,
                made_at=clock.now(),
                answer="",
            )
        )
        outcome.place = "/me/score#contests"


def answer(moderator: Viewer, contest_id: int, words: str, *, correction: Act | None = None) -> None:
    """Answer a contested entry, and reverse it or put it in force again where that is right.

    Raises Forbidden, NotFound; Invalid beside a field; Conflict when it was answered meanwhile.
    """
    words = _reason(words, "answer")
    _check(moderator)
    with unit_of_work():
        row = db.session.get(Contest, contest_id, with_for_update=True)
        if row is None or row.member_id == moderator.member_id:
            raise NotFound("no such question")
        if row.answered_at is not None:
            raise Conflict(_("This was answered meanwhile."))
        if contests.is_for_others(contests.find(moderator, contest_id), moderator):
            raise Forbidden(_("You answered this before: somebody else looks at it now."))
        if correction is not None:
            if row.entry_id is None:
                raise Invalid(_("This is about the whole, so there is no entry to change."), "correction")
            _correct(moderator, row.entry_id, correction, words)
        row.answer, row.answered_at, row.answered_by_id = words, clock.now(), moderator.member_id
        audit.record(moderator, "answer contested entry", "member", row.member_id, words[:200], area="people")
        telling.tell_of_answer(row.id, row.member_id)


def correct_entry(moderator: Viewer, entry_id: int, act: Act, reason: str) -> None:
    """Reverse an entry, or put a reversed one in force again. Raises Forbidden, NotFound, Invalid."""
    reason = _reason(reason, "reason")
    _check(moderator)
    with unit_of_work():
        member_id = _correct(moderator, entry_id, act, reason)
        audit.record(moderator, f"{act.value} entry", "member", member_id, reason[:200], area="people")
        telling.tell_of_correction(entry_id, member_id)


def _looked(member_id: int, entry_id: int) -> int:
    return db.session.execute(
        select(func.count())
        .select_from(Contest)
        .where(Contest.member_id == member_id, Contest.entry_id == entry_id)
    ).scalar_one()


def _correct(moderator: Viewer, entry_id: int, act: Act, reason: str) -> int:
    entry = db.session.get(Entry, entry_id)
    if entry is None or entry.rule is Rule.CONVERSATION:  # shown as one sum: contested as part of the whole
        raise NotFound("no such entry")
    if entry.receiver_id == moderator.member_id or entry.giver_id == moderator.member_id:
        raise Forbidden(_("You are a party to this entry: somebody else decides."))
    lock([entry.receiver_id])
    row = last_rows((Entry.rule == entry.rule) & (Entry.source == entry.source))[entry.rule, entry.source]
    stands = row.act is not Act.REVERSED
    if act is Act.REVERSED and not stands:
        raise Invalid(_("This entry does not count any more."))
    if act is Act.RESTORED and (stands or row.by_id is None):
        raise Invalid(_("Only what a moderator reversed can be put in force again."))
    known = {(row.rule, row.source): row}
    if act is Act.RESTORED and not deeds.is_earned(row, standing(known), weights.current()):
        raise Invalid(_("What it came from was taken back, so it cannot be put in force again."))
    if act not in (Act.REVERSED, Act.RESTORED):
        raise Invalid(_("An entry can be reversed or restored, nothing else."))
    fold([correct(row, act, by_id=moderator.member_id or 0, reason=reason)])
    return entry.receiver_id


def _reason(words: str, name: str) -> str:
    return line_of(words, name, _("Say why; the member reads it."), LONGEST_REASON)


def _check(moderator: Viewer) -> None:
    if not moderator.may(Permission.ADVOCACY):
        raise Forbidden(_("Your account may not do this."))
