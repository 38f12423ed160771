"""The product can be translated: every sentence goes through gettext and is found by the extraction."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

from tests.conftest import make_board, make_member
from tests.discussions.factories import make_post, make_thread
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
