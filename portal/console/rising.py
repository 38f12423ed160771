"""Who rises: found early, with the evidence; narrowed, sorted, paged, and as a file."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy import select

from portal.advocacy.models import Candidate
from portal.advocacy.queries import standing
from portal.advocacy.queries.standing import Standing
from portal.advocacy.queries.yesterday import thanks_of
from portal.discussions.queries import vitals
from portal.discussions.queries.deeds import latest_deeds
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.db import db
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.members import lists
from portal.members.models import Company, Member
from portal.members.names import sort_key

blueprint = Blueprint("rising", __name__, url_prefix="/console")

MOST = 200  # the highest who rise; a list of more would be no list of the few who stand out
ROWS = 25
DOUBLED, UNRANKED = "doubled", "unranked"
WHYS = (DOUBLED, UNRANKED)


@dataclass(frozen=True, slots=True)
class Riser:
    """Somebody who is not ranked yet, or whose helpfulness doubled, with what shows it."""

    member_id: int
    name: str
    username: str
    company: str
    industry: str
    standing: Standing
    lately: int  # companies that thanked within 30 days
    stage: str  # "" for nobody's candidate

    @property
    def is_ranked(self) -> bool:
        return self.standing.label == standing.RANKED

    @property
    def times(self) -> float:
        """How many times what it was 60 days ago the helpfulness is; 0 where it was as good as nothing."""
        was = self.standing.was or 0.0
        return self.standing.helpfulness / was if was >= NOTHING else 0.0


@dataclass(frozen=True)
class Wanted:
    """What the address narrows the list to; "" is everybody."""

    industry: str = ""
    new: str = ""  # "yes": only those nobody has an eye on
    why: str = ""
    sort: str = ""
    anyway: str = ""  # "yes": the list also where the vendor's people write most of the answers
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        return bool(self.industry or self.new or self.why)


NOTHING = 0.05  # helpfulness that no page would show as more than 0.0
_BY: dict[str, Callable[[Riser], Any]] = {
    "": lambda one: (-one.standing.helpfulness, one.member_id),
    "growth": lambda one: ((one.standing.was or 0.0) - one.standing.helpfulness, one.member_id),
    "lately": lambda one: (-one.lately, -one.standing.helpfulness, one.member_id),
    "name": lambda one: (sort_key(one.name), one.member_id),
}


@blueprint.get("/rising")
@requires(Permission.ADVOCACY)
def index() -> str:
    """A page of those who rise, the highest first unless the address says otherwise."""
    wanted = _wanted()
    staff_share = 0.0 if wanted.anyway else vitals.staff_share()
    if staff_share > vitals.MOST_BY_STAFF:
        return render_template(
            "console/rising_not_yet.html",
            staff_share=staff_share,
            list_url=_address(replace(wanted, anyway="yes")),
        )
    everybody = risers()
    fitting = _fitting(everybody, wanted)
    start = (wanted.page - 1) * ROWS
    rows = fitting[start : start + ROWS]
    by_industry = Counter(row.industry for row in _fitting(everybody, replace(wanted, industry="")))
    return render_template(
        "console/rising.html",
        rows=rows,
        deeds=latest_deeds(viewer(), [row.member_id for row in rows], 2),
        first=start + 1,
        fitting=len(fitting),
        total=len(everybody),
        at_most=len(everybody) >= MOST,
        wanted=wanted,
        industries=[
            (code, f"{lists.label(lists.INDUSTRIES, code)} ({by_industry[code]})")
            for code in sorted({*by_industry, wanted.industry} - {""})
        ],
        address=lambda **changes: _address(replace(wanted, page=1, **changes)),
        export_url=_address(wanted, "rising.export"),
        previous_url=_address(replace(wanted, page=wanted.page - 1)) if wanted.page > 1 else "",
        next_url=_address(replace(wanted, page=wanted.page + 1)) if len(fitting) > start + ROWS else "",
        form=Form(),
    )


@blueprint.get("/rising.csv")
@requires(Permission.ADVOCACY)
def export() -> Response:
    """All who fit, not only the page, as a file."""
    head = ["username", "name", "company", "why", "helpfulness", "60 days ago", "companies in 365 days"]
    head += ["companies in 30 days", "stage"]
    cells = [
        [
            row.username,
            row.name,
            row.company,
            " and ".join(_whys(row)),
            round(row.standing.helpfulness, 2),
            None if row.standing.was is None else round(row.standing.was, 2),
            row.standing.companies,
            row.lately,
            row.stage,
        ]
        for row in _fitting(risers(), _wanted())
    ]
    return csv_file("rising", head, cells)


def _wanted() -> Wanted:
    """What the address says; what nobody can mean is left out."""
    get = request.args.get
    why, sort, page = get("why", ""), get("sort", ""), get("page", "")
    return Wanted(
        industry=get("industry", "")[:8],
        new="yes" if get("new") == "yes" else "",
        why=why if why in WHYS else "",
        sort=sort if sort in _BY else "",
        anyway="yes" if get("anyway") == "yes" else "",
        page=min(number_in(page, longest=3) or 1, MOST // ROWS),
    )


def _address(wanted: Wanted, endpoint: str = "rising.index") -> str:
    values = asdict(wanted)
    if wanted.page == 1 or endpoint != "rising.index":
        values.pop("page")
    kept: dict[str, Any] = {name: value for name, value in values.items() if value}
    return url_for(endpoint, **kept)


def _fitting(everybody: list[Riser], wanted: Wanted) -> list[Riser]:
    found = [
        row
        for row in everybody
        if (not wanted.industry or row.industry == wanted.industry)
        and (not wanted.new or not row.stage)
        and (wanted.why != DOUBLED or row.standing.doubled)
        and (wanted.why != UNRANKED or not row.is_ranked)
    ]
    return sorted(found, key=_BY[wanted.sort])


def _whys(row: Riser) -> list[str]:
    doubled = ["doubled within 60 days"] if row.standing.doubled else []
    return doubled if row.is_ranked else [*doubled, "not ranked yet"]


def risers() -> list[Riser]:
    """Who rises, the highest `MOST`; a number of statements that does not grow with them."""
    found = standing.rising(MOST)
    ids = [one.member_id for one in found]
    people = {
        row.id: row
        for row in db.session.execute(
            select(
                Member.id,
                Member.name,
                Member.username,
                Company.name.label("company"),
                Company.industry,
                Candidate.stage,
            )
            .outerjoin(Company, Company.id == Member.company_id)
            .outerjoin(Candidate, Candidate.member_id == Member.id)
            .where(Member.id.in_(ids))
        )
    }
    lately = thanks_of(ids, clock.now() - timedelta(days=30))
    return [
        Riser(
            member_id=one.member_id,
            name=people[one.member_id].name,
            username=people[one.member_id].username,
            company=people[one.member_id].company or "",
            industry=people[one.member_id].industry or "",
            standing=one,
            lately=lately.get(one.member_id, 0),
            stage=people[one.member_id].stage.value if people[one.member_id].stage else "",
        )
        for one in found
        if one.member_id in people
    ]
