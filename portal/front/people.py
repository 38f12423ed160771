"""People and companies: the directory, a person's page, a company's page."""

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from portal.advocacy.queries.candidates import may_be_nominated
from portal.advocacy.queries.recognition import shown_of
from portal.conversations.queries.finding import may_be_asked
from portal.conversations.queries.giving import public_thanks
from portal.discussions.queries.by_people import counts_of, posts_by, threads_by
from portal.discussions.queries.lists import version_of_what_is_public
from portal.front.recognition import BADGES
from portal.kernel import clock, kept_pages
from portal.kernel.access import Duty, Permission, Status, Viewer, requires, viewer
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page
from portal.kernel.template_helpers import month as month_name
from portal.matching.queries import happy_to_talk_about
from portal.members import lists
from portal.members.models import RoleLevel
from portal.members.queries import directory as people
from portal.members.queries.directory import Wanted

blueprint = Blueprint("people", __name__)

ON_PROFILE = 5

_ROLES = {
    RoleLevel.EXECUTIVE: "Executive",
    RoleLevel.MANAGER: "Manager",
    RoleLevel.LEAD: "Lead",
    RoleLevel.PRACTITIONER: "Practitioner",
}


@blueprint.get("/members")
@requires(Permission.READ)
def directory() -> str:
    """The people of the community, narrowed by what the address says."""
    wanted = _wanted()
    page = people.directory(
        viewer(), wanted, after=request.args.get("after", ""), before=request.args.get("before", "")
    )

    def address(**changes: Any) -> str:
        return _address(wanted.but(**changes))

    return render_template(
        "front/directory.html",
        wanted=wanted,
        found=page,
        count=people.how_many(viewer(), wanted),
        cap=people.COUNTED,
        address=address,
        statuses=list(Status)[1:],
        industries=lists.entries(lists.INDUSTRIES),
        sizes=lists.entries(lists.SIZES),
        regions=people.regions_in_use(),
        products=people.products(),
        next=_address(wanted, after=page.next) if page.next else "",
        previous=_address(wanted, before=page.previous) if page.previous else "",
    )


@blueprint.get("/members/<username>")
@requires(Permission.VISIT)
def member(username: str) -> Response:
    """A person: what they show to this reader, and what they wrote that this reader may read."""
    found = people.find_visible_member(viewer(), username)

    def make() -> str:
        me = viewer()
        shows = found.shows_contributions
        return render_template(
            "front/member.html",
            member=found,
            role=_(_ROLES[found.role]) if found.role else "",
            local_time=_local_time(found.time_zone),
            talk_about=happy_to_talk_about(found.id) if not found.is_closed else "",
            about=Markup(found.about_html),  # noqa: S704 - stored clean
            products=[_used(name, since) for name, since in found.products],
            counts=counts_of(me, found.id) if shows else None,
            threads=_without_author(threads_by(me, [found.id], rows=ON_PROFILE)) if shows else None,
            posts=posts_by(me, found.id, rows=ON_PROFILE) if shows else None,
            may_ask=(may_ask := may_be_asked(me, found.id)),
            may_suggest=_may_suggest(me, found.id, may_ask),
            may_nominate=me.may(Permission.ADVOCACY) and may_be_nominated(found.id),
            thanks=[] if found.is_closed else public_thanks(found.id),
            seen_with=shown_of(me, found.id) if shows else None,
            badges=BADGES,
        )

    hour = clock.now().strftime("%Y%m%d%H")
    return kept_pages.answer(("member", found.id), (found.version, *version_of_what_is_public(), hour), make)


def _may_suggest(me: Viewer, member_id: int, may_ask: bool) -> bool:
    """Customers suggest whom they could ask; sales and service any customer."""
    if me.duties & {Duty.SALES, Duty.SERVICE}:
        return me.may(Permission.INVITE) and may_be_nominated(member_id)
    return may_ask and me.may(Permission.INVITE)


@blueprint.get("/members/<username>/threads")
@requires(Permission.VISIT)
def threads_of_member(username: str) -> str:
    """All threads of a person that this reader may read."""
    found = _with_contributions(username)
    page = _without_author(threads_by(viewer(), [found.id], after=request.args.get("after", "")))
    return render_template("front/member_threads.html", member=found, found=page)


@blueprint.get("/members/<username>/posts")
@requires(Permission.VISIT)
def posts_of_member(username: str) -> str:
    """All answers and replies of a person that this reader may read."""
    found = _with_contributions(username)
    page = posts_by(viewer(), found.id, after=request.args.get("after", ""))
    return render_template("front/member_posts.html", member=found, found=page)


@blueprint.get("/companies/<slug>")
@requires(Permission.VISIT)
def company(slug: str) -> str:
    """A company: its people and their threads, for those who may know its name."""
    me = viewer()
    found = people.find_visible_company(me, slug)
    page = people.people_of_company(
        me, found.id, after=request.args.get("after", ""), before=request.args.get("before", "")
    )
    lines = [replace(line, person=replace(line.person, company="", company_slug="")) for line in page.rows]
    return render_template(
        "front/company.html",
        company=found,
        found=replace(page, rows=lines),
        threads=threads_by(me, people.authors_of_company(me, found.id), rows=10),
        next=url_for("people.company", slug=found.slug, after=page.next) if page.next else "",
        previous=url_for("people.company", slug=found.slug, before=page.previous) if page.previous else "",
    )


@blueprint.get("/companies/<slug>/threads")
@requires(Permission.VISIT)
def threads_of_company(slug: str) -> str:
    """All threads of a company's people that this reader may read."""
    me = viewer()
    found = people.find_visible_company(me, slug)
    page = threads_by(me, people.authors_of_company(me, found.id), after=request.args.get("after", ""))
    return render_template("front/company_threads.html", company=found, found=page)


def _with_contributions(username: str) -> people.MemberPage:
    found = people.find_visible_member(viewer(), username)
    if not found.shows_contributions:
        raise NotFound("not shown")
    return found


def _without_author(page: Page) -> Page:
    """On a person's own page their name need not stand in every row."""
    return replace(page, rows=[replace(row, author=None) for row in page.rows])


def _wanted() -> Wanted:
    args = request.args
    status = args.get("status", "")
    product = args.get("product", type=int)
    return Wanted(
        name=" ".join(args.get("q", "").replace("\0", "").split())[:60],
        status=Status(status) if status in list(Status)[1:] else None,
        industry=args.get("industry", "")[:8],
        size=args.get("size", "")[:12],
        region=args.get("region", "")[:2].upper(),
        product=product if product is not None and 0 < product < 2**31 else None,
    )


def _address(wanted: Wanted, **more: str) -> str:
    values: dict[str, Any] = {
        "q": wanted.name,
        "status": wanted.status.value if wanted.status else "",
        "industry": wanted.industry,
        "size": wanted.size,
        "region": wanted.region,
        "product": wanted.product,
        **more,
    }
    return url_for("people.directory", **{name: value for name, value in values.items() if value})


def _used(name: str, since: str) -> str:
    if not since:
        return name
    year, _dash, month = since.partition("-")
    when = month_name(date(int(year), int(month), 1)) if month else year
    return _("%(product)s since %(when)s", product=name, when=when)


def _local_time(zone: str) -> str:
    return f"{clock.now().astimezone(ZoneInfo(zone)):%H:%M}" if zone else ""
