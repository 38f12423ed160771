"""An ask: its clock and timeline, one's own asks, and what its asker or a moderator does with it."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.asks import policy, wording
from portal.asks.forms import SummaryForm
from portal.asks.models import Ask, AskMode, AskState, StageKind
from portal.asks.queries import lists, timelines
from portal.asks.queries.finding import ask_of_thread, find_visible_ask, reason_against_asker
from portal.asks.services import connecting, fitting, settling, timing, weighing
from portal.asks.views.common import responsible_name
from portal.discussions.guests import veil_over
from portal.discussions.queries import find_visible_thread
from portal.kernel import clock, page_cache
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.forms import Form
from portal.kernel.template_helpers import duration
from portal.members.display import Reader, person_line, reader_of
from portal.members.queries import directory
from portal.moderation.queries.parties import due_of_open_case

blueprint = Blueprint("ask_page", __name__)


@blueprint.get("/asks")
@requires(Permission.ACCOUNT)
def index() -> str:
    """One's own asks, and what is reported of them to whoever brought one here."""
    return render_template(
        "asks/index.html",
        asks=lists.asks_of(viewer()),
        reported=lists.reported_to(viewer()),
        words=wording,
        robots="noindex",
    )


@blueprint.get("/asks/<int:ask_id>")
@requires(Permission.VISIT)
def show(ask_id: int) -> str | Response:
    """The timeline. One in private has none: it leads to the proposals."""
    ask = find_visible_ask(viewer(), ask_id)
    if ask.mode is AskMode.CONVERSATION:
        return redirect(url_for("connecting.connect", ask_id=ask.id), 303)
    return _page(ask)


@blueprint.post("/asks/<int:ask_id>/doubt")
@requires(Permission.ASK)
def doubt(ask_id: int) -> Response:
    """ "This does not answer me": once."""
    try:
        settling.doubt(viewer(), ask_id)
    except Invalid as error:
        flash(error.message, "error")
    else:
        flash(_("The clock runs on with the time that was left."))
    return redirect(url_for("ask_page.show", ask_id=ask_id), 303)


@blueprint.post("/asks/<int:ask_id>/settled")
@requires(Permission.REACT)
def settle(ask_id: int) -> Response:
    """Nothing more is needed."""
    try:
        settling.settle(viewer(), ask_id)
    except Invalid as error:
        flash(error.message, "error")
    else:
        flash(_("Settled. A few lines on what came out of it help whoever asks the same."))
    return redirect(url_for("ask_page.show", ask_id=ask_id), 303)


@blueprint.post("/asks/<int:ask_id>/consent")
@requires(Permission.ASK)
def consent(ask_id: int) -> Response:
    """A moderator may ask customers on the asker's behalf."""
    connecting.allow_connecting(viewer(), ask_id, allowed=True)
    flash(_("A moderator may now ask customers for you."))
    return redirect(url_for("ask_page.show", ask_id=ask_id), 303)


@blueprint.delete("/asks/<int:ask_id>/consent")
@requires(Permission.ASK)
def withdraw_consent(ask_id: int) -> Response:
    """Or no longer."""
    connecting.allow_connecting(viewer(), ask_id, allowed=False)
    flash(_("From now on a moderator only proposes customers to you."))
    return redirect(url_for("ask_page.show", ask_id=ask_id), 303)


@blueprint.post("/asks/<int:ask_id>/widen")
@requires(Permission.ASK)
def widen(ask_id: int) -> Response:
    """Look further, without the least important criterion."""
    name = connecting.widen(viewer(), ask_id)
    flash(_("Looking further now, leaving out %(criterion)s.", criterion=wording.criterion(name)))
    return redirect(url_for("ask_page.show", ask_id=ask_id), 303)


@blueprint.get("/asks/<int:ask_id>/summary")
@requires(Permission.REACT)
def edit_summary(ask_id: int) -> str:
    """The closing summary, to be written or changed."""
    ask = _summarised(ask_id)
    return _summary_page(ask, SummaryForm(formdata=None, data={"text": ask.summary_source}))


@blueprint.post("/asks/<int:ask_id>/summary")
@requires(Permission.REACT)
def save_summary(ask_id: int) -> Response:
    """Put it on the thread."""
    ask = _summarised(ask_id)
    form = SummaryForm()

    def write() -> str:
        settling.write_summary(viewer(), ask_id, form.text.data or "")
        flash(_("The summary stands on the thread now."))
        return url_for("ask_page.show", ask_id=ask_id)

    return attempt(form, write, lambda: _summary_page(ask, form))


def _summarised(ask_id: int) -> Ask:
    ask = find_visible_ask(viewer(), ask_id)
    if not policy.may_summarise(viewer(), ask):
        raise Forbidden(_("The asker or a moderator writes it, once the ask is settled."))
    return ask


def _summary_page(ask: Ask, form: SummaryForm) -> str:
    thread = find_visible_thread(viewer(), ask.thread_id or 0)
    return render_template("asks/summary.html", ask=ask, thread=thread, form=form, robots="noindex")


def _page(ask: Ask) -> str:
    me = viewer()
    thread = find_visible_thread(me, ask.thread_id or 0)
    own = ask.asker_id == me.member_id
    seen = timelines.seen_of(ask.id)
    steps = timelines.steps_of(ask, own=own)
    now = clock.now()
    is_mine_to_decide = own or (me.may(Permission.MODERATE) and not reason_against_asker(me, ask))
    products = (
        {row.id: row.name for row in directory.products()} if own or me.may(Permission.MODERATE) else {}
    )
    return render_template(
        "asks/show.html",
        ask=ask,
        thread=thread,
        asker=person_line(thread, reader_of(me)),
        own=own,
        clock=clock_of(ask, now),
        timeline=wording.timeline(ask, steps, seen, own=own, responsible=responsible_name()),
        seen=seen,
        nobody=(nobody := _nobody(ask, steps)),
        looked_for_by=due_of_open_case(timing.case_key(ask)) if nobody else None,
        now=now,
        responsible=responsible_name(),
        least=wording.criterion(fitting.criteria_of(ask).least_important) if own else "",
        state=wording.state_word(ask),
        situation=wording.situation(ask, products),
        summary=Markup(ask.summary_html),  # noqa: S704 - cleaned when stored
        may_doubt=policy.may_doubt(me, ask),
        may_settle=is_mine_to_decide and policy.may_settle(me, ask),
        may_summarise=is_mine_to_decide and policy.may_summarise(me, ask),
        may_connect=policy.may_connect(me, ask) and me.may(Permission.ASK),
        may_weigh=own and bool(weighing.may_matter(ask)),
        proposed=len(connecting.open_proposals(ask)) if own else 0,
        form=Form(formdata=None),
        board_here=thread.board_slug,
        robots="noindex",
    )


def _nobody(ask: Ask, steps: list[timelines.Step]) -> bool:
    """Whether there was nobody to ask, so far."""
    done = {step.kind for step in steps if step.is_done}
    return ask.state is AskState.RUNNING and StageKind.NOBODY in done and StageKind.WAVE not in done


def clock_of(ask: Ask, now: datetime) -> dict[str, Any]:
    """What the component of the clock shows: a sentence, how much has passed, and the moments."""
    running = ask.state is AskState.RUNNING and ask.due_at is not None and ask.asked_at is not None
    late = running and ask.due_at is not None and ask.due_at <= now
    passed = whole = 0
    if running and ask.due_at and ask.asked_at:
        whole = max(1, int((ask.due_at - ask.asked_at).total_seconds() // 60))
        passed = min(whole, max(0, int((now - ask.asked_at).total_seconds() // 60)))
    return {
        "sentence": wording.clock_line(ask, now),
        "passed": passed,
        "whole": whole,
        "asked_at": ask.asked_at,
        "due_at": ask.due_at if running or ask.state is AskState.ANSWERED else None,
        "late": late,
        "in_time": ask.in_time,
        "running": running,
        "time_passed": duration(passed * 60) if passed else "",
        "hours": ask.promise_hours,
    }


def thread_line(thread: Any) -> Markup:
    """The clock and the summary of an ask under the title of its thread; nothing for any other thread.

    The same for all who read the thread, but for the names of prospects, so it is kept for each version.
    """
    if str(thread.kind) != "question":
        return Markup("")
    reader = reader_of(viewer())
    key = ("ask line", thread.id, thread.content_version, thread.site_version, reader is Reader.SELLER)

    def make() -> str:
        ask = ask_of_thread(thread.id)
        if ask is None or ask.state is AskState.GONE:
            return ""
        veil = veil_over(reader, [ask.summary_html], [thread.id])
        return render_template(
            "asks/_thread_line.html",
            ask=ask,
            summary=Markup(veil(ask.summary_html, thread.id)),  # noqa: S704 - cleaned when stored
            state=wording.state_word(ask),
        )

    return Markup(page_cache.fragments.get(key, make))  # noqa: S704 - our own template's text
