"""From an ask to a conversation: proposals, approaching them, widening, and a moderator who connects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

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
from portal.asks.queries.finding import ask_for_moderator, locked, own_ask, proposals_of, reason_against_asker
from portal.asks.services import fitting, stages, telling, timing
from portal.conversations import services as conversations
from portal.conversations.errors import CompanyAddressWanted, InTouch
from portal.conversations.queries.finding import in_touch_with
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
    present; `barred`: the asker can begin no conversations at all.
    """

    conversation_ids: list[str] = field(default_factory=list)
    gone: int = 0
    closed: int = 0
    in_touch: list[str] = field(default_factory=list)
    refused: int = 0
    barred: bool = False
    replaced: int = 0

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
            raise Invalid("This ask is no longer there, so nobody can be proposed for it.")
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


def propose(ask: Ask, wanted: int | None = None, *, by_id: int | None = None) -> int:
    """Keep up to three customers to choose from; gives how many came in. Inside a unit of work."""
    if wanted is None:
        wanted = policy.PROPOSED - len(open_proposals(ask))
    if wanted <= 0:
        return 0
    found = matching.propose(
        ask.asker_id,
        fitting.criteria_of(ask),
        purpose=fitting.purpose_of(ask),
        exclude=[*fitting.proposed_already(ask), *in_touch_with(ask.asker_id)],
        wanted=wanted,
    )
    now = clock.now()
    for match in found.matches:
        db.session.add(
            AskProposal(
                ask_id=ask.id,
                member_id=match.member_id,
                by_id=by_id,
                made_at=now,
                fit=match.fit,
                same=list(match.same),
                differs=list(match.differs),
                unknown=list(match.unknown),
                load=match.load,
                limit=match.limit,
                chosen_as=match.chosen_as,
                least=match.least,
                fitting=found.fitting,
                relaxed=found.relaxed,
                state=ProposalState.OPEN,
                state_at=now,
            )
        )
    db.session.flush()
    return len(found.matches)


def propose_talker(ask: Ask, request: AnswerRequest) -> None:
    """A customer who would rather talk stands among the proposals. Inside a unit of work."""
    known = db.session.execute(
        select(AskProposal).where(AskProposal.ask_id == ask.id, AskProposal.member_id == request.member_id)
    ).scalar_one_or_none()
    now = clock.now()
    if known is not None:
        if known.state is ProposalState.OPEN:
            known.chosen_as = "talk"
        return
    db.session.add(
        AskProposal(
            ask_id=ask.id,
            member_id=request.member_id,
            made_at=now,
            fit=request.fit,
            same=list(request.same),
            differs=list(request.differs),
            unknown=list(request.unknown),
            load=0,
            limit=0,
            chosen_as="talk",
            fitting=None,
            relaxed="",
            state=ProposalState.OPEN,
            state_at=now,
        )
    )
    db.session.flush()


def open_proposals(ask: Ask) -> list[AskProposal]:
    """Those who can still be approached."""
    return [one for one in proposals_of(ask.id) if one.state is ProposalState.OPEN]


def approach(
    asker: Viewer, ask_id: int, proposal_ids: list[int], *, note: str = "", form_key: str = ""
) -> Approached:
    """Ask one or two of the proposed customers for a conversation.

    Whoever is no longer there (limit reached, paused, gone) is replaced by the next, and the asker told so
    without a name or a reason. Raises NotFound, Forbidden; Invalid for none or more than two; Repeated.
    """
    chosen = sorted(set(proposal_ids))
    if not chosen:
        raise Invalid("Choose whom to ask.", "pick")
    if len(chosen) > policy.APPROACHES:
        raise Invalid(f"You can ask {policy.APPROACHES} at once; choose again.", "pick")
    ask = own_ask(asker, ask_id)
    if not policy.may_connect(asker, ask):
        raise Invalid("This ask is no longer there, so nobody can be asked for it.")
    known = {one.id: one for one in proposals_of(ask.id)}
    result = Approached()
    if any(number not in known for number in chosen):
        raise NotFound("no such proposal")
    for number in chosen:
        if known[number].state is ProposalState.APPROACHED:
            continue
        if known[number].state is ProposalState.GONE:
            result.gone += 1
            continue
        key = f"{form_key}:{number}" if form_key else ""
        with _told_beside_the_choice():
            _approach_one(asker, ask, known[number], note, key, result)
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
        raise Invalid("This ask is no longer there, so nobody can be asked for it.")
    proposal = next((one for one in open_proposals(ask) if one.id == proposal_id), None)
    if proposal is None:
        raise NotFound("no such proposal")
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
            result.replaced = propose(ask)
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
            conversation = conversations.request(
                asker,
                proposal.member_id,
                origin=fitting.purpose_of(ask),
                note=note,
                slot_id=slot_id,
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
    with unit_of_work():
        _mark(proposal.id, ProposalState.GONE)


def move_on(ask: Ask, member_id: int) -> int:
    """An approach came to nothing: the next is proposed. Gives how many. Inside a unit of work."""
    db.session.execute(
        update(AskProposal)
        .where(AskProposal.ask_id == ask.id, AskProposal.member_id == member_id)
        .values(state=ProposalState.GONE, state_at=clock.now())
    )
    made = propose(ask, 1)
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
            raise Invalid("Nothing is left to give up: everybody who is here was considered.")
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

    Who cannot be asked for the asker at present is only proposed. Raises NotFound, Forbidden, Invalid,
    Repeated.
    """
    chosen = sorted(set(proposal_ids))
    if not 0 < len(chosen) <= policy.APPROACHES:
        raise Invalid("Choose one or two customers.", "pick")
    result = Approached()
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        outcome.place = f"/console/asks/{ask_id}"
        ask = ask_for_moderator(moderator, ask_id, lock=True)
        if ask.asker_id == moderator.member_id:
            raise Forbidden("It is your own ask, so somebody else connects you.")
        if against := reason_against_asker(moderator, ask):
            raise Forbidden(against)
        if ask.state in (AskState.GONE, AskState.HELD):
            raise Invalid("This ask is no longer there.")
        known = {one.id: one for one in open_proposals(ask)}
        if any(number not in known for number in chosen):
            raise Invalid("One of them is no longer there. Choose again.", "pick")
        for number in chosen:
            known[number].by_id = moderator.member_id
        audit.record(moderator, "connect ask", "ask", ask.id, area="asks")
    if ask.may_connect:
        asker = viewer_of(ask.asker_id)
        for number in chosen:
            try:
                _approach_one(asker, ask, known[number], _note_for(ask), "", result)
            except Forbidden:
                result.barred = True
                break
            except DomainError:  # they wait for two answers already, say: the asker chooses later
                result.refused += 1
    with unit_of_work():
        ask = ask_for_moderator(moderator, ask_id, lock=True)
        if result.missing:
            result.replaced = propose(ask)
        asked = len(result.conversation_ids)
        count = asked or (result.refused if ask.may_connect else len(chosen))
        if count:
            number = _times_introduced(ask) + 1
            stages.done(ask, StageKind.INTRODUCED, number, count=count, asked=bool(asked))
            opening.withdraw_case(timing.case_key(ask))
            telling.tell_asker(ask, f"introduced-{number}")
    return result


def _note_for(ask: Ask) -> str:
    row = db.session.execute(
        select(Thread.id, Thread.slug, Thread.title).where(Thread.id == ask.thread_id)
    ).one()
    return f"About my question “{row.title}” (/threads/{row.id}/{row.slug}), which nobody has answered yet."


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


def _mark(proposal_id: int, state: ProposalState) -> None:
    db.session.execute(
        update(AskProposal)
        .where(AskProposal.id == proposal_id)
        .values(state=state, state_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )


def propose_again(asker: Viewer, ask_id: int) -> int:
    """Fill up to three again; those who left make room. Raises NotFound, Forbidden, Invalid."""
    with unit_of_work():
        ask = own_ask(asker, ask_id, lock=True)
        if not policy.may_connect(asker, ask):
            raise Invalid("This ask is no longer there, so nobody can be proposed for it.")
        there = in_touch_with(ask.asker_id)
        for one in open_proposals(ask):
            if one.member_id in there or not matching_queries.is_eligible(ask.asker_id, one.member_id):
                one.state, one.state_at = ProposalState.GONE, clock.now()
        db.session.flush()
        made = propose(ask)
        alert_if_none_is_left(ask)
        return made


def look_again(moderator: Viewer, ask_id: int) -> int:
    """A moderator looks for more customers; gives how many came in. Raises NotFound, Forbidden, Invalid."""
    with unit_of_work():
        ask = ask_for_moderator(moderator, ask_id, lock=True)
        if ask.state in (AskState.GONE, AskState.SETTLED, AskState.HELD):
            raise Invalid("This ask is over.")
        if against := reason_against_asker(moderator, ask):
            raise Forbidden(against)
        return propose(ask)
