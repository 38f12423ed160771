"""One's own data: all of it as a file, nobody else's in it; an erased account is gone from every page."""

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import String, Text, cast, func, select

from portal.discussions.models import Post, PostState, ThreadKind
from portal.discussions.services import voting
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel import personal
from portal.kernel.crypto import hash_password
from portal.kernel.db import Base, db
from portal.members.models import Member, MemberState
from portal.members.queries import signed_in_by_token
from portal.members.services import sessions
from tests.conftest import make_admin, make_board, make_customer, viewer_of
from tests.support.people import PASSWORD, submit

NAME = "Zyta Quastenflosser"
USERNAME = "zyta-quastenflosser"
EMAIL = "zyta@quastenflosser.example"


@pytest.fixture
def zyta(app: Flask) -> int:
    """A member who asked, answered, was mentioned, quoted and told of it."""
    with app.app_context():
        member = make_customer(
            NAME, username=USERNAME, email=EMAIL, password_hash=hash_password(PASSWORD), title="Head of IT"
        )
        other = viewer_of(make_customer("Tomasz", email="tomasz@other.example"))
        me, board = viewer_of(member), make_board()
        asked = open_thread(
            me, board, kind=ThreadKind.QUESTION, title="How do you isolate one partner?", body="All late."
        )
        answer = post_reply(other, asked.id, f"Use a lane, @{USERNAME}, and a breaker.")
        voting.vote(me, answer.id)
        theirs = open_thread(
            other, board, kind=ThreadKind.DISCUSSION, title="Lanes in practice", body="Who uses them?"
        )
        mine = post_reply(me, theirs.id, "We do, since spring.")
        post_reply(
            other,
            theirs.id,
            f"> [@{USERNAME} in #2](/posts/{mine.id}):\n> We do, since spring.\n\nThank you.",
        )
        sessions.start_session(member)
    return member


def erase(browser: FlaskClient, words: str, password: str = PASSWORD):  # type: ignore[no-untyped-def] # TestResponse
    return submit(browser, "/me/data", {"words": words, "password": password}, "/me/data/erasure")


def test_the_file_has_all_of_ones_own_and_no_address_of_others(
    app: Flask, zyta: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    answer = sign_in(zyta).get("/me/data.json")
    assert answer.headers["Cache-Control"] == "no-store"
    content = json.loads(answer.text)
    assert EMAIL in answer.text
    assert "We do, since spring." in answer.text
    assert "tomasz@other.example" not in answer.text
    assert "argon2" not in answer.text
    with app.app_context():
        assert set(content) == {"site", "made_at", *(one.name for one in personal.registered())}


def test_erased_with_the_words_left_nobody_reads_who_it_was(
    app: Flask, zyta: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    with app.app_context():
        token = sessions.start_session(zyta)
        reader = make_customer()
        assert {"members.name", "posts.source", "posts.html"} <= set(found_in_the_database())
    assert erase(sign_in(zyta), "keep").status_code == 303
    with app.app_context():
        assert signed_in_by_token(token) is None
        assert db.session.get_one(Member, zyta).state is MemberState.ERASED
        assert recount() == []
        assert found_in_the_database() == []
    browser = sign_in(reader)
    for path in ("/", "/threads/1", "/threads/2", "/search?q=lane"):
        page = browser.get(path, follow_redirects=True).text
        assert "Quastenflosser" not in page, path
        assert USERNAME not in page, path
    assert "We do, since spring." in browser.get("/threads/2", follow_redirects=True).text
    assert browser.get(f"/members/{USERNAME}").status_code == 404


def test_erased_with_the_words_gone_others_keep_their_answers(
    app: Flask, zyta: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    assert erase(sign_in(zyta), "delete").status_code == 303
    with app.app_context():
        assert found_in_the_database() == []
        own = db.session.execute(select(Post).where(Post.author_id == zyta)).scalars().all()
        assert all("spring" not in post.source and "All late" not in post.source for post in own)
        visible = select(func.count()).where(Post.author_id != zyta, Post.state == PostState.VISIBLE)
        assert db.session.execute(visible).scalar_one() == 3
        assert recount() == []


def test_a_wrong_password_erases_nothing(
    app: Flask, zyta: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    answer = erase(sign_in(zyta), "keep", "not this one")
    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    with app.app_context():
        assert db.session.get_one(Member, zyta).name == NAME


def test_the_last_admin_stays(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        admin = make_admin(password_hash=hash_password(PASSWORD))
    answer = erase(sign_in(admin), "keep")
    assert answer.status_code == 422
    assert "There would be no admin left." in answer.text


def test_every_table_that_names_a_member_is_looked_after(app: Flask) -> None:
    """Export, erasure and retention are declared for each; moderation's own record of deeds is the audit."""
    with app.app_context():
        declared = {table for one in personal.registered() for table in one.tables}
    naming = {
        table.name
        for table in Base.metadata.tables.values()
        if any(key.column.table.name == "members" for key in table.foreign_keys)
    }
    assert naming - declared == set()


def found_in_the_database() -> list[str]:
    """Columns in which the erased name, username or address still stands."""
    found = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, String | Text) and column.type.__class__.__name__ != "JSON":
                continue
            text = func.lower(cast(column, Text))
            rows = db.session.execute(
                select(func.count()).select_from(table).where(text.contains("quastenflosser"))
            ).scalar_one()
            if rows:
                found.append(f"{table.name}.{column.name}")
    return found
