"""The demo community loads into an empty site, the same each time, and goes away again."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.advocacy.queries import standing
from portal.asks.models import Ask, AskState
from portal.conversations.models import Conversation, ConversationState, Report, Thanks
from portal.conversations.queries import listing
from portal.demo import loader
from portal.discussions.models import Board, Post, PostKind, Thread, ThreadKind
from portal.discussions.services.posting import post_reply
from portal.discussions.services.recount import recount
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member, Product
from portal.members.queries import viewer_of
from portal.notifications.models import Mail, Notice
from portal.notifications.queries import notices_of
from tests.conftest import make_customer, noon

pytestmark = pytest.mark.long


def count(model: type) -> int:
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_it_loads_is_whole_and_goes_away(in_app: Flask, at: Callable[[datetime], None]) -> None:
    at(noon("2026-11-20"))
    assert loader.load("demo password") >= 150
    assert count(Company) >= 40
    assert count(Thread) >= 300
    assert recount() == []
    assert db.session.execute(select(func.count()).where(Mail.sent_at.is_(None))).scalar_one() == 0
    customer = viewer_of(
        db.session.execute(select(Member.id).where(Member.email == "customer@demo.example")).scalar_one()
    )
    shown = notices_of(customer)
    assert any(row.is_new for row in shown.rows)
    told = db.session.execute(
        select(func.count()).select_from(Notice).where(Notice.member_id == customer.member_id)
    ).scalar_one()
    assert len(shown.rows) == min(told, 30)
    states = set(db.session.execute(select(Conversation.state)).scalars())
    assert states == set(ConversationState)
    assert set(db.session.execute(select(Ask.state)).scalars()) == set(AskState)
    assert count(Thanks) >= 2
    assert db.session.execute(select(func.count()).where(Report.decided_at.is_(None))).scalar_one() == 1
    assert db.session.execute(select(func.count()).where(Report.decided_at.is_not(None))).scalar_one() == 1
    mine = listing.lists(customer)
    assert all((mine.on_me, mine.going_on)), "the customer has something to answer, and something going on"
    risers = standing.rising(200)
    assert 10 <= len(risers) <= count(Member) / 4, "some rise, and they are the few"
    assert sum(one.label == standing.RISING for one in risers) >= 3
    with pytest.raises(loader.DemoRefused):
        loader.load("again")
    assert loader.remove() >= 150
    assert (count(Member), count(Thread), count(Post), count(Board), count(Company)) == (0, 0, 0, 0, 0)


def test_what_real_people_wrote_and_made_stays(in_app: Flask, at: Callable[[datetime], None]) -> None:
    at(noon("2026-11-20"))
    loader.load("demo password")
    ines = viewer_of(make_customer("Ines Almeida"))
    asked = db.session.execute(
        select(Thread).where(Thread.kind == ThreadKind.QUESTION, Thread.closed_at.is_(None)).limit(1)
    ).scalar_one()
    answer = post_reply(ines, asked.id, "We set the limit to forty and it has held since.")
    with unit_of_work():
        db.session.add(Product(name="Made by the admin", position=99, tags=""))
    loader.remove()
    db.session.expire_all()
    assert not loader.is_loaded()
    assert db.session.execute(select(Thread.id)).scalars().all() == [asked.id]
    kept = {row.id: row.kind for row in db.session.execute(select(Post.id, Post.kind))}
    assert PostKind.OPENING in kept.values()
    assert answer.id in kept
    names = set(db.session.execute(select(Member.name)).scalars())
    assert names == {"Ines Almeida", "former member"}
    assert db.session.execute(select(Product.name)).scalars().all() == ["Made by the admin"]
    assert recount() == []


def test_it_refuses_beside_real_members_and_in_production(in_app: Flask) -> None:
    with pytest.raises(loader.DemoRefused):
        loader.load("x", production=True)
    make_customer()
    with pytest.raises(loader.DemoRefused):
        loader.load("x")
