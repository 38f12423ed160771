"""From an ask to a conversation: three customers to choose from, each explained."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext as _n
from werkzeug.wrappers import Response

from portal.asks import policy, wording
from portal.asks.forms import ConnectForm, MattersForm
from portal.asks.models import Ask, AskMode, ProposalState
from portal.asks.queries import lists
from portal.asks.queries.finding import ASKED_BEFORE, follows_a_request, own_ask, proposals_of
from portal.asks.queries.private import words_of
from portal.asks.services import asking, fitting, timing, weighing
from portal.asks.services import connecting as services
from portal.asks.views.common import responsible_name
from portal.conversations.policy import LONGEST_NOTE
from portal.conversations.queries.finding import in_touch_with
from portal.discussions.queries import find_visible_thread
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid, TooMany
from portal.kernel.forms import Form
from portal.kernel.vault import CannotOpen
from portal.matching import queries as matching
from portal.moderation.queries.parties import due_of_open_case

blueprint = Blueprint("connecting", __name__)


@blueprint.post("/asks/<int:ask_id>/connect-now")
@requires(Permission.ASK)
def connect_now(ask_id: int) -> Response:
    """ "Connect me now": proposals at once."""
    services.connect_now(viewer(), ask_id, may_connect=bool(request.form.get("may_connect")))
    return redirect(url_for("connecting.connect", ask_id=ask_id), 303)


@blueprint.get("/asks/<int:ask_id>/connect")
@requires(Permission.ASK)
def connect(ask_id: int) -> str:
    """The proposals, as they were made; looking makes none."""
    ask = own_ask(viewer(), ask_id)
    return _page(ask, _blank(ask))


@blueprint.post("/asks/<int:ask_id>/connect")
@requires(Permission.ASK)
def approach(ask_id: int) -> Response:
    """Ask one or two of them for a conversation."""
    ask = own_ask(viewer(), ask_id)
    form = ConnectForm()

    def write() -> str:
        booked = _booked(request.form.get("book", ""))
        if booked is not None:
            taken = services.book(
                viewer(), ask_id, *booked, note=form.note.data or "", form_key=form.taken_key
            )
            if taken.conversation_ids:
                flash(_("Booked. They are told; the calendar file is on this page."))
                return f"/conversations/{taken.conversation_ids[0]}"
            return _where_to(ask_id, taken)
        picks = [int(one) for one in request.form.getlist("pick") if one.isdecimal() and len(one) < 10]
        result = services.approach(
            viewer(), ask_id, picks, note=form.note.data or "", form_key=form.taken_key
        )
        return _where_to(ask_id, result)

    return attempt(form, write, lambda: _page(ask, form))


@blueprint.post("/asks/<int:ask_id>/proposals")
@requires(Permission.ASK)
def more(ask_id: int) -> Response:
    """Fill the proposals up to three again, where some are no longer there."""
    made = services.propose_again(viewer(), ask_id)
    if made:
        flash(_n("One more customer is proposed.", "%(num)d more customers are proposed.", made))
    else:
        flash(_("There is nobody else who could be proposed at present."), "error")
    return redirect(url_for("connecting.connect", ask_id=ask_id), 303)


@blueprint.post("/asks/<int:ask_id>/matters")
@requires(Permission.ASK)
def weigh(ask_id: int) -> Response:
    """What matters most to the asker; whoever is proposed follows from it."""
    ask = own_ask(viewer(), ask_id)
    form = MattersForm()

    def write() -> str:
        is_proposed = weighing.weigh(viewer(), ask_id, form.matters.data or [])
        flash(
            _("Kept. Customers are proposed anew by it.")
            if is_proposed
            else _("Kept. Customers who are asked from now on are chosen by it.")
        )
        return url_for("connecting.connect", ask_id=ask_id)

    return attempt(form, write, lambda: _page(ask, _blank(ask), form))


@blueprint.post("/conversations/<conversation_id>/others")
@requires(Permission.ASK)
def ask_others(conversation_id: str) -> Response:
    """After a request that came to nothing: three other customers, for the same words."""
    form = Form()
    try:
        made = asking.ask_others(viewer(), conversation_id, form_key=form.taken_key)
    except (Invalid, TooMany, CannotOpen) as error:
        flash(getattr(error, "message", "") or _("It cannot be opened at present"), "error")
        return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)
    return redirect(url_for("connecting.connect", ask_id=made.id), 303)


def _blank(ask: Ask) -> ConnectForm:
    form = ConnectForm(formdata=None)
    form.note.data = _note(ask)
    return form


def _booked(text: str) -> tuple[int, int] | None:
    """(proposal, time) of the button that was pressed."""
    proposal, _colon, slot = text.partition(":")
    is_right = all(one.isdecimal() and len(one) < 10 for one in (proposal, slot))
    return (int(proposal), int(slot)) if is_right else None


def _where_to(ask_id: int, result: services.Approached) -> str:
    """Says what came of it; gives the one conversation, or else the proposals."""
    _say(result)
    found = [*result.conversation_ids, *result.in_touch]
    if result.gone or result.closed or result.refused or len(found) != 1:
        return url_for("connecting.connect", ask_id=ask_id)
    return f"/conversations/{found[0]}"


def _say(result: services.Approached) -> None:
    if result.conversation_ids:
        flash(
            _n(
                "One customer was asked. Nobody else reads it.",
                "%(num)d customers were asked. Nobody else reads it.",
                len(result.conversation_ids),
            )
        )
    if result.in_touch:
        flash(
            _n(
                "You are in touch with one of them already, so no new request was sent: go on in the "
                "conversation that you have.",
                "You are in touch with both of them already, so no new request was sent: go on in the "
                "conversations that you have.",
                len(result.in_touch),
            ),
            "error",
        )
    if result.refused:
        flash(_("One of those you chose was not asked. %(why)s", why=result.refusal), "error")
    then = _("Here is the next.") if result.replaced else _("There is nobody else to propose at present.")
    if result.closed:
        only = _n(
            "One of them talks only with people who are here with their company’s mail address. "
            "You can add yours under Settings, Address and password.",
            "They talk only with people who are here with their company’s mail address. "
            "You can add yours under Settings, Address and password.",
            result.closed,
        )
        flash(f"{only} {then}", "error")
    if not result.gone:
        return
    sorry = _n(
        "One of them cannot take a further conversation at the moment. "
        "It has nothing to do with you or your question.",
        "Neither of them can take a further conversation at the moment. "
        "It has nothing to do with you or your question.",
        result.gone,
    )
    flash(f"{sorry} {then}", "error")


def _page(ask: Ask, form: ConnectForm, matters: MattersForm | None = None) -> str:
    if matters is None:
        matters = MattersForm(formdata=None, data={"matters": list(ask.matters)})
    matters.matters.choices = [(name, wording.whole_same(name)) for name in weighing.may_matter(ask)]
    proposals = proposals_of(ask.id)
    cards = lists.cards_of(viewer(), [one for one in proposals if one.state is not ProposalState.GONE])
    there = in_touch_with(ask.asker_id)
    is_open = [card for card in cards if card.is_open and card.proposal.member_id not in there]
    title, _text = _private_words(ask) if ask.mode is AskMode.CONVERSATION else ("", "")
    thread = find_visible_thread(viewer(), ask.thread_id) if ask.thread_id else None
    return render_template(
        "asks/connect.html",
        ask=ask,
        thread=thread,
        title=thread.title if thread is not None else title,
        open=is_open,
        approached=[card for card in cards if card.proposal.state is ProposalState.APPROACHED],
        known=[card for card in cards if card.is_open and card.proposal.member_id in there],
        in_touch=there,
        missing=sum(1 for card in cards if card.card is None and card.proposal.state is ProposalState.OPEN),
        slots=matching.open_slots_of([card.proposal.member_id for card in is_open], most=2),
        form=form,
        wrote_before=any(one.chosen_as == ASKED_BEFORE for one in proposals),
        matters=matters,
        matter_most=wording.matter_most(ask),
        weighings_left=policy.WEIGHINGS - ask.weighed,
        times_more=policy.COUNTS_MORE,
        words=wording,
        most=policy.APPROACHES,
        longest_note=LONGEST_NOTE,
        least=wording.criterion(fitting.criteria_of(ask).least_important),
        replacing=ask.replacing,
        responsible=responsible_name(),
        open_by=timing.connected_by(ask),
        looked_for_by=due_of_open_case(timing.case_key(ask)) if not is_open else None,
        now=clock.now(),
        picked=request.form.getlist("pick"),
        robots="noindex",
    )


def _note(ask: Ask) -> str:
    """What the note begins with: one's own question, to be changed at will."""
    if ask.mode is AskMode.CONVERSATION:
        title, text = _private_words(ask)
        if follows_a_request(ask.id):
            return text  # as it was written; the title is ours
        words = "\n\n".join(part for part in (title, text) if part)
        return words if len(words) <= LONGEST_NOTE else f"{words[: LONGEST_NOTE - 2].rstrip()} …"
    thread = find_visible_thread(viewer(), ask.thread_id or 0)
    return _("About my question “%(title)s”.", title=thread.title)


def _private_words(ask: Ask) -> tuple[str, str]:
    try:
        return words_of(viewer(), ask)
    except CannotOpen:
        return _("It cannot be opened at present"), ""
