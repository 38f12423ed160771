"""What the pages of asking and talking cost: as many statements for twice as many rows, and few of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.asks.services import connecting, inviting
from portal.conversations import services as conversations
from portal.kernel.access import Duty, Status
from tests.asks.scenes import answer, ask, board, make_customers, make_prospect, work
from tests.conftest import make_customer, make_member, make_moderator, viewer_of
from tests.conversations.conftest import asked, talking
from tests.support.statements import Statements

Counting = Callable[[], AbstractContextManager[Statements]]
SignIn = Callable[[int], FlaskClient]


class Place:
    """A prospect who asks and talks, a customer who is asked, sales; `grow` doubles what they have."""

    def __init__(self) -> None:
        board()
        self.prospect, self.customer = make_prospect("Jonas"), make_customer("Ines")
        self.sales = make_member("Sam", status=Status.VENDOR, duties=(Duty.SALES,))
        self.moderator = make_moderator("Ruth")
        make_customers(12)
        self.ask = ask(self.prospect)
        work()
        connecting.connect_now(viewer_of(self.prospect), self.ask.id, may_connect=False)
        self.talk = talking(self.prospect, self.customer, "one", "two")
        conversations.rate(viewer_of(self.prospect), self.talk.id, useful=True, shared=True)
        self.number = 0
        self.grow()

    def grow(self) -> None:
        for _ in range(2):
            self.number += 1
            mine = viewer_of(self.prospect)
            other = ask(
                self.prospect, title=f"Who looks after it, number {self.number}?", body=f"Case {self.number}."
            )
            work()
            answer(make_customer(), other, f"Two and a half, number {self.number}.")
            asked(self.prospect, make_customer(), origin=f"search:{self.number}")
            talk = talking(self.prospect, make_customer(), f"hello {self.number}", "and thanks")
            conversations.thank(viewer_of(talk.member_id), talk.id, f"For number {self.number}")
            conversations.send_message(mine, self.talk.id, f"message {self.number}")
            inviting.invite_guest(viewer_of(self.sales), f"OPP-{self.number}")

    def pages(self) -> list[tuple[str, int, int]]:
        """(address, who looks, most statements)."""
        return [
            ("/ask", self.prospect, 14),
            ("/asks", self.prospect, 10),
            (f"/asks/{self.ask.id}", self.prospect, 16),
            (f"/asks/{self.ask.id}/connect", self.prospect, 16),
            ("/requests", self.customer, 10),
            ("/invites", self.sales, 10),
            (f"/console/asks/{self.ask.id}", self.moderator, 16),
            ("/conversations", self.prospect, 10),
            (f"/conversations/{self.talk.id}", self.prospect, 16),
            (f"/conversations/{self.talk.id}/rating", self.prospect, 16),
            ("/me/contributions", self.prospect, 10),
        ]


@pytest.mark.slow
def test_twice_as_many_rows_cost_no_further_statement(
    app: Flask, sign_in: SignIn, statements: Counting
) -> None:
    with app.app_context():
        place = Place()
        pages = place.pages()
    browsers = {member: sign_in(member) for _path, member, _most in pages}

    def counts() -> dict[str, int]:
        found = {}
        for path, member, _most in pages:
            assert browsers[member].get(path).status_code == 200, path
            with statements() as seen:
                browsers[member].get(path)
            found[path] = len(seen)
        return found

    before = counts()
    with app.app_context():
        place.grow()
    after = counts()
    grown = {path: (before[path], after[path]) for path in before if after[path] > before[path]}
    assert grown == {}
    too_many = {path: before[path] for path, _member, most in pages if before[path] > most}
    assert too_many == {}
