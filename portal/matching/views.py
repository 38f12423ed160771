"""What a member says about being asked: the page of settings, times for booking, and the first minute."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel.access import CUSTOMERS, Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.forms import differences
from portal.kernel.places import local_path
from portal.matching import queries, services
from portal.matching.errors import SlotTaken
from portal.matching.forms import AvailabilityForm, FirstMinuteForm, SlotForm, filled
from portal.matching.services import availability as choices
from portal.members.queries.directory import lines_of

blueprint = Blueprint("matching", __name__)

ALIKE = 3


@blueprint.get("/settings/availability")
@requires(Permission.ACCOUNT)
def availability() -> str:
    """The form, filled with what is in force; for others than customers what it will be."""
    if not _can_be_asked():
        return render_template("matching/not_yet.html")
    return _page()


@blueprint.post("/settings/availability")
@requires(Permission.ACCOUNT)
def save_availability() -> Response:
    """Put the choices in force; a stale form is shown again with what differs."""
    form = AvailabilityForm().offer(_role())

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        choices.change_preferences(_me(), form.preferences, version=form.version.data or "")
        flash(_("Saved; in force from now on."))
        return url_for("matching.availability")

    try:
        return attempt(form, write, lambda: _page(form))
    except Conflict:
        stored = choices.preferences_of(_me())
        form.version.data = stored.version
        there = filled(stored.preferences, stored.version, _role())
        return refused(_page(form, meanwhile=differences(form, there)), 409)


@blueprint.post("/settings/availability/slots")
@requires(Permission.ACCOUNT)
def open_slot() -> Response:
    """Open a time for booking."""
    form = SlotForm(prefix="slot-")

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        zone = choices.zone_or_utc(viewer().time_zone)
        local = datetime.combine(form.day.data, form.time.data)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != local:
            raise Invalid(_("The clocks are changed just then: there is no such time on this day."), "time")
        try:
            services.open_slot(_me(), moment, form.minutes.data)
        except Invalid as error:
            raise Invalid(error.message, {"starts_at": "day"}.get(error.field, error.field)) from error
        flash(_("This time can be booked now."))
        return url_for("matching.availability", _anchor="times")

    return attempt(form, write, lambda: _page(slot_form=form))


@blueprint.delete("/settings/availability/slots/<int:slot_id>")
@requires(Permission.ACCOUNT)
def close_slot(slot_id: int) -> Response:
    """Take an open time back."""
    try:
        services.close_slot(_me(), slot_id)
        flash(_("This time can no longer be booked."))
    except SlotTaken:
        flash(_("This time was booked meanwhile. Tell the other person in the conversation."), "error")
    return redirect(url_for("matching.availability", _anchor="times"), 303)


@blueprint.get("/welcome/first-minute")
@requires(Permission.ACCOUNT)
def first_minute() -> str | Response:
    """Three people like the viewer, how often they may be asked, what they value."""
    if not _can_be_asked():
        return redirect(local_path(request.args.get("next")), 303)
    stored = choices.preferences_of(_me()).preferences
    data = {"limit": stored.limit, "answer_requests": stored.answer_requests, "values": stored.values}
    form = FirstMinuteForm(formdata=None, data=data)
    return _first_minute_page(form.offer(stored.limit, stored.answer_requests))


@blueprint.post("/welcome/first-minute")
@requires(Permission.ACCOUNT)
def save_first_minute() -> Response:
    """Put what was chosen in force and go on."""
    stored = choices.preferences_of(_me()).preferences
    form = FirstMinuteForm().offer(stored.limit, stored.answer_requests)

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        choices.finish_welcome(
            _me(),
            limit=form.limit.data,
            answer_requests=form.answer_requests.data,
            values=form.values.data or [],
        )
        flash(_("Saved. You can change it at any time under “Being asked”."))
        return local_path(request.args.get("next"))

    return attempt(form, write, lambda: _first_minute_page(form))


@blueprint.delete("/welcome/first-minute")
@requires(Permission.ACCOUNT)
def dismiss_first_minute() -> Response:
    """Leave everything as it is, and do not offer it again."""
    choices.finish_welcome(_me())
    return redirect(local_path(request.args.get("next")), 303)


def _me() -> int:
    return viewer().member_id or 0


def _can_be_asked() -> bool:
    return viewer().status in CUSTOMERS


def _role() -> str:
    """How the viewer reads to somebody who may not know the name yet."""
    return queries.cards(viewer(), [_me()], by_role=True)[_me()].person.byline


def _page(
    form: AvailabilityForm | None = None, *, slot_form: SlotForm | None = None, meanwhile: Any = None
) -> str:
    stored = choices.preferences_of(_me())
    return render_template(
        "matching/availability.html",
        form=form or filled(stored.preferences, stored.version, _role()),
        slot_form=slot_form or SlotForm(formdata=None, prefix="slot-"),
        slots=queries.own_slots(_me()),
        stored=stored,
        load=queries.load(_me()),
        meanwhile=meanwhile,
    )


def _first_minute_page(form: FirstMinuteForm) -> str:
    like_me = queries.people_like(_me(), ALIKE)
    return render_template(
        "matching/first_minute.html",
        form=form,
        people=lines_of(viewer(), like_me),
        place=local_path(request.args.get("next")),
    )
