"""The canary crawl: nobody but the participants gets a word of a conversation, by whatever way.

Every text of a conversation holds a string of its own. Every kind of person requests every route of the
application with every id there is; then the raw database, the files of the instance, the mails, what jobs
print and what is logged are searched. A route whose address cannot be made up here fails the test.
"""

import base64
import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text

from portal.conversations import services
from portal.conversations.models import Conversation, Message, Report, Thanks, TimeProposal
from portal.conversations.queries import reading
from portal.kernel import clock, jobs
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.members.models import Company, Member
from portal.moderation.models import Case
from tests.conftest import make_board, make_customer, make_prospect, viewer_of
from tests.conversations.conftest import talking
from tests.house.people import PEOPLE

CANARIES = {
    "note": "canary-note-7101",
    "message": "canary-message-7102",
    "deleted": "canary-deleted-7103",
    "link": "canary-link-7104",
    "thanks": "canary-thanks-7105",
    "reported": "canary-reported-7106",
    "peers": "canary-peers-7107",
}
CRAWLERS = [person for person in PEOPLE if person.name != "customer"]


@pytest.fixture
def scene(app: Flask) -> dict[str, list[object]]:
    """Conversations with a canary in every text; gives the values that may stand in an address."""
    with app.app_context():
        jonas, ines = make_prospect("Jonas", username="jonas"), make_customer("Ines", username="ines")
        peer = make_customer("Pia", username="pia", duties=(Duty.MODERATOR,))
        board = make_board(slug="general")
        conversation = services.request(viewer_of(jonas), ines, note=CANARIES["note"])
        services.accept(viewer_of(ines), conversation.id, text=CANARIES["message"])
        for what in ("reported", "deleted"):
            services.send_message(viewer_of(ines), conversation.id, f"**{CANARIES[what]}** and more")
        services.propose_times(viewer_of(ines), conversation.id, ((clock.now() + timedelta(days=2), 20),))
        services.set_link(viewer_of(jonas), conversation.id, f"https://meet.example/{CANARIES['link']}")
        services.thank(viewer_of(jonas), conversation.id, CANARIES["thanks"])
        letters = reading.page(viewer_of(jonas), conversation.id).letters
        services.report(viewer_of(jonas), conversation.id, [letters[1].id], rule_number=4)
        services.delete_message(viewer_of(ines), conversation.id, letters[2].id)
        other = talking(make_prospect(), make_customer("Otto", username="otto"), CANARIES["peers"])
        said = reading.page(viewer_of(other.asker_id), other.id).letters[0]
        services.report(viewer_of(other.asker_id), other.id, [said.id], rule_number=4, peers_only=True)
        values: dict[str, list[object]] = {
            "conversation_id": [*db.session.execute(select(Conversation.id)).scalars()],
            "message_id": [*db.session.execute(select(Message.id)).scalars()],
            "time_id": [*db.session.execute(select(TimeProposal.id)).scalars()],
            "report_id": [*db.session.execute(select(Report.id)).scalars()],
            "thanks_id": [*db.session.execute(select(Thanks.id)).scalars()],
            "case_id": [*db.session.execute(select(Case.id)).scalars()],
            "member_id": [*db.session.execute(select(Member.id)).scalars()],
            "username": ["jonas", "ines"],
            "slug": [*[*db.session.execute(select(Company.slug)).scalars()][:2], "general"],
        }
        assert {jonas, ines, peer, board}
    return values


def addresses(app: Flask, known: dict[str, list[object]], method: str) -> list[str]:
    """Every address of the application for a method, with every known value in each of its places."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        names = sorted(rule.arguments)
        if rule.endpoint in ("members.logout", "members.end_sessions", "own_data.erase"):
            continue  # they end the crawler itself
        choices = [known.get(name) or _some(app, rule, name) for name in names]
        for values in itertools.islice(itertools.product(*choices), 40):
            arguments = dict(zip(names, values, strict=True))
            found.append(adapter.build(rule.endpoint, arguments, method=method))
    return found


def _some(app: Flask, rule: object, name: str) -> list[object]:
    """Values of other ids: the first ones there are, and what nobody has."""
    converter = rule._converters[name]  # type: ignore[attr-defined]
    return [1, 2] if type(converter).__name__ == "IntegerConverter" else ["1", "general"]


def _has(content: str, *, allowed: tuple[str, ...] = ()) -> list[str]:
    return [one for name, one in CANARIES.items() if one in content and name not in allowed]


@pytest.mark.slow
@pytest.mark.parametrize("person", CRAWLERS, ids=str)
def test_no_page_shows_a_word_to_anybody_else(app: Flask, sign_in, scene, person):
    with app.app_context():
        member_id = person.make()
    browser: FlaskClient = sign_in(member_id) if member_id else app.test_client()
    # Reviewers read what was disclosed to them, on its own page and nowhere else.
    vendor, moderates = person.status is Status.VENDOR, set(person.duties) & {Duty.MODERATOR, Duty.ADMIN}
    reads = ("reported",) if moderates and vendor else ("reported", "peers") if moderates else ()
    leaks, visited = [], 0
    for method in ("GET", "HEAD"):
        for path in addresses(app, scene, method):
            answer = browser.open(path, method=method)
            allowed = reads if path.endswith("/evidence") else ()
            headers = "".join(f"{name}: {value}" for name, value in answer.headers)
            if found := _has(answer.get_data(as_text=True) + headers, allowed=allowed):
                leaks.append((method, path, found))
            visited += 1
    assert leaks == []
    assert visited > 150
    _write_everywhere(app, browser, scene, leaks)
    assert leaks == []
    with app.app_context():
        assert _stored() == []


def _write_everywhere(app: Flask, browser: FlaskClient, scene: dict[str, list[object]], leaks: list) -> None:
    """Every write to a conversation, with every known id: refused, and silent."""
    page = browser.get("/rules").text + browser.get("/settings/display").text
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("conversations.") or not rule.arguments:
            continue
        names = sorted(rule.arguments)
        for method in set(rule.methods or ()) - {"GET", "HEAD", "OPTIONS"}:
            for values in itertools.islice(itertools.product(*(scene[name] for name in names)), 12):
                path = adapter.build(rule.endpoint, dict(zip(names, values, strict=True)), method=method)
                answer = browser.open(
                    path,
                    method=method,
                    data={"csrf_token": token, "body": "x", "username": "jonas", "note": "x", "text": "x"},
                    headers={"X-CSRFToken": token},
                )
                if answer.status_code < 400 or _has(answer.text):
                    leaks.append((method, path, answer.status_code))


def _stored() -> list[tuple[str, str]]:
    """(table, column) of every raw value that holds a canary, plain or as base64."""
    wanted = [one.encode() for one in CANARIES.values()]
    wanted += [base64.b64encode(one)[:16] for one in wanted]
    found = []
    with db.engine.connect() as connection:
        for table in inspect(db.engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                for column, value in row.items():
                    raw = value if isinstance(value, bytes) else str(value).encode()
                    if any(one in raw for one in wanted):
                        found.append((table, column))
    return found


def test_no_column_and_no_file_holds_a_word(app: Flask, scene, settings, caplog, capsys, sign_in):
    with app.app_context():
        for job in jobs.registered().values():
            job.run()
        assert _stored() == []
    visitor = app.test_client()
    for one in CANARIES.values():
        answer = visitor.get(f"/search?q={one}").text
        assert f"<mark>{one}" not in answer
        assert "/conversations/" not in answer.partition("<main")[2].partition("</main>")[0]
    leaking = [
        path
        for path in Path(settings.INSTANCE_PATH).rglob("*")
        if path.is_file() and any(one.encode() in path.read_bytes() for one in CANARIES.values())
    ]
    assert leaking == []
    said = capsys.readouterr()
    assert _has(said.out + said.err + caplog.text) == []


def test_the_crawl_would_see_a_word(app: Flask, scene, sign_in):
    """A participant reads what nobody else does: the canaries are really there to be found."""
    with app.app_context():
        ines = db.session.execute(select(Member.id).where(Member.username == "ines")).scalar_one()
    browser = sign_in(ines)
    pages = "".join(
        browser.get(path).text for path in addresses(app, scene, "GET") if "conversations/" in path
    )
    shown = {name for name, one in CANARIES.items() if one in pages}
    assert {"note", "message", "reported", "thanks"} <= shown
    assert "deleted" not in shown
