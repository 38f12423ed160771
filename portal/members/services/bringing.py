"""People whom the operator brings in from a list: placed by everybody's rules, mailed only if asked."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from portal.kernel import audit, clock, events, site
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import in_unit_of_work
from portal.members import names
from portal.members.addresses import clean_domain, clean_email
from portal.members.events import MailWanted, MemberJoined
from portal.members.models import Company, CompanyDomain, CompanyKind, MailedLink, Member, VerifiedBy
from portal.members.services import profiles
from portal.members.services.companies import CompanyFacts, add_company
from portal.members.services.credentials import make_claim_link
from portal.members.services.joining import make_username
from portal.members.services.standing import count_company, place_by_address, settle_status

# Who writes at the command line: may do what an admin may, and stands in the audit log as number 0.
OPERATOR = Viewer(display_name="command line", permissions=frozenset(Permission))

_KIND_OF: dict[Status | None, CompanyKind] = {
    Status.CUSTOMER: CompanyKind.CUSTOMER,
    Status.FORMER: CompanyKind.FORMER,
    Status.PROSPECT: CompanyKind.PROSPECT,
}


@dataclass(frozen=True)
class Newcomer:
    """One person of a list. With a `status` the operator vouches for the company; without one it is a claim.

    `confirmed` is when the address was proved; without it the account waits until its holder uses a link.
    """

    email: str
    name: str
    username: str = ""
    status: Status | None = None
    company: str = ""
    domains: tuple[str, ...] = ()
    kind: CompanyKind | None = None
    claim: str = ""
    title: str = ""
    role_level: str = ""
    region: str = ""
    time_zone: str = ""
    languages: tuple[str, ...] = ()
    joined: datetime | None = None
    confirmed: datetime | None = None


@dataclass(frozen=True)
class Brought:
    """What became of one person. `difference` says how an account that was here differs from the list."""

    made: bool
    words: str
    company_made: bool = False
    invited: bool = False
    difference: str = ""
    company_id: int | None = None


def bring(person: Newcomer, *, invite: bool = False) -> Brought:
    """Make this member, or leave the account of this address as it is. Inside a unit of work.

    Companies are found by domain, else by name, and made when the status vouches for them; count them
    afterwards (`count_companies`). With `invite` a link to set a password is mailed, once. Raises Invalid
    with the reason why the person cannot be brought like this.
    """
    if not in_unit_of_work():
        raise RuntimeError("people are brought inside a unit of work")
    email, profile = clean_email(person.email), profiles.columns_of(_profile(person))
    known = db.session.execute(select(Member).where(Member.email == email)).scalar_one_or_none()
    if known is not None:
        invited = invite and known.password_hash is None and _invite(known, email)
        return Brought(False, "already here", invited=invited, difference=_difference(known, person))
    member = Member(
        username=_username(person.username, profile["name"]),
        email=email,
        email_confirmed_at=person.confirmed,
        status=Status.FORMER if person.status is Status.FORMER else Status.PROSPECT,
        duties=[],
        created_at=person.joined or clock.now(),
        **profile,
    )
    company_made = _place(member, person)
    db.session.add(member)
    db.session.flush()  # gives the id
    audit.record(OPERATOR, "import member", "member", member.id, member.status, area="people")
    events.publish(MemberJoined(member.id))
    invited = invite and _invite(member, email)
    company = db.session.get(Company, member.company_id) if member.company_id else None
    words = f"{member.status} of {company.name}" if company else str(member.status)
    return Brought(True, words, company_made, invited, company_id=member.company_id)


def count_companies(ids: set[int]) -> None:
    """Count the members of these companies anew. Inside a unit of work."""
    for company_id in sorted(ids):
        count_company(company_id)


def _profile(person: Newcomer) -> profiles.Profile:
    return profiles.Profile(
        name=person.name,
        title=person.title,
        role_level=person.role_level,
        region=person.region.upper(),
        time_zone=person.time_zone or "UTC",
        languages=list(person.languages),
    )


def _username(wished: str, name: str) -> str:
    if wished:
        found = next(names.candidates(wished))
        taken = select(Member.id).where(
            (Member.username == found) | (Member.username_key == names.skeleton(found))
        )
        if found == wished and not db.session.execute(taken.limit(1)).first():
            return wished
    return make_username(name)


def _place(member: Member, person: Newcomer) -> bool:
    """Give company and status, and see that they are those of the list; whether the company was made."""
    company, made = None, False
    if person.status is not None and (person.company or person.domains):
        company, made = _company(person)
    place_by_address(member)
    if company is None:
        if member.company_id is None:
            member.company_claim = " ".join((person.company or person.claim).split())[:120]
    elif member.company_id is None and member.status is not Status.VENDOR:
        member.company_id, member.verified_by = company.id, VerifiedBy.MODERATOR
        settle_status(member)
    elif member.company_id not in (None, company.id):
        by_address = db.session.get_one(Company, member.company_id)
        raise Invalid(f"the address belongs to {by_address.name}, the list says {company.name}")
    if person.status is not None and person.status is not member.status:
        raise Invalid(f"would be {member.status}, not {person.status}: {_why(member, person.status)}")
    return made


def _why(member: Member, wanted: Status) -> str:
    if member.status is Status.VENDOR:
        return "the address is on a domain of the vendor"
    if wanted is Status.VENDOR:
        return "the address is on no domain of the vendor"
    return "the company says so" if member.company_id else "no company is given"


def _company(person: Newcomer) -> tuple[Company, bool]:
    """The company of the list, and whether it had to be made."""
    name = " ".join(person.company.split())
    domains = [clean_domain(domain) for domain in person.domains]
    kind = person.kind or _KIND_OF.get(person.status)
    found = _by_domain(domains) or _by_name(name)
    if found is None:
        if not name or kind is None:
            raise Invalid(f"no company has the domain {', '.join(domains)}; give its name too")
        slug = add_company(OPERATOR, CompanyFacts(name=name, kind=kind, domains=domains))
        return db.session.execute(select(Company).where(Company.slug == slug)).scalar_one(), True
    if name and found.name.casefold() != name.casefold():
        raise Invalid(f"the domain belongs to {found.name}, the list says {name}")
    if person.kind is not None and found.kind is not person.kind:
        raise Invalid(
            f"{found.name} is a {found.kind} here, the list says {person.kind}: change it in the console"
        )
    return found, False


def _by_domain(domains: list[str]) -> Company | None:
    having = select(CompanyDomain.company_id).where(CompanyDomain.domain.in_(domains))
    found = db.session.execute(select(Company).where(Company.id.in_(having))).scalars().all()
    if len(found) > 1:
        raise Invalid("the domains belong to several companies: " + ", ".join(one.name for one in found))
    return found[0] if found else None


def _by_name(name: str) -> Company | None:
    if not name:
        return None
    # SQLite knows the small letters of ASCII only: the name as it is written always counts.
    same = or_(Company.name == name, func.lower(Company.name) == name.lower())
    found = db.session.execute(select(Company).where(same)).scalars().all()
    if len(found) > 1:
        raise Invalid(f"{len(found)} companies are called {name}: give the domain too")
    return found[0] if found else None


def _difference(member: Member, person: Newcomer) -> str:
    if person.status is not None and member.status is not person.status:
        return f"is {member.status} here, the list says {person.status}"
    company = db.session.get(Company, member.company_id) if member.company_id else None
    name = " ".join(person.company.split())
    if person.status is not None and name and (company is None or company.name.casefold() != name.casefold()):
        return f"works for {company.name if company else 'no known company'} here, the list says {name}"
    return ""


def _invite(member: Member, email: str) -> bool:
    """Mail a link to set a password, unless one is on its way already."""
    if db.session.execute(select(MailedLink.id).where(MailedLink.member_id == member.id).limit(1)).first():
        return False
    path = make_claim_link(member, email)
    events.publish(
        MailWanted(
            email,
            _("An account for you at %(name)s", name=site.current().name),
            (
                _(
                    "%(name)s invites you: an account with this address is ready. Choose a password with the "
                    "link below; it works once, for two weeks.",
                    name=site.current().name,
                ),
                _("If you do not want it, there is nothing to do: nobody can use it without the link."),
            ),
            (_("Choose a password"), path),
            member.id,
        )
    )
    return True
