"""One transaction for one story: joined when nested, refused outside, serial under concurrency."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from portal.kernel.db import WriteOutsideUnit, db, end_reading
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.members.models import Company, Member
from tests.conftest import make_company, make_customer
from tests.support.renewal import until
from tests.support.statements import count_statements


def test_writing_outside_a_unit_is_refused(in_app: Flask) -> None:
    company_id = make_company()
    with pytest.raises(WriteOutsideUnit):
        db.session.execute(update(Company).where(Company.id == company_id).values(name="Other"))
    company = db.session.get(Company, company_id)
    company.name = "Other"
    with pytest.raises(WriteOutsideUnit):
        db.session.flush()
    db.session.rollback()


def test_a_failure_stores_nothing(in_app: Flask) -> None:
    company_id = make_company("Before")

    def rename_and_fail() -> None:
        with unit_of_work():
            db.session.get(Company, company_id).name = "After"
            with unit_of_work():
                db.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rename_and_fail()
    assert db.session.execute(select(Company.name)).scalar_one() == "Before"


def test_concurrent_units_all_count(app: Flask) -> None:
    with app.app_context():
        member_id = make_customer()

    def add_ten() -> None:
        with app.app_context():
            for _ in range(10):
                db.session.execute(select(Member.posts_count)).all()  # a read before, as a view does
                with unit_of_work():
                    db.session.get(Member, member_id).posts_count += 1
            db.session.remove()

    threads = [threading.Thread(target=add_ten) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert db.session.get(Member, member_id).posts_count == 80


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("by_key", [True, False])
def test_a_row_that_is_locked_is_read_anew(app: Flask, by_key: bool) -> None:
    """What the unit read before it waited for the lock may have changed meanwhile."""
    with app.app_context():
        number = make_customer("Ines Okafor")
        with unit_of_work():
            known = db.session.get_one(Member, number)
            assert known.name == "Ines Okafor"
            with db.engine.begin() as other:
                other.execute(update(Member.__table__).where(Member.id == number).values(name="Ines O."))
            if by_key:
                locked = db.session.get_one(Member, number, with_for_update=True)
            else:
                query = select(Member).where(Member.id == number).with_for_update()
                locked = db.session.execute(query).scalar_one()
            assert locked is known
            assert locked.name == "Ines O."


def test_what_was_changed_before_locking_is_kept(in_app: Flask) -> None:
    number = make_customer("Ines Okafor")
    with unit_of_work():
        member = db.session.get_one(Member, number)
        member.name = "Ines O."
        db.session.execute(select(Member).where(Member.id == number).with_for_update()).scalar_one()
        assert member.name == "Ines O."
        member.title = "Lead"
        db.session.get_one(Member, number, with_for_update=True)
        assert member.title == "Lead"
    assert db.session.execute(select(Member.name, Member.title)).one() == ("Ines O.", "Lead")


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_what_is_prepared_stays_prepared_through_reading_and_writing(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()  # of several connections that tests before it left each would be given in turn
        member_id = make_customer()
    for _ in range(8):  # the driver prepares what it has seen five times
        with app.app_context():
            read = db.session.execute(select(Member.posts_count).where(Member.id == member_id)).scalar_one()
            with unit_of_work():
                db.session.get(Member, member_id).posts_count = read + 1
    with app.app_context():
        prepared = db.session.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("SELECT members.posts_count" in statement for statement in prepared)
    assert any("UPDATE members SET posts_count" in statement for statement in prepared)


def test_a_lost_connection_is_noticed_by_what_comes_next_alone(in_app: Flask) -> None:
    make_company("Before")
    db.session.execute(select(Company.name)).all()
    raw = db.session.connection().connection.driver_connection
    raw.close()
    with unit_of_work():  # its own connection: nothing was written on the lost one
        db.session.execute(update(Company).values(name="After"))
    assert db.session.execute(select(Company.name)).scalar_one() == "After"


def test_reading_is_not_ended_where_something_was_changed(in_app: Flask) -> None:
    db.session.get(Company, make_company("Before")).name = "After"
    with pytest.raises(RuntimeError):
        end_reading()
    db.session.rollback()
    with unit_of_work(), pytest.raises(RuntimeError):
        end_reading()


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_many_names_are_waited_for_by_one_statement_in_their_order(app: Flask) -> None:
    names = ["third", "first", "second", "fourth"]
    done: list[str] = []

    def take_all() -> None:
        with app.app_context():
            with unit_of_work():
                one_at_a_time(*names)
                done.append("all")
            db.session.remove()

    def is_free(name: str) -> bool:
        with db.engine.begin() as another:
            query = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
            return bool(another.execute(query, {"name": name}).scalar_one())

    with app.app_context():
        with unit_of_work():
            one_at_a_time("second")
            waiting = threading.Thread(target=take_all)
            waiting.start()
            until(lambda: not is_free("first"))
            assert not is_free("third")
            assert is_free("fourth")
            assert done == []
        waiting.join()
        assert done == ["all"]
        with count_statements(db.engine) as seen, unit_of_work():
            one_at_a_time(*names)
        assert len(seen) == 1, seen
