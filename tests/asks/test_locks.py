"""Two who write about one ask at once: everybody locks the ask first, so nobody waits for ever.

Only PostgreSQL locks rows; each test waits until the other one waits, so it goes the same way each time.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from portal.asks.models import AnswerRequest, AskProposal, Outcome, ProposalState
from portal.asks.queries.finding import WEIGHED_AWAY, locked, proposals_of
from portal.asks.services import connecting, requests, timing, waves, weighing
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability
from portal.matching.services.reserving import lock
from tests.asks.scenes import TUESDAY, ask, board, make_customers, make_prospect, request_of, work
from tests.asks.test_weighing import of_the_place, of_the_trade
from tests.conftest import viewer_of

pytestmark = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
SECONDS = 20.0


@pytest.fixture
def beside(app: Flask) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """beside(action): somebody else does it meanwhile, in a thread and a context of their own."""
    pool = ThreadPoolExecutor(2)

    def run(action: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                return action()
            finally:
                db.session.remove()

    yield lambda action: pool.submit(run, action)
    pool.shutdown()


def until_waiting(count: int, *ended: Future[Any]) -> None:
    """Until so many wait for a lock, or these have come to their end without."""
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        with db.engine.connect() as connection:
            waiting = connection.execute(text(WAITS)).scalar_one()
        if waiting >= count or (ended and all(one.done() for one in ended)):
            return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_an_answer_while_somebody_is_taken_off_the_list(
    app: Flask, at: Callable[[datetime], None], beside: Callable[..., Future[Any]]
):
    at(TUESDAY)
    with app.app_context():
        board()
        [customer] = make_customers(1)
        one = ask(make_prospect()).id
        waves.move_on()
        with unit_of_work():  # paused since they were chosen
            db.session.add(
                Availability(member_id=customer, values=[], paused_until=TUESDAY + timedelta(days=9))
            )
        with unit_of_work():
            here = locked(one)
            assert here is not None
            delivery = beside(waves.deliver)
            until_waiting(1)
            timing.end_unsent_requests(here)  # as an answer does
        assert delivery.result(SECONDS) == 0
        db.session.rollback()
        row = db.session.query(AnswerRequest).one()
        assert (row.outcome, row.sent_at) == (Outcome.OVER, None)


def test_an_answer_while_a_customer_says_not_now(
    app: Flask, at: Callable[[datetime], None], beside: Callable[..., Future[Any]]
):
    at(TUESDAY)
    with app.app_context():
        board()
        [customer] = make_customers(1)
        one = ask(make_prospect())
        work()
        request, ask_id = request_of(one, customer), one.id
        with unit_of_work():
            here = locked(ask_id)
            assert here is not None
            said = beside(lambda: requests.not_now(viewer_of(customer), request) and None)
            until_waiting(1)
            timing.close_request_of(here, customer)
        with pytest.raises(Exception, match="said what you do"):
            said.result(SECONDS)


def test_whoever_is_asked_while_the_asker_weighs_stays_asked(
    app: Flask, at: Callable[[datetime], None], beside: Callable[..., Future[Any]]
):
    at(TUESDAY)
    with app.app_context():
        board()
        of_the_trade(3), of_the_place(3)
        asker = make_prospect()
        ask_id = ask(asker).id
        weighing.weigh(viewer_of(asker), ask_id, ["industry"])
        connecting.connect_now(viewer_of(asker), ask_id, may_connect=False)
        chosen = proposals_of(ask_id)[0].id
        member = db.session.get_one(AskProposal, chosen).member_id
        with unit_of_work():
            lock(member)  # somebody else takes a place of theirs just now
            asked = beside(lambda: connecting.approach(viewer_of(asker), ask_id, [chosen], note="May I?"))
            until_waiting(1)
            weighed = beside(lambda: weighing.weigh(viewer_of(asker), ask_id, ["size_band", "region"]))
            until_waiting(2, weighed)
        assert len(asked.result(SECONDS).conversation_ids) == 1
        weighed.result(SECONDS)
        db.session.rollback()
        row = db.session.get_one(AskProposal, chosen)
        assert row.state is ProposalState.APPROACHED
        assert row.chosen_as != WEIGHED_AWAY, "after a no they would be proposed again"
