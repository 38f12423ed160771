"""The product can be translated: every sentence goes through gettext and is found by the extraction."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g
from flask.testing import FlaskClient

from portal.conversations import services
from portal.conversations.queries import reading
from portal.conversations.services.preserving import preserve
from portal.conversations.services.requesting import check_may_begin
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.errors import Forbidden
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation.models import MemberMeasure
from portal.moderation.services.deciding import Verdict, decide
from tests.conftest import make_board, make_customer, make_member, make_moderator, make_prospect, viewer_of
from tests.conversations.conftest import talking
from tests.discussions.factories import make_post, make_thread
from tests.moderation.test_screening import held_case, offer
from tests.support.people import mail_to, submit

ROOT = Path(__file__).resolve().parents[2]
PORTAL = ROOT / "portal"
ERRORS = {"Invalid", "Forbidden", "Conflict", "TooMany", "NoRoom", "MarkupTooLarge", "MailWanted"}
# What is said on a terminal alone is English, as the commands themselves are.
TERMINAL = ("exchange", "upkeep", "demo", "commands.py", "bringing.py", "cli.py")


def _sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Sentences in the words of an error or a mail that no gettext was asked for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            for argument in node.args:
                yield from _plain(argument)


def _plain(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call):
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and node.value[:1].isupper() and " " in node.value:
            yield node.lineno, node.value
        return
    if isinstance(node, ast.JoinedStr):
        if any(" " in str(part.value) for part in node.values if isinstance(part, ast.Constant)):
            yield node.lineno, ast.unparse(node)
        return
    for child in ast.iter_child_nodes(node):
        yield from _plain(child)


def test_what_a_page_or_a_mail_says_goes_through_gettext():
    found = [
        f"{path.relative_to(PORTAL)}:{line}: {words}"
        for path in PORTAL.rglob("*.py")
        if not set(path.relative_to(PORTAL).parts) & set(TERMINAL)
        for line, words in _sentences(path)
    ]
    assert found == []


# Names of months and days, and their order, are the language's: `kernel.dates` knows it.
_ENGLISH_DATE = re.compile(r"%-?[aAbBcxXp]")


def test_no_sentence_has_a_date_of_one_language():
    found = [
        f"{path.relative_to(PORTAL)}: {line.strip()}"
        for path in sorted(PORTAL.rglob("*"))
        if path.suffix in (".py", ".html", ".txt", ".xml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"strftime\(|\{[^{}]*:%[^{}]*\}", line) and _ENGLISH_DATE.search(line)
    ]
    assert found == []


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory) -> Catalog:
    """What `make messages` gives translators."""
    rule = re.search(r"^messages:.*?pybabel (.*?)$", (ROOT / "Makefile").read_text(), re.M | re.S)
    assert rule
    file = tmp_path_factory.mktemp("messages") / "messages.pot"
    words = rule[1].replace("pyproject.toml", str(ROOT / "pyproject.toml"))
    words = words.replace("build/messages.pot portal", f"{file} {PORTAL}")
    CommandLineInterface().run(["pybabel", *words.split()])
    with file.open("rb") as opened:
        return read_po(opened)


@pytest.mark.parametrize(
    "sentence",
    [
        "Start a thread",  # a menu
        "somebody asks you for a private conversation",  # a kind of notice
        "A new password for %(name)s",  # a mail
        "No more mails of this kind",  # the foot of mails
        "Write something first.",  # a service
        "Executive: decides and is answerable",  # a list
        "Skip to the content",  # the frame of every page
    ],
)
def test_translators_find_it(catalogue: Catalog, sentence: str) -> None:
    assert catalogue.get(sentence), sentence


def _foreign(words: str) -> str:
    return f"«{words}»"


@pytest.fixture
def foreign(app: Flask, catalogue: Catalog, tmp_path: Path) -> Flask:
    """The site in a language that puts every sentence into marks."""
    made = Catalog(locale="eo")
    for message in catalogue:
        if isinstance(message.id, tuple):
            made.add(message.id, tuple(_foreign(one) for one in message.id))
        elif message.id:
            made.add(message.id, _foreign(message.id))
    file = tmp_path / "translations" / "eo" / "LC_MESSAGES" / "messages.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_mo(opened, made)
    babel = app.extensions["babel"]
    babel.translation_directories = [str(file.parents[2])]
    babel.locale_selector = lambda: "eo"
    return app


def test_another_language_takes_every_label_error_and_mail(foreign: Flask) -> None:
    visitor = foreign.test_client()
    page = visitor.get("/login").text
    labels = re.findall(r"<(?:label|button|h1)\b[^>]*>\s*([^<\s][^<]*)", page)
    assert len(labels) > 5
    assert [words for words in labels if not words.startswith("«")] == []

    refused = submit(visitor, "/login", {"email": "ada@mail.example", "password": "not this one"}).text
    assert "«This address and password do not go together.»" in refused

    submit(visitor, "/join", {"name": "Ada", "email": "ada@mail.example", "password": "a long pass phrase"})
    mail = mail_to(foreign, "ada@mail.example")
    assert str(mail["Subject"]).startswith("«Confirm your address for ")
    for part in mail.iter_parts():
        assert "«If it was not you, there is nothing to do" in part.get_content()


def test_another_language_takes_what_a_notice_says(foreign: Flask) -> None:
    with foreign.app_context():
        asker, answerer = make_member(email="ada@mail.example"), make_member("Ben")
        make_post(answerer, make_thread(asker, make_board()))
    mail = mail_to(foreign, "ada@mail.example")
    assert str(mail["Subject"]).startswith("«Ben ")
    for part in mail.iter_parts():
        assert "«You hear of this because you want to know when «" in part.get_content()
        assert "«All your choices" in part.get_content() or "«all your choices" in part.get_content()


def test_a_date_in_an_error_is_the_readers(foreign: Flask) -> None:
    """In their language and on their calendar, in a sentence that a service says as on a page."""
    with foreign.app_context():
        jonas, moderator = make_prospect(), viewer_of(make_moderator())
        ines = viewer_of(make_customer())
        conversation = talking(jonas, ines.member_id or 0, "one", "two")
        letter = reading.page(ines, conversation.id).letters[1]
        case_id = services.report(ines, conversation.id, [letter.id], rule_number=2).case_id
        verdict = Verdict(
            member=MemberMeasure.NO_CONVERSATIONS,
            rule_number=2,
            reason="Pushes people.",
            suspended_until=datetime(2027, 3, 3, 23, 30, tzinfo=UTC),
            version=1,
        )
        with clock.frozen(datetime(2027, 2, 20, tzinfo=UTC)):
            decide(moderator, case_id, verdict)
            for zone, day in (("UTC", "3"), ("Europe/Vienna", "4")):
                with foreign.app_context(), foreign.test_request_context():
                    g.viewer = replace(viewer_of(jonas), time_zone=zone)
                    with pytest.raises(Forbidden) as refused:
                        check_may_begin(g.viewer)
                    assert f"until {day} Marto 2027" in refused.value.message


def test_a_date_in_a_mail_is_on_its_receivers_calendar(foreign: Flask) -> None:
    with foreign.app_context():
        ada = make_member(email="ada@mail.example")
        with unit_of_work():
            db.session.get_one(Member, ada).time_zone = "America/New_York"
        preserve("ada@mail.example", reason="Court 7", until=datetime(2028, 3, 4, 1, tzinfo=UTC))
    for part in mail_to(foreign, "ada@mail.example").iter_parts():
        assert "until 3 Marto 2028" in part.get_content()


def test_why_a_post_waits_is_said_in_the_readers_language(
    foreign: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    """Kept in English, whoever wrote it; read by its author and by the moderators."""
    with foreign.app_context():
        author, moderator = make_prospect(), make_moderator()
        thread = offer(viewer_of(author), make_board())
        case = held_case(thread)
        path = f"/threads/{thread.id}/{thread.slug}"
        assert case.reasons[1] == "It has three or more links to other sites."
    for reader, address in ((author, path), (moderator, f"/console/cases/{case.id}")):
        assert "«It has three or more links to other sites.»" in sign_in(reader).get(address).text
    assert "«Held: «three links», «first post»»" in sign_in(moderator).get("/console/queue").text
