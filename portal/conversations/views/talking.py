"""Saying something, taking it back, a further person."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.conversations import policy, services
from portal.conversations.forms import MessageForm, PersonForm
from portal.conversations.queries import reading
from portal.conversations.services import people
from portal.conversations.views.blueprint import blueprint, conversation_page
from portal.kernel import limits
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.forms import Form


@blueprint.post("/conversations/<conversation_id>/messages")
@requires(Permission.CONVERSE)
def send(conversation_id: str) -> Response:
    """Send a message."""
    form = MessageForm()

    def write() -> str:
        limits.take(policy.MESSAGES_AN_HOUR, viewer().member_id or 0, name="messages")
        services.send_message(viewer(), conversation_id, form.body.data or "", form_key=form.taken_key)
        return f"/conversations/{conversation_id}#end"

    return attempt(form, write, lambda: conversation_page(conversation_id, form=form))


@blueprint.get("/conversations/<conversation_id>/own-messages")
@requires(Permission.CONVERSE)
def own_messages(conversation_id: str) -> str:
    """One's own messages, each with a way to take it back."""
    return render_template(
        "conversations/own_messages.html",
        page=reading.page(viewer(), conversation_id),
        policy=policy,
        form=Form(),
    )


@blueprint.delete("/conversations/<conversation_id>/messages/<message_id>")
@requires(Permission.CONVERSE)
def delete(conversation_id: str, message_id: str) -> Response:
    """Take back what one said."""
    services.delete_message(viewer(), conversation_id, message_id)
    flash(_("Deleted. Who received it can still report it for 30 days; nobody reads it here any more."))
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


@blueprint.get("/conversations/<conversation_id>/people")
@requires(Permission.CONVERSE)
def ask_for_person(conversation_id: str) -> str:
    """The form to propose a further person."""
    return _people_page(conversation_id, PersonForm(formdata=None))


@blueprint.post("/conversations/<conversation_id>/people")
@requires(Permission.CONVERSE)
def propose_person(conversation_id: str) -> Response:
    """Propose a further person."""
    form = PersonForm()

    def write() -> str:
        people.propose_person(viewer(), conversation_id, form.username.data or "")
        flash(_("Proposed. They are asked once everybody here has agreed."))
        return f"/conversations/{conversation_id}"

    return attempt(form, write, lambda: _people_page(conversation_id, form))


@blueprint.post("/conversations/<conversation_id>/people/<int:member_id>/consent")
@requires(Permission.CONVERSE)
def agree_to_person(conversation_id: str, member_id: int) -> Response:
    """Agree to have somebody."""
    people.agree_to_person(viewer(), conversation_id, member_id)
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


@blueprint.delete("/conversations/<conversation_id>/people/<int:member_id>")
@requires(Permission.CONVERSE)
def refuse_person(conversation_id: str, member_id: int) -> Response:
    """Do not have somebody."""
    people.refuse_person(viewer(), conversation_id, member_id)
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


def _people_page(conversation_id: str, form: PersonForm) -> str:
    return render_template(
        "conversations/people.html", page=reading.page(viewer(), conversation_id), form=form
    )
