"""Companies as those who confirm members keep them: facts, mail domains, permission to be named."""

from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy import delete, or_, select

from portal.kernel import audit, clock, events, site
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members.addresses import clean_domain, is_free_mail, is_within
from portal.members.events import CompanyChanged
from portal.members.models import Company, CompanyDomain, CompanyKind, Member
from portal.members.services.standing import count_company, place_by_address, settle_company


@dataclass(frozen=True)
class CompanyFacts:
    """What is kept of a company. `competitors` are ids; without `named_until` it is named with no end."""

    name: str
    kind: CompanyKind = CompanyKind.PROSPECT
    industry: str = ""
    size_band: str = ""
    region: str = ""
    about: str = ""
    website: str = ""
    domains: list[str] = field(default_factory=list)
    competitors: list[int] = field(default_factory=list)
    named_in_public: bool = False
    named_until: date | None = None


def add_company(actor: Viewer, facts: CompanyFacts) -> str:
    """A new company; people whose address has one of its domains belong to it at once. Gives its slug.

    Raises Forbidden; Invalid beside a field.
    """
    _check(actor)
    with unit_of_work():
        company = Company(
            slug=_free_slug(facts.name), name=_name(facts.name), kind=facts.kind, created_at=clock.now()
        )
        db.session.add(company)
        db.session.flush()  # gives the id
        _take(actor, company, facts)
        audit.record(actor, "add company", "company", company.id, company.name, area="people")
        return company.slug


def change_company(actor: Viewer, slug: str, facts: CompanyFacts, *, version: int) -> None:
    """Change a company; the status of its people follows. Raises Forbidden, NotFound, Conflict, Invalid."""
    _check(actor)
    with unit_of_work():
        company = _company(slug)
        if company.version != version:
            raise Conflict(_("Somebody changed this company meanwhile."), company.version)
        kind_before = company.kind
        company.name, company.version = _name(facts.name), company.version + 1
        _take(actor, company, facts)
        details = f"{kind_before} → {company.kind}" if kind_before is not company.kind else company.name
        audit.record(actor, "change company", "company", company.id, details, area="people")


def companies_to_choose() -> list[tuple[int, str]]:
    """Id and name of every company, by name."""
    rows = db.session.execute(select(Company.id, Company.name).order_by(Company.name, Company.id))
    return [(row.id, row.name) for row in rows]


def _take(actor: Viewer, company: Company, facts: CompanyFacts) -> None:
    _check_lists(facts)
    named_before = (company.named_in_public, company.named_until)
    kind_before, company.kind = company.kind, facts.kind
    company.industry, company.size_band, company.region = facts.industry, facts.size_band, facts.region
    company.about, company.website = " ".join(facts.about.split())[:1000], _website(facts.website)
    known = {number for number, _name in companies_to_choose()}
    company.competitors = [number for number in facts.competitors if number in known - {company.id}]
    if facts.named_until is not None and facts.named_in_public and facts.named_until < clock.now().date():
        raise Invalid(_("This day is over. Leave it empty for no end."), "named_until")
    company.named_in_public = facts.named_in_public
    company.named_until = facts.named_until if facts.named_in_public else None
    if (company.named_in_public, company.named_until) != named_before:
        company.named_by_id, company.named_at = actor.member_id, clock.now()
        words = "name company in public" if company.named_in_public else "stop naming company in public"
        audit.record(actor, words, "company", company.id, area="people")
    _set_domains(company, facts)
    left = company.kind is CompanyKind.FORMER
    settle_company(company, correction=kind_before is not company.kind and not left)
    events.publish(CompanyChanged(company.id))
    site.touch()  # its name may stand on any page


def _set_domains(company: Company, facts: CompanyFacts) -> None:
    wanted = {clean_domain(domain, "domains") for domain in facts.domains if domain.strip()}
    before = set(
        db.session.execute(
            select(CompanyDomain.domain).where(CompanyDomain.company_id == company.id)
        ).scalars()
    )
    for domain in wanted - before:
        _check_domain(company, domain)
    db.session.execute(delete(CompanyDomain).where(CompanyDomain.domain.in_(before - wanted)))
    db.session.add_all(CompanyDomain(domain=domain, company_id=company.id) for domain in wanted - before)
    changed = wanted ^ before
    if changed:
        db.session.flush()  # where people belong is read from these rows
        place_people_of(changed)


def place_people_of(domains: set[str]) -> None:
    """Work out company and status of everybody whose address has one of these domains. In a unit of work."""
    if not domains:
        return
    at = [
        pattern
        for domain in sorted(domains)
        for pattern in (Member.email.endswith(f"@{domain}"), Member.email.endswith(f".{domain}"))
    ]
    touched: set[int | None] = set()
    for member in db.session.execute(select(Member).where(or_(*at))).scalars().all():
        touched.add(member.company_id)
        place_by_address(member)
        touched.add(member.company_id)
    for company_id in touched:
        count_company(company_id)


def place_people_of_vendor(before: list[str], now: list[str]) -> None:
    """The vendor's domains were changed: whoever is on one of them now, or was, is judged anew."""
    place_people_of(set(before) ^ set(now))


def _check_domain(company: Company, domain: str) -> None:
    if is_free_mail(domain):
        raise Invalid(
            _("Anybody can have an address at %(domain)s: it shows no company.", domain=domain), "domains"
        )
    if company.kind is not CompanyKind.VENDOR and is_within(domain, site.current().vendor_domains):
        raise Invalid(
            _("%(domain)s is a domain of the vendor, whose people can never be customers.", domain=domain),
            "domains",
        )
    owner = db.session.execute(
        select(Company.name)
        .join(CompanyDomain, CompanyDomain.company_id == Company.id)
        .where(CompanyDomain.domain == domain)
    ).scalar_one_or_none()
    if owner is not None:
        raise Invalid(
            _("%(domain)s belongs to %(owner)s. Take it away there first.", domain=domain, owner=owner),
            "domains",
        )


def _check_lists(facts: CompanyFacts) -> None:
    for list_name, code, name in (
        (lists.INDUSTRIES, facts.industry, "industry"),
        (lists.SIZES, facts.size_band, "size_band"),
    ):
        if code and lists.find(list_name, code) is None:
            raise Invalid(_("Choose from the list."), name)
    if facts.region and not lists.country_name(facts.region):
        raise Invalid(_("Choose a country of the list."), "region")


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 2 <= len(name) <= 120:
        raise Invalid(_("A company's name has 2 to 120 characters."), "name")
    return name


def _website(address: str) -> str:
    address = address.strip()
    if not address:
        return ""
    if "://" not in address:
        address = f"https://{address}"
    parts = urlsplit(address)
    is_web = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and "@" not in parts.netloc
    if not is_web or len(address) > 200:
        raise Invalid(_("Write an address such as https://company.com."), "website")
    return address


def _free_slug(name: str) -> str:
    base = slugify(name, 70, "company")
    slug, number = base, 2
    while db.session.execute(select(Company.id).where(Company.slug == slug)).first():
        slug, number = f"{base}-{number}", number + 1
    return slug


def _company(slug: str) -> Company:
    company = db.session.execute(
        select(Company).where(Company.slug == slug).with_for_update()
    ).scalar_one_or_none()
    if company is None:
        raise NotFound("no such company")
    return company


def _check(actor: Viewer) -> None:
    if not actor.may(Permission.CONFIRM_MEMBERS):
        raise Forbidden(_("Only the vendor's moderators and admins look after companies."))
