"""What a customer does with an answer request: talk, not now, or pass it on to a colleague. Seen, too."""

from flask_babel import gettext as _

from portal.asks.models import AnswerRequest, Ask, AskState, Outcome, StageKind, Via
from portal.asks.queries.finding import request_for
from portal.asks.services import connecting, inviting, stages, telling
from portal.kernel import clock, form_keys
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import queries as matching_queries


def note_seen(member: Viewer, request_id: int) -> None:
    """The member has it on the screen; the asker reads only how many have. Raises NotFound."""
    request, _ask, _thread = request_for(member, request_id)
    if request.seen_at is not None:
        return
    with unit_of_work():
        row = db.session.get_one(AnswerRequest, request.id, with_for_update=True, populate_existing=True)
        if row.seen_at is None:
            row.seen_at = clock.now()


def would_talk(member: Viewer, request_id: int) -> AnswerRequest:
    """Rather talk than write: the asker sees one more to choose from. Raises NotFound, Forbidden, Invalid."""
    with unit_of_work():
        request, ask = _open(member, request_id)
        if not member.may(Permission.CONVERSE):
            raise Forbidden(_("This account cannot take part in conversations."))
        if not matching_queries.lets_in(ask.asker_id, member.member_id or 0):
            raise Invalid(
                _(
                    "You talk only with people who are here with their company's mail address, and this "
                    "asker has none. Answer in writing, or change that under Settings first."
                )
            )
        full = matching_queries.load(member.member_id or 0)
        if full.taken >= full.limit:
            raise Invalid(
                _(
                    "You have as many conversations in 90 days as you want to have. Answer in writing, or "
                    "raise your limit under Settings first."
                )
            )
        _close(request, Outcome.TALK)
        connecting.propose_talker(ask, request)
        stages.done(ask, StageKind.TALK, request.id)
        telling.tell_asker(ask, f"talk-{request.id}")
    return request


def not_now(member: Viewer, request_id: int) -> AnswerRequest:
    """Silently: nobody is told. Raises NotFound, Invalid."""
    with unit_of_work():
        request, _ask = _open(member, request_id)
        _close(request, Outcome.NOT_NOW)
    return request


def pass_on(member: Viewer, request_id: int, email: str, *, form_key: str = "") -> None:
    """A colleague knows better: a mail with a link goes to an address of the member's own company.

    Raises NotFound, Forbidden; Invalid beside email; TooMany; Repeated.
    """
    with form_keys.once(form_key, member.member_id or 0) as outcome:
        outcome.place = f"/requests/{request_id}"
        request, _ask = _open(member, request_id, again=True)
        inviting.invite_colleague(member, email, request)
        _close(request, Outcome.PASSED_ON)


def take_over(member: Viewer, token: str) -> int | None:
    """A colleague used the link of an invite: gives the id of their own request, None without one.

    Raises NotFound for a link that is used, expired or another's.
    """
    with unit_of_work():
        passed_on = inviting.accept_as_colleague(member, token)
        if passed_on is None:
            return None
        return _request_of_colleague(passed_on, member.member_id or 0).id


def _request_of_colleague(passed_on: AnswerRequest, member_id: int) -> AnswerRequest:
    known = db.session.execute(
        db.select(AnswerRequest).where(
            AnswerRequest.ask_id == passed_on.ask_id, AnswerRequest.member_id == member_id
        )
    ).scalar_one_or_none()
    now = clock.now()
    if known is None:
        known = AnswerRequest(
            ask_id=passed_on.ask_id,
            member_id=member_id,
            via=Via.COLLEAGUE,
            wave=passed_on.wave,
            fit=0.0,
            same=[],
            differs=[],
            unknown=[],
            answered_alike=0,
            created_at=now,
            deliver_at=now,
            outcome=Outcome.PENDING,
        )
        db.session.add(known)
    known.sent_at = known.sent_at or now
    db.session.flush()
    return known


def _open(member: Viewer, request_id: int, *, again: bool = False) -> tuple[AnswerRequest, Ask]:
    request, ask, _thread = request_for(member, request_id, lock=True)
    if ask.state in (AskState.GONE, AskState.SETTLED):
        raise Invalid(_("This ask is settled: nothing more is needed."))
    if request.outcome in (Outcome.ANSWERED, Outcome.TALK) or (
        request.outcome is Outcome.PASSED_ON and not again
    ):
        raise Invalid(_("You have said what you do with it."))
    return request, ask


def _close(request: AnswerRequest, outcome: Outcome) -> None:
    request.outcome, request.outcome_at = outcome, clock.now()
    request.seen_at = request.seen_at or clock.now()
