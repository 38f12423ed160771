"""Company and status of a member, worked out from address, company and confirmation."""

from sqlalchemy import select

from portal.kernel import events, site
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.members.addresses import domain_of, is_free_mail, is_within, with_parents
from portal.members.events import MemberChanged
from portal.members.models import Company, CompanyDomain, Member, MemberState, VerifiedBy
from portal.members.policy import refused_duties, status_of


def company_of_address(email: str) -> Company | None:
    """The company whose mail domain this is, the nearest domain first; none for free mail."""
    domain = domain_of(email)
    if is_free_mail(domain):
        return None
    domains = with_parents(domain)
    found = db.session.execute(
        select(CompanyDomain.domain, Company)
        .join(Company, Company.id == CompanyDomain.company_id)
        .where(CompanyDomain.domain.in_(domains))
    ).all()
    return min(found, key=lambda row: domains.index(row.domain)).Company if found else None


def is_on_vendor_domain(email: str | None) -> bool:
    return bool(email) and is_within(domain_of(email or ""), site.current().vendor_domains)


def place_by_address(member: Member) -> None:
    """Give the member the company of the confirmed address. What a moderator confirmed stays when none fits.

    Having been imported proves nothing about the company: it makes nobody a former customer. Inside a unit of
    work.
    """
    only_imported = member.verified_by is VerifiedBy.IMPORTED
    company = company_of_address(member.email or "") if member.email_confirmed_at else None
    if company is not None:
        member.company_id, member.verified_by, member.company_claim = company.id, VerifiedBy.MAIL, ""
    elif member.verified_by is VerifiedBy.MAIL:
        member.company_id = member.verified_by = None
    settle_status(member, correction=only_imported)


def settle_status(member: Member, *, correction: bool = False) -> None:
    """Set the status that follows from the facts, and drop duties that it does not allow. In a unit of work.

    With `correction` (the company's kind was wrong) a customer does not become a former one.
    """
    company = db.session.get(Company, member.company_id) if member.company_id else None
    before = (member.status, list(member.duties))
    member.status = status_of(
        on_vendor_domain=is_on_vendor_domain(member.email),
        company_kind=company.kind if company else None,
        verified_by=member.verified_by,
        was=None if correction else member.status,
    )
    duties = frozenset(Duty(duty) for duty in member.duties)
    if refused_duties(member.status, duties):
        peer = duties & {Duty.MODERATOR}
        member.duties = [] if refused_duties(member.status, peer) else [duty.value for duty in peer]
    if (member.status, list(member.duties)) != before and member.id is not None:
        events.publish(MemberChanged(member.id))


def settle_company(company: Company, *, correction: bool = False) -> None:
    """Work out the status of everybody of this company anew, and count them. In a unit of work."""
    people = db.session.execute(select(Member).where(Member.company_id == company.id)).scalars().all()
    for member in people:
        settle_status(member, correction=correction)
    company.members_count = sum(member.state is not MemberState.ERASED for member in people)


def count_company(company_id: int | None) -> None:
    """Count the members of the company anew. In a unit of work."""
    if company_id is None:
        return
    db.session.flush()  # the count below reads what was just changed
    company = db.session.get(Company, company_id)
    if company is not None:
        company.members_count = len(
            db.session.execute(
                select(Member.id).where(Member.company_id == company_id, Member.state != MemberState.ERASED)
            ).all()
        )
