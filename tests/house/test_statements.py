"""How many statements each main page takes when nothing is kept: pinned, and the same for twice the rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.services import candidates, contesting, engagements
from portal.consents.models import Activity
from portal.discussions.models import Audience, Thread, ThreadKind
from portal.discussions.services import following
from portal.discussions.services.acceptance import accept
from portal.kernel import clock, page_cache, site
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company
from portal.members.queries import viewer_of
from portal.moderation.services.deciding import decide
from portal.relations.models import Health, Measure
from portal.search import services as search
from tests.asks.scenes import ask, make_customers
from tests.asks.scenes import board as make_board_for_asks
from tests.conftest import (
    make_admin,
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
)
from tests.conversations.conftest import talking
from tests.discussions.factories import fill_board, fill_thread, make_comment, make_post, make_thread
from tests.moderation.conftest import answered, flagged, hiding
from tests.relations.scenes import escalated, health, held, surveyed
from tests.support.statements import Statements

# Page, who reads it, and how many statements it may take. Two of a member's are the frame's: who is looking,
# and what is unread on the boards in the menu.
PINNED = [
    ("/", "visitor", 6),
    ("/", "customer", 9),
    ("/boards/b", "visitor", 4),
    ("/boards/b", "customer", 6),
    ("/boards/b?kind=question&sort=newest", "customer", 6),
    ("/boards/b?show=unanswered", "customer", 6),
    ("/tags/sftp", "visitor", 1),
    ("/tags/sftp", "customer", 3),
    ("{thread}", "visitor", 4),
    ("{thread}", "customer", 8),
    ("{thread}?page=2", "visitor", 4),
    ("{thread}?page=2", "customer", 8),
    ("/search?q=question", "visitor", 3),
    ("/search?q=question", "customer", 5),
    ("/search?tag=sftp", "customer", 5),
    ("/members", "customer", 6),
    ("/members/writer", "visitor", 8),
    ("/members/writer", "customer", 12),
    ("/members/writer/threads", "customer", 5),
    ("/members/writer/posts", "customer", 5),
    ("/companies/acme", "customer", 5),
    ("/companies/acme/threads", "customer", 4),
    ("/notifications", "customer", 5),
    ("/conversations", "prospect", 5),
    ("/ask", "visitor", 3),
    ("/ask", "prospect", 8),
    ("/asks", "prospect", 4),
    ("/requests", "customer", 5),
    ("/me/bookmarks", "customer", 3),
    ("/me/drafts", "customer", 3),
    ("/me/following", "customer", 4),
    ("/settings/profile", "customer", 5),
    ("/settings/notifications", "customer", 3),
    ("/me/score", "customer", 16),
    ("/me/contributions", "customer", 8),
    ("/me/consents", "customer", 4),
    ("/console/", "moderator", 51),  # who rises is kept, so their choices and numbers are asked for
    ("/console/health", "moderator", 12),  # both lists of questions without an answer
    ("/console/programme?weeks=26", "moderator", 9),
    ("/console/rising", "moderator", 15),
    ("/console/candidates", "moderator", 18),
    ("/console/weights", "moderator", 6),
    ("/console/rota", "moderator", 9),  # also whose shifts can be chosen
    ("/console/queue", "moderator", 7),
    ("/console/log", "admin", 6),
    ("/console/members", "moderator", 14),  # ids first, then what is read of those on the page
    ("/console/companies", "moderator", 5),
    ("/console/companies/acme/agreements", "moderator", 6),
    ("/console/relations", "service", 9),
    ("/console/relations/acme", "service", 16),
    ("/console/holds", "sales", 9),
    ("/console/contests", "moderator", 9),
    ("/console/patterns", "moderator", 7),
    ("/console/scores/writer", "moderator", 40),
    ("/console/members/writer", "moderator", 36),  # a page of evidence, further back if wanted
    ("/console/candidates/writer", "moderator", 38),
    ("{case}", "moderator", 16),
    ("/transparency", "visitor", 9),
    ("/transparency", "customer", 11),
    ("/feeds/latest.atom", "visitor", 2),
    ("/boards/b.atom", "visitor", 2),
    ("/sitemap.xml", "visitor", 8),
]
ENGINE = 4  # further statements of a search by words where its engine is the database
ROWS = 3
QUESTION = "A question of many posts"


class Community:
    """A site that can be made bigger: more of everything that a page lists."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        with app.app_context():
            self.company = make_company("Acme")
            with unit_of_work():
                db.session.get_one(Company, self.company).slug = "acme"
            self.people = {
                "customer": make_customer("Reader"),
                "prospect": make_prospect(),
                "moderator": make_moderator(),
                "admin": make_admin(),
                "sales": make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
                "service": make_member(status=Status.VENDOR, duties=(Duty.SERVICE,)),
            }
            self.writer = make_customer("Writer", username="writer", company_id=self.company)
            self.board = make_board("Integrations", slug="b")
            make_board_for_asks()
            thread = make_thread(self.writer, self.board, QUESTION)
            fill_thread(thread, self.writer, 30)
            self.thread, self.address = thread.id, f"/threads/{thread.id}/{thread.slug}"
            following.follow_thread(viewer_of(self.people["customer"]), thread.id)
            writer = viewer_of(self.writer)
            post = answered(writer, writer, self.board)
            for _time in range(5):
                self.thank()
            self.case = f"/console/cases/{flagged(post, viewer_of(make_customer())).id}"

    def thank(self) -> None:
        """A customer elsewhere thanks the writer, nominates them, and contests their own score."""
        other = viewer_of(make_customer())
        helped = answered(other, viewer_of(self.writer), self.board)
        accept(other, helped.thread_id, helped.id)
        candidates.nominate(other, self.writer, "Helped me.")
        contesting.contest(other, None, "Something is missing.")
        about = viewer_of(self.people["moderator"])
        for member in (self.writer, self.people["customer"]):
            engagements.record(about, member, Activity.CALL, clock.now().date(), "With somebody who decides.")

    def know_of(self, company: int) -> None:
        """Sales and service place a hold, say how a company is doing, open an escalation, enter a survey."""
        sales, service = (viewer_of(self.people[duty]) for duty in ("sales", "service"))
        held(company, sales)
        health(company, Health.AMBER, service)
        escalated(company, service)
        surveyed(company, Measure.NPS, 12, by=service, source=f"Survey {clock.token(6)}")

    def grow(self) -> None:
        with self.app.app_context():
            writer = viewer_of(self.writer)
            fill_board(self.board, self.writer, ROWS)
            thread = db.session.get_one(Thread, self.thread)
            fill_thread(thread, self.writer, thread.last_number + ROWS)
            answer = make_post(self.writer, self.thread)
            for member in make_customers(ROWS, company_id=self.company):
                make_comment(member, answer)
                make_board(audience=Audience.CUSTOMERS)
                make_thread(self.writer, self.board, "Another question", tags="sftp")
                make_thread(self.writer, self.board, "A story of a question", kind=ThreadKind.WAR_STORY)
                talking(self.people["prospect"], make_customer(), "Eleven months, most of it waiting.")
                flagged(answered(writer, writer, self.board), viewer_of(make_customer()))
                case = flagged(answered(writer, writer, self.board), viewer_of(make_customer()))
                decide(viewer_of(self.people["moderator"]), case.id, hiding(case))
                self.thank()
                self.know_of(self.company)
                self.know_of(make_company())
            ask(make_prospect())
            search.drain()
            db.session.remove()


@pytest.mark.parametrize(
    "database",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_pages_take_few_statements_however_many_rows(
    app: Flask,
    client: FlaskClient,
    sign_in: Callable[[int], FlaskClient],
    statements: Callable[[], AbstractContextManager[Statements]],
) -> None:
    community = Community(app)
    browsers = {who: sign_in(member) for who, member in community.people.items()} | {"visitor": client}

    def measure() -> dict[tuple[str, str], Statements]:
        with app.app_context(), unit_of_work():
            site.touch()  # or the process could notice the new boards in the middle of the counting
        for path, who, _most in PINNED:  # what the process keeps of the site is made anew here
            browsers[who].get(path.format(thread=community.address, case=community.case))
        seen = {}
        for path, who, _most in PINNED:
            page_cache.clear()
            client.get("/rules")  # kept for all pages until an admin changes them
            with statements() as taken:
                answer = browsers[who].get(path.format(thread=community.address, case=community.case))
            assert answer.status_code == 200, path
            seen[path, who] = taken
        return seen

    community.grow()
    few = measure()
    community.grow()
    many = measure()
    with app.app_context():
        further = ENGINE if db.engine.dialect.name == "postgresql" else 0
    wrong = []
    for path, who, most in PINNED:
        most += further if path.startswith("/search?q") else 0
        taken = many[path, who]
        if len(taken) != len(few[path, who]):
            wrong.append(f"{path} for a {who}: grows\n{few[path, who]}\n\n{taken}")
        elif len(taken) > most:
            wrong.append(f"{path} for a {who}: {len(taken)} instead of {most}\n{taken}")
    assert not wrong, "\n\n".join(wrong)
