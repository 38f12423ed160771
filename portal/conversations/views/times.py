"""Times to speak: proposed, taken, as a calendar file, and where to meet."""

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from portal.conversations import calendar, services
from portal.conversations.forms import LinkForm, TimesForm
from portal.conversations.models import ConversationState
from portal.conversations.queries import reading
from portal.conversations.views.blueprint import blueprint, conversation_page
from portal.kernel import clock, site
from portal.kernel.access import Permission, requires, viewer, zone_of
from portal.kernel.answers import attempt
from portal.kernel.errors import NotFound


@blueprint.get("/conversations/<conversation_id>/times")
@requires(Permission.CONVERSE)
def ask_for_times(conversation_id: str) -> str:
    """The form to propose times."""
    return _page(conversation_id, TimesForm(formdata=None))


@blueprint.post("/conversations/<conversation_id>/times")
@requires(Permission.CONVERSE)
def propose_times(conversation_id: str) -> BaseResponse:
    """Propose times."""
    form = TimesForm()

    def write() -> str:
        services.propose_times(
            viewer(), conversation_id, form.times(zone_of(viewer())), form_key=form.taken_key
        )
        return f"/conversations/{conversation_id}#end"

    return attempt(form, write, lambda: _page(conversation_id, form))


@blueprint.post("/conversations/<conversation_id>/times/<time_id>/agreement")
@requires(Permission.CONVERSE)
def agree(conversation_id: str, time_id: str) -> BaseResponse:
    """Take a proposed time."""
    services.agree_time(viewer(), conversation_id, time_id)
    flash(_("Agreed. The calendar file is on this page."))
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


@blueprint.delete("/conversations/<conversation_id>/agreement")
@requires(Permission.CONVERSE)
def call_off(conversation_id: str) -> BaseResponse:
    """Call the agreed time off."""
    if services.call_off(viewer(), conversation_id):
        flash(_("Called off, and the other side is told. The place is free again. You can still write here."))
    else:
        flash(_("Called off, and the other side is told. You have talked in writing, so it stays counted."))
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


@blueprint.post("/conversations/<conversation_id>/absence")
@requires(Permission.CONVERSE)
def deny(conversation_id: str) -> BaseResponse:
    """Say that the talk did not take place."""
    services.deny(viewer(), conversation_id)
    flash(_("Noted, and the other side is told. You can propose another time, or leave it at that."))
    return redirect(url_for("conversations.conversation", conversation_id=conversation_id), 303)


@blueprint.get("/conversations/<conversation_id>/calendar.ics")
@requires(Permission.CONVERSE)
def calendar_file(conversation_id: str) -> Response:
    """The agreed time for one's calendar, or the end of it; nobody is invited by it."""
    page = reading.page(viewer(), conversation_id)
    when = page.conversation
    is_over = when.state is not ConversationState.OPEN and when.called_off_at is None
    if when.agreed_at is None or is_over:
        raise NotFound("no time yet")
    content = calendar.file(
        uid=f"{when.id}@{site.current().name.replace(' ', '-').lower()}",
        title=_("Conversation with %(name)s", name=page.title),
        starts_at=when.agreed_at,
        minutes=when.agreed_minutes or 20,
        url=url_for("conversations.conversation", conversation_id=conversation_id, _external=True),
        link=page.link,
        made_at=clock.now(),
        edition=when.agreed_edition,
        called_off=when.called_off_at is not None,
    )
    return Response(
        content,
        mimetype="text/calendar",
        headers={
            "Content-Disposition": 'attachment; filename="conversation.ics"',
            "Cache-Control": "no-store",
        },
    )


@blueprint.post("/conversations/<conversation_id>/link")
@requires(Permission.CONVERSE)
def set_link(conversation_id: str) -> BaseResponse:
    """Keep where to meet."""
    form = LinkForm()

    def write() -> str:
        services.set_link(viewer(), conversation_id, form.link.data or "")
        return f"/conversations/{conversation_id}"

    return attempt(form, write, lambda: conversation_page(conversation_id, link_form=form))


def _page(conversation_id: str, form: TimesForm) -> str:
    form.offer_lengths()
    return render_template(
        "conversations/times.html", page=reading.page(viewer(), conversation_id), form=form
    )
