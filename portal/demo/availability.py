"""What the demo's customers say about being asked, and the times that some have open."""

from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from portal.demo import content
from portal.kernel.access import CUSTOMERS
from portal.kernel.db import db
from portal.matching.models import Availability, Identity, Slot
from portal.matching.services.availability import VALUES

ASKED_ONESELF = 0.72  # of the customers who chose anything at all
SHOWN = "customer@demo.example"
TALK = "sixty carriers on SFTP and AS2, and the night the certificates ran out"


def add_availability(people: dict[str, int], seed: int, now: datetime) -> None:
    """Choices of most customers, each a little different; the others stay with the defaults."""
    draw = Random(seed)  # noqa: S311 - a draw that is the same each time
    steps = [step for talk in content.conversations() for step in talk.get("step", ())]
    joins = {step["whom"] for step in steps if step["do"] in ("propose", "invite", "bring")}
    asked = {name for ask in content.asks() for name in ask.get("asked", ())}
    for person in content.people():
        if person["status"] not in CUSTOMERS:
            continue
        shown = person.get("email") == SHOWN
        chooses, slots = draw.random() < ASKED_ONESELF, draw.choice((0, 0, 0, 0, 2, 3))
        row = _choices(person, people[person["username"]], draw, now)
        if shown:
            row |= {"limit_per_quarter": 3, "paused_until": None, "conversations_open": True, "by_mail": True}
            row |= {"talk_about": TALK}
            row |= {"identity": Identity.NAME, "welcomed_at": now}
        if person["username"] in joins:
            row["company_address_required"] = False  # they talk with a prospect who has none
        if person["username"] in asked:
            row |= {"answer_requests_per_month": 6, "answer_requests_open": True, "paused_until": None}
            row |= {"quiet_from": None, "quiet_to": None}
        if chooses or shown or person["username"] in asked:
            db.session.add(Availability(**row))
            _open_slots(row, person, max(slots, 2) if shown else slots, draw, now)
    db.session.flush()


def close_at_night(people: dict[str, int]) -> None:
    """The account that is shown wants nothing at night; last, since what it was asked came at any hour."""
    shown = next(person for person in content.people() if person.get("email") == SHOWN)
    row = db.session.get_one(Availability, people[shown["username"]])
    row.quiet_from, row.quiet_to = 20, 7
    db.session.flush()


def _choices(person: content.Table, member_id: int, draw: Random, now: datetime) -> dict[str, Any]:
    quiet = draw.choice(((None, None), (None, None), (19, 8), (22, 7), (12, 13)))
    return {
        "member_id": member_id,
        "version": draw.randint(1, 5),
        "limit_per_quarter": draw.choices((0, 1, 2, 3, 4, 6), weights=(1, 3, 7, 4, 2, 1))[0],
        "answer_requests_per_month": draw.choices((0, 1, 2, 4, 8), weights=(1, 2, 5, 4, 1))[0],
        "conversations_open": draw.random() > 0.06,
        "answer_requests_open": draw.random() > 0.05,
        "paused_until": now + timedelta(days=draw.randint(4, 40)) if draw.random() < 0.06 else None,
        "quiet_from": quiet[0],
        "quiet_to": quiet[1],
        "identity": Identity.ROLE if draw.random() < 0.3 else Identity.NAME,
        "company_address_required": draw.random() < 0.2,
        "talk_about": _talk_about(person, draw),
        "values": [value for value in VALUES if draw.random() < 0.35],
        "by_mail": draw.random() > 0.2,
        "welcomed_at": now - timedelta(days=draw.uniform(1, 300)) if draw.random() < 0.8 else None,
    }


def _talk_about(person: content.Table, draw: Random) -> str:
    """One line made of what the person does; "" for one who says nothing."""
    replaced, uses, topics = (person.get(name) or [] for name in ("replaced", "use_cases", "topics"))
    lines = [
        *(f"how we came from {one} to Flow, and what it really took" for one in replaced[:1]),
        *(f"{one}: what works, and what I would do differently" for one in uses[:2]),
        *(f"{one}, with nobody selling anything" for one in topics[:2]),
        *(f"running {one} with a small team" for one in uses[:1]),
    ]
    return draw.choice(lines) if lines and draw.random() < 0.6 else ""


def _open_slots(row: dict[str, Any], person: content.Table, count: int, draw: Random, now: datetime) -> None:
    if row["paused_until"] or not row["conversations_open"] or not row["limit_per_quarter"]:
        return
    zone = ZoneInfo(person.get("time_zone", "UTC"))
    day, opened = now.astimezone(zone).date() + timedelta(days=2), 0
    while opened < count:
        day += timedelta(days=draw.randint(1, 4))
        if day.weekday() > 4:
            continue
        begin = datetime.combine(day, time(draw.randint(9, 16), draw.choice((0, 30))), zone)
        db.session.add(Slot(member_id=row["member_id"], starts_at=begin, minutes=draw.choice((20, 20, 30))))
        opened += 1
