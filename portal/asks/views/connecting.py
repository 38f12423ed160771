"""From an ask to a conversation: three customers to choose from, each explained."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext as _n
from werkzeug.wrappers import Response

from portal.asks import policy, wording
from portal.asks.forms import ConnectForm
from portal.asks.models import Ask, AskMode, ProposalState
from portal.asks.queries import lists
from portal.asks.queries.finding import own_ask, proposals_of
from portal.asks.queries.private import words_of
from portal.asks.services import connecting as services
from portal.asks.services import fitting, timing
from portal.asks.views.common import responsible_name
from portal.discussions.queries import find_visible_thread
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.vault import CannotOpen
from portal.matching import queries as matching

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
    form = ConnectForm(formdata=None)
    form.note.data = _note(ask)
    return _page(ask, form)


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
            _say(taken)
            return url_for("connecting.connect", ask_id=ask_id)
        picks = [int(one) for one in request.form.getlist("pick") if one.isdecimal() and len(one) < 10]
        result = services.approach(
            viewer(), ask_id, picks, note=form.note.data or "", form_key=form.taken_key
        )
        _say(result)
        if result.gone or len(result.conversation_ids) != 1:
            return url_for("connecting.connect", ask_id=ask_id)
        return f"/conversations/{result.conversation_ids[0]}"

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


def _booked(text: str) -> tuple[int, int] | None:
    """(proposal, time) of the button that was pressed."""
    proposal, _colon, slot = text.partition(":")
    is_right = all(one.isdecimal() and len(one) < 10 for one in (proposal, slot))
    return (int(proposal), int(slot)) if is_right else None


def _say(result: services.Approached) -> None:
    if result.conversation_ids:
        flash(
            _n(
                "One customer was asked. Nobody else reads it.",
                "%(num)d customers were asked. Nobody else reads it.",
                len(result.conversation_ids),
            )
        )
    if not result.gone:
        return
    sorry = _n(
        "One of them cannot take a further conversation at the moment. "
        "It has nothing to do with you or your question.",
        "Neither of them can take a further conversation at the moment. "
        "It has nothing to do with you or your question.",
        result.gone,
    )
    then = _("Here is the next.") if result.replaced else _("There is nobody else to propose at present.")
    flash(f"{sorry} {then}", "error")


def _page(ask: Ask, form: ConnectForm) -> str:
    proposals = proposals_of(ask.id)
    cards = lists.cards_of(viewer(), [one for one in proposals if one.state is not ProposalState.GONE])
    title, _text = _private_words(ask) if ask.mode is AskMode.CONVERSATION else ("", "")
    thread = find_visible_thread(viewer(), ask.thread_id) if ask.thread_id else None
    return render_template(
        "asks/connect.html",
        ask=ask,
        thread=thread,
        title=thread.title if thread is not None else title,
        open=[card for card in cards if card.is_open],
        approached=[card for card in cards if card.proposal.state is ProposalState.APPROACHED],
        missing=sum(1 for card in cards if card.card is None and card.proposal.state is ProposalState.OPEN),
        slots=matching.open_slots_of([card.proposal.member_id for card in cards if card.is_open], most=2),
        form=form,
        words=wording,
        most=policy.APPROACHES,
        least=wording.criterion(fitting.criteria_of(ask).least_important),
        replacing=ask.replacing,
        responsible=responsible_name(),
        open_by=timing.connected_by(ask),
        picked=request.form.getlist("pick"),
        robots="noindex",
    )


def _note(ask: Ask) -> str:
    """What the note begins with: one's own question, to be changed at will."""
    if ask.mode is AskMode.CONVERSATION:
        return "\n\n".join(part for part in _private_words(ask) if part)
    thread = find_visible_thread(viewer(), ask.thread_id or 0)
    return _("About my question “%(title)s”.", title=thread.title)


def _private_words(ask: Ask) -> tuple[str, str]:
    try:
        return words_of(viewer(), ask)
    except CannotOpen:
        return _("It cannot be opened at present"), ""
