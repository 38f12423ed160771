"""Who somebody is, said by hand: company, duties, and accounts handed over to their people."""

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, events, site
from portal.kernel.access import Duty, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.addresses import clean_email
from portal.members.events import MailWanted, MemberChanged
from portal.members.models import Company, Member, MemberState, VerifiedBy
from portal.members.policy import refused_duties
from portal.members.services.credentials import make_claim_link
from portal.members.services.standing import (
    count_company,
    is_on_vendor_domain,
    place_by_address,
    settle_status,
)

DUTY_WORDS = {
    Duty.MODERATOR: "moderator",
    Duty.SALES: "sales",
    Duty.SERVICE: "service",
    Duty.ADMIN: "admin",
}


def confirm_company(actor: Viewer, username: str, company_id: int) -> None:
    """Say by hand that somebody works for a company; status follows, and they are told.

    Counted on the page of transparency. Raises Forbidden, NotFound, and Invalid for people of the vendor,
    who can never be customers.
    """
    _check(actor, Permission.CONFIRM_MEMBERS)
    with unit_of_work():
        member = _member(username)
        company = db.session.get(Company, company_id)
        if company is None:
            raise Invalid(_("Choose a company of the list."), "company")
        if is_on_vendor_domain(member.email):
            raise Invalid(
                _("This address is on a domain of the vendor: it can never be a customer's."), "company"
            )
        before, member.company_id = member.company_id, company.id
        member.verified_by, member.company_claim = VerifiedBy.MODERATOR, ""
        member.version += 1
        settle_status(member, correction=True)
        _counted(before, company.id)
        audit.record(actor, "confirm company", "member", member.id, f"company {company.id}", area="people")
        events.publish(MemberChanged(member.id))
        _tell(
            member,
            _("Your company at %(name)s is confirmed", name=site.current().name),
            _(
                "A moderator confirmed that you work for %(name)s. What you can read and how you appear "
                "follow from it.",
                name=company.name,
            ),
        )


def withdraw_company(actor: Viewer, username: str, *, by_mistake: bool) -> None:
    """Say that somebody no longer works there, or (`by_mistake`) never did; status follows.

    A company that the address shows comes back by itself. Raises Forbidden, NotFound.
    """
    _check(actor, Permission.CONFIRM_MEMBERS)
    with unit_of_work():
        member = _member(username)
        before, member.company_id, member.verified_by = member.company_id, None, None
        member.version += 1
        if by_mistake:
            settle_status(member, correction=True)
        place_by_address(member)
        _counted(before, member.company_id)
        words = "company by mistake" if by_mistake else "left company"
        audit.record(actor, words, "member", member.id, f"company {before}", area="people")
        events.publish(MemberChanged(member.id))


def set_duties(actor: Viewer, username: str, duties: frozenset[Duty]) -> None:
    """Give exactly these duties; in force from the member's next request, and they are told.

    Raises Forbidden, NotFound; Invalid for duties that cannot be held together or by this person, and for
    taking away the last admin.
    """
    _check(actor, Permission.ADMINISTER)
    with unit_of_work():
        member = _member(username)
        put_duties(member, duties)
        audit.record(
            actor, "set duties", "member", member.id, ", ".join(sorted(duties)) or "none", area="people"
        )


def put_duties(member: Member, duties: frozenset[Duty]) -> None:
    """The write of `set_duties`, for the command line too. Inside a unit of work. Raises Invalid."""
    if why := refused_duties(member.status, duties):
        raise Invalid(why, "duties")
    if member.email_confirmed_at is None and duties:
        raise Invalid(_("The address of this account is not confirmed."), "duties")
    before = frozenset(Duty(duty) for duty in member.duties)
    if Duty.ADMIN in before - duties and not is_another_admin(member.id):
        raise Invalid(_("There would be no admin left. Name another one first."), "duties")
    if before == duties:
        return
    member.duties = [duty.value for duty in Duty if duty in duties]
    member.version += 1
    events.publish(MemberChanged(member.id))
    words = ", ".join(DUTY_WORDS[duty] for duty in Duty if duty in duties)
    _tell(
        member,
        _("Your duties at %(name)s", name=site.current().name),
        _("From now on you look after: %(words)s.", words=words)
        if words
        else _("You no longer have a duty here. Thank you."),
    )


def hand_over(actor: Viewer, username: str, email: str) -> str:
    """Send the holder of an address a link by which they take over an account that has none.

    For people who were imported. Gives the address as stored. Raises Forbidden, NotFound; Invalid
    beside `email`.
    """
    _check(actor, Permission.CONFIRM_MEMBERS)
    email = clean_email(email)
    with unit_of_work():
        member = _member(username)
        if member.email_confirmed_at is not None:
            raise Invalid(_("This account has a confirmed address; its owner can change it."), "email")
        other = db.session.execute(
            select(Member.id).where(Member.email == email, Member.id != member.id)
        ).first()
        if other:
            raise Invalid(_("Another account has this address."), "email")
        member.email = email
        member.version += 1
        path = make_claim_link(member, email)
        audit.record(actor, "hand over account", "member", member.id, area="people")
        events.publish(
            MailWanted(
                email,
                _("An account for you at %(name)s", name=site.current().name),
                (
                    _(
                        "What %(name)s wrote elsewhere was brought to %(site)s, and a moderator hands it "
                        "over to you. Choose a password with the link below; it works once, for two weeks.",
                        name=member.name,
                        site=site.current().name,
                    ),
                    _("If it is not yours, there is nothing to do."),
                ),
                (_("Take over the account"), path),
                member.id,
            )
        )
    return email


def is_another_admin(member_id: int) -> bool:
    """Whether somebody else could set up the site as well."""
    rows = db.session.execute(
        select(Member.duties)
        .where(Member.id != member_id, Member.state == MemberState.ACTIVE)
        .where(Member.duties.is_not(None), Member.email_confirmed_at.is_not(None))
    ).scalars()
    return any(Duty.ADMIN in duties for duties in rows)


def _counted(*company_ids: int | None) -> None:
    for company_id in set(company_ids):
        count_company(company_id)


def _tell(member: Member, subject: str, text: str) -> None:
    if member.email and member.email_confirmed_at is not None:
        events.publish(
            MailWanted(
                member.email, subject, (text,), (_("See your page"), f"/members/{member.username}"), member.id
            )
        )


def _member(username: str) -> Member:
    member = db.session.execute(
        select(Member)
        .where(Member.username == username, Member.state != MemberState.ERASED)
        .with_for_update()
    ).scalar_one_or_none()
    if member is None:
        raise NotFound("no such member")
    return member


def _check(actor: Viewer, permission: Permission) -> None:
    if not actor.may(permission):
        raise Forbidden(_("Your account may not do this."))
