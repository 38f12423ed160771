"""Today: what waits, whom to thank, who rises, one gap, and what went well. The console's first page."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from portal.console import desk, first_steps, gladly
from portal.console.desk import KINDS, Row
from portal.console.mornings import MORNING
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import Invalid
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.moderation.queries import log
from portal.notifications.queries import wants_mail
from portal.notifications.services import preferences

blueprint = Blueprint("today", __name__, url_prefix="/console")


@dataclass(frozen=True)
class Wanted:
    """The words of the sentence above the rows."""

    what: str = ""
    whose: str = ""  # "" me or nobody, anyone
    board: str = ""
    sort: str = ""


@blueprint.get("/")
@requires(Permission.MODERATE, otherwise="relations.index")  # where sales and service begin
def index() -> str:
    """Everything that waits on one page."""
    me, wanted = viewer(), _wanted()
    everything = desk.rows_for(me)
    rows = _narrowed(everything, wanted)
    whole = me.may(Permission.ADVOCACY)
    return render_template(
        "console/today.html",
        rows=rows,
        total=len(everything),
        wanted=wanted,
        choices=_choices(wanted),
        export_url=_address(wanted, "today.export"),
        glad=gladly.of_yesterday(me) if whole else None,
        by_mail=wants_mail(me.member_id or 0, MORNING),
        helped_words=gladly.helped_words,
        steps=first_steps.steps_for(me),
        form=Form(),
    )


@blueprint.get("/today.csv")
@requires(Permission.MODERATE)
def export() -> Response:
    """The same rows as a file."""
    rows = _narrowed(desk.rows_for(viewer()), _wanted())
    head = ["why", "what", "where", "since", "urgent at", "address", "taken by"]
    cells = [[row.why, row.title, row.where, row.since, row.urgent_at, row.url, row.taken_by] for row in rows]
    return csv_file("today", head, cells)


@blueprint.post("/thanks")
@requires(Permission.ADVOCACY)
def thank() -> Answer:
    """Thank somebody who helped yesterday; once a day."""
    username = request.form.get("member", "")[:40]
    try:
        name = gladly.thank(viewer(), username)
        flash(_("%(name)s is thanked, in your name.", name=name))
    except Invalid as error:
        flash(error.message, "error")
    return redirect(url_for("today.index"), 303)


@blueprint.post("/morning")
@requires(Permission.MODERATE)
def morning() -> Answer:
    """The mail of the morning, on or off."""
    on = request.form.get("on") == "yes"
    preferences.choose(viewer().member_id or 0, MORNING, in_app=False, by_mail=on)
    flash(_("You get it at 08:00.") if on else _("No more mails of the morning."))
    return redirect(url_for("today.index"), 303)


def _narrowed(rows: list[Row], wanted: Wanted) -> list[Row]:
    tests: list[Callable[[Row], bool]] = []
    if wanted.what:
        tests.append(lambda row: row.kind == wanted.what)
    if not wanted.whose:
        tests.append(lambda row: row.is_mine or not row.taken_by)
    if wanted.board:
        names = dict(log.boards_of_log(viewer()))
        tests.append(lambda row: row.board == wanted.board or row.board_name == names.get(wanted.board, "\0"))
    found = [row for row in rows if all(test(row) for test in tests)]
    return sorted(found, key=lambda row: row.since) if wanted.sort == "oldest" else found


def _wanted() -> Wanted:
    get = request.args.get
    return Wanted(
        what=get("what", "") if get("what", "") in KINDS else "",
        whose="anyone" if get("whose") == "anyone" else "",
        board=get("board", "")[:60],
        sort="oldest" if get("sort") == "oldest" else "",
    )


def _address(wanted: Wanted, endpoint: str = "today.index", **changes: str) -> str:
    kept: dict[str, Any] = {name: value for name, value in {**asdict(wanted), **changes}.items() if value}
    return url_for(endpoint, **kept)


def _choices(wanted: Wanted) -> dict[str, list[tuple[str, str, bool]]]:
    def options(name: str, labels: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
        now = getattr(wanted, name)
        return [(label, _address(wanted, **{name: value}), value == now) for value, label in labels]

    kinds = [("", _("everything waiting")), (desk.CASES, _("flags, held posts and appeals"))]
    if viewer().may(Permission.ADVOCACY):
        kinds += [
            (desk.ASKS, _("asks")),
            (desk.PEOPLE, _("people: nominations, consents, claims")),
            (desk.QUESTIONS, _("unanswered questions")),
        ]
    return {
        "what": options("what", kinds),
        "whose": options("whose", [("", _("me or nobody")), ("anyone", _("anyone"))]),
        "board": options("board", [("", _("any board")), *log.boards_of_log(viewer())]),
        "sort": options("sort", [("", _("most urgent first")), ("oldest", _("oldest first"))]),
    }
