"""Asking for a conversation, and answering a request."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.conversations import policy, services
from portal.conversations.errors import InTouch
from portal.conversations.forms import AnswerForm, RequestForm
from portal.conversations.queries.finding import between, member_to_ask
from portal.conversations.services import people
from portal.conversations.services.requesting import check_may_begin
from portal.conversations.views.blueprint import blueprint, conversation_page
from portal.kernel import clock, limits, site
from portal.kernel.access import Permission, requires, viewer, zone_of
from portal.kernel.answers import attempt
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.matching.errors import NoCapacity, SlotTaken
from portal.matching.queries import cards, open_slots


@blueprint.get("/conversations/new")
@requires(Permission.CONVERSE)
def new() -> str | Response:
    """The form for a request, with who it goes to and what they will read."""
    check_may_begin(viewer())
    there = between(viewer().member_id or 0, _to(request.args.get("to", "")))
    if there is not None:
        return redirect(url_for("conversations.conversation", conversation_id=there.id), 303)
    form = RequestForm(
        formdata=None,
        data={
            "to": request.args.get("to", "")[:40],
            "origin": _origin(request.args.get("origin", "")),
            "slot": request.args.get("slot", type=int),
        },
    )
    return _page(form)


@blueprint.post("/conversations")
@requires(Permission.CONVERSE)
def create() -> Response:
    """Send the request."""
    form = RequestForm()

    def write() -> str:
        limits.take(
            policy.REQUESTS_A_DAY,
            viewer().member_id or 0,
            name="conversation requests",
            message=_("That were many requests today. Tomorrow you can send more."),
        )
        try:
            made = services.request(
                viewer(),
                _to(form.to.data or ""),
                origin=_origin(form.origin.data or ""),
                note=form.note.data or "",
                slots=form.times(zone_of(viewer())),
                slot_id=form.slot.data,
                form_key=form.taken_key,
            )
        except InTouch as error:
            raise Invalid(
                _(
                    "You are in touch already, so no request was sent. Your words still stand here: take "
                    "them along."
                )
            ) from error
        except (NoCapacity, SlotTaken, Forbidden) as error:
            raise Invalid(error.message) from error
        return f"/conversations/{made.id}"

    return attempt(form, write, lambda: _page(form))


@blueprint.post("/conversations/<conversation_id>/acceptance")
@requires(Permission.CONVERSE)
def accept(conversation_id: str) -> Response:
    """Say yes to a request."""
    form = AnswerForm()

    def write() -> str:
        services.accept(
            viewer(),
            conversation_id,
            text=form.body.data or "",
            times=form.times(zone_of(viewer())),
            time_id=request.form.get("time", "")[:24],
            form_key=form.taken_key,
        )
        return f"/conversations/{conversation_id}#end"

    return attempt(form, write, lambda: conversation_page(conversation_id, answer=form))


@blueprint.post("/conversations/<conversation_id>/refusal")
@requires(Permission.CONVERSE)
def decline(conversation_id: str) -> Response:
    """Say no, silently."""
    services.decline(viewer(), conversation_id)
    flash(_("Declined. They read only that you are not available now."))
    return redirect(url_for("conversations.index"), 303)


@blueprint.delete("/conversations/<conversation_id>/request")
@requires(Permission.CONVERSE)
def withdraw(conversation_id: str) -> Response:
    """Take one's own request back."""
    try:
        services.withdraw(viewer(), conversation_id)
    except Invalid as error:  # it was answered meanwhile: that stands on its page
        flash(error.message, "error")
        return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)
    flash(_("Taken back. You can ask somebody else now."))
    return redirect(url_for("conversations.index"), 303)


@blueprint.post("/conversations/<conversation_id>/part")
@requires(Permission.CONVERSE)
def join(conversation_id: str) -> Response:
    """Accept to take part as a further person."""
    people.join(viewer(), conversation_id)
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


@blueprint.delete("/conversations/<conversation_id>/part")
@requires(Permission.CONVERSE)
def stay_away(conversation_id: str) -> Response:
    """Decline to take part as a further person."""
    people.stay_away(viewer(), conversation_id)
    flash(_("Declined."))
    return redirect(url_for("conversations.index"), 303)


def _page(form: RequestForm) -> str:
    member_id = _to(form.to.data or "")
    card = cards(viewer(), [member_id]).get(member_id)
    if card is None or member_id == viewer().member_id:
        raise NotFound("nobody to ask")
    slots = open_slots(member_id)
    form.offer_lengths()
    values: dict[str, Any] = {"card": card, "slots": slots, "site_name": site.current().name}
    values["there"] = between(viewer().member_id or 0, member_id) if form.summary else None
    chosen = next((one for one in slots if one.id == form.slot.data), None)
    return render_template(
        "conversations/new.html", form=form, chosen=chosen, policy=policy, now=clock.now(), **values
    )


def _to(username: str) -> int:
    """The member that a request goes to. Raises NotFound; an account of the vendor is nobody to ask."""
    member_id = member_to_ask(username)
    if member_id is None:
        raise NotFound("nobody to ask")
    return member_id


def _origin(text: str) -> str:
    """What a request came from: only from a search or a profile here; asks begin theirs themselves."""
    return text if text in ("profile", "search") else ""
