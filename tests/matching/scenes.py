"""People who can be asked, and what happened to them before."""

from datetime import datetime, timedelta
from typing import Any

from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services
from portal.matching.models import Availability, Exposure, Shown
from portal.members.models import Company, Member, MemberProduct, Product
from tests.conftest import make_company, make_customer, make_prospect


def make_helper(name: str = "", *, company: dict[str, Any] | None = None, **choices: Any) -> int:
    """A customer of a company of its own; `choices` are of the availability, others of the member."""
    about = {key: choices.pop(key) for key in list(choices) if key not in Availability.__table__.columns}
    company_id = about.pop("company_id", None) or make_company(**(company or {}))
    member_id = make_customer(name, company_id=company_id, **{"languages": ["en"], **about})
    if choices:
        choose(member_id, **choices)
    return member_id


def make_asker(**fields: Any) -> int:
    """A prospect who speaks English and is in UTC."""
    return make_prospect("Asker", **{"languages": ["en"], **fields})


def choose(member_id: int, **choices: Any) -> None:
    """Put choices in force as a member's own."""
    with unit_of_work():
        db.session.merge(Availability(member_id=member_id, **choices))


def use(member_id: int, *names: str) -> list[int]:
    """The member uses products of these names; gives their ids."""
    ids = []
    with unit_of_work():
        for name in names:
            product = db.session.query(Product).filter_by(name=name).one_or_none() or Product(name=name)
            db.session.add(product)
            db.session.flush()
            db.session.add(MemberProduct(member_id=member_id, product_id=product.id))
            ids.append(product.id)
    return ids


def reserve(member_id: int, purpose: str, **options: Any) -> None:
    services.reserve(member_id, purpose=purpose, expires_at=clock.now() + timedelta(days=2), **options)


def held(member_id: int, purpose: str, at: datetime) -> None:
    """A conversation that was reserved and held at a moment of the past."""
    with clock.frozen(at):
        services.reserve(member_id, purpose=purpose, expires_at=at + timedelta(days=2), offered=True)
        assert services.hold(purpose)


def had_request(member_id: int, purpose: str, at: datetime | None = None) -> None:
    with unit_of_work():
        db.session.add(
            Exposure(member_id=member_id, kind=Shown.ANSWER_REQUEST, purpose=purpose, at=at or clock.now())
        )


def change(member_id: int, **values: Any) -> None:
    with unit_of_work():
        for name, value in values.items():
            setattr(db.session.get_one(Member, member_id), name, value)


def competes(company_id: int, *others: int) -> None:
    with unit_of_work():
        db.session.get_one(Company, company_id).competitors = list(others)


def company_of(member_id: int) -> int:
    found = db.session.get_one(Member, member_id).company_id
    assert found is not None
    return found
