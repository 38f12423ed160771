"""What the demo’s sales and service know of the customers’ companies: made through the services."""

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.demo.dates import days_ago
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Company
from portal.members.queries import viewer_of
from portal.relations import services
from portal.relations.models import Health, Measure
from portal.relations.services import reminding

GARETH, NADIA, SOFIE, DEV = "gareth-pryce", "nadia-benhaddou", "sofie-maes", "dev-chaudhuri"
GREEN, AMBER, RED = Health.GREEN, Health.AMBER, Health.RED
CSAT, NPS = Measure.CSAT, Measure.NPS

# company, by whom, placed how many days ago, for how many, why, ended how many days ago and why
HOLDS = (
    (
        "cascade-timber",
        GARETH,
        12,
        45,
        "Their new head of IT is counting every vendor call until Christmas.",
        None,
        "",
    ),
    (
        "ostrava-rolling",
        SOFIE,
        8,
        21,
        "Two lanes stood still for a day last week; give them time to see that it holds.",
        None,
        "",
    ),
    (
        "banque-corvelle",
        NADIA,
        25,
        30,
        "Renewal on the table. Their lawyers asked that nobody else from us writes.",
        None,
        "",
    ),
    ("harbour-hale", GARETH, 340, 90, "Contract talks with the Australian side.", None, ""),
    ("harbour-hale", GARETH, 245, 90, "Contract talks again, now with New Zealand.", None, ""),
    ("harbour-hale", NADIA, 150, 80, "I took the account over and want to meet them first.", None, ""),
    (
        "harbour-hale",
        NADIA,
        60,
        90,
        "Budget round. They may add six stores if nobody unsettles them.",
        None,
        "",
    ),
    (
        "larkspur-health",
        DEV,
        75,
        60,
        "Audit by the health authority; the whole team is in it.",
        31,
        "The audit was over two weeks early.",
    ),
    ("vistula-glass", GARETH, 48, 14, "Plant holidays, nobody is there to answer.", None, ""),
)
# company, by whom, days ago, how they are doing, why
HEALTH = (
    ("castellan-foods", SOFIE, 120, AMBER, "Carrier certificates ran out twice before anybody here noticed."),
    (
        "castellan-foods",
        SOFIE,
        47,
        GREEN,
        "Expiry warnings are switched on and the third renewal went through by itself.",
    ),
    ("huta-zawada", DEV, 33, GREEN, "Month-end ran in four hours where it took eleven."),
    ("norrgross", SOFIE, 90, GREEN, "All 340 stores on the new release without a night shift."),
    (
        "liffey-hospitals",
        DEV,
        26,
        GREEN,
        "Failover was tried twice in October and nobody on the wards noticed.",
    ),
    ("brightwater", DEV, 64, GREEN, "Billing files arrive before six every morning."),
    ("brightwater", DEV, 9, AMBER, "Three late billing runs since the database move."),
    ("eide-shipping", SOFIE, 51, GREEN, "Port strike played through with them; they run it alone now."),
    ("ostrava-rolling", SOFIE, 70, GREEN, "Steady for a year."),
    ("ostrava-rolling", SOFIE, 21, AMBER, "Acknowledgements to the car makers come late on Mondays."),
    ("ostrava-rolling", SOFIE, 8, RED, "A release of ours stopped two lanes for nineteen hours."),
    ("vos-zonen", DEV, 40, GREEN, "The move is paid off, they say so themselves."),
    ("lumen-mutual", SOFIE, 15, AMBER, "Brokers complain about the file format we changed in 7.6."),
    ("banque-corvelle", DEV, 29, AMBER, "The renewal hangs on the audit trail for regulators."),
    (
        "stadt-elmenau",
        DEV,
        5,
        RED,
        "Invoices of the city have been stuck since Thursday and the press knows.",
    ),
    ("serra-azul", SOFIE, 18, GREEN, "Tax documents pass at the first try, 41,000 in October."),
    ("kauri-dairy", DEV, 77, GREEN, "Milk season began without a ticket."),
    (
        "lotus-garments",
        SOFIE,
        12,
        AMBER,
        "Four of nine factories still fall back to mail when the line is down.",
    ),
    ("delta-paper", DEV, 200, RED, "The merged group chose the other side’s platform."),
)
# company, by whom, opened how many days ago, what, closed how many days ago and what came of it
ESCALATIONS = (
    (
        "stadt-elmenau",
        DEV,
        5,
        "2,300 invoices wait behind one malformed file; the treasurer calls daily.",
        None,
        "",
    ),
    (
        "ostrava-rolling",
        SOFIE,
        8,
        "Nineteen hours without acknowledgements; two car makers want a written account.",
        None,
        "",
    ),
    (
        "castellan-foods",
        SOFIE,
        124,
        "Orders of one retailer came in twice during a certificate change.",
        103,
        "Duplicates are refused by message id since 7.5; Castellan tried it for two weeks.",
    ),
    (
        "norrgross",
        DEV,
        210,
        "Store prices were a day late in the north.",
        198,
        "A time zone in the schedule, corrected the same night.",
    ),
    (
        "larkspur-health",
        DEV,
        88,
        "The audit needs every access of a year within a week.",
        80,
        "Exported and handed over in four days.",
    ),
)
# company, by whom, measure, value, people, days ago, which survey
SURVEYS = (
    ("castellan-foods", SOFIE, CSAT, 92, 13, 38, "Autumn survey of administrators"),
    ("castellan-foods", SOFIE, NPS, 54, 13, 38, "Autumn survey of administrators"),
    ("castellan-foods", SOFIE, CSAT, 71, 9, 219, "Spring survey of administrators"),
    ("huta-zawada", DEV, CSAT, 88, 6, 36, "Autumn survey of administrators"),
    ("huta-zawada", DEV, NPS, 40, 5, 150, "Six months after going live"),
    ("norrgross", SOFIE, NPS, 61, 28, 44, "Autumn survey of administrators"),
    ("liffey-hospitals", DEV, CSAT, 95, 11, 41, "Autumn survey of administrators"),
    ("brightwater", DEV, CSAT, 64, 8, 12, "After the database move"),
    ("ostrava-rolling", SOFIE, NPS, -25, 4, 6, "Asked by phone after the outage"),
    ("ostrava-rolling", SOFIE, CSAT, 90, 7, 231, "Spring survey of administrators"),
    ("stadt-elmenau", DEV, CSAT, 33, 3, 97, "Yearly talk with the treasurer’s office"),
    ("vos-zonen", DEV, NPS, 75, 4, 112, "A year after the move"),
    ("lumen-mutual", SOFIE, CSAT, 58, 12, 20, "Brokers’ help desk, October"),
    ("harbour-hale", SOFIE, NPS, 20, 5, 300, "New year survey"),
    ("serra-azul", SOFIE, CSAT, 97, 16, 30, "Autumn survey of administrators"),
)


def add(people: dict[str, int], now: datetime) -> None:
    """Holds in force, over and ended, health with its history, escalations, surveys. In a unit of work."""
    ids = {row.slug: row.id for row in db.session.execute(select(Company.slug, Company.id))}
    for slug, who, days, lasts, why, ended, because in HOLDS:
        with clock.frozen(days_ago(now, days)):
            until = clock.now().date() + timedelta(days=lasts - 1)
            hold = services.place_hold(viewer_of(people[who]), ids[slug], why, until=until)
        if ended is not None:
            with clock.frozen(days_ago(now, ended)):
                services.end_hold(viewer_of(people[who]), hold.id, because, version=hold.version)
    for slug, who, days, colour, why in HEALTH:
        with clock.frozen(days_ago(now, days)):
            services.set_health(viewer_of(people[who]), ids[slug], colour, why)
    for slug, who, days, what, closed, outcome in ESCALATIONS:
        with clock.frozen(days_ago(now, days)):
            one = services.open_escalation(viewer_of(people[who]), ids[slug], what)
        if closed is not None:
            with clock.frozen(days_ago(now, closed)):
                services.close_escalation(
                    viewer_of(people[who]), one.company_id, one.id, outcome, version=one.version
                )
    for slug, who, measure, value, sample, days, source in SURVEYS:
        with clock.frozen(days_ago(now, days)):
            services.record_satisfaction(
                viewer_of(people[who]),
                ids[slug],
                measure,
                value,
                sample=sample,
                surveyed_on=clock.now().date(),
                source=source,
            )
    reminding.tell_due()
