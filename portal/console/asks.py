"""An ask that nobody answered: a moderator connects its asker with a customer."""

from flask import Blueprint, flash, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext as _n
from werkzeug.wrappers import Response

from portal.asks import wording
from portal.asks.queries import lists, timelines
from portal.asks.queries.finding import (
    ask_for_moderator,
    introduced_by,
    proposed_to_moderator,
    reason_against_asker,
)
from portal.asks.services import connecting, fitting
from portal.asks.views.ask_page import clock_of
from portal.discussions.queries import find_visible_thread
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.forms import Form
from portal.matching.queries import loads_by_week
from portal.members.display import person_line, reader_of
from portal.members.queries import directory

blueprint = Blueprint("console_asks", __name__, url_prefix="/console")


@blueprint.get("/asks/<int:ask_id>")
@requires(Permission.MODERATE)
def show(ask_id: int) -> str:
    """The ask with its clock, and customers ready to be asked."""
    return _page(ask_id, Form(formdata=None))


@blueprint.post("/asks/<int:ask_id>/introductions")
@requires(Permission.MODERATE)
def introduce(ask_id: int) -> Response:
    """Ask one or two of them for the asker, or propose them where the asker wants to ask alone."""
    ask_for_moderator(viewer(), ask_id)
    form = Form()

    def write() -> str:
        picks = [int(one) for one in request.form.getlist("pick") if one.isdecimal() and len(one) < 10]
        result = connecting.introduce(viewer(), ask_id, picks, form_key=form.taken_key)
        if result.missing:
            flash(
                _n(
                    "One of them cannot be asked for this asker; look who is proposed instead.",
                    "%(num)d of them cannot be asked for this asker; look who is proposed instead.",
                    result.missing,
                ),
                "error",
            )
        if result.refused:
            flash(
                _n(
                    "One of them could not be asked at once: they are proposed, and the asker may ask them.",
                    "They could not be asked at once: they are proposed, and the asker may ask them.",
                    result.refused,
                ),
                "error",
            )
        if result.barred:
            flash(_("This asker can begin no new conversations at present."), "error")
        if not (result.missing or result.refused or result.barred):
            flash(_("Done, and the asker is told. What they talk about stays between them."))
        return f"/console/asks/{ask_id}"

    return attempt(form, write, lambda: _page(ask_id, form))


@blueprint.post("/asks/<int:ask_id>/proposals")
@requires(Permission.MODERATE)
def look_again(ask_id: int) -> Response:
    """Fill the proposals up to three again."""
    form = Form()

    def write() -> str:
        made = connecting.look_again(viewer(), ask_id)
        flash(
            _n("One more customer is proposed.", "%(num)d more customers are proposed.", made)
            if made
            else _("There is nobody else who could be asked at present.")
        )
        return f"/console/asks/{ask_id}"

    return attempt(form, write, lambda: _page(ask_id, form))


def _page(ask_id: int, form: Form) -> str:
    me = viewer()
    ask = ask_for_moderator(me, ask_id)
    thread = find_visible_thread(me, ask.thread_id or 0)
    proposals = proposed_to_moderator(me, ask)
    member_ids = [one.member_id for one in proposals]
    introduced = introduced_by(me, ask.id)
    people = lists.moderator_people(me, [*member_ids, *introduced])
    steps = timelines.steps_of(ask, own=False)
    products = {row.id: row.name for row in directory.products()}
    return render_template(
        "console/ask.html",
        ask=ask,
        thread=thread,
        asker=person_line(thread, reader_of(me)),
        clock=clock_of(ask, clock.now()),
        timeline=wording.timeline(
            ask, steps, timelines.seen_of(ask.id), own=False, responsible=_("a moderator")
        ),
        situation=wording.situation(ask, products),
        against=reason_against_asker(me, ask),
        proposals=[(one, people[one.member_id]) for one in proposals if one.member_id in people],
        introduced=[people[number] for number in introduced if number in people],
        loads=loads_by_week(member_ids, clock.now()),
        least=wording.criterion(fitting.criteria_of(ask).least_important),
        words=wording,
        state=wording.state_word(ask),
        form=form,
        picked=request.form.getlist("pick"),
        robots="noindex",
    )
