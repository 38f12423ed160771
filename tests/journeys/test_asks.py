"""Asking customers, in two browsers: answered in time, and when nobody answers."""

import re
import uuid
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from portal.asks.models import Ask, AskStage
from portal.asks.services import waves
from portal.discussions.models import Audience, Board, Thread, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import site as settings
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from tests.conftest import make_board, make_company, make_customer, make_moderator, make_prospect, viewer_of
from tests.journeys.people import Opener, signed_in
from tests.journeys.test_finding import wait_for_the_index
from tests.support.browser import DESKTOP, PHONE
from tests.support.site import Site

pytestmark = pytest.mark.long


def _board(site: Site, mark: str) -> str:
    name = f"Before you buy {mark}"
    with site.inside():
        make_board(name, audience=Audience.PROSPECTS, slug=f"asks-{mark}")
        settings.change(ask_board=f"asks-{mark}", weekend=[])  # whatever day it is
    return name


def _slug_to_id(slug: str) -> int:
    return db.session.execute(select(Board.id).where(Board.slug == slug)).scalar_one()


def _hours_pass(site: Site, title: str, hours: int) -> None:
    """The same as waiting: everything that is planned for this ask comes so many hours nearer."""
    with site.inside():
        by = timedelta(hours=hours)
        waves.move_on()
        with unit_of_work():
            ask = db.session.execute(
                select(Ask).join(Thread, Thread.id == Ask.thread_id).where(Thread.title == title)
            ).scalar_one()
            for stage in db.session.execute(select(AskStage).where(AskStage.ask_id == ask.id)).scalars():
                stage.planned_at = stage.planned_at - by if stage.planned_at else None
                stage.at = stage.at - by if stage.at else None
            assert ask.due_at
            assert ask.asked_at
            ask.due_at, ask.asked_at = ask.due_at - by, ask.asked_at - by
        waves.move_on()
        waves.deliver()


def _retire_others(site: Site, keep: list[int]) -> None:
    """Customers of other journeys on this site are not asked."""
    with site.inside(), unit_of_work():
        db.session.execute(update(Member).where(Member.id.not_in(keep)).values(verified_by=None))


def test_a_visitor_asks_a_customer_is_mailed_and_the_answer_stops_the_clock(
    site: Site, somebody: Opener
) -> None:
    mark = uuid.uuid4().hex[:8]
    _board(site, mark)
    email = f"helper-{mark}@mail.example"
    with site.inside():
        company = make_company(f"Tidewater {mark}")
        helper = make_customer(
            "Tomasz Wiśniewski", company_id=company, email=email, username=f"tomasz-{mark}"
        )
    _retire_others(site, [helper])
    title = f"How long did moving forty partners really take, {mark}?"

    # She writes first, and joins at the end; nothing is lost.
    jana = somebody()
    jana.opens("/ask").looks("ask-visitor")
    jana.writes(title, "In one line").writes("We are told three months.", "The whole question")
    jana.chooses("Manufacturing", "Industry").writes("Brokerline", "What you would replace")
    jana.presses(re.compile("Join and send"))
    jana.writes("Jana Nováková", "Name").writes(f"jana-{mark}@free.example", re.compile("mail", re.I))
    jana.writes("a long enough pass phrase", "Password").presses(re.compile("Send me the link"))
    mail = jana.post_office.wait_for(f"jana-{mark}@free.example")
    link = next(part for part in mail.get_body(("plain",)).get_content().split() if "/join/confirm/" in part)  # type: ignore[union-attr] # it has a plain part
    jana.opens(link).presses("Confirm and join")
    main = jana.page.get_by_role("main")
    if main.get_by_role("link", name=re.compile("Skip|Later|Not now", re.I)).count():
        jana.follows(re.compile("Skip|Later|Not now", re.I), main)
    jana.sees("Nothing was sent yet")
    expect(jana.page.get_by_label("What you would replace")).to_have_value("Brokerline")
    jana.presses(re.compile("Send to up to 5 customers"))
    jana.sees_heading(title).sees("left for a customer’s answer").looks("ask-status")
    ask_page = jana.address

    # He is mailed with the reason; the link leads to buttons, and opening it does nothing.
    mail = jana.post_office.wait_for(email, title, seconds=90)  # the worker does all of it
    body = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has a plain part
    assert "Why you: same industry" in body
    tomasz = signed_in(somebody, site, helper)
    tomasz.opens(next(part for part in body.split() if "/requests/" in part))
    tomasz.sees("I would rather talk").sees("A colleague knows better").looks("ask-request")
    tomasz.follows("Read all of it and answer")
    tomasz.replies("Eleven months, and most of it was waiting for partners.")

    # The clock stopped, and she is told.
    jana.opens(ask_page).sees("A customer answered after").sees("The clock stopped.").looks("ask-answered")
    jana.post_office.wait_for(f"jana-{mark}@free.example", title)


def test_an_answered_question_found_while_typing_ends_the_ask(site: Site, somebody: Opener) -> None:
    mark = uuid.uuid4().hex[:8]
    _board(site, mark)
    with site.inside():
        board_id = _slug_to_id(f"asks-{mark}")
        asked_before, helper = make_prospect(), make_customer(f"Tomasz {mark}")
        title = f"How long did moving ninety partners take {mark}?"
        thread = open_thread(
            viewer_of(asked_before), board_id, kind=ThreadKind.QUESTION, title=title, body="Months?"
        )
        post_reply(viewer_of(helper), thread.id, "Seven and a half months, for all ninety.")
        asker = make_prospect("Jana Nováková")
        wait_for_the_index()
    jana = signed_in(somebody, site, asker)
    jana.opens("/ask").writes("We are told three months.", "The whole question")
    typed = jana.page.get_by_label("In one line")
    typed.press_sequentially(f"How long did moving forty partners take {mark}?", delay=5)
    close = jana.page.get_by_role("region", name=re.compile("like yours (was|were) answered"))
    expect(close.get_by_role("link", name=title)).to_be_visible()
    jana.looks("ask-similar")
    jana.presses(re.compile(rf"This answers it *: {re.escape(title)}"), close)
    jana.sees_heading(title).sees("Seven and a half months").sees("Nothing was sent")
    jana.opens("/asks").sees("You have not asked anything yet")
    jana.opens("/ask")
    expect(jana.page.get_by_label("The whole question")).to_have_value("")
    with site.inside():
        assert db.session.scalars(select(Ask.id).where(Ask.asker_id == asker)).all() == []


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_minute_of_a_customer_is_kept(
    site: Site, somebody: Opener, viewport: dict[str, int]
) -> None:
    mark = uuid.uuid4().hex[:8]
    with site.inside():
        same = {"industry": "21", "size_band": "5000+", "region": "NZ"}  # as nobody else on this site
        make_customer(f"Alike {mark}", company_id=make_company(f"Tidewater {mark}", **same))
        member = make_customer("Ines Okafor", company_id=make_company(f"Palmgren {mark}", **same))
    ines = signed_in(somebody, site, member, viewport=viewport)
    ines.opens("/welcome/first-minute").sees("People in a situation like yours").sees("Alike")
    ines.looks(f"first-minute-{viewport['width']}")
    often = ines.page.get_by_role("group", name="How often may somebody ask you for a private conversation?")
    often.get_by_label("once a quarter").check()
    ines.ticks("Speaking").presses("Save and go on").sees("Saved. You can change it at any time")
    ines.opens("/welcome/first-minute")
    expect(often.get_by_label("once a quarter")).to_be_checked()
    expect(ines.page.get_by_label("Speaking")).to_be_checked()


def test_nobody_answers_so_more_are_asked_and_a_moderator_connects(site: Site, somebody: Opener) -> None:
    mark = uuid.uuid4().hex[:8]
    _board(site, mark)
    with site.inside():
        customers = [make_customer(f"Customer {number} {mark}") for number in range(8)]
        asker = make_prospect("Jonas Lindqvist", username=f"jonas-{mark}", time_zone="Europe/Stockholm")
        moderator = make_moderator(f"Ruth Adeyemi {mark}")
    _retire_others(site, customers)
    title = f"Two people for eleven countries, is that enough, {mark}?"
    jonas = signed_in(somebody, site, asker, viewport={"width": 390, "height": 844})
    jonas.opens("/ask").writes(title, "In one line").writes("The plan says so.", "The whole question")
    jonas.ticks(re.compile("a moderator may ask a customer for me"))
    jonas.presses(re.compile("Send to up to 5 customers")).sees_heading(title)
    ask_page = jonas.address

    _hours_pass(site, title, 13)
    jonas.opens(ask_page).sees(re.compile("further customers were asked"))
    _hours_pass(site, title, 12)
    jonas.opens(ask_page).sees("No customer had answered in time").looks("ask-overdue")

    ruth = signed_in(somebody, site, moderator)
    ruth.opens("/console/queue").follows(re.compile(f"Connect.*{mark}|{re.escape(title)}"))
    ruth.sees("Customers ready to be asked").looks("console-ask")
    ruth.page.get_by_role("main").get_by_role("checkbox").first.check()
    ruth.presses(re.compile("Ask them for the asker")).sees("asked one customer to talk")

    jonas.opens(ask_page).sees("asked one customer to talk")
    jonas.opens("/conversations").looks("ask-connected")
