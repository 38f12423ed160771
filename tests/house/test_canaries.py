"""Everybody requests everything: not one word is where it must not be."""

import gzip
import logging
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import true

from portal.cli import main
from portal.discussions import rendering
from portal.discussions.models import Board, Post, PostState, Thread
from portal.discussions.queries import finding, lists
from portal.discussions.queries import posts as posts_queries
from portal.kernel import page_cache
from portal.kernel.db import db
from portal.kernel.mail import Folder
from portal.members import display
from portal.notifications.models import Notice
from portal.notifications.services.mailing import Sender, send_due
from portal.search import services as search
from tests.house.canaries import (
    ROLES,
    Community,
    Reader,
    Unreached,
    addresses,
    echoed,
    endpoint_at,
    plant,
)

SignIn = Callable[[int], FlaskClient]


@pytest.fixture
def site(app: Flask) -> Community:
    with app.app_context():
        planted = plant(app)
        search.rebuild()
        db.session.remove()
    return planted


@dataclass(frozen=True, order=True)
class Found:
    """A word that a role came across at an address where it may not be."""

    role: str
    address: str
    word: str


def leaks(
    app: Flask,
    site: Community,
    sign_in: SignIn,
    roles: list[str],
    only: Callable[[str], bool] = lambda endpoint: True,
) -> tuple[list[Found], set[str]]:
    """What these roles find that they may not, and every word that somebody who may read it found."""
    found, seen = set(), set()
    with app.app_context():
        everything = addresses(app, site)
    wanted = [(endpoint, address) for endpoint, address in everything if only(endpoint)]
    for role in roles:
        member_id = site.people[role]
        reader = Reader(app.test_client() if member_id is None else sign_in(member_id))
        for endpoint, address in wanted:
            text = reader.everything(address)
            if "canary" not in text.lower() and "the-" not in text and ".webp" not in text:
                continue
            text = text if text.startswith("given ") else echoed(address, text)
            places = (endpoint, endpoint_at(app, reader.led_to))
            for canary in site.canaries:
                harmless = any(place.startswith(canary.harmless_at or ("-",)) for place in places)
                if canary.word not in text or harmless:
                    continue
                if role in canary.readers or role == canary.owner:
                    seen.add(canary.word)
                else:
                    found.add(Found(role, address, canary.word))
    return sorted(found), seen


@pytest.mark.long
def test_no_role_and_no_line_of_the_log_reads_what_it_may_not(
    app: Flask, site: Community, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):  # one crawl for both: it is the dearest test of all
        found, seen = leaks(app, site, sign_in, sorted(ROLES))
    assert found == []
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("sqlalchemy")]
    in_addresses = ("slug", "user", "guestname")  # of boards, of pages of people, of threads by their title
    private = [one.word for one in site.canaries if not any(part in one.word for part in in_addresses)]
    assert [line for line in lines for word in private if word in line.split("?")[0]] == []
    told = ("body", "reply", "comment", "heldtitle", "removed", "note", "appeal", "flag")
    expected = [one.word for one in site.canaries if one.readers and any(part in one.word for part in told)]
    assert [word for word in expected if word not in seen] == [], "the crawl reaches what somebody may read"


def test_no_mail_has_a_word_of_what_its_reader_may_not_read(app: Flask, site: Community, tmp_path) -> None:
    folder = tmp_path / "mails"
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(Notice))
        sender = Sender(
            public_url="https://x.example",
            mail_from="a@x.example",
            secret_key="k" * 32,
            transport=Folder(folder),
        )
        assert send_due(sender) > 0
        by_mail = {
            f"{row.email}": role
            for role, number in site.people.items()
            if number is not None
            for row in db.session.execute(db.text("SELECT email FROM members WHERE id = :id"), {"id": number})
        }
    wrong = []
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8", errors="replace")
        role = next((role for mail, role in by_mail.items() if f"To: {mail}" in text), "")
        body = text.replace("=\n", "")
        wrong += [
            (role, one.word)
            for one in site.canaries
            if one.word in body and role not in one.readers and role != one.owner and "mail" not in one.word
        ]
    assert wrong == []


def test_no_export_and_no_backup_has_a_word_of_a_conversation_or_who_talks_with_whom(
    app: Flask, site: Community, tmp_path
) -> None:
    """What commands print and write for the operator has no private word, and no pair beside each other."""
    runner = app.test_cli_runner()
    printed = "".join(
        _ran(runner.invoke(main, arguments))
        for arguments in (
            ["export", "jsonl", str(tmp_path / "community")],
            ["export", "members", str(tmp_path / "members.csv")],
            ["score", "export", "--at", "2026-01-01", "2027-01-01"],
            ["backup", str(tmp_path / "backup")],
        )
    )
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 5
    unpacked = [printed.encode(), *(content for path in files for content in _contents(path))]
    private = ("note", "private", "disclosed")
    secret = [
        one.word
        for one in site.canaries
        if not one.readers and one.word.removeprefix("canary").startswith(private)
    ]
    assert len(secret) >= 4
    assert [word for word in secret for content in unpacked if word.encode() in content] == []
    pair = [one.word for one in site.canaries if "talksask" in one.word]
    texts = [path.read_bytes() for path in files if path.suffix in (".jsonl", ".csv")]
    assert len(texts) == 4
    lines = [line for content in (printed.encode(), *texts) for line in content.splitlines()]
    assert len(pair) == 2
    assert [line for line in lines if all(name.encode() in line for name in pair)] == []


def _ran(result: Any) -> str:
    assert result.exit_code == 0, result.output
    return str(result.output)


def _contents(path: Path) -> Iterator[bytes]:
    """What is in a file, out of its archive."""
    if not tarfile.is_tarfile(path):
        yield gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            found = archive.extractfile(member)
            yield member.name.encode()
            if found is not None:
                yield found.read()


def test_the_crawl_fails_for_a_route_it_does_not_reach(app: Flask, site: Community) -> None:
    with app.app_context():
        assert len({endpoint for endpoint, _address in addresses(app, site)}) > 60
    app.url_map.add(app.url_rule_class("/secrets/<secret_id>", endpoint="front.home", methods=["GET"]))
    with app.app_context(), pytest.raises(Unreached, match="secret_id"):
        addresses(app, site)


# --- Without a defence the crawl finds what it kept away: the one place where our own code is patched. ---


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    _forget()
    yield monkeypatch
    _forget()


def _forget() -> None:
    """Nothing made with a defence serves without it, nor the other way: kept pages, statements built once."""
    page_cache.fragments.clear()
    page_cache.pages.clear()
    for module in (lists, finding, posts_queries):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def _thread_pages(endpoint: str) -> bool:
    """A few pages are enough where the crawl only has to show that it would see."""
    return endpoint in ("front.home", "discussions.board", "discussions.post")


def test_it_finds_a_board_that_everybody_reads(
    app: Flask, site: Community, sign_in: SignIn, without: pytest.MonkeyPatch
) -> None:
    for module in (lists, finding):
        without.setattr(module, "board_is_visible", lambda _viewer: true())
    without.setattr(lists, "thread_is_visible", lambda _viewer: Thread.state == PostState.VISIBLE)
    found, _seen = leaks(app, site, sign_in, ["visitor"], _thread_pages)
    assert {"canarycustomersboard", "canarystaffthreadtitle"} <= {
        one.word.rstrip("0123456789qx") for one in found
    }


def test_it_finds_removed_words(
    app: Flask, site: Community, sign_in: SignIn, without: pytest.MonkeyPatch
) -> None:
    without.setattr(
        posts_queries, "text_is_visible", lambda _viewer: Board.id.is_not(None) & Post.id.is_not(None)
    )
    without.setattr(rendering, "PostState", _EverythingVisible)
    found, _seen = leaks(app, site, sign_in, ["customer"], _thread_pages)
    assert any("canaryheldreply" in one.word for one in found)


class _EverythingVisible:
    VISIBLE, HELD, HIDDEN, DELETED = (PostState.VISIBLE, object(), object(), object())


def test_it_finds_the_name_of_an_asker_without_one(
    app: Flask, site: Community, sign_in: SignIn, without: pytest.MonkeyPatch
) -> None:
    without.setattr(display, "is_masked", lambda _row, _reader: False)
    found, _seen = leaks(app, site, sign_in, ["customer", "sales"], _thread_pages)
    words = {one.word.lower().rstrip("0123456789qx") for one in found}
    assert {"canaryaskername", "canaryaskeruser", "canaryguestname"} <= words
