"""Invites: a colleague who knows better, and guests of whom exactly what was announced is reported."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.asks.models import Invite
from portal.asks.queries.lists import invites_of
from portal.asks.services import inviting, requests
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound, TooMany
from portal.members.services import joining
from portal.notifications.models import Mail
from tests.asks.scenes import (
    TUESDAY,
    answer,
    ask,
    board,
    change_member,
    make_company,
    make_prospect,
    request_of,
    work,
)
from tests.conftest import make_customer, make_member, viewer_of

Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock) -> None:
    at(TUESDAY)


def mailed_link(to: str) -> str:
    """The token in the newest mail to this address."""
    body = db.session.execute(
        select(Mail.body).where(Mail.recipient == to).order_by(Mail.id.desc()).limit(1)
    ).scalar_one()
    return body["button"][1].removeprefix("/invite/")


def make_sales() -> int:
    return make_member("Gareth Pryce", status=Status.VENDOR, duties=(Duty.SALES,))


def told_of_guest(sender: int) -> tuple[bool, bool, bool, bool]:
    [line] = invites_of(viewer_of(sender))
    return line.joined, line.asked, line.answered, line.spoke


class TestColleague:
    def scene(self) -> tuple[int, int, int]:
        board()
        company = make_company(domain="tidewater.example")
        customer = make_customer("Dana", company_id=company, email="dana@tidewater.example")
        one = ask(make_prospect())
        work()
        return customer, company, request_of(one, customer)

    def test_the_colleague_joins_with_that_address_and_has_the_request(self, in_app: Flask):
        customer, company, request_id = self.scene()
        requests.pass_on(viewer_of(customer), request_id, "Tomasz@tidewater.example")
        token = mailed_link("tomasz@tidewater.example")
        colleague = make_customer("Tomasz", company_id=company, email="tomasz@tidewater.example")
        theirs = requests.take_over(viewer_of(colleague), token)
        assert theirs is not None
        assert theirs != request_id
        with pytest.raises(NotFound):
            requests.take_over(viewer_of(colleague), token)
        row = db.session.execute(select(Invite)).scalar_one()
        assert row.email == ""

    def test_anothers_account_cannot_use_the_link(self, in_app: Flask):
        customer, company, request_id = self.scene()
        requests.pass_on(viewer_of(customer), request_id, "tomasz@tidewater.example")
        token = mailed_link("tomasz@tidewater.example")
        for other in (
            make_customer(company_id=company, email="else@tidewater.example"),
            make_customer(company_id=company, email="tomasz@tidewater.example", confirmed=False),
        ):
            with pytest.raises(NotFound):
                requests.take_over(viewer_of(other), token)

    @pytest.mark.parametrize(
        "address", ["somebody@elsewhere.example", "dana@tidewater.example", "no address", "x@gmail.com"]
    )
    def test_only_a_colleague_of_ones_own_company_can_be_named(self, in_app: Flask, address: str):
        customer, _company, request_id = self.scene()
        with pytest.raises(Invalid) as refused:
            requests.pass_on(viewer_of(customer), request_id, address)
        assert refused.value.field == "email"

    def test_it_expires(self, in_app: Flask, at: Clock):
        customer, company, request_id = self.scene()
        requests.pass_on(viewer_of(customer), request_id, "tomasz@tidewater.example")
        token = mailed_link("tomasz@tidewater.example")
        colleague = make_customer(company_id=company, email="tomasz@tidewater.example")
        at(TUESDAY + timedelta(days=15))
        with pytest.raises(NotFound):
            requests.take_over(viewer_of(colleague), token)
        assert inviting.forget_addresses() == 1

    def test_sending_is_capped_for_sender_and_for_address(self, in_app: Flask):
        customer, _company, _request_id = self.scene()
        viewer = viewer_of(customer)
        for _ in range(3):
            inviting.send_to_colleague(viewer, "tomasz@tidewater.example")
        to_them = db.session.execute(select(Mail).where(Mail.recipient == "tomasz@tidewater.example")).all()
        assert len(to_them) == 2
        for number in range(2):
            inviting.send_to_colleague(viewer, f"c{number}@tidewater.example")
        with pytest.raises(TooMany):
            inviting.send_to_colleague(viewer, "one-more@tidewater.example")

    def test_suspended_and_unconfirmed_accounts_invite_nobody(self, in_app: Flask):
        customer, _company, _request_id = self.scene()
        change_member(customer, suspended_until=TUESDAY + timedelta(days=3))
        with pytest.raises(Forbidden):
            inviting.send_to_colleague(viewer_of(customer), "tomasz@tidewater.example")


class TestGuest:
    def test_exactly_what_was_announced_is_reported(self, in_app: Flask):
        board()
        sales = make_sales()
        _invite, token = inviting.invite_guest(viewer_of(sales), "Opportunity 4711")
        guest = make_prospect("Jonas Lindqvist")
        inviting.accept_as_guest(viewer_of(guest), token, report=True)
        assert told_of_guest(sales) == (True, False, False, False)
        one = ask(guest)
        assert told_of_guest(sales) == (True, True, False, False)
        answer(make_customer(), one)
        assert told_of_guest(sales) == (True, True, True, False)
        [line] = invites_of(viewer_of(sales))
        assert "Jonas" not in repr(line)

    def test_report_nothing_reads_like_not_joined(self, in_app: Flask):
        board()
        sales = make_sales()
        _invite, unused = inviting.invite_guest(viewer_of(sales), "Same")
        before = invites_of(viewer_of(sales))
        guest = make_prospect()
        inviting.accept_as_guest(viewer_of(guest), unused, report=False)
        answer(make_customer(), ask(guest))
        assert invites_of(viewer_of(sales)) == before
        row = db.session.execute(select(Invite)).scalar_one()
        assert (row.used_by_id, row.used_at, row.spoke) == (None, None, False)

    def test_a_guest_can_stop_the_report_and_then_it_reads_like_not_joined(self, in_app: Flask):
        board()
        sales = make_sales()
        _invite, token = inviting.invite_guest(viewer_of(sales), "Opportunity 4711")
        before = invites_of(viewer_of(sales))
        guest = make_prospect()
        inviting.accept_as_guest(viewer_of(guest), token, report=True)
        ask(guest)
        [invite_id] = db.session.execute(select(Invite.id)).scalars()
        with pytest.raises(NotFound):
            inviting.report_nothing_more(viewer_of(make_prospect()), invite_id)
        inviting.report_nothing_more(viewer_of(guest), invite_id)
        assert invites_of(viewer_of(sales)) == before

    def test_a_link_that_reported_somebody_works_for_nobody_else(self, in_app: Flask):
        sales = make_sales()
        _invite, token = inviting.invite_guest(viewer_of(sales), "")
        inviting.accept_as_guest(viewer_of(make_prospect()), token, report=True)
        with pytest.raises(NotFound):
            inviting.accept_as_guest(viewer_of(make_prospect()), token, report=True)
        with pytest.raises(NotFound):
            inviting.find_open("no such token")

    def test_it_gives_no_account_and_confirms_no_address(self, in_app: Flask):
        _invite, token = inviting.invite_guest(viewer_of(make_sales()), "")
        with pytest.raises(NotFound):
            joining.find_request(token)

    def test_a_withdrawn_or_expired_link_is_refused(self, in_app: Flask, at: Clock):
        sales = make_sales()
        invite, token = inviting.invite_guest(viewer_of(sales), "")
        with pytest.raises(NotFound):
            inviting.withdraw(viewer_of(make_sales()), invite.id)
        inviting.withdraw(viewer_of(sales), invite.id)
        with pytest.raises(NotFound):
            inviting.find_open(token)
        _invite, other = inviting.invite_guest(viewer_of(sales), "")
        at(TUESDAY + timedelta(days=15))
        with pytest.raises(NotFound):
            inviting.find_open(other)

    def test_prospects_make_no_links(self, in_app: Flask):
        with pytest.raises(Forbidden):
            inviting.invite_guest(viewer_of(make_prospect()), "")
