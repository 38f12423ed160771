"""What a member was asked, and why; what they do with it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.asks import wording
from portal.asks.forms import ColleagueForm
from portal.asks.queries import lists
from portal.asks.queries.finding import request_for
from portal.asks.services import requests
from portal.conversations.policy import REQUESTS_KEPT
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.forms import Form

blueprint = Blueprint("requests", __name__)


@blueprint.get("/requests")
@requires(Permission.ACCOUNT)
def index() -> str:
    """Everything one was asked, newest first, each with the reason."""
    return render_template(
        "asks/requests.html",
        lines=lists.requests_of(viewer()),
        talks=lists.talks_of(viewer()),
        kept_days=REQUESTS_KEPT.days,
        words=wording,
        nav_here="requests.index",
        robots="noindex",
    )


@blueprint.get("/requests/<int:request_id>")
@requires(Permission.ACCOUNT)
def show(request_id: int) -> str:
    """One request with the four things one can do. That it was looked at is read state."""
    requests.note_seen(viewer(), request_id)
    return _page(request_id, ColleagueForm(formdata=None))


@blueprint.post("/requests/<int:request_id>/talk")
@requires(Permission.CONVERSE)
def talk(request_id: int) -> Response:
    """Rather talk than write."""
    try:
        requests.would_talk(viewer(), request_id)
    except Invalid as error:
        flash(error.message, "error")
    else:
        flash(
            _("The asker sees that you would talk, and may ask you for a conversation. You can still say no.")
        )
    return redirect(url_for("requests.show", request_id=request_id), 303)


@blueprint.post("/requests/<int:request_id>/not-now")
@requires(Permission.ACCOUNT)
def not_now(request_id: int) -> Response:
    """Silently."""
    try:
        requests.not_now(viewer(), request_id)
    except Invalid as error:
        flash(error.message)
    else:
        flash(_("All right. Nobody is told."))
    return redirect(url_for("requests.index"), 303)


@blueprint.post("/requests/<int:request_id>/colleague")
@requires(Permission.CONVERSE)
def pass_on(request_id: int) -> Response:
    """A colleague knows better."""
    request_for(viewer(), request_id)
    form = ColleagueForm()

    def write() -> str:
        requests.pass_on(viewer(), request_id, form.email.data or "", form_key=form.taken_key)
        flash(_("Your colleague gets a mail with a link. Thank you."))
        return url_for("requests.show", request_id=request_id)

    return attempt(form, write, lambda: _page(request_id, form))


def _page(request_id: int, form: ColleagueForm) -> str:
    found: list[Any] = lists.requests_of(viewer(), request_id)
    if not found:
        raise NotFound("no such request")
    return render_template(
        "asks/request.html",
        line=found[0],
        form=form,
        plain=Form(formdata=None),
        words=wording,
        nav_here="requests.index",
        robots="noindex",
    )
