"""From an ask to a conversation: proposals, approaching them, widening, and a moderator who connects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select, update

from portal.asks import policy
from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskMode,
    AskProposal,
    AskStage,
    AskState,
    ProposalState,
    StageKind,
)
from portal.asks.queries.boards import responsible
from portal.asks.queries.finding import (
    ALONE,
    ASKED_BEFORE,
    INTRODUCED,
    TRIED,
    WEIGHED_AWAY,
    ask_for_moderator,
    locked,
    own_ask,
    proposals_of,
    proposed_to_moderator,
    reason_against_asker,
)
from portal.asks.services import fitting, stages, telling, timing
from portal.conversations import services as conversations
from portal.conversations.errors import CompanyAddressWanted, InTouch
from portal.conversations.queries.finding import asked_in_vain, in_touch_with, may_be_asked
from portal.discussions.models import Thread
from portal.kernel import audit, clock, form_keys, working_time
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import DomainError, Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import queries as matching_queries
from portal.matching import services as matching
from portal.matching.errors import NoCapacity, SlotTaken
from portal.members.queries import viewer_of
from portal.moderation.models import CaseKind
from portal.moderation.services import opening


@dataclass
class Approached:
    """What came of asking for conversations: their ids, and who of the chosen could not be asked.

    `gone`: not there any more; `closed`: talks only with people of a company's address; `in_touch`: the
    conversations that the asker has with them already; `refused`: the asker can ask nobody further at
    present, and `refusal` says why; `barred`: the asker can begin no conversations at all.
    """

    conversation_ids: list[str] = field(default_factory=list)
    gone: int = 0
    closed: int = 0
    in_touch: list[str] = field(default_factory=list)
    refused: int = 0
    refusal: str = ""
    barred: bool = False
    replaced: int = 0
    gone_at: datetime | None = None

    @property
    def missing(self) -> int:
        """How many of the chosen are not proposed any more."""
        return self.gone + self.closed + len(self.in_touch)


def connect_now(asker: Viewer, ask_id: int, *, may_connect: bool) -> Ask:
    """The asker wants to talk to somebody: proposals at once, and with consent a moderator who looks too.

    Raises NotFound, Forbidden; Invalid when the ask is over.
    """
    with unit_of_work():
        ask = own_ask(asker, ask_id, lock=True)
        if not policy.may_connect(asker, ask):
            raise Invalid(_("This ask is no longer there, so nobody can be proposed for it."))
        ask.connect_wanted_at = ask.connect_wanted_at or clock.now()
        ask.may_connect = ask.may_connect or may_connect
        stages.done(ask, StageKind.CONNECT)
        propose(ask)
        if ask.may_connect and ask.mode is AskMode.OPEN and ask.state is AskState.RUNNING:
            _case(ask, "The asker wants to be connected now")
        else:
            alert_if_none_is_left(ask)
    return ask


def allow_connecting(asker: Viewer, ask_id: int, *, allowed: bool) -> Ask:
    """Whether a moderator may ask customers on the asker's behalf. Raises NotFound, Forbidden."""
    with unit_of_work():
        ask = own_ask(asker, ask_id, lock=True)
        ask.may_connect = allowed
    return ask


def propose(ask: Ask, wanted: int | None = None, *, instead_at: datetime | None = None) -> int:
    """Keep up to three customers to choose from; gives how many came in. Inside a unit of work.

    `instead_at`: the moment at which those went in whose place they come. They get the same, by which
    `proposed_to_moderator` knows them.
    """
    if wanted is None:
        wanted = policy.PROPOSED - len(open_proposals(ask))
    if wanted <= 0:
        return 0
    found = matching.propose(
        ask.asker_id,
        fitting.criteria_of(ask),
        purpose=fitting.purpose_of(ask),
        exclude=[
            *fitting.proposed_already(ask),
            *in_touch_with(ask.asker_id),
            *asked_in_vain(ask.asker_id),
        ],
        wanted=wanted,
    )
    now = instead_at or clock.now()
    for match in found.matches:
        proposal = _proposal(ask, match.member_id)
        proposal.by_id, proposal.made_at = None, now
        proposal.fit, proposal.load, proposal.limit = match.fit, match.load, match.limit
        proposal.same, proposal.differs = list(match.same), list(match.differs)
        proposal.unknown = list(match.unknown)
        proposal.chosen_as, proposal.least = match.chosen_as, match.least
        proposal.fitting, proposal.relaxed = found.fitting, found.relaxed
        proposal.state, proposal.state_at = ProposalState.OPEN, now
    db.session.flush()
    return len(found.matches)


def _proposal(ask: Ask, member_id: int) -> AskProposal:
    """The row of this member: a new one, or that of before, where it was weighed away."""
    row = db.session.execute(
        select(AskProposal).where(AskProposal.ask_id == ask.id, AskProposal.member_id == member_id)
    ).scalar_one_or_none()
    if row is None:
        row = AskProposal(ask_id=ask.id, member_id=member_id)
        db.session.add(row)
    return row


def set_aside(ask: Ask, member_id: int) -> None:
    """This member was asked before, without success, and is not proposed. Inside a unit of work."""
    now = clock.now()
    db.session.add(
        AskProposal(
            ask_id=ask.id,
            member_id=member_id,
            made_at=now,
            chosen_as=ASKED_BEFORE,
            state=ProposalState.GONE,
            state_at=now,
        )
    )
    db.session.flush()


def propose_talker(ask: Ask, request: AnswerRequest) -> None:
    """A customer who would rather talk stands among the proposals. Inside a unit of work."""
    proposal = _proposal(ask, request.member_id)
    if proposal.state is ProposalState.OPEN and proposal.made_at is not None:
        proposal.chosen_as = "talk"
        return
    if proposal.made_at is not None and proposal.chosen_as != WEIGHED_AWAY:
        return
    now = clock.now()
    proposal.made_at, proposal.state, proposal.state_at = now, ProposalState.OPEN, now
    proposal.fit, proposal.load, proposal.limit = request.fit, 0, 0
    proposal.same, proposal.differs = list(request.same), list(request.differs)
    proposal.unknown = list(request.unknown)
    proposal.chosen_as, proposal.fitting, proposal.relaxed = "talk", None, ""
    db.session.flush()


def open_proposals(ask: Ask) -> list[AskProposal]:
    """Those who can still be approached."""
    return [one for one in proposals_of(ask.id) if one.state is ProposalState.OPEN]


def approach(
    asker: Viewer, ask_id: int, proposal_ids: list[int], *, note: str = "", form_key: str = ""
) -> Approached:
    """Ask one or two of the proposed customers for a conversation.

    Whoever is no longer there (limit reached, paused, gone) is replaced by the next, and the asker told so
    without a name or a reason. Raises NotFound, Forbidden; Invalid for none or more than two, and where
    nothing came of any of them; Repeated.
    """
    chosen = sorted(set(proposal_ids))
    if not chosen:
        raise Invalid(_("Choose whom to ask."), "pick")
    if len(chosen) > policy.APPROACHES:
        raise Invalid(_("You can ask %(most)s at once; choose again.", most=policy.APPROACHES), "pick")
    ask = own_ask(asker, ask_id)
    if not policy.may_connect(asker, ask):
        raise Invalid(_("This ask is no longer there, so nobody can be asked for it."))
    known = {one.id: one for one in proposals_of(ask.id)}
    result = Approached()
    refusal: Invalid | None = None
    if any(number not in known for number in chosen):
        raise Invalid(_("One of them is proposed no longer. Choose again."), "pick")
    for number in chosen:
        if known[number].state is ProposalState.APPROACHED:
            continue
        if known[number].state is ProposalState.GONE:
            result.gone += 1
            continue
        key = f"{form_key}:{number}" if form_key else ""
        try:
            with _told_beside_the_choice():
                _approach_one(asker, ask, known[number], note, key, result)
        except Invalid as error:
            # What was sent to the other stands, and is told.
            refusal, result.refused, result.refusal = error, result.refused + 1, error.message
    if refusal is not None and not result.conversation_ids and not result.missing:
        raise refusal
    _replace_missing(asker, ask_id, result)
    return result


def book(
    asker: Viewer, ask_id: int, proposal_id: int, slot_id: int, *, note: str = "", form_key: str = ""
) -> Approached:
    """Take a time that a proposed customer opened: the conversation begins without waiting for an answer.

    Raises NotFound, Forbidden; Invalid when the time is no longer open; Repeated.
    """
    ask = own_ask(asker, ask_id)
    if not policy.may_connect(asker, ask):
        raise Invalid(_("This ask is no longer there, so nobody can be asked for it."))
    proposal = next((one for one in open_proposals(ask) if one.id == proposal_id), None)
    if proposal is None:
        raise Invalid(_("They are proposed no longer. Choose again."), "pick")
    if slot_id not in [slot.id for slot in matching_queries.open_slots(proposal.member_id)]:
        raise Invalid(SlotTaken().message, "pick")
    result = Approached()
    with _told_beside_the_choice():
        _approach_one(asker, ask, proposal, note, form_key, result, slot_id=slot_id)
    _replace_missing(asker, ask_id, result)
    return result


def _replace_missing(asker: Viewer, ask_id: int, result: Approached) -> None:
    if result.missing:
        with unit_of_work():
            ask = own_ask(asker, ask_id, lock=True)
            result.replaced = propose(ask, instead_at=result.gone_at)
            alert_if_none_is_left(ask)


@contextmanager
def _told_beside_the_choice() -> Iterator[None]:
    """The asker reads beside the proposals why one of them cannot be asked."""
    try:
        yield
    except (Forbidden, SlotTaken) as error:
        raise Invalid(error.message, "pick") from error


def _approach_one(
    asker: Viewer,
    ask: Ask,
    proposal: AskProposal,
    note: str,
    form_key: str,
    result: Approached,
    *,
    slot_id: int | None = None,
) -> None:
    # Each in a unit of its own: one who is gone does not undo the other.
    try:
        with unit_of_work():
            conversations.alone_with(asker, proposal.member_id)
            locked(ask.id)
            state = _state_of(proposal.id)
            if state is not ProposalState.OPEN:  # another window was quicker, or the asker weighed meanwhile
                result.gone += state is not ProposalState.APPROACHED
                return
            conversation = conversations.request(
                asker,
                proposal.member_id,
                origin=fitting.purpose_of(ask),
                note=note,
                slot_id=slot_id,
                offered=proposal.chosen_as == "talk",
                form_key=form_key[:64],
            )
            _mark(proposal.id, ProposalState.APPROACHED)
            result.conversation_ids.append(conversation.id)
        return
    except InTouch as there:
        result.in_touch.append(there.conversation_id)
    except CompanyAddressWanted:
        result.closed += 1
    except (NoCapacity, NotFound):
        result.gone += 1
    result.gone_at = result.gone_at or clock.now()
    with unit_of_work():
        _mark(proposal.id, ProposalState.GONE, result.gone_at)


def move_on(ask: Ask, member_id: int) -> int:
    """An approach came to nothing: the next is proposed. Gives how many. Inside a unit of work."""
    now = clock.now()
    db.session.execute(
        update(AskProposal)
        .where(AskProposal.ask_id == ask.id, AskProposal.member_id == member_id)
        .values(state=ProposalState.GONE, state_at=now)
    )
    made = propose(ask, 1, instead_at=now)
    alert_if_none_is_left(ask)
    return made


def leave_out(asker_id: int, member_id: int, *, but_ask_id: int | None) -> None:
    """These two are in touch now: no other ask of the one proposes the other. Inside a unit of work."""
    rows = db.session.execute(
        select(AskProposal.ask_id)
        .join(Ask, Ask.id == AskProposal.ask_id)
        .where(
            Ask.asker_id == asker_id,
            AskProposal.member_id == member_id,
            AskProposal.state == ProposalState.OPEN,
            AskProposal.ask_id != (but_ask_id or 0),
        )
        .order_by(AskProposal.ask_id)
    ).scalars()
    for ask_id in list(rows):
        ask = locked(ask_id)
        if ask is not None:
            move_on(ask, member_id)


def widen(asker: Viewer, ask_id: int) -> str:
    """Look further, without the least important criterion, as the asker agreed to. Gives its name.

    Customers are asked once more where nobody was; proposals are made anew where there are fewer than three.
    Raises NotFound, Forbidden; Invalid when nothing is left to give up.
    """
    with unit_of_work():
        ask = own_ask(asker, ask_id, lock=True)
        name = fitting.criteria_of(ask).least_important
        if not name:
            raise Invalid(_("Nothing is left to give up: everybody who is here was considered."))
        ask.dropped = [*ask.dropped, name]
        if ask.mode is AskMode.OPEN and ask.state is AskState.RUNNING and not waits_for_wave(ask):
            stages.plan(ask, StageKind.WAVE, stages.next_wave(ask), clock.now())
        if ask.connect_wanted_at is not None or ask.mode is AskMode.CONVERSATION:
            propose(ask)
    return name


def waits_for_wave(ask: Ask) -> bool:
    """Whether customers are about to be asked anyway."""
    return (
        db.session.execute(
            select(AskStage.id).where(
                AskStage.ask_id == ask.id,
                AskStage.kind == StageKind.WAVE,
                AskStage.at.is_(None),
                AskStage.planned_at <= clock.now(),
            )
        ).first()
        is not None
    )


def anybody_asked(ask: Ask) -> bool:
    """Whether the ask was brought to somebody."""
    return (
        db.session.execute(select(AnswerRequest.id).where(AnswerRequest.ask_id == ask.id).limit(1)).first()
        is not None
    )


def open_case(ask: Ask, stage: AskStage) -> None:
    """Nobody answered in time: a moderator's case with proposals ready. Inside a unit of work."""
    propose(ask)
    case_due = _case(ask, "No customer answered in time")
    stage.details = {"connects_by": case_due.isoformat()}
    telling.tell_asker(ask, f"due-{stage.number}")


def alert_nobody(ask: Ask) -> None:
    """There was nobody to ask: a moderator looks at once. Inside a unit of work."""
    # Nobody but its asker knows of an ask in private: it is no moderator's case.
    if ask.mode is AskMode.OPEN:
        _case(ask, "There is no customer to ask")


def alert_if_none_is_left(ask: Ask) -> None:
    """Nobody is proposed and nobody was asked: a moderator looks. Inside a unit of work."""
    if ask.state in (AskState.RUNNING, AskState.ANSWERED) and all(
        one.state is ProposalState.GONE for one in proposals_of(ask.id)
    ):
        alert_nobody(ask)


def introduce(moderator: Viewer, ask_id: int, proposal_ids: list[int], *, form_key: str = "") -> Approached:
    """A moderator connects: asks up to two customers for the asker who agreed to it, else proposes them.

    Who cannot be asked for the asker at present is only proposed. Of whom the asker asked alone the moderator
    reads what is read of anybody who cannot be asked. Raises NotFound, Forbidden, Invalid, Repeated.
    """
    chosen = sorted(set(proposal_ids))
    if not 0 < len(chosen) <= policy.APPROACHES:
        raise Invalid(_("Choose one or two customers."), "pick")
    result = Approached()
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        outcome.place = f"/console/asks/{ask_id}"
        ask = ask_for_moderator(moderator, ask_id, lock=True)
        if ask.asker_id == moderator.member_id:
            raise Forbidden(_("It is your own ask, so somebody else connects you."))
        if against := reason_against_asker(moderator, ask):
            raise Forbidden(against)
        if ask.state in (AskState.GONE, AskState.HELD):
            raise Invalid(_("This ask is no longer there."))
        known = {one.id: one for one in proposed_to_moderator(moderator, ask)}
        if any(number not in known for number in chosen):
            raise Invalid(_("One of them is no longer there. Choose again."), "pick")
        if not ask.may_connect:
            result.gone += _not_there(ask, [known[number] for number in chosen])
        still_open = [number for number in chosen if known[number].state is ProposalState.OPEN]
        for number in still_open:
            known[number].by_id = moderator.member_id
        audit.record(moderator, "connect ask", "ask", ask.id, area="asks")
    introduced: list[int] = []
    if ask.may_connect:
        asker = viewer_of(ask.asker_id)
        result.gone += len(chosen) - len(still_open)
        for number in still_open:
            before = len(result.conversation_ids)
            try:
                _approach_one(asker, ask, known[number], _note_for(ask), "", result)
            except Forbidden:
                result.barred = True
                break
            except DomainError:  # they wait for two answers already, say: the asker chooses later
                result.refused += 1
            if len(result.conversation_ids) > before:
                introduced.append(number)
    with unit_of_work():
        ask = ask_for_moderator(moderator, ask_id, lock=True)
        for one in proposals_of(ask.id):
            if one.id in introduced:
                one.chosen_as = INTRODUCED
            elif one.id in chosen and one.state is ProposalState.GONE:
                one.chosen_as = TRIED
            elif one.id in chosen and one.state is ProposalState.APPROACHED and ask.may_connect:
                one.chosen_as = ALONE  # both leave the moderators' list, so nothing tells one from the other
        if result.missing:
            result.replaced = propose(ask)
        asked = len(result.conversation_ids)
        count = asked or (result.refused if ask.may_connect else len(chosen) - result.gone)
        if count:
            number = _times_introduced(ask) + 1
            stages.done(ask, StageKind.INTRODUCED, number, count=count, asked=bool(asked))
            opening.withdraw_case(timing.case_key(ask))
            telling.tell_asker(ask, f"introduced-{number}")
    return result


def _not_there(ask: Ask, chosen: list[AskProposal]) -> int:
    """How many of these cannot be asked at present, also by the asker alone."""
    asker, in_vain = viewer_of(ask.asker_id), asked_in_vain(ask.asker_id)
    for one in chosen:
        if one.state is ProposalState.OPEN and not _is_still_there(asker, one, in_vain):
            one.state, one.state_at = ProposalState.GONE, clock.now()
    return sum(one.state is ProposalState.GONE for one in chosen)


def _note_for(ask: Ask) -> str:
    row = db.session.execute(
        select(Thread.id, Thread.slug, Thread.title).where(Thread.id == ask.thread_id)
    ).one()
    return _(
        "About my question “%(title)s” (%(address)s), which nobody has answered yet.",
        title=row.title,
        address=f"/threads/{row.id}/{row.slug}",
    )


def _times_introduced(ask: Ask) -> int:
    return db.session.execute(
        select(func.count())
        .select_from(AskStage)
        .where(AskStage.ask_id == ask.id, AskStage.kind == StageKind.INTRODUCED)
    ).scalar_one()


def _case(ask: Ask, why: str) -> datetime:
    now = clock.now()
    title = db.session.execute(select(Thread.title).where(Thread.id == ask.thread_id)).scalar_one()
    case = opening.open_case(
        CaseKind.CONNECT,
        title=title,
        link=f"/console/asks/{ask.id}",
        why=why,
        member_id=ask.asker_id,
        due_at=working_time.add_hours(now, policy.CONNECT_HOURS, working_time.calendar()),
        open_key=timing.case_key(ask),
    )
    person = responsible()
    if person is not None:
        telling.tell_responsible(ask, person.id, case.id)
    return case.due_at


def _state_of(proposal_id: int) -> ProposalState | None:
    return db.session.execute(
        select(AskProposal.state).where(AskProposal.id == proposal_id)
    ).scalar_one_or_none()


def _mark(proposal_id: int, state: ProposalState, at: datetime | None = None) -> None:
    db.session.execute(
        update(AskProposal)
        .where(AskProposal.id == proposal_id)
        .values(state=state, state_at=at or clock.now())
        .execution_options(synchronize_session="fetch")
    )


def propose_again(asker: Viewer, ask_id: int) -> int:
    """Fill up to three again; those who left make room. Raises NotFound, Forbidden, Invalid."""
    with unit_of_work():
        ask = own_ask(asker, ask_id, lock=True)
        if not policy.may_connect(asker, ask):
            raise Invalid(_("This ask is no longer there, so nobody can be proposed for it."))
        there, in_vain = in_touch_with(ask.asker_id), asked_in_vain(ask.asker_id)
        now = clock.now()
        for one in open_proposals(ask):
            if one.member_id in there or not _is_still_there(asker, one, in_vain):
                one.state, one.state_at = ProposalState.GONE, now
        db.session.flush()
        made = propose(ask, instead_at=now)
        alert_if_none_is_left(ask)
        return made


def _is_still_there(asker: Viewer, proposal: AskProposal, in_vain: list[int]) -> bool:
    if proposal.chosen_as == "talk":  # they offered this one: neither a rest nor a former no is in the way
        full = matching_queries.load(proposal.member_id)
        return may_be_asked(asker, proposal.member_id) and full.taken < full.limit
    return proposal.member_id not in in_vain and matching_queries.is_eligible(
        asker.member_id or 0, proposal.member_id
    )


def look_again(moderator: Viewer, ask_id: int) -> int:
    """A moderator looks for more customers; gives how many came in. Raises NotFound, Forbidden, Invalid."""
    with unit_of_work():
        ask = ask_for_moderator(moderator, ask_id, lock=True)
        if ask.state in (AskState.GONE, AskState.SETTLED, AskState.HELD):
            raise Invalid(_("This ask is over."))
        if against := reason_against_asker(moderator, ask):
            raise Forbidden(against)
        # By what they read: whom the asker asked alone leaves no gap there.
        return propose(ask, policy.PROPOSED - len(proposed_to_moderator(moderator, ask)))
