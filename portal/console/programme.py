"""The programme: whether being asked is fairly shared. Made to be shown to whoever pays for it.

What the figures may tell, and of how many people at least, is decided where they are made
(`portal.matching.queries.sharing`); nothing is counted here.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext as _n

from portal.kernel.access import Permission, requires
from portal.kernel.errors import NotFound
from portal.kernel.files import csv_file
from portal.kernel.template_helpers import number, share, short_date
from portal.matching.queries.sharing import Choices, Requests, Sharing, sharing

blueprint = Blueprint("programme", __name__, url_prefix="/console")

WEEKS = (12, 26)  # with their quarters within the 400 days for which it is kept who was asked when
NEARLY = 0.075  # less than two steps of the Gini


@blueprint.get("/programme")
@requires(Permission.ADVOCACY)
def index() -> str:
    """The figures as of last Monday, the weeks before as lines, each with its table."""
    weeks = _chosen()
    found = sharing(weeks)
    return render_template(
        "console/programme.html",
        found=found,
        weeks=weeks,
        choices=[
            (_n("%(num)d week", "%(num)d weeks", one), _address("programme.index", one), one == weeks)
            for one in WEEKS
        ],
        files={part: _address("programme.export", weeks, part=part) for part in PARTS},
        sentences=_sentences(found),
        week_name=lambda week: short_date(week.monday.date()),
        people=_people,
        percent=_percent,
    )


@blueprint.get("/programme/<part>.csv")
@requires(Permission.ADVOCACY)
def export(part: str) -> Response:
    """One of its tables, to be opened in a spreadsheet."""
    if part not in PARTS:
        raise NotFound("no such table")
    head, rows_of = PARTS[part]
    return csv_file(f"programme-{part}", head, rows_of(sharing(_chosen())))


def _weeks(found: Sharing) -> list[list[Any]]:
    return [
        [
            week.monday.date(),
            week.people,
            week.asked,
            week.idle,
            week.talkers,
            week.holding,
            week.full,
            week.gini,
            week.least_gini,
        ]
        for week in found.weeks
    ]


def _answer_requests(found: Sharing) -> list[list[Any]]:
    of = found.requests
    if of is None:
        return []
    return [
        ["take answer requests", of.people],
        ["none", of.none],
        ["fewer than they take", of.some],
        ["as many as they take", of.full],
    ]


def _switched_off(found: Sharing) -> list[list[Any]]:
    of = found.choices
    if of is None:
        return []
    return [
        ["customers", of.customers],
        ["conversations off", of.no_talks],
        ["answer requests off", of.no_requests],
        ["paused", of.paused],
    ]


PARTS: dict[str, tuple[list[str], Callable[[Sharing], list[list[Any]]]]] = {
    "weeks": (
        [
            "Monday, 00:00 UTC",
            "can be asked (people in fives, 0: fewer than five)",
            "asked or proposed within 90 days",
            "idle",
            "take conversations",
            "have one or more",
            "at their limit",
            "Gini of load (in steps of 0.05)",
            "Gini at best",
        ],
        _weeks,
    ),
    "answer-requests": (
        ["in the 30 days before Monday", "members (in fives, 0: fewer than five)"],
        _answer_requests,
    ),
    "switched-off": (["what", "customers (in fives, 0: fewer than five)"], _switched_off),
}


def _chosen() -> int:
    """Weeks out of the address; what is not there reads as the first choice."""
    weeks = request.args.get("weeks", "")
    return int(weeks) if weeks in map(str, WEEKS) else WEEKS[0]


def _address(endpoint: str, weeks: int, **values: Any) -> str:
    if weeks != WEEKS[0]:
        values["weeks"] = weeks
    return url_for(endpoint, **values)


def _people(count: int | None) -> str:
    """A number of people as it leaves the page: in fives, and never one between none and five."""
    if count is None:
        return "–"
    return number(count) if count else _("fewer than 5")


def _percent(part: int | None, whole: int | None) -> str:
    """The share of two numbers that are told; nothing of fewer than five."""
    return share(min(part, whole), whole) if part and whole else ""


def _sentences(found: Sharing) -> dict[str, str]:
    """What the figures show, in words."""
    said = {"requests": _of_requests(found.requests), "choices": _of_choices(found.choices)}
    now = found.now
    if now.people is None:
        return said
    if not now.asked:
        asked = _(
            "In the 90 days before this week fewer than five members were asked or proposed to somebody."
        )
    elif not now.idle:
        asked = _(
            "All who can be asked, fewer than five left out, were asked or proposed to somebody in the "
            "90 days before this week."
        )
    else:
        asked = _(
            "Of those who can be asked, about %(share)s were asked or proposed to somebody in the 90 days "
            "before this week.",
            share=_percent(now.asked, now.people),
        )
    limit = ""
    if found.someone_over is not None:
        limit = (
            _("Somebody has more than their limit, which was lowered since.")
            if found.someone_over
            else _("Nobody is above their limit.")
        )
    idle = _(
        "Of %(people)s who can be asked %(idle)s are idle; of %(talkers)s who take conversations %(full)s "
        "are at their limit.",
        idle=_people(now.idle),
        people=_people(now.people),
        full=_people(now.full),
        talkers=_people(now.talkers),
    )
    if now.gini is None or now.least_gini is None:
        even = _("Fewer than five people have a conversation: too few to say how evenly they are shared.")
    elif now.gini - now.least_gini < NEARLY:
        even = _("The load is shared as evenly as so few conversations among so many people can be.")
    else:
        even = _(
            "The Gini is %(gini)s; shared as evenly as can be, so many conversations would give %(least)s.",
            gini=f"{now.gini:.2f}",
            least=f"{now.least_gini:.2f}",
        )
    return {**said, "asked": asked, "limit": limit, "idle": idle, "even": even}


def _of_requests(found: Requests | None) -> str:
    if found is None:
        return ""
    return _(
        "Of %(people)s who take answer requests, %(full)s got as many as they take in a month.",
        people=_people(found.people),
        full=_people(found.full),
    )


def _of_choices(found: Choices | None) -> str:
    if found is None:
        return ""
    return _(
        "Of %(customers)s customers, %(talks)s take no conversations, %(paused)s are paused.",
        customers=_people(found.customers),
        talks=_people(found.no_talks),
        paused=_people(found.paused),
    )
