"""The ground the other tests stand on does what it says."""

import smtplib
import socket
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import BrowserContext
from sqlalchemy import Connection, create_engine, text

from tests.support import kept_engines
from tests.support.browser import assert_accessible
from tests.support.guards import ForbiddenEffect
from tests.support.mail_server import MailServer, links_in


def test_other_machines_are_out_of_reach():
    for address in (("192.0.2.1", 80), ("vendor.example", 80)):
        with pytest.raises(ForbiddenEffect), socket.socket() as probe:
            probe.connect(address)
    with pytest.raises(ForbiddenEffect):
        socket.getaddrinfo("vendor.example", 80)


def test_mail_needs_a_server_that_the_test_asked_for():
    with pytest.raises(ForbiddenEffect):
        smtplib.SMTP("127.0.0.1", 25)


def test_the_mail_server_keeps_what_it_accepts_and_refuses_when_told_to(mail_server: MailServer):
    mail = EmailMessage()
    mail["To"], mail["From"], mail["Subject"] = (
        "ada@mail.example",
        "site@mail.example",
        "Confirm your address",
    )
    mail.set_content("Open http://localhost:8000/confirm?t=1 to confirm.")
    with smtplib.SMTP("127.0.0.1", mail_server.port) as connection:
        connection.send_message(mail)
        mail_server.answer = "550 no such person"
        with pytest.raises(smtplib.SMTPDataError):
            connection.send_message(mail)

    arrived = mail_server.wait_for("ada@mail.example", "confirm")
    assert links_in(arrived) == ["http://localhost:8000/confirm?t=1"]
    assert len(mail_server.mails) == 1


@pytest.mark.postgres
def test_each_postgresql_database_is_new_and_apart(make_postgres_database: Callable[[], str]):
    first, second = make_postgres_database(), make_postgres_database()
    first, second = (url.replace("+psycopg", "") for url in (first, second))
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE only_here (id int)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


@pytest.mark.browser
def test_the_browser_check_sees_what_is_not_accessible(open_context: Callable[..., BrowserContext]):
    page = open_context().new_page()
    page.set_content("<html lang=en><title>A page</title><main><h1>Fine</h1></main></html>")
    assert_accessible(page)
    page.set_content(
        "<html lang=en><title>A page</title><main><h1>Not fine</h1><img src='data:,'></main></html>"
    )
    with pytest.raises(AssertionError, match="image-alt"):
        assert_accessible(page)


def test_an_engine_knows_its_server_although_the_first_of_its_kind_never_connected(
    empty_sqlite: Path, monkeypatch: pytest.MonkeyPatch
):
    """Engines of one process share a dialect (kept_engines), and a test may need no database."""
    monkeypatch.setattr(kept_engines, "_compiled", {})
    unused, engine = (create_engine(f"sqlite:///{empty_sqlite}") for _n in range(2))
    for one in (unused, engine):
        kept_engines.compile_once(one)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    assert engine.dialect.default_isolation_level == "SERIALIZABLE"
    for one in (unused, engine):
        one.dispose()


@pytest.mark.postgres
def test_the_next_application_on_a_database_takes_over_the_connections(filled_postgres_url: str):
    def served_by() -> int:
        engine = create_engine(filled_postgres_url)
        kept_engines.take(engine)
        with engine.connect() as connection:
            process = connection.scalar(text("SELECT pg_backend_pid()"))
            if held:
                held.append(engine.connect())
        kept_engines.leave(engine)
        return process

    held: list[Connection] = []
    assert served_by() == (first := served_by())
    held.append(create_engine(filled_postgres_url).connect())  # from now on each leaves one that is held
    assert served_by() == first
    assert served_by() != first, "what holds a connection is not the next one's"
    for connection in held:
        connection.close()
