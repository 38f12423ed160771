"""From being noticed to being asked, and on: every move is kept with who made it and why."""

from collections.abc import Collection, Iterable
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select

from portal.advocacy.models import (
    Asking,
    Candidate,
    CandidateStep,
    NominatedBy,
    Nomination,
    Stage,
)
from portal.advocacy.policy import DECLINE_STANDS, RESTS, declined_until, left_alone
from portal.advocacy.queries import candidates as candidates_queries
from portal.advocacy.queries import routes as routes_queries
from portal.advocacy.queries import standing
from portal.advocacy.queries.declines import declines
from portal.advocacy.services.common import alone, check
from portal.consents import queries as consents
from portal.consents import services as consent_services
from portal.consents.models import Activity
from portal.consents.texts import NAMES
from portal.discussions.queries.deeds import deeds
from portal.kernel import audit, clock
from portal.kernel.access import CUSTOMERS, Duty, Permission, Viewer
from portal.kernel.dates import day_in_words
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.form_keys import once
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState
from portal.notifications.services.notifying import notify
from portal.relations.queries import relations_of_company

ASKED = "asked"  # the kind of notice
MOST_EVIDENCE = 6
_BY = {
    NominatedBy.MODERATOR: "",
    NominatedBy.ACCOUNT_OWNER: "by sales or service",
    NominatedBy.PEER: "by a peer",
    NominatedBy.SELF: "by themselves",
}
NOTE_LONGEST, WORDS_LONGEST = 2000, 1500


def nominate(
    actor: Viewer,
    member_id: int,
    note: str,
    *,
    post_ids: Iterable[int] = (),
    form_key: str = "",
    place: str = "",
) -> Nomination:
    """Say why a member should be asked, with evidence: as moderator, account owner, peer, or for oneself.

    Evidence is what the member wrote and the actor may read. Raises Invalid without a note or with other
    evidence, and for a moderator where the member chose not to be approached, which nobody else is to learn;
    Forbidden for a prospect. `place`: where somebody who sends the form twice is led.
    """
    part = part_of(actor, member_id)
    note = note.strip()
    if not note:
        raise Invalid(_("Say in a sentence or two why."), "note")
    if len(note) > NOTE_LONGEST:
        raise Invalid(_("At most %(most)s characters.", most=NOTE_LONGEST), "note")
    picked = list(dict.fromkeys(post_ids))
    if len(picked) > MOST_EVIDENCE:
        raise Invalid(_("Pick at most %(most)s pieces of evidence.", most=MOST_EVIDENCE), "evidence")
    with once(form_key, actor.member_id or 0) as outcome:
        alone(member_id)
        member = _customer(member_id)
        if part is NominatedBy.MODERATOR:
            _check_may_be_asked(member_id)
        _check_are_of(actor, member_id, picked)
        row = Nomination(
            member_id=member_id,
            by_id=actor.member_id,
            part=part,
            note=note,
            post_ids=picked,
            at=clock.now(),
            read_at=clock.now() if part is NominatedBy.MODERATOR else None,
            read_by_id=actor.member_id if part is NominatedBy.MODERATOR else None,
        )
        db.session.add(row)
        candidate = _find(member_id)
        if candidate is None or candidate.stage is Stage.SPOTTED:
            _step(actor, candidate or _new(member_id), Stage.NOMINATED, _BY[part])
        if part is NominatedBy.MODERATOR:
            audit.record(actor, "nominate member", "member", member_id, area="people")
        db.session.flush()
        outcome.place = place or f"/console/candidates/{member.username}"
        return row


def add_evidence(actor: Viewer, member_id: int, post_id: int, *, form_key: str = "", place: str = "") -> None:
    """Add a piece of evidence to what moderators wrote about a member: to one's own note, or the latest.

    Nothing else changes: neither the stage, nor how long a no stands. Raises Invalid where no moderator wrote
    a note yet, where the piece is picked already, or where the member chose not to be approached.
    """
    check(actor)
    with once(form_key, actor.member_id or 0) as outcome:
        alone(member_id)
        member = _customer(member_id)
        _check_may_be_asked(member_id)
        _check_are_of(actor, member_id, [post_id])
        notes = candidates_queries.notes_of_moderators(member_id)
        for one in notes:
            if post_id in one.post_ids:
                raise Invalid(_("This is evidence already."))
        row = candidates_queries.note_to_add_to(notes, actor.member_id)
        if row is None:
            raise Invalid(_("Say in a sentence or two why."), "note")
        if len(row.post_ids) >= MOST_EVIDENCE:
            raise Invalid(
                _("The note has %(most)s pieces of evidence, and takes no more: write one of your own.",
                  most=MOST_EVIDENCE),
                "note",
            )  # fmt: skip
        row.post_ids = [*row.post_ids, post_id]
        audit.record(
            actor, "add evidence", "member", member_id, f"post {post_id}, nomination {row.id}", area="people"
        )
        outcome.place = place or f"/console/candidates/{member.username}"


def part_of(actor: Viewer, member_id: int) -> NominatedBy:
    """In which part this viewer would nominate this member. Raises Forbidden."""
    if actor.may(Permission.ADVOCACY):
        return NominatedBy.MODERATOR
    if actor.duties & {Duty.SALES, Duty.SERVICE}:
        return NominatedBy.ACCOUNT_OWNER
    if actor.status in CUSTOMERS and actor.may(Permission.CONVERSE):
        return NominatedBy.SELF if actor.member_id == member_id else NominatedBy.PEER
    raise Forbidden(_("Only customers, and the vendor's people, can suggest somebody."))


def note_nomination(actor: Viewer, member_id: int, nomination_id: int) -> None:
    """A moderator has read this nomination of a member: it no longer waits. Raises Forbidden, NotFound."""
    check(actor)
    with unit_of_work():
        row = db.session.get(Nomination, nomination_id)
        if row is None or row.member_id != member_id:
            raise NotFound("no such nomination")
        if row.read_at is None:
            row.read_at, row.read_by_id = clock.now(), actor.member_id


def spot(actor: Viewer, member_id: int) -> Candidate:
    """Keep an eye on a member. One that is known already stays where it is."""
    check(actor)
    with unit_of_work():
        alone(member_id)
        _customer(member_id)
        candidate = _find(member_id)
        if candidate is None:
            candidate = _new(member_id)
            _step(actor, candidate, Stage.SPOTTED, "")
        return candidate


def ask(
    actor: Viewer,
    member_id: int,
    words: str,
    activities: Iterable[Activity],
    *,
    reason: str = "",
    knowing: Collection[str] = (),
    form_key: str = "",
) -> Asking:
    """Ask a member, in words of their own, whether they are open to some activities.

    One of the two routes has to be met, and the company neither held nor red nor with an open escalation, or
    `reason` says why it is asked all the same, which is logged. `knowing` is what of the latter the actor has
    read (names of `LEFT_ALONE`); Invalid where there is more. A decline stands for six months, also of one
    thing among several, and whoever does not want to be approached is not asked.
    """
    check(actor)
    words, reason = words.strip(), " ".join(reason.split())
    wanted = [one.value for one in dict.fromkeys(activities)]
    if not words:
        raise Invalid(_("Write what you ask, in words this member would use."), "words")
    if len(words) > WORDS_LONGEST:
        raise Invalid(_("At most %(most)s characters.", most=WORDS_LONGEST), "words")
    if not wanted:
        raise Invalid(_("Choose what you ask for."), "activities")
    with once(form_key, actor.member_id or 0) as outcome:
        alone(member_id)
        member = _customer(member_id)
        _check_may_be_asked(member_id)
        candidate = _find(member_id) or _new(member_id)
        if (until := declined_until(candidate.declined_at)) is not None and until > clock.now():
            raise Invalid(_("They said no; that stands until %(until)s.", until=day_in_words(until)))
        _check_not_declined(member_id, wanted)
        if _open_asking(member_id) is not None:
            raise Conflict(_("They were asked already and have not answered yet."))
        unmet = routes_queries.routes([member_id])[member_id].unmet
        against = left_alone(relations_of_company(member.company_id))
        if not set(against) <= set(knowing):
            raise Invalid(_("Look at their company first: it is to be left alone at present."), "reason")
        if against and not reason:
            raise Invalid(
                _("Their company is to be left alone. Say why you ask all the same; it is logged."), "reason"
            )
        if unmet and not reason:
            raise Invalid(_("Neither way is met yet. Say why you ask all the same; it is logged."), "reason")
        row = Asking(
            member_id=member_id, by_id=actor.member_id, words=words, activities=wanted, at=clock.now()
        )
        db.session.add(row)
        if not _is_counted_on(candidate):  # else another request takes nothing back
            _step(actor, candidate, Stage.ASKED, reason, [*unmet, *against])
        why = ["before the conditions were met"] if unmet else []
        if against:
            why.append(f"although the company is to be left alone ({', '.join(against)})")
        details = f"{', '.join(why)}: {reason}" if why else ""
        audit.record(actor, "ask member", "member", member_id, details, area="people")
        db.session.flush()
        notify(ASKED, [member_id], source_key=f"asking-{row.id}", data={"asking": row.id})
        outcome.place = f"/console/candidates/{member.username}"
        return row


def withdraw_asking(actor: Viewer, member_id: int) -> None:
    """Take the question back before it is answered; they are nominated still, or counted on as before."""
    check(actor)
    with unit_of_work():
        alone(member_id)
        row = _open_asking(member_id)
        candidate = _find(member_id)
        if row is None or candidate is None:
            raise NotFound("nothing was asked")
        row.withdrawn_at = clock.now()
        if not _is_counted_on(candidate):
            _step(actor, candidate, Stage.NOMINATED, "the question was taken back")


def see(viewer: Viewer) -> Asking | None:
    """What this member is asked and has not answered; that they have seen it is kept."""
    if viewer.member_id is None:
        return None
    row = _open_asking(viewer.member_id)
    if row is not None and row.seen_at is None:
        with unit_of_work():
            row = _open_asking(viewer.member_id)
            if row is not None:
                row.seen_at = clock.now()
    return row


def answer(viewer: Viewer, asking_id: int, agreed: Iterable[Activity], *, months: int = 12) -> int:
    """The member's answer: yes to some, no to the others. Gives to how many.

    Nothing at all is a decline, after which they rest; while something they agreed to before holds, only what
    they were asked for now is declined.
    """
    with unit_of_work():
        alone(viewer.member_id or 0)
        row = db.session.get(Asking, asking_id)
        if row is None or row.member_id != viewer.member_id:
            raise NotFound("nothing was asked")
        if row.answered_at is not None or row.withdrawn_at is not None:
            raise Conflict(_("This was answered already, or taken back."))
        yes = [one for one in dict.fromkeys(agreed) if one.value in row.activities]
        row.answered_at, row.agreed = clock.now(), [one.value for one in yes]
        db.session.flush()
        candidate = _find(row.member_id) or _new(row.member_id)
        counted_on = _is_counted_on(candidate)
        if yes:
            consent_services.give(viewer, yes, months=months, channel="when asked")
            said = "said yes to " + ", ".join(one.value for one in yes)
            if not (counted_on and candidate.stage is Stage.ACTIVE):
                _step(viewer, candidate, Stage.CONSENTED, said)
        elif not counted_on:
            candidate.declined_at = clock.now()
            candidate.rests_until = (clock.now() + DECLINE_STANDS).date()
            _step(viewer, candidate, Stage.RESTING, "declined")
        return len(yes)


def move(
    actor: Viewer,
    member_id: int,
    stage: Stage,
    *,
    reason: str = "",
    until: date | None = None,
    version: int | None = None,
) -> Candidate:
    """Move somebody to a stage. Raises Invalid where something is missing and no reason says why.

    Nobody is moved to *asked*: that is done by asking. *Consented* and *active* need a consent in force, and
    no reason takes its place.
    """
    check(actor)
    reason = " ".join(reason.split())
    with unit_of_work():
        alone(member_id)
        candidate = _find(member_id)
        if candidate is None:
            raise NotFound("no such candidate")
        if version is not None and version != candidate.version:
            raise Conflict(_("Somebody moved them meanwhile."), candidate.version)
        if stage is Stage.ASKED:
            raise Invalid(_("Ask them: the words you ask with come first."), "stage")
        if stage in (Stage.CONSENTED, Stage.ACTIVE) and not consents.in_force([member_id]):
            raise Invalid(_("They have not agreed to anything that holds today."), "stage")
        if stage is Stage.RETIRED and not reason:
            raise Invalid(_("Say why, for whoever looks later."), "reason")
        unmet: list[str] = []
        if stage is Stage.ACTIVE:
            unmet = routes_queries.routes([member_id])[member_id].unmet
            if unmet and candidate.stage is not Stage.CONSENTED and not reason:
                raise Invalid(_("Neither way is met. Say why all the same; it is logged."), "reason")
        if (asked := _open_asking(member_id)) is not None:
            asked.withdrawn_at = clock.now()
        candidate.rests_until = (until or (clock.now() + RESTS).date()) if stage is Stage.RESTING else None
        _step(actor, candidate, stage, reason, unmet)
        audit.record(actor, f"move to {stage.value}", "member", member_id, reason, area="people")
        return candidate


def look_after(actor: Viewer, member_id: int, *, whose: int | None) -> None:
    """Say which of the vendor's moderators looks after somebody; None for nobody. Invalid for others."""
    check(actor)
    with unit_of_work():
        alone(member_id)
        candidate = _find(member_id)
        if candidate is None:
            raise NotFound("no such candidate")
        if whose is not None and whose not in {one[0] for one in candidates_queries.carers()}:
            raise Invalid(_("Choose one of the vendor's moderators."), "whose")
        candidate.looked_after_by_id = whose
        name = db.session.get_one(Member, whose).name if whose is not None else "nobody"
        audit.record(actor, "look after", "member", member_id, f"now: {name}", area="people")


def review(actor: Viewer, member_id: int) -> None:
    """Looked at as a whole: what they are worth now is what the next fall is measured against."""
    check(actor)
    with unit_of_work():
        alone(member_id)
        candidate = _find(member_id)
        if candidate is None:
            raise NotFound("no such candidate")
        candidate.reviewed_at = clock.now()
        candidate.was_worth = _worth(member_id)
        audit.record(actor, "review candidate", "member", member_id, area="people")


def note_withdrawal(member_id: int) -> None:
    """A consent was taken back: with none left, nobody counts on this member any more. Inside a unit."""
    alone(member_id)
    candidate = _find(member_id)
    if candidate is None or candidate.stage not in (Stage.CONSENTED, Stage.ACTIVE):
        return
    if not consents.in_force([member_id]):
        candidate.rests_until = (clock.now() + RESTS).date()
        _step(None, candidate, Stage.RESTING, "took the last consent back")


def note_consent(member_id: int) -> None:
    """A consent was given without being asked for: whoever was known moves on. Inside a unit."""
    alone(member_id)
    candidate = _find(member_id)
    if candidate is not None and candidate.stage in (Stage.SPOTTED, Stage.NOMINATED, Stage.RESTING):
        candidate.rests_until = None  # what they said no to stands all the same
        _step(None, candidate, Stage.CONSENTED, "agreed on their own page")


def _customer(member_id: int) -> Member:
    member = db.session.get(Member, member_id)
    if member is None or member.state is MemberState.ERASED:
        raise NotFound("no such member")
    if member.status not in CUSTOMERS:
        raise Invalid(_("Only customers are asked for any of this."))
    return member


def _check_may_be_asked(member_id: int) -> None:
    if candidates_queries.is_not_to_be_approached(member_id):
        raise Invalid(_("They chose not to be approached. That is theirs to change."))


def _check_not_declined(member_id: int, wanted: Iterable[str]) -> None:
    said_no = declines([member_id]).get(member_id, {})
    for activity, until in said_no.items():
        if activity.value in wanted:
            what = str(NAMES[activity]).lower()
            raise Invalid(
                _(
                    "They said no to %(what)s; that stands until %(until)s.",
                    what=what,
                    until=day_in_words(until),
                ),
                "activities",
            )


def _find(member_id: int) -> Candidate | None:
    return db.session.execute(select(Candidate).where(Candidate.member_id == member_id)).scalar_one_or_none()


def _open_asking(member_id: int) -> Asking | None:
    return db.session.execute(
        select(Asking).where(
            Asking.member_id == member_id, Asking.answered_at.is_(None), Asking.withdrawn_at.is_(None)
        )
    ).scalar_one_or_none()


def _new(member_id: int) -> Candidate:
    now = clock.now()
    candidate = Candidate(
        member_id=member_id,
        stage=Stage.SPOTTED,
        stage_at=now,
        was_worth=_worth(member_id),
        reviewed_at=now,
        created_at=now,
        version=0,
    )
    db.session.add(candidate)
    db.session.flush()  # its steps need the id
    return candidate


def _is_counted_on(candidate: Candidate) -> bool:
    """Whether they stand at *consented* or *active* by a consent that holds now."""
    counted_on = candidate.stage in (Stage.CONSENTED, Stage.ACTIVE)
    return counted_on and bool(consents.in_force([candidate.member_id]))


def _worth(member_id: int) -> float:
    known = standing.standings([member_id]).get(member_id)
    return known.helpfulness if known else 0.0


def _step(
    actor: Viewer | None, candidate: Candidate, stage: Stage, reason: str, unmet: list[str] | None = None
) -> None:
    candidate.stage, candidate.stage_at = stage, clock.now()
    candidate.version += 1
    if actor is not None and actor.may(Permission.ADVOCACY) and candidate.looked_after_by_id is None:
        candidate.looked_after_by_id = actor.member_id
    db.session.add(
        CandidateStep(
            candidate_id=candidate.id,
            stage=stage,
            by_id=actor.member_id if actor else None,
            at=clock.now(),
            reason=reason[:600],
            unmet=unmet or [],
        )
    )


def _check_are_of(actor: Viewer, member_id: int, post_ids: list[int]) -> None:
    """Raises Invalid unless each is an answer or war story of this member that the actor may read now."""
    found = {deed.post_id for deed in deeds(actor, post_ids) if deed.author_id == member_id}
    if not found.issuperset(post_ids):
        raise Invalid(_("Pick from what this member wrote, and what stands there still."), "evidence")
