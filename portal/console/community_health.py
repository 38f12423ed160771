"""Community health: who answers, how soon, who comes back, on how few shoulders it rests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext as _n

from portal.console import desk
from portal.console.desk_sources import UNANSWERED_FROM, UNANSWERED_TO
from portal.discussions.queries import vitals
from portal.discussions.queries.vitals import Vitals
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import NotFound
from portal.kernel.files import csv_file
from portal.kernel.template_helpers import duration, if_old, share, short_date

WAITING_SHOWN = 8
UNANSWERED = "unanswered"

blueprint = Blueprint("community_health", __name__, url_prefix="/console")

WEEKS = (12, 26, 52)
HOUR = 3600
CUSTOMER = "customer"  # what the map of boards and weeks shows first
PERCENT_STEPS, HOUR_STEPS = (1, 40, 60, 80), (1, 8, 24, 72)  # from which on a cell is darker


@blueprint.get("/health")
@requires(Permission.ADVOCACY)
def index() -> str:
    """The figures, each chart beside its table."""
    weeks, board = _chosen()
    measure = _measure()
    found = vitals.vitals(viewer(), weeks, board)
    boards = vitals.boards_with_questions()
    return render_template(
        "console/health.html",
        found=found,
        waiting=desk.unanswered(viewer(), board, WAITING_SHOWN),
        waits_hours=UNANSWERED_FROM // timedelta(hours=1),
        recent_days=UNANSWERED_TO.days,
        counted_at=if_old(found.until),
        weeks=weeks,
        board=board,
        choices={
            "weeks": [
                (_n("%(num)d week", "%(num)d weeks", one), _address(one, board, measure), one == weeks)
                for one in WEEKS
            ],
            "board": [
                (_("all boards"), _address(weeks, "", measure), not board),
                *((name, _address(weeks, slug, measure), slug == board) for slug, name in boards),
            ],
            "measure": [
                (label, _address(weeks, board, name) + "#by-week", name == measure)
                for name, label in _measures().items()
            ],
        },
        files={
            part: url_for("community_health.export", part=part, **_kept(weeks, board))
            for part in (*PARTS, UNANSWERED)
        },
        sentences=_sentences(found),
        by_week=_by_week(found, measure),
        map_words=_(
            "By board and week, %(what)s; a dash where there is nothing to count.", what=_measures()[measure]
        ),
        map_steps=HOUR_STEPS if measure.startswith("wait") else PERCENT_STEPS,
        week_name=lambda row: short_date(row.begins),
        hours=lambda seconds: None if seconds is None else round(seconds / HOUR, 1),
        duration=duration,
        share=share,
    )


@blueprint.get("/health/<part>.csv")
@requires(Permission.ADVOCACY)
def export(part: str) -> Response:
    """One of its tables, to be opened in a spreadsheet."""
    weeks, board = _chosen()
    if part == UNANSWERED:
        head = ["question", "where", "since", "address"]
        rows = [[one.title, one.where, one.since, one.url] for one in desk.unanswered(viewer(), board).rows]
    elif part in PARTS:
        head, rows_of = PARTS[part]
        rows = rows_of(vitals.vitals(viewer(), weeks, board))
    else:
        raise NotFound("no such table")
    return csv_file(f"community-health-{part}", head, rows)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / HOUR, 2)


def _answers(row: vitals.Answered) -> list[Any]:
    waits = [_hours(row.wait), _hours(row.wait_for_customer), _hours(row.wait_for_staff)]
    return [row.questions, row.by_customer, row.by_staff, row.none, *waits]


_ANSWERS = [
    "questions",
    "first answered by a customer",
    "first answered by staff",
    "no answer",
    "median hours to an answer",
    "median hours to a customer's answer",
    "median hours to an answer by staff",
]
PARTS: dict[str, tuple[list[str], Callable[[Vitals], list[list[Any]]]]] = {
    "weeks": (["week", *_ANSWERS], lambda found: [[row.begins, *_answers(row)] for row in found.weeks]),
    "boards": (
        ["board", *_ANSWERS, "waiting now"],
        lambda found: [[row.name, *_answers(row), row.waiting] for row in found.boards],
    ),
    "by-board-and-week": (
        ["board", "week", *_ANSWERS],
        lambda found: [
            [row.name, week.begins, *_answers(of_week)]
            for row in found.boards
            for week, of_week in zip(found.weeks, row.weeks, strict=True)
        ],
    ),
    "how-soon": (
        ["week", *_ANSWERS[4:]],
        lambda found: [[row.begins, *_answers(row)[4:]] for row in found.weeks],
    ),
    "people": (
        ["week", "joined", "wrote for the first time", "wrote again"],
        lambda found: [[row.begins, row.joined, row.newcomers, row.returning] for row in found.weeks],
    ),
    "first-posts": (
        ["month", "wrote a first post", "wrote a second within 30 days", "median days between", "complete"],
        lambda found: [
            [row.begins, row.first, row.second, row.days and round(row.days, 1), not row.is_open]
            for row in found.months
        ],
    ),
    "concentration": (
        ["who", "people", "answers, percent"],
        lambda found: [
            ["busiest 1 percent", found.concentration.top_1, round(found.concentration.share_1, 1)],
            ["busiest 10 percent", found.concentration.top_10, round(found.concentration.share_10, 1)],
            ["everyone who answered", found.concentration.people, 100 if found.concentration.answers else 0],
        ],
    ),
}


def _chosen() -> tuple[int, str]:
    """Weeks and board out of the address; what is not there reads as the first choice."""
    weeks = request.args.get("weeks", "")
    board = request.args.get("board", "")[:60]
    known = {slug for slug, _name in vitals.boards_with_questions()} if board else set()
    return (int(weeks) if weeks in map(str, WEEKS) else WEEKS[0]), (board if board in known else "")


def _kept(weeks: int, board: str) -> dict[str, Any]:
    return {**({"weeks": weeks} if weeks != WEEKS[0] else {}), **({"board": board} if board else {})}


def _address(weeks: int, board: str, measure: str) -> str:
    more: dict[str, Any] = {"by": measure} if measure != CUSTOMER else {}
    return url_for("community_health.index", **_kept(weeks, board), **more)


def _measures() -> dict[str, str]:
    """What the map of boards and weeks can show: shares of the week's questions, and median waits."""
    return {
        CUSTOMER: _("answered first by a customer, percent"),
        "staff": _("answered first by your people, percent"),
        "none": _("without an answer, percent"),
        "wait": _("median hours to an answer"),
        "wait-customer": _("median hours to a customer’s answer"),
        "wait-staff": _("median hours to an answer by your people"),
    }


def _measure() -> str:
    wanted = request.args.get("by", "")
    return wanted if wanted in _measures() else CUSTOMER


def _by_week(found: Vitals, measure: str) -> list[tuple[str, list[float | None]]]:
    """Board by board, the value of each week; None where nothing was asked, or answered."""
    values: dict[str, Callable[[vitals.Answered], float | None]] = {
        CUSTOMER: lambda week: _percent(week.by_customer, week.questions),
        "staff": lambda week: _percent(week.by_staff, week.questions),
        "none": lambda week: _percent(week.none, week.questions),
        "wait": lambda week: _short_hours(week.wait),
        "wait-customer": lambda week: _short_hours(week.wait_for_customer),
        "wait-staff": lambda week: _short_hours(week.wait_for_staff),
    }
    return [(row.name, [values[measure](week) for week in row.weeks]) for row in found.boards]


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole) if whole else None


def _short_hours(seconds: float | None) -> float | None:
    """Whole hours from ten on: it has to fit in a cell."""
    return None if seconds is None else round(seconds / HOUR, 1 if seconds < 10 * HOUR else None)


def _sentences(found: Vitals) -> dict[str, str]:
    """What each drawing shows, in words."""
    of_all, few = found.all, found.concentration
    if not of_all.questions:
        answered = _("No question was asked in this time.")
    else:
        answered = _(
            "A customer was the first to answer %(customers)s of the questions, your own people %(staff)s; "
            "%(none)s have no answer.",
            customers=share(of_all.by_customer, of_all.questions) or "0%",
            staff=share(of_all.by_staff, of_all.questions) or "0%",
            none=share(of_all.none, of_all.questions) or "0%",
        )
    wait = (
        _("Half of the answered questions had their answer within %(time)s.", time=duration(of_all.wait))
        if of_all.wait is not None
        else _("No question was answered in this time.")
    )
    people = _(
        "%(newcomers)s people wrote for the first time; in a usual week %(returning)s come back.",
        newcomers=sum(row.newcomers for row in found.weeks),
        returning=round(sum(row.returning for row in found.weeks) / len(found.weeks)),
    )
    if few.answers:
        shoulders = _n(
            "The busiest 10%% of those who answer, %(num)d person, wrote %(share)s of customers’ answers.",
            "The busiest 10%% of those who answer, %(num)d people, wrote %(share)s of customers’ answers.",
            few.top_10,
            share=f"{few.share_10:.0f}%",
        )
    else:
        shoulders = _("No customer answered in this time.")
    closed = [row for row in found.months if not row.is_open]
    first, second = sum(row.first for row in closed), sum(row.second for row in closed)
    again = (
        _(
            "%(second)s of %(first)s who wrote a first post wrote a second within 30 days.",
            second=second,
            first=first,
        )
        if first
        else _("Too early to say: a first post counts once 30 days have passed.")
    )
    return {"answered": answered, "wait": wait, "people": people, "shoulders": shoulders, "again": again}
