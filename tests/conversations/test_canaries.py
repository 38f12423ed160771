"""The canary crawl: nobody but the participants gets a word of a conversation, by whatever way.

Every text of a conversation holds a string of its own. Every kind of person requests every route of the
application with every id there is; then the raw database, the files of the instance, the mails, what jobs
print and what is logged are searched. A route whose address cannot be made up here fails the test.
"""

import base64
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text

from portal.conversations import services
from portal.conversations.models import (
    Conversation,
    Message,
    Participant,
    Report,
    Thanks,
    TimeProposal,
)
from portal.conversations.queries import copies, reading
from portal.conversations.services import messages
from portal.kernel import clock, jobs, vault
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.models import Company, Member
from portal.moderation.models import Case
from tests.conftest import make_board, make_customer, make_prospect, viewer_of
from tests.conversations.conftest import talking
from tests.house.people import PEOPLE, Person

CANARIES = {
    "note": "canary-note-7101",
    "message": "canary-message-7102",
    "deleted": "canary-deleted-7103",
    "link": "canary-link-7104",
    "thanks": "canary-thanks-7105",
    "reported": "canary-reported-7106",
    "peers": "canary-peers-7107",
}
PRIVATE = ("conversations.", "requests.", "invites.", "connecting.", "ask_page.", "asking.")


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


class Unreached(Exception):
    """A route of private things whose address the crawl cannot make up: add its ids to the scene."""


def addresses(app: Flask, known: dict[str, list[object]], method: str, only: str = "") -> list[str]:
    """Every address of the application for a method, with every known value in each of its places.

    Raises Unreached for a route of conversations, asks or invites with an unknown parameter.
    """
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        if not rule.endpoint.startswith(only):
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
    if rule.endpoint.startswith(PRIVATE) and name not in ("ask_id", "request_id", "invite_id", "token"):  # type: ignore[attr-defined]
        raise Unreached(f"{rule.endpoint} takes {name!r}, of which the crawl knows no value")  # type: ignore[attr-defined]
    converter = rule._converters[name]  # type: ignore[attr-defined]
    return [1, 2] if type(converter).__name__ == "IntegerConverter" else ["1", "general"]


def _has(content: str, *, allowed: tuple[str, ...] = ()) -> list[str]:
    return [one for name, one in CANARIES.items() if one in content and name not in allowed]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_no_page_shows_a_word_to_anybody_else(app: Flask, sign_in, scene, person):
    leaks, visited, browser = crawl(app, sign_in, scene, person)
    assert leaks == []
    assert visited > 150
    assert write_everywhere(app, browser, scene) == []
    with app.app_context():
        assert _stored() == []


def crawl(
    app: Flask, sign_in, scene: dict[str, list[object]], person: Person, only: str = ""
) -> tuple[list[object], int, FlaskClient]:
    """What this kind of person finds that they may not read; how many addresses; their browser."""
    with app.app_context():
        member_id = person.make()
    browser: FlaskClient = sign_in(member_id) if member_id else app.test_client()
    # Reviewers read what was disclosed to them, on its own page and nowhere else.
    vendor, moderates = person.status is Status.VENDOR, set(person.duties) & {Duty.MODERATOR, Duty.ADMIN}
    reads = ("reported",) if moderates and vendor else ("reported", "peers") if moderates else ()
    leaks, visited = [], 0
    for method in ("GET", "HEAD"):
        for path in addresses(app, scene, method, only):
            answer = browser.open(path, method=method)
            allowed = reads if path.endswith("/evidence") else ()
            headers = "".join(f"{name}: {value}" for name, value in answer.headers)
            if found := _has(answer.get_data(as_text=True) + headers, allowed=allowed):
                leaks.append((method, path, found))
            visited += 1
    return leaks, visited, browser


def write_everywhere(app: Flask, browser: FlaskClient, scene: dict[str, list[object]]) -> list[Any]:
    """Every write to a conversation, with every known id, that was not refused and silent."""
    leaks: list[Any] = []
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
    return leaks


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


# --- Without a defence the crawl finds what it kept away: the one place here that patches our own code. ---

BY_NAME = {person.name: person for person in PEOPLE}


def _any_conversation(
    viewer: Viewer, conversation_id: str, *, lock: bool = False, invited: bool = False
) -> tuple[Conversation, Participant]:
    """As somebody might write it: by the id alone."""
    row = db.session.execute(
        select(Conversation, Participant)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(Conversation.id == conversation_id)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound("no such conversation")
    return row[0], row[1]


def test_without_the_look_at_who_takes_part_every_outsider_reads_it(app: Flask, sign_in, scene, monkeypatch):
    """And an account of the vendor still does not: that is another defence."""
    for module in (reading, copies):
        monkeypatch.setattr(module, "find_own", _any_conversation)
    found, _visited, _browser = crawl(app, sign_in, scene, BY_NAME["customer"], "conversations.")
    shown = {word for _method, _path, words in found for word in words}
    assert {CANARIES["note"], CANARIES["message"], CANARIES["link"]} <= shown
    assert crawl(app, sign_in, scene, BY_NAME["admin"], "conversations.")[0] == []


def test_without_the_sealing_the_database_holds_every_word(app: Flask, monkeypatch, request):
    monkeypatch.setattr(vault.Key, "seal", lambda _key, text, *, purpose: text)
    monkeypatch.setattr(vault.Key, "open", lambda _key, box, *, purpose: box)
    request.getfixturevalue("scene")
    with app.app_context():
        assert {
            ("conversations", "note_box"),
            ("conversations", "link_box"),
            ("conversation_messages", "source_box"),
            ("conversation_messages", "html_box"),
            ("conversation_thanks", "text_box"),
            ("evidence", "box"),
        } <= set(_stored())


def test_without_it_where_something_is_said_outsiders_speak_too(app: Flask, sign_in, scene, monkeypatch):
    browser = crawl(app, sign_in, scene, BY_NAME["customer"], "conversations.who_can_read")[2]
    assert write_everywhere(app, browser, scene) == []
    monkeypatch.setattr(messages, "find_own", _any_conversation)
    written = {path.rsplit("/", 1)[1] for _method, path, *_rest in write_everywhere(app, browser, scene)}
    assert {"messages", "link"} <= written


def test_a_new_route_of_private_things_that_the_crawl_does_not_reach_makes_it_fail(app: Flask, scene):
    app.url_map.add(
        app.url_rule_class(
            "/conversations/secrets/<secret_id>", endpoint="conversations.index", methods=["GET"]
        )
    )
    with app.app_context(), pytest.raises(Unreached, match="secret_id"):
        addresses(app, scene, "GET")
