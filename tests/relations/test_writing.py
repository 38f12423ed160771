"""Who writes what about which company, and what is refused."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.kernel import clock
from portal.kernel.access import Duty, Permission, Status, Viewer
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Repeated
from portal.members.models import CompanyKind
from portal.relations import services
from portal.relations.models import CompanyHealth, Escalation, Health, Hold, Measure, PlacedAs, Satisfaction
from portal.relations.services.holding import last_day
from tests.conftest import make_admin, make_company, make_member, noon, viewer_of
from tests.house.people import PEOPLE, Person
from tests.relations.scenes import LEAVE_THEM, escalated, health, held, sales, service, surveyed

READERS = {"vendor moderator", "sales", "service", "admin"}


@pytest.fixture(autouse=True)
def at_noon(at: Callable[[datetime], None]) -> None:
    at(noon())


def audited(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEntry.action == action)) or 0


def attempts(actor: Viewer, company_id: int) -> dict[str, Callable[[], object]]:
    """By who may: every write about a company that is there."""
    return {
        "place": lambda: held(company_id, actor),
        "health": lambda: health(company_id, Health.AMBER, actor),
        "open": lambda: escalated(company_id, actor),
        "survey": lambda: surveyed(company_id, Measure.CSAT, 80, by=actor),
    }


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_who_reads_and_who_writes(in_app: Flask, person: Person):
    number = person.make()
    actor = viewer_of(number) if number else Viewer()
    assert actor.may(Permission.RELATIONS) == (person.name in READERS)
    allowed = {"sales": {"place"}, "service": {"place", "health", "open", "survey"}}.get(person.name, set())
    for what, write in attempts(actor, make_company()).items():
        if what in allowed:
            write()
        else:
            with pytest.raises(Forbidden):
                write()


@pytest.mark.parametrize("kind", list(CompanyKind))
def test_only_of_companies_that_are_or_were_customers(in_app: Flask, kind: CompanyKind):
    company_id = make_company(kind=kind)
    for write in attempts(service(), company_id).values():
        if kind in (CompanyKind.CUSTOMER, CompanyKind.FORMER):
            write()
        else:
            with pytest.raises(NotFound):
                write()
    with pytest.raises(NotFound):
        held(0)


@pytest.mark.parametrize(
    ("days", "reason", "field"),
    [
        (0, LEAVE_THEM, ""),
        (89, "x" * 500, ""),
        (90, LEAVE_THEM, "until"),
        (-1, LEAVE_THEM, "until"),
        (5, "", "reason"),
        (5, " \x00 ", "reason"),
        (5, "x" * 501, "reason"),
    ],
)
def test_a_hold_has_a_reason_and_ends_within_90_days(in_app: Flask, days: int, reason: str, field: str):
    company_id, by = make_company(), sales()
    if field:
        with pytest.raises(Invalid) as refused:
            held(company_id, by, days=days, reason=reason)
        assert refused.value.field == field
        assert db.session.scalar(select(func.count()).select_from(Hold)) == 0
        return
    hold = held(company_id, by, days=days, reason=reason)
    assert clock.now() < hold.expires_at <= clock.now() + services.LONGEST_HOLD
    assert last_day() == clock.now().date() + timedelta(days=89)
    assert audited("place hold") == 1


def test_the_same_form_twice_is_one_hold(in_app: Flask):
    company_id, by = make_company(), sales()
    until = clock.now().date()
    services.place_hold(by, company_id, LEAVE_THEM, until=until, form_key="key")
    with pytest.raises(Repeated):
        services.place_hold(by, company_id, LEAVE_THEM, until=until, form_key="key")
    assert db.session.scalar(select(func.count()).select_from(Hold)) == 1


def both() -> Viewer:
    return viewer_of(make_member("Both", status=Status.VENDOR, duties=(Duty.SALES, Duty.SERVICE)))


def test_whoever_placed_it_a_colleague_of_the_duty_or_an_admin_ends_it(in_app: Flask):
    moderator = viewer_of(make_member(status=Status.VENDOR, duties=(Duty.MODERATOR,)))
    for placer, may, may_not in (
        (sales(), (sales(), both(), viewer_of(make_admin())), (service(), moderator)),
        (service(), (service(), both(), viewer_of(make_admin())), (sales(), moderator)),
    ):
        for other in (placer, *may):
            hold = held(make_company(), placer)
            ended = services.end_hold(other, hold.id, "It was signed.", version=hold.version)
            assert (ended.ended_because, ended.ended_by_id) == ("It was signed.", other.member_id)
        for other in may_not:
            hold = held(make_company(), placer)
            with pytest.raises(Forbidden):
                services.end_hold(other, hold.id, "It was signed.", version=hold.version)
    assert held(make_company(), both()).placed_as is PlacedAs.SERVICE
    assert audited("end hold") == 8


def test_a_hold_ends_once_with_a_reason_and_never_after_its_time(
    in_app: Flask, at: Callable[[datetime], None]
):
    by = sales()
    hold = held(make_company(), by, days=1)
    with pytest.raises(Invalid, match="before its time"):
        services.end_hold(by, hold.id, " ", version=hold.version)
    with pytest.raises(Conflict):
        services.end_hold(by, hold.id, "Signed.", version=hold.version + 1)
    services.end_hold(by, hold.id, "Signed.", version=hold.version)
    with pytest.raises(Conflict):
        services.end_hold(by, hold.id, "Signed again.", version=hold.version)
    other = held(make_company(), by, days=1)
    at(noon() + timedelta(days=2))
    with pytest.raises(Conflict):
        services.end_hold(by, other.id, "Signed.", version=other.version)
    with pytest.raises(NotFound):
        services.end_hold(by, 0, "Signed.", version=1)


def test_health_is_said_anew_and_what_was_said_stays(in_app: Flask):
    company_id = make_company()
    for colour in (Health.GREEN, Health.RED, Health.AMBER):
        health(company_id, colour)
    assert [row.health for row in db.session.scalars(select(CompanyHealth).order_by(CompanyHealth.id))] == [
        Health.GREEN,
        Health.RED,
        Health.AMBER,
    ]
    with pytest.raises(Invalid):
        services.set_health(service(), company_id, Health.RED, "")
    assert audited("set health") == 3


def test_an_escalation_is_closed_once_with_what_came_of_it(in_app: Flask):
    by = service()
    one = escalated(make_company(), by)
    with pytest.raises(Invalid, match="what came of it"):
        services.close_escalation(by, one.company_id, one.id, "", version=one.version)
    with pytest.raises(Forbidden):
        services.close_escalation(sales(), one.company_id, one.id, "Sorted.", version=one.version)
    services.close_escalation(
        service(), one.company_id, one.id, "A patch; they confirmed it.", version=one.version
    )
    with pytest.raises(Conflict):
        services.close_escalation(by, one.company_id, one.id, "Twice.", version=one.version)
    row = db.session.get_one(Escalation, one.id)
    assert (row.closed_at, row.outcome) == (clock.now(), "A patch; they confirmed it.")
    assert (audited("open escalation"), audited("close escalation")) == (1, 1)


@pytest.mark.parametrize(
    ("measure", "value", "sample", "days_ago", "source", "field"),
    [
        (Measure.CSAT, 0, 1, 0, "x", ""),
        (Measure.CSAT, 100, 1, 0, "x", ""),
        (Measure.CSAT, -1, 1, 0, "x", "value"),
        (Measure.CSAT, 101, 1, 0, "x", "value"),
        (Measure.NPS, -100, 1, 400, "x", ""),
        (Measure.NPS, -101, 1, 0, "x", "value"),
        (Measure.NPS, 101, 1, 0, "x", "value"),
        (Measure.NPS, 40, 0, 0, "x", "sample"),
        (Measure.NPS, 40, 1, -1, "x", "surveyed_on"),
        (Measure.NPS, 40, 1, 0, "", "source"),
        (Measure.NPS, 40, 1, 0, "x" * 201, "source"),
    ],
)
def test_a_survey_keeps_to_its_scale(
    in_app: Flask, measure: Measure, value: int, sample: int, days_ago: int, source: str, field: str
):
    def write() -> None:
        surveyed(make_company(), measure, value, sample=sample, days_ago=days_ago, source=source)

    if not field:
        return write()
    with pytest.raises(Invalid) as refused:
        write()
    assert refused.value.field == field
    return None


def test_the_same_survey_again_takes_the_place_of_what_was_entered(in_app: Flask):
    company_id = make_company()
    surveyed(company_id, Measure.NPS, 40)
    surveyed(company_id, Measure.NPS, -40, sample=9)
    surveyed(company_id, Measure.NPS, 10, source="Another survey")
    rows = db.session.scalars(select(Satisfaction).order_by(Satisfaction.id)).all()
    assert [(row.value, row.sample) for row in rows] == [(-40, 9), (10, 12)]
    last = db.session.scalars(select(AuditEntry.details).order_by(AuditEntry.number.desc())).all()[1]
    assert "(was 40, 12 people)" in last
    services.delete_satisfaction(service(), rows[0].company_id, rows[0].id)
    with pytest.raises(Forbidden):
        services.delete_satisfaction(sales(), rows[1].company_id, rows[1].id)
    with pytest.raises(NotFound):
        services.delete_satisfaction(service(), rows[0].company_id, rows[0].id)
    assert db.session.scalar(select(func.count()).select_from(Satisfaction)) == 1
