"""One site for all journeys of a test process: served as in production, with its worker and a mail server."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.db import Base, db
from tests.conftest import make_board, make_customer, viewer_of
from tests.journeys.people import Opener, Person
from tests.support.mail_server import MailServer
from tests.support.site import Site

ALSO_WALKED = ("keyboard", "no script", "phone")
"""Other ways on which `make test-long` makes a journey; `make test` makes it with the mouse alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/journeys/" in str(item.path).replace("\\", "/"):
            item.add_marker(pytest.mark.browser)
            way = getattr(item, "callspec", None)
            if way is not None and way.id in ALSO_WALKED:
                item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def post_office() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, post_office: MailServer) -> Iterator[Site]:
    """The running site. Tests share it: each makes its own people and boards."""
    site = Site(
        tmp_path_factory.mktemp("journeys") / "instance",
        workers=1,
        MAIL_URL=post_office.url,
        SITE_NAME="Northwind Flow",
        VENDOR_DOMAINS="northwind.example",
    )
    with site.inside():
        Base.metadata.create_all(db.engine)
    site.start(seconds=60)
    yield site
    site.stop()


@pytest.fixture
def somebody(
    site: Site, post_office: MailServer, open_context: Callable[..., BrowserContext]
) -> Iterator[Opener]:
    """somebody(keyboard=…, script=…, **options of the browser): a visitor at a browser of their own."""
    findings: list[str] = []

    def opener(*, keyboard: bool = False, script: bool = True, **options: Any) -> Person:
        context = open_context(java_script_enabled=script, **options)
        return Person(
            site,
            post_office,
            context,
            context.new_page(),
            uses_keyboard=keyboard,
            runs_scripts=script,
            findings=findings,
        )

    yield opener
    assert not findings, "\n".join(findings)


@dataclass(frozen=True)
class Place:
    """A question of one member with an answer of another, on a board of its own."""

    mark: str
    thread: str
    title: str
    answer_id: int
    asker_id: int
    helper_id: int


@pytest.fixture
def place(site: Site) -> Place:
    mark = uuid.uuid4().hex[:8]
    title = f"How do you isolate the slow partner {mark}?"
    with site.inside():
        board = make_board(f"Board {mark}", slug=f"board-{mark}")
        asker, helper = make_customer("Ines Okafor"), make_customer("Tomasz Nowak", username=f"tomasz-{mark}")
        question = {"kind": ThreadKind.QUESTION, "title": title, "body": "One down, all late."}
        thread = open_thread(viewer_of(asker), board, **question)  # type: ignore[arg-type] # as named
        address = f"/threads/{thread.id}/{thread.slug}"
        answer = post_reply(viewer_of(helper), thread.id, "Use a lane for each partner.").id
    return Place(mark, address, title, answer, asker, helper)
