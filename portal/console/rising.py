"""Who rises: found early, with the evidence."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, render_template, request
from sqlalchemy import select

from portal.advocacy.models import Candidate
from portal.advocacy.queries import standing
from portal.advocacy.queries.standing import Standing
from portal.advocacy.queries.yesterday import thanks_of
from portal.discussions.queries.deeds import Deed, latest_deeds
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.db import db
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.members import lists
from portal.members.models import Company, Member

blueprint = Blueprint("rising", __name__, url_prefix="/console")

MOST = 50


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
    deeds: list[Deed]
    stage: str  # "" for nobody's candidate


@blueprint.get("/rising")
@requires(Permission.ADVOCACY)
def index() -> str:
    """The highest first; narrowed to an industry, or to those nobody has an eye on."""
    industry, new = _wanted()
    everybody = risers()
    seen = sorted({row.industry for row in everybody if row.industry})
    return render_template(
        "console/rising.html",
        rows=_narrowed(everybody),
        total=len(everybody),
        industry=industry,
        new=new,
        industries=[(code, lists.label(lists.INDUSTRIES, code)) for code in seen],
        form=Form(),
    )


@blueprint.get("/rising.csv")
@requires(Permission.ADVOCACY)
def export() -> Response:
    """The same list as a file."""
    head = ["username", "name", "company", "helpfulness", "60 days ago", "companies in 365 days"]
    head += ["companies in 30 days", "stage"]
    cells = [
        [
            row.username,
            row.name,
            row.company,
            round(row.standing.helpfulness, 2),
            None if row.standing.was is None else round(row.standing.was, 2),
            row.standing.companies,
            row.lately,
            row.stage,
        ]
        for row in _narrowed(risers())
    ]
    return csv_file("rising", head, cells)


def _wanted() -> tuple[str, bool]:
    """An industry's code, "" for all; whether only those whom nobody has an eye on."""
    return request.args.get("industry", "")[:8], request.args.get("new") == "yes"


def _narrowed(everybody: list[Riser]) -> list[Riser]:
    industry, new = _wanted()
    return [
        row for row in everybody if (not industry or row.industry == industry) and (not new or not row.stage)
    ]


def risers() -> list[Riser]:
    """Who rises, with two pieces of evidence each; a number of statements that does not grow with them."""
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
    deeds = latest_deeds(viewer(), ids, 2)
    return [
        Riser(
            member_id=one.member_id,
            name=people[one.member_id].name,
            username=people[one.member_id].username,
            company=people[one.member_id].company or "",
            industry=people[one.member_id].industry or "",
            standing=one,
            lately=lately.get(one.member_id, 0),
            deeds=deeds.get(one.member_id, []),
            stage=people[one.member_id].stage.value if people[one.member_id].stage else "",
        )
        for one in found
        if one.member_id in people
    ]
