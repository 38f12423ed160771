"""The application under test, factories that speak the domain, and a clock that can be moved."""

import gc
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from huey import SqliteHuey
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import create_engine

from portal import create_app
from portal.discussions.models import Audience, Board
from portal.kernel import clock as kernel_clock
from portal.kernel import jobs, page_cache, site
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members import queries as members_queries
from portal.members.models import Company, CompanyDomain, CompanyKind, Member, VerifiedBy
from portal.members.services import sessions
from portal.settings import Settings
from tests.support import kept_engines
from tests.support.kept_routes import KeptRoutes
from tests.support.statements import Statements, count_statements

pytest_plugins = [
    "tests.support.routes",
    "tests.support.kept_files",
    "tests.support.guards",
    "tests.support.postgres",
    "tests.support.mail_server",
    "tests.support.browser",
]

_numbers = itertools.count(1)
Flask.url_map_class = KeptRoutes


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of services and queries (those that ask for `in_app`) run on both databases."""
    if "in_app" in metafunc.fixturenames and "database" in metafunc.fixturenames:
        on_postgresql = pytest.param("postgresql", marks=pytest.mark.postgres)
        metafunc.parametrize("database", ["sqlite", on_postgresql], indirect=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that drive a browser come first: they take longest, and the other process is not left waiting.

    What failed in a browser is tried once more (DECISIONS, "Once more in a browser").
    """
    driving = [item for item in items if item.get_closest_marker("browser")]
    for item in driving:
        item.add_marker(pytest.mark.flaky(reruns=1))
    slow = {item.path for item in driving}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector of garbage need not walk through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """DATABASE_URL of an empty database: SQLite, or PostgreSQL where the test runs on both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'portal.sqlite'}"
    return request.getfixturevalue("filled_postgres_url")


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    """Settings of a fresh site in a folder of its own."""
    return Settings(
        INSTANCE_PATH=tmp_path,
        DATABASE_URL=database,
        SECRET_KEY="a test key that is long enough for signing",
        CONVERSATION_KEY="another test key that is long enough",
        SITE_ENV="test",
        SITE_NAME="Northwind Flow",
        VENDOR_DOMAINS=("northwind.example",),
    )


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table and no row, to be copied: quicker than making the tables each time."""
    path = tmp_path_factory.mktemp("empty") / "portal.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def empty_jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clockwork's own file beside an SQLite database, without a signal, to be copied."""
    path = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    SqliteHuey("candor", filename=str(path), results=False, fsync=False).storage.close()
    return path


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once a process, not once for each test's application."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    settings: Settings, empty_sqlite: Path, empty_jobs: Path, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Flask]:
    """The application on an empty database. No context is held open for the test: use `in_app`."""
    if settings.is_sqlite and not (file := Path(settings.DATABASE_URL.removeprefix("sqlite:///"))).exists():
        shutil.copy(empty_sqlite, file)
        shutil.copy(empty_jobs, settings.INSTANCE_PATH)
    application = create_app(settings)
    application.config["TESTING"] = False
    application.jinja_env.bytecode_cache = compiled_templates
    with application.app_context():
        kept_engines.take(db.engine)
    page_cache.clear()
    lists.forget()
    yield application
    jobs.set_waker(None)
    with application.app_context():
        db.session.remove()
        kept_engines.leave(db.engine)


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """An application context for tests of services and queries."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def at() -> Iterator[Callable[[datetime], None]]:
    """Move the clock: at(moment). It stands still from then on."""
    stack: list[Any] = []

    def move(moment: datetime) -> None:
        while stack:
            stack.pop().__exit__(None, None, None)
        frozen = kernel_clock.frozen(moment)
        frozen.__enter__()
        stack.append(frozen)

    yield move
    while stack:
        stack.pop().__exit__(None, None, None)


def make_company(
    name: str = "", *, kind: CompanyKind = CompanyKind.CUSTOMER, domain: str = "", **fields: Any
) -> int:
    """A company; gives its id. Call inside an application context."""
    number = next(_numbers)
    with unit_of_work():
        company = Company(
            slug=f"company-{number}",
            name=name or f"Company {number}",
            kind=kind,
            created_at=kernel_clock.now(),
            **{"industry": "31-33", "size_band": "500-999", "region": "DE", **fields},
        )
        db.session.add(company)
        db.session.flush()
        db.session.add(CompanyDomain(domain=domain or f"company-{number}.example", company_id=company.id))
    return company.id


def make_member(
    name: str = "",
    *,
    status: Status = Status.CUSTOMER,
    duties: tuple[Duty, ...] = (),
    company_id: int | None = None,
    confirmed: bool = True,
    **fields: Any,
) -> int:
    """A member; gives the id. A customer without a company gets one. Call inside an application context."""
    number = next(_numbers)
    if company_id is None and status in (Status.CUSTOMER, Status.FORMER):
        kind = CompanyKind.CUSTOMER if status is Status.CUSTOMER else CompanyKind.FORMER
        company_id = make_company(kind=kind)
    with unit_of_work():
        member = Member(
            **{
                "username": f"member{number}",
                "name": name or f"Member {number}",
                "email": f"member{number}@mail.example",
                "email_confirmed_at": kernel_clock.now() if confirmed else None,
                "status": status,
                "duties": [duty.value for duty in duties],
                "company_id": company_id,
                "verified_by": VerifiedBy.MAIL if company_id else None,
                "created_at": kernel_clock.now(),
                **fields,
            }
        )
        db.session.add(member)
    return member.id


def make_customer(name: str = "", **fields: Any) -> int:
    return make_member(name, status=Status.CUSTOMER, **fields)


def make_prospect(name: str = "", **fields: Any) -> int:
    return make_member(name, status=Status.PROSPECT, **fields)


def make_moderator(name: str = "", **fields: Any) -> int:
    return make_member(name, status=Status.VENDOR, duties=(Duty.MODERATOR,), **fields)


def make_admin(name: str = "", **fields: Any) -> int:
    return make_member(name, status=Status.VENDOR, duties=(Duty.ADMIN,), **fields)


def make_board(name: str = "", *, audience: Audience = Audience.PUBLIC, **fields: Any) -> int:
    """A board; gives its id. Call inside an application context."""
    number = next(_numbers)
    with unit_of_work():
        board = Board(
            slug=fields.pop("slug", f"board-{number}"),
            name=name or f"Board {number}",
            audience=audience,
            created_at=kernel_clock.now(),
            **fields,
        )
        db.session.add(board)
        site.touch()
    return board.id


def viewer_of(member_id: int) -> Viewer:
    """The viewer that this member is now."""
    return members_queries.viewer_of(member_id)


@pytest.fixture
def sign_in(app: Flask) -> Callable[[int], FlaskClient]:
    """sign_in(member_id): a browser in which that member is signed in."""

    def signed_in(member_id: int) -> FlaskClient:
        with app.app_context():
            token = sessions.start_session(member_id)
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = token
            session["_fresh"] = True
        return browser

    return signed_in


@pytest.fixture
def statements(app: Flask) -> Callable[[], AbstractContextManager[Statements]]:
    """`with statements() as seen:` counts the SQL that the application runs inside the block."""
    with app.app_context():
        engine = db.engine
    return lambda: count_statements(engine)


def noon(day: str = "2026-03-02") -> datetime:
    """12:00 UTC on a day."""
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
