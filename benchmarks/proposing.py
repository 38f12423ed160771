"""How long three proposals and a wave take on a site of 2,000 customers, in a process of its own."""

import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert

from benchmarks.matching_year import COUNTRIES, INDUSTRIES, REPLACED, SIZES, USES
from portal import create_app
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services
from portal.matching.criteria import Criteria
from portal.matching.models import Availability, Exposure, Kind, Reservation, Shown
from portal.members.models import Company, CompanyKind, Member, MemberProduct, Product, RoleLevel, VerifiedBy
from portal.settings import Settings
from tests.support.statements import count_statements

ROUNDS = 25
EVERYTHING = Criteria(
    industry="31-33",
    size_band="500-999",
    region="DE",
    product_ids=(1, 2),
    use_case="onboarding of suppliers",
    role_level=RoleLevel.MANAGER,
    replacing="Brokerline 11",
)


def measure(*, quick: bool) -> dict[str, Any]:
    """Milliseconds (median, slowest) and statements, for nothing stated and for everything."""
    customers = 300 if quick else 2000
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            Settings(
                INSTANCE_PATH=Path(folder),
                DATABASE_URL=f"sqlite:///{folder}/portal.sqlite",
                SECRET_KEY="a key for measurements, long enough",
                CONVERSATION_KEY="another key for measurements, long enough",
                SITE_ENV="test",
            )
        )
        with app.app_context():
            Base.metadata.create_all(db.engine)
            asker = _fill(customers)
            cases = {
                "proposals, nothing stated": lambda n: services.propose(asker, Criteria(), purpose=f"a:{n}"),
                "proposals, everything stated": lambda n: services.propose(
                    asker, EVERYTHING, purpose=f"b:{n}"
                ),
                "a wave, everything stated": lambda n: services.choose_for_wave(
                    asker, EVERYTHING, purpose=f"c:{n}"
                ),
            }
            found = {name: _time(run) for name, run in cases.items()}
            db.session.remove()
            db.engine.dispose()
    return {"customers": customers, "proposing": found}


def report(result: dict[str, Any]) -> str:
    """The figures as lines."""
    return "\n".join(
        [f"With {result['customers']} customers:"]
        + [
            f"  {name:<32}{row['p50_ms']:>8.1f} ms, {row['max_ms']:.1f} at most, "
            f"{row['statements']} statements"
            for name, row in result["proposing"].items()
        ]
    )


def _time(run: Any) -> dict[str, float]:
    with count_statements(db.engine) as seen:
        run("first")
    taken = []
    for number in range(ROUNDS):
        begin = time.perf_counter()
        run(number)
        taken.append((time.perf_counter() - begin) * 1000)
    return {"p50_ms": statistics.median(taken), "max_ms": max(taken), "statements": len(seen)}


def _fill(customers: int) -> int:
    """People, their choices, a quarter of reservations and exposures; gives the id of somebody who asks."""
    draw, now = Random(7), clock.now()
    people, used, choices, places, shown = [], [], [], [], []
    for number in range(1, customers + 1):
        people.append(
            {
                "username": f"m{number}",
                "username_key": f"m{number}",
                "name": f"M {number}",
                "sort_name": f"m {number}",
                "email": f"m{number}@mail.example",
                "email_confirmed_at": now,
                "status": Status.CUSTOMER,
                "company_id": draw.randint(1, customers // 4),
                "verified_by": VerifiedBy.MAIL,
                "role_level": draw.choice(list(RoleLevel)),
                "languages": ["en", "de"],
                "use_cases": draw.sample(USES, 2),
                "topics": ["audits", "large files"],
                "replaced": draw.choice(REPLACED),
                "created_at": now,
            }
        )
        used += [{"member_id": number, "product_id": one} for one in draw.sample(range(1, 7), 3)]
        if draw.random() < 0.5:
            choices.append({"member_id": number, "limit_per_quarter": draw.randint(0, 5)})
        for place in range(draw.randint(0, 3)):
            at = now - timedelta(days=draw.uniform(22, 200))
            places.append(
                {
                    "member_id": number,
                    "kind": Kind.CONVERSATION,
                    "purpose": f"{number}:{place}",
                    "reserved_at": at,
                    "held_at": at + timedelta(hours=1),
                }
            )
            shown.append({"member_id": number, "kind": Shown.PROPOSED, "purpose": f"x{place}", "at": at})
    with unit_of_work():
        companies = [
            {
                "slug": f"c{number}",
                "name": f"C {number}",
                "kind": CompanyKind.CUSTOMER,
                "industry": draw.choice(INDUSTRIES),
                "size_band": draw.choice(SIZES),
                "region": draw.choice(COUNTRIES),
                "created_at": now,
            }
            for number in range(1, customers // 4 + 1)
        ]
        db.session.execute(insert(Company), companies)
        db.session.execute(insert(Product), [{"name": f"P{number}"} for number in range(1, 7)])
        db.session.execute(insert(Member), people)
        db.session.execute(insert(MemberProduct), used)
        db.session.execute(insert(Availability), choices)
        db.session.execute(insert(Reservation), places)
        db.session.execute(insert(Exposure), shown)
        asker = Member(
            username="asker", name="Asker", email="a@b.example", email_confirmed_at=now, created_at=now,
            status=Status.PROSPECT, languages=["en"],
        )  # fmt: skip
        db.session.add(asker)
        db.session.flush()
        return asker.id
