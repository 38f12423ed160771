"""Reporting messages, and adding one's own to a report."""

from flask import flash, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.conversations import policy, services
from portal.conversations.forms import ReportForm
from portal.conversations.queries import reading
from portal.conversations.queries.finding import find_to_report, place_of_reports
from portal.conversations.services import messages
from portal.conversations.services.reporting import NOTE
from portal.conversations.views.blueprint import blueprint
from portal.kernel import limits
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.forms import Form
from portal.moderation.queries.evidence import peers_for


@blueprint.get("/conversations/<conversation_id>/report")
@requires(Permission.CONVERSE)
def ask_to_report(conversation_id: str) -> str:
    """The form: which messages, to whom, why."""
    return _page(conversation_id, ReportForm(formdata=None))


@blueprint.post("/conversations/<conversation_id>/report")
@requires(Permission.CONVERSE)
def report(conversation_id: str) -> Response:
    """Disclose the chosen messages."""
    form = ReportForm()

    def write() -> str:
        limits.take(policy.REPORTS_A_DAY, viewer().member_id or 0, name="reports")
        services.report(
            viewer(),
            conversation_id,
            request.form.getlist("messages"),
            rule_number=form.rule_number,
            peers_only=form.peers_only,
            form_key=form.taken_key,
        )
        flash(_("Shown to the reviewers. You both see here who reads it and what is decided."))
        return place_of_reports(*find_to_report(viewer(), conversation_id))

    return attempt(form, write, lambda: _page(conversation_id, form))


@blueprint.get("/conversations/<conversation_id>/reports/<report_id>")
@requires(Permission.CONVERSE)
def ask_to_add(conversation_id: str, report_id: str) -> str:
    """The form to add messages to a report."""
    return _adding_page(conversation_id, report_id, Form(formdata=None))


@blueprint.post("/conversations/<conversation_id>/reports/<report_id>/messages")
@requires(Permission.CONVERSE)
def add(conversation_id: str, report_id: str) -> Response:
    """Add messages to a report that waits for its decision."""
    form = Form()

    def write() -> str:
        try:
            services.add_messages(
                viewer(),
                conversation_id,
                report_id,
                request.form.getlist("messages"),
                form_key=form.taken_key,
            )
        except Conflict as error:
            raise Invalid(error.message) from error
        flash(_("Added. The reviewers read these messages too."))
        return f"/conversations/{conversation_id}"

    return attempt(form, write, lambda: _adding_page(conversation_id, report_id, form))


def _page(conversation_id: str, form: ReportForm) -> str:
    page = reading.page_to_report(viewer(), conversation_id)
    if page.is_over_for_me and request.method == "GET":
        messages.mark_seen(viewer(), conversation_id, 0)  # what was told of its report
    chosen = request.form.getlist("messages")
    if request.method == "GET" and not any(one.reportable for one in page.letters):
        chosen = [NOTE]  # there is nothing else to choose
    parties = [viewer().member_id or 0, *[member_id for member_id, _line in page.others]]
    return render_template(
        "conversations/report.html",
        page=page,
        form=form.offer(peers=bool(peers_for(parties))),
        chosen=chosen,
        html={letter.id: Markup(letter.html) for letter in page.letters},  # noqa: S704 - cleaned when sealed
        policy=policy,
    )


def _adding_page(conversation_id: str, report_id: str, form: Form) -> str:
    page = reading.page(viewer(), conversation_id)
    line = next((one for one in page.reports if one.report.id == report_id), None)
    if line is None or line.report.decided_at is not None:
        raise NotFound("no such report")
    return render_template(
        "conversations/add_to_report.html",
        page=page,
        line=line,
        form=form,
        chosen=request.form.getlist("messages"),
        html={letter.id: Markup(letter.html) for letter in page.letters},  # noqa: S704 - cleaned when sealed
    )
