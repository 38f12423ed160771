"""The members explorer: everybody by any fact, every word of it in the address, and as a file."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from portal.advocacy.queries import scopes, standing
from portal.advocacy.queries.standing import Standing
from portal.consents.models import Activity
from portal.consents.texts import NAMES
from portal.console import explorer
from portal.console.explorer import Facets, MemberLine, Wanted
from portal.kernel import audit
from portal.kernel.access import Permission, Status, requires, viewer
from portal.kernel.files import csv_file
from portal.kernel.numbers import number_in
from portal.kernel.template_helpers import if_old
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.forms import VALUES
from portal.members import lists
from portal.members.queries import console as queries

blueprint = Blueprint("members_list", __name__, url_prefix="/console")

Choice = tuple[str, str]  # value, label with its count
STATUSES = (Status.CUSTOMER, Status.PROSPECT, Status.FORMER, Status.VENDOR)
COLUMNS = [
    "username",
    "name",
    "title",
    "status",
    "company",
    "industry",
    "size",
    "country",
    "verified by",
    "standing",
    "helpfulness",
    "companies that thanked",
    "helpfulness within the tag",
    "conversations in 90 days",
    "limit",
    "answers",
    "accepted answers",
    "last seen",
    "joined",
    "not to be approached",
]


@blueprint.get("/members")
@requires(Permission.CONFIRM_MEMBERS)
def index() -> str:
    """The members, narrowed by what the address says."""
    wanted = _wanted()
    rows = explorer.members(wanted)
    counted = explorer.facets(wanted)
    offered = _scopes(counted.products, wanted.scope)
    more = len(rows) > explorer.ROWS and wanted.page < explorer.MOST_PAGES
    return render_template(
        "console/members.html",
        rows=rows[: explorer.ROWS],
        wanted=wanted,
        counted=counted,
        counted_at=if_old(counted.counted_at) if counted.counted_at else None,
        choices={**_choices(counted), **_of_facts(), "scope": offered},
        scope_name=dict(offered).get(wanted.scope, ""),
        address=lambda **changes: _address(wanted.but(page=1).but(**changes)),
        export_url=_address(wanted, "members_list.export"),
        next_url=_address(wanted.but(page=wanted.page + 1)) if more else "",
        previous_url=_address(wanted.but(page=wanted.page - 1)) if wanted.page > 1 else "",
        at_the_end=wanted.page >= explorer.MOST_PAGES and len(rows) > explorer.ROWS,
        label=lists.label,
        country=lists.country_name,
    )


@blueprint.get("/members.csv")
@requires(Permission.ADVOCACY)
def export() -> Response:
    """The same list as a file, without mail addresses; that it was made stands in the log."""
    wanted = _wanted()
    with unit_of_work():
        audit.record(viewer(), "export members", "members", None, area="people")
    return csv_file("members", COLUMNS, _cells(wanted))


def _cells(wanted: Wanted) -> Iterator[list[Any]]:
    for one in explorer.everybody(wanted):
        yield _cell_row(one)


def _cell_row(one: MemberLine) -> list[Any]:
    known = one.standing
    return [
        one.username,
        one.name,
        one.title,
        one.status.value,
        one.company,
        lists.label(lists.INDUSTRIES, one.industry),
        lists.label(lists.SIZES, one.size),
        lists.country_name(one.region),
        one.verified_by,
        _standing_in_words(known) if known else "",
        round(known.helpfulness, 2) if known else None,
        known.companies if known else None,
        round(one.within, 2) if one.within is not None else None,
        one.load,
        one.limit,
        one.answers,
        one.accepted,
        one.seen_at,
        one.joined_at,
        "yes" if one.not_approached else "",
    ]


def _wanted() -> Wanted:
    """What the address says; what nobody can mean is left out."""
    get = request.args.get
    words = " ".join(get("q", "").replace("\0", "").split())[:120]
    product, page = get("product", ""), get("page", "")
    may = viewer().may
    return Wanted(
        words=words,
        show=_known(get("show", ""), queries.SHOWS),
        industry=_known(get("industry", ""), _codes(lists.INDUSTRIES)),
        size=_known(get("size", ""), _codes(lists.SIZES)),
        region=_known(get("region", ""), _codes(lists.REGIONS)),
        product=product if number_in(product, longest=9) is not None else "",
        status=_known(get("status", ""), [status.value for status in STATUSES]),
        standing=_known(get("standing", ""), explorer.STANDINGS),
        load=_known(get("load", ""), explorer.LOADS),
        seen=_known(get("seen", ""), explorer.SEEN_BUCKETS),
        agreed=_known(get("agreed", ""), list(Activity) if may(Permission.ADVOCACY) else ()),
        value=_known(get("value", ""), VALUES if may(Permission.ADVOCACY) else ()),
        relation=_known(get("relation", ""), explorer.RELATIONS if may(Permission.RELATIONS) else ()),
        scope=_scope(get("scope", "")),
        sort=_known(get("sort", ""), explorer.SORTS) or "joined",
        page=min(number_in(page, longest=3) or 1, explorer.MOST_PAGES),
    )


def _scope(code: str) -> str:
    return code if scopes.number_of(code) else ""


def _scopes(products: list[tuple[int, str, int]], chosen: str) -> list[Choice]:
    """Every product on offer, the tags with most threads, and what is chosen."""
    found = [(scopes.product_scope(id_), name) for id_, name, _count in products]
    found += scopes.frequent_tags()
    if chosen and chosen not in dict(found):
        found += scopes.names_of([chosen]).items()
    return found


def _standing_in_words(known: Standing) -> str:
    """For a file: somebody who is ranked can rise beside that."""
    if not known.rises:
        return known.label
    return "ranked, rising" if known.label == standing.RANKED else standing.RISING


def _known(value: str, among: Any) -> str:
    return value if value in among else ""


def _codes(name: str) -> set[str]:
    return {item.code for item in lists.entries(name, retired=True)}


def _address(wanted: Wanted, endpoint: str = "members_list.index") -> str:
    values = asdict(wanted)
    values["q"] = values.pop("words")
    if values["sort"] == "joined":
        values.pop("sort")
    if wanted.page == 1 or endpoint != "members_list.index":
        values.pop("page")
    kept: dict[str, Any] = {name: value for name, value in values.items() if value}
    return url_for(endpoint, **kept)


def _of_facts() -> dict[str, list[Choice]]:
    """What can be chosen by facts that only some may read; nothing for the others."""
    found: dict[str, list[Choice]] = {"agreed": [], "value": [], "relation": []}
    if viewer().may(Permission.ADVOCACY):
        found["agreed"] = [(one.value, str(name)) for one, name in NAMES.items()]
        found["value"] = [(one, str(label)) for one, label in VALUES.items()]
    if viewer().may(Permission.RELATIONS):
        found["relation"] = [
            ("held", _("on hold")),
            ("red", _("red")),
            ("amber", _("amber")),
            ("green", _("green")),
            ("unknown", _("health not said")),
            ("escalated", _("with an open escalation")),
            ("free", _("that can be asked")),
        ]
    return found


def _choices(counted: Facets) -> dict[str, list[Choice]]:
    """The choices of every facet, with how many there are; those without anybody are left out."""

    def of(counts: Any, items: list[tuple[str, str]]) -> list[Choice]:
        return [(code, f"{text} ({counts[code]})") for code, text in items if counts[code]]

    def listed(name: str) -> list[tuple[str, str]]:
        return [(item.code, item.label) for item in lists.entries(name, retired=True)]

    return {
        "industry": of(counted.industry, listed(lists.INDUSTRIES)),
        "size": of(counted.size, listed(lists.SIZES)),
        "region": of(counted.region, listed(lists.REGIONS)),
        "status": of(
            counted.status,
            [
                (Status.CUSTOMER.value, _("customers")),
                (Status.PROSPECT.value, _("prospects")),
                (Status.FORMER.value, _("former customers")),
                (Status.VENDOR.value, _("the vendor’s people")),
            ],
        ),
        "seen": of(
            counted.seen,
            [
                ("day", _("in the last day")),
                ("week", _("in the last week")),
                ("month", _("in the last month")),
                ("quarter", _("in the last 90 days")),
                ("longer", _("longer ago")),
                ("never", _("never")),
            ],
        ),
        "product": [(str(id_), f"{name} ({count})") for id_, name, count in counted.products if count],
        "standing": of(
            counted.standing,
            [
                (standing.RANKED, _("ranked")),
                (standing.RISING, _("rising")),
                (standing.TOO_EARLY, _("too early to say")),
            ],
        ),
        "load": [
            ("full", _("at their limit")),
            ("taken", _("below their limit")),
            ("idle", _("not asked in 90 days")),
            ("paused", _("paused")),
        ],
        "sort": [
            ("joined", _("newest first")),
            ("name", _("name")),
            ("seen", _("last seen")),
            ("helpful", _("helpfulness")),
            ("load", _("load")),
            ("answers", _("answers")),
            ("accepted", _("accepted answers")),
        ],
    }
