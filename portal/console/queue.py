"""The queue of what waits for a moderator, and the page of each case."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.discussions.house_rules import WillRead
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.kernel.template_helpers import duration, until
from portal.moderation import foretelling, policy, words
from portal.moderation.answers import conflict_page
from portal.moderation.forms import AppealAnswerForm, DecisionForm
from portal.moderation.models import CaseKind, CaseState, MemberMeasure, PostMeasure
from portal.moderation.queries import cases, log, own, rules
from portal.moderation.queries import queue as queues
from portal.moderation.queries.cases import CaseView
from portal.moderation.queries.queue import CaseLine, Filters
from portal.moderation.services import cases as case_services
from portal.moderation.services import deciding, evidence
from portal.moderation.views import appeal_reasons, appeal_will_read

blueprint = Blueprint("queue", __name__, url_prefix="/console")


@dataclass(frozen=True)
class Row:
    """A case as a row of the inbox."""

    line: CaseLine
    why: str
    late: bool
    title: str
    url: str
    where: str
    due: Any
    due_late: bool
    action: str


@blueprint.get("/queue")
@requires(Permission.MODERATE)
def index() -> str:
    """Open cases, most urgent first; every filter stands in the address."""
    filters = _filters()
    found = queues.queue(viewer(), filters, request.args.get("after", ""))
    return render_template(
        "console/queue.html",
        filters=filters,
        choices=_choices(filters),
        queue=found,
        rows=[row_of(line) for line in found.page.rows],
        export_url=_address(filters, endpoint="queue.export"),
        next_url=_address(filters, after=found.page.next) if found.page.next else "",
        first_url=_address(filters) if request.args.get("after") else "",
        yesterday=queues.yesterday() if not found.page.rows else None,
        form=Form(),
        duration=duration,
    )


@blueprint.get("/queue.csv")
@requires(Permission.MODERATE)
def export() -> Response:
    """The same cases as a file, all pages of them."""
    head = ["case", "why", "what", "where", "opened", "due", "state", "decided", "taken by"]
    cells = []
    for line in queues.everything(viewer(), _filters()):
        row, case = row_of(line), line.case
        cells.append(
            [
                case.id,
                row.why,
                row.title,
                row.where,
                case.opened_at,
                case.due_at,
                case.state.value,
                case.decided_at,
                line.claimed_by,
            ]
        )
    return csv_file("queue", head, cells)


def _filters() -> Filters:
    return Filters(
        **{name: request.args.get(name, "")[:60] for name in asdict(Filters())}
        | {"state": "decided" if request.args.get("state") == "decided" else "open"}
    )


@blueprint.get("/cases/<int:case_id>")
@requires(Permission.MODERATE)
def case(case_id: int) -> str | Response:
    """One case: the post in its thread, who flagged it, the author's record, and the decision."""
    view = cases.case_view(viewer(), case_id)
    if view.case.kind is CaseKind.CONNECT:
        return redirect(view.case.link, 303)  # nothing is decided there: somebody is connected
    return _case_page(view, _fresh_form(view))


@blueprint.get("/cases/<int:case_id>/evidence")
@requires(Permission.MODERATE)
def read_evidence(case_id: int) -> str:
    """The case with the messages disclosed to it; that they were read is recorded. 404 when decided."""
    view = cases.case_view(viewer(), case_id)
    return _case_page(view, _fresh_form(view), evidence.read_evidence(viewer(), case_id))


@blueprint.post("/cases/<int:case_id>/claim")
@requires(Permission.MODERATE)
def claim(case_id: int) -> Response:
    """Take a case, or take it over."""
    case_services.claim(viewer(), case_id)
    return redirect(_back(case_id), 303)


@blueprint.delete("/cases/<int:case_id>/claim")
@requires(Permission.MODERATE)
def hand_back(case_id: int) -> Response:
    """Leave a case to whoever comes next."""
    case_services.hand_back(viewer(), case_id)
    return redirect(_back(case_id), 303)


@blueprint.post("/cases/<int:case_id>/decision")
@requires(Permission.MODERATE)
def decide(case_id: int) -> Response:
    """Decide; with `preview` show first what author and flaggers will read."""
    form = DecisionForm()

    def write() -> str:
        deciding.decide(viewer(), case_id, form.verdict, form_key=form.taken_key)
        return f"/console/cases/{case_id}"

    def page() -> str:
        view = cases.case_view(viewer(), case_id)
        form.version.data = view.case.version
        form.post_version.data = view.post.version if view.post else None
        return _case_page(view, form)

    if request.form.get("preview"):
        return make_response(page())
    try:
        return attempt(form, write, page)
    except NotFound:
        view = cases.case_view(viewer(), case_id)  # the case is there, so a rule was not
        form.refuse(Invalid(_("Choose the rule that was broken."), "rule"))
        return make_response(_case_page(view, form), 422)
    except Conflict as conflict:
        view = cases.case_view(viewer(), case_id)
        if not view.waits_for_me:
            return make_response(conflict_page(case_id, conflict, form.reason.data or ""), 409)
        form.refuse(Invalid(_("%(what)s Look again and send it once more.", what=conflict.message)))
        return make_response(page(), 409)


@blueprint.post("/cases/<int:case_id>/preview")
@requires(Permission.MODERATE)
def preview(case_id: int) -> str:
    """What author and flaggers will read of the decision in this form, as a fragment of a page."""
    view = cases.case_view(viewer(), case_id)
    return render_template("moderation/_will_read.html", lines=_will_read(view, DecisionForm()))


@blueprint.delete("/decisions/<int:decision_id>")
@requires(Permission.MODERATE)
def undo(decision_id: int) -> Response:
    """Take a decision back, within ten minutes."""
    decision = deciding.undo(viewer(), decision_id)
    flash(_("Taken back. Everything is as it was, and those who were told are told so."))
    return redirect(f"/console/cases/{decision.case_id}", 303)


def _fresh_form(view: CaseView) -> DecisionForm:
    kind = view.case.kind
    data: dict[str, Any] = {
        "post": PostMeasure.RELEASE.value if kind is CaseKind.HELD else "",
        "member": MemberMeasure.NONE.value,
        "rule": str(view.case.rule_number or ""),
        "version": view.case.version,
        "post_version": view.post.version if view.post else None,
    }
    return DecisionForm(formdata=None, data=data)


def _case_page(view: CaseView, form: DecisionForm, disclosed: list[evidence.Disclosed] | None = None) -> str:
    is_open = view.case.state is CaseState.OPEN
    appeal_form = AppealAnswerForm(formdata=None, data={"version": view.case.version}).offer()
    return render_template(
        "console/case.html",
        view=view,
        disclosed=disclosed,
        why=_why(view.line),
        form=form.offer(view.case.kind, rules.rules()),
        appeal_form=appeal_form,
        rules=rules.rules(),
        words=words,
        next=queues.next_case(viewer(), view.case.id) if not is_open else None,
        next_why=_why,
        html={post.id: Markup(post.html) for post in [*view.before, view.post, *view.after] if post},  # noqa: S704 - cleaned when stored
        rule_of=rules.find_rule,
        logged=policy.is_in_public_log,
        appeal_until=policy.appeal_until,
        has_second=own.appeals_have_a_second(),
        now=clock.now(),
        duration=duration,
        PostMeasure=PostMeasure,
        will_read_lines=appeal_will_read(view, appeal_form)
        if view.case.kind is CaseKind.APPEAL
        else _will_read(view, form),
        reasons=appeal_reasons(view),
    )


def _will_read(view: CaseView, form: DecisionForm) -> list[WillRead]:
    """Of the decision as it stands in the form; nothing before it says what happens to the post."""
    if not form.post.data and view.case.kind not in policy.WITHOUT_POST:
        return []
    number = number_in(form.rule.data, longest=6)
    return foretelling.of_decision(
        next((one for one in PostMeasure if one.value == form.post.data), PostMeasure.NONE),
        next((one for one in MemberMeasure if one.value == form.member.data), MemberMeasure.NONE),
        rules.find_rule(number) if number is not None else None,
        form.reason.data or "",
        has_post=view.case.post_id is not None,
        is_thread=view.post is not None and view.post.kind == "opening",
        flaggers=len(view.flags),
        in_log=view.case.kind not in policy.WITHOUT_POST,
    )


def row_of(line: CaseLine) -> Row:
    """The case as a row of an inbox."""
    case = line.case
    now = clock.now()
    if case.kind is CaseKind.HELD and not line.author.as_role:
        joined = duration(now - line.author_joined_at)
        where = _("%(board)s, joined %(time)s ago", board=line.board_name, time=joined)
    elif case.kind is CaseKind.CONNECT:
        where = _("Asks")  # its asker may have no name; the page of the ask says who it is
    elif case.kind in policy.WITHOUT_POST:
        where = line.author.name if not case.peers_only else _("%(name)s, for peers", name=line.author.name)
    else:
        where = _("%(board)s, by %(name)s", board=line.board_name, name=line.author.name)
    if line.claimed_by:
        where = _("%(where)s; you have it", where=where) if line.is_mine else f"{line.claimed_by}: {where}"
    late = line.is_late
    if case.state is not CaseState.OPEN:
        due = _("decided after %(time)s", time=duration((case.decided_at or now) - case.opened_at))
    else:
        due = until(case.due_at) if late else _("for %(time)s", time=duration(now - case.opened_at))
    action = {CaseKind.HELD: _("Release or refuse"), CaseKind.CONNECT: _("Connect them")}.get(
        case.kind, _("Decide")
    )
    if line.against or case.state is not CaseState.OPEN:
        action = _("Look at it")
    return Row(
        line=line,
        why=_why(line),
        late=False,
        title=case.title,
        url=case.link if case.kind is CaseKind.CONNECT else f"/console/cases/{case.id}",
        where=where,
        due=due,
        due_late=late,
        action=action,
    )


def _why(line: CaseLine) -> str:
    case = line.case
    return words.why_here(
        case.kind, case.flags_count, case.rule_number, line.rule_short, case.reasons, case.why
    )


def _choices(filters: Filters) -> dict[str, list[tuple[str, str, bool]]]:
    """For each word of the sentence: (label, address, chosen)."""

    def options(name: str, labels: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
        now = getattr(filters, name)
        return [(label, _address(filters, **{name: value}), value == now) for value, label in labels]

    return {
        "state": options("state", [("open", _("open cases")), ("decided", _("decided cases"))]),
        "kind": options(
            "kind",
            [
                ("", _("of every kind")),
                ("flags", _("flags")),
                ("held", _("held posts")),
                ("appeal", _("appeals")),
                ("conversation", _("reported messages")),
                ("blocks", _("blocks")),
                ("connect", _("people to connect")),
            ],
        ),
        "board": options("board", [("", _("any board")), *log.boards_of_log(viewer())]),
        "older": options(
            "older",
            [
                ("", _("of any age")),
                ("hour", _("older than an hour")),
                ("day", _("older than a day")),
                ("week", _("older than a week")),
            ],
        ),
        "whose": options(
            "whose",
            [
                ("", _("me or nobody")),
                ("mine", _("me")),
                ("nobody", _("nobody yet")),
                ("anyone", _("anyone")),
            ],
        ),
        "sort": options("sort", [("", _("most urgent first")), ("oldest", _("oldest first"))]),
    }


def _address(filters: Filters, *, endpoint: str = "queue.index", **changes: str) -> str:
    after = changes.pop("after", "")
    values = asdict(replace(filters, **changes))
    if values["state"] == "open":
        values.pop("state")
    kept: dict[str, Any] = {name: value for name, value in {**values, "after": after}.items() if value}
    return url_for(endpoint, **kept)


def _back(case_id: int) -> str:
    """Where a button of the queue's menu leads: back to the queue it stood in, else to the case."""
    place = request.form.get("back", "")
    return place if place.startswith("/console/queue") else f"/console/cases/{case_id}"
