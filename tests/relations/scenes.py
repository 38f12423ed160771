"""Sales, service and companies they know something of. Inside an application context."""

from datetime import timedelta

from portal.kernel import clock
from portal.kernel.access import Duty, Status, Viewer
from portal.relations import services
from portal.relations.models import CompanyHealth, Escalation, Health, Hold, Measure, Satisfaction
from tests.conftest import make_member, viewer_of

LEAVE_THEM = "The renewal is being talked about; please do not ask them for anything before it is signed."


def sales(name: str = "Sally") -> Viewer:
    return viewer_of(make_member(name, status=Status.VENDOR, duties=(Duty.SALES,)))


def service(name: str = "Serge") -> Viewer:
    return viewer_of(make_member(name, status=Status.VENDOR, duties=(Duty.SERVICE,)))


def held(company_id: int, by: Viewer | None = None, *, days: int = 30, reason: str = LEAVE_THEM) -> Hold:
    """A hold that lasts to the end of the day so many days from now."""
    until = clock.now().date() + timedelta(days=days)
    return services.place_hold(by or sales(), company_id, reason, until=until)


def health(company_id: int, colour: Health, by: Viewer | None = None, reason: str = "") -> CompanyHealth:
    return services.set_health(by or service(), company_id, colour, reason or f"It looks {colour.value}.")


def escalated(company_id: int, by: Viewer | None = None, what: str = "Orders arrive twice.") -> Escalation:
    return services.open_escalation(by or service(), company_id, what)


def surveyed(
    company_id: int,
    measure: Measure,
    value: int,
    *,
    days_ago: int = 0,
    sample: int = 12,
    source: str = "Yearly survey",
    by: Viewer | None = None,
) -> Satisfaction:
    return services.record_satisfaction(
        by or service(),
        company_id,
        measure,
        value,
        sample=sample,
        surveyed_on=clock.now().date() - timedelta(days=days_ago),
        source=source,
    )
