"""What follows from facts about a person: the status, and which duties it allows."""

from flask_babel import gettext as _

from portal.kernel.access import CUSTOMERS, Duty, Status
from portal.members.models import CompanyKind, VerifiedBy

_BY_COMPANY = {
    CompanyKind.CUSTOMER: Status.CUSTOMER,
    CompanyKind.FORMER: Status.FORMER,
    CompanyKind.PROSPECT: Status.PROSPECT,
    CompanyKind.VENDOR: Status.VENDOR,
}


def status_of(
    *,
    on_vendor_domain: bool,
    company_kind: CompanyKind | None,
    verified_by: VerifiedBy | None,
    was: Status | None = None,
) -> Status:
    """The status that follows: an account on a vendor domain is the vendor's and never a customer.

    Otherwise the verified company says it; whoever `was` a customer and is none any more stays a former one.
    """
    if on_vendor_domain:
        return Status.VENDOR
    verified = verified_by in (VerifiedBy.MAIL, VerifiedBy.MODERATOR)
    status = _BY_COMPANY[company_kind] if company_kind and verified else Status.PROSPECT
    if status is Status.PROSPECT and was in CUSTOMERS:
        return Status.FORMER
    return status


def refused_duties(status: Status, duties: frozenset[Duty]) -> str:
    """Why these duties cannot be held together or with this status, or "" when they can."""
    selling = duties & {Duty.SALES, Duty.SERVICE}
    judging = duties & {Duty.MODERATOR, Duty.ADMIN}
    if selling and judging:
        return _("Sales or service cannot be combined with moderator or admin in one account.")
    if status is Status.VENDOR:
        return ""
    if duties - {Duty.MODERATOR}:
        return _("Only accounts of the vendor can be given sales, service or admin.")
    if duties and status not in CUSTOMERS:
        return _("A peer moderator is a customer; this account is not.")
    return ""
