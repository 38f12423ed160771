"""A second run of an import leaves alone what happened here since; and nobody erased comes back by it."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.discussions.models import Audience, Post, Thread, ThreadKind, Vote
from portal.discussions.policy import READABLE
from portal.discussions.services import removal
from portal.discussions.services.acceptance import withdraw_acceptance
from portal.discussions.services.posting import open_thread
from portal.discussions.services.recount import recount
from portal.discussions.services.tools import merge_threads
from portal.discussions.services.voting import withdraw_vote
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members import imported as marks
from portal.members.models import CompanyKind, Member
from portal.members.services.confirming import confirm_company, hand_over
from portal.members.services.credentials import set_password_by_link
from portal.members.services.erasing import erase_account
from portal.settings import load
from tests.conftest import make_board, make_company, make_moderator, viewer_of
from tests.exchange.communities import all_rows, answer, question, report_of, run_import, write_lines
from tests.support.people import PASSWORD, mail_to, path_in


@pytest.fixture
def posts_file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "posts.jsonl", question(), answer(accepted=True))


def imported(key: str) -> Post:
    db.session.rollback()
    return db.session.execute(select(Post).where(Post.external_id == key)).scalar_one()


def person(key: str) -> Member:
    db.session.rollback()
    return db.session.execute(select(Member).where(Member.external_id == key)).scalar_one()


def accepted() -> list[int | None]:
    db.session.rollback()
    return list(db.session.execute(select(Thread.accepted_post_id).order_by(Thread.id)).scalars())


def claim(app: Flask, key: str, address: str) -> int:
    """The person behind an imported account takes it over; gives its id."""
    member = person(key)
    member_id = member.id
    hand_over(viewer_of(make_moderator()), member.username, address)
    link = path_in(mail_to(app, address), "/password/")
    set_password_by_link(link.removeprefix("/password/"), PASSWORD)
    return member_id


def run_again(app: Flask, *files: Path | str) -> dict[str, int]:
    """What a second run made."""
    return report_of(run_import(app, "jsonl", *files, "--json"))["made"]


def test_what_the_asker_withdrew_is_not_accepted_again(in_app: Flask, posts_file: Path):
    run_import(in_app, "jsonl", posts_file)
    asker = claim(in_app, "u1", "ines@castellan.example")
    withdraw_acceptance(viewer_of(asker), imported("q1").thread_id)
    before = all_rows(in_app)
    assert run_again(in_app, posts_file) == {}
    assert accepted() == [None]
    assert all_rows(in_app) == before


def test_a_hidden_answer_is_not_accepted_again(in_app: Flask, posts_file: Path):
    run_import(in_app, "jsonl", posts_file)
    with unit_of_work():
        removal.hide_post(imported("a1").id, rule="Rule 4", reason="A number.", case_id=1, by_id=0)
    assert run_again(in_app, posts_file) == {}
    assert accepted() == [None]


def test_a_merged_question_accepts_nothing_in_the_other_thread(in_app: Flask, posts_file: Path):
    run_import(in_app, "jsonl", posts_file, "--board", "imported")
    moderator = viewer_of(make_moderator())
    board = make_board()
    other = open_thread(
        moderator, board, kind=ThreadKind.QUESTION, title="Why is everything slow?", body="It is."
    )
    merge_threads(moderator, imported("q1").thread_id, other.id, "The same question.")
    assert run_again(in_app, posts_file) == {}
    assert accepted() == [None, None]
    assert recount() == []


def test_what_is_accepted_there_since_is_accepted_here(in_app: Flask, tmp_path: Path, posts_file: Path):
    early = write_lines(tmp_path / "early.jsonl", question(), answer())
    run_import(in_app, "jsonl", early, "--source", "there")
    assert run_again(in_app, posts_file, "--source", "there") == {"accepted answers": 1}
    assert accepted() == [imported("a1").id]


def test_a_vote_that_was_taken_back_here_stays_away(in_app: Flask, tmp_path: Path, posts_file: Path):
    votes = write_lines(
        tmp_path / "votes.jsonl", {"post": "a1", "voter": "u1", "kind": "up", "created": "2024-01-03"}
    )
    run_import(in_app, "jsonl", posts_file, "--votes", votes)
    asker = claim(in_app, "u1", "ines@castellan.example")
    withdraw_vote(viewer_of(asker), imported("a1").id)
    assert run_again(in_app, posts_file, "--votes", votes) == {}
    assert db.session.execute(select(func.count()).select_from(Vote)).scalar_one() == 0


@pytest.mark.parametrize("keep_text", [True, False])
def test_who_was_erased_does_not_come_back(in_app: Flask, tmp_path: Path, posts_file: Path, keep_text: bool):
    users = write_lines(tmp_path / "users.jsonl", {"id": "u2", "name": "Tomasz Lind", "joined": "2020-01-01"})
    run_import(in_app, "jsonl", posts_file, "--users", users, "--source", "there")
    gone = person("u2").id
    with unit_of_work():
        erase_account(gone, keep_text=keep_text)
    before = all_rows(in_app)
    assert run_again(in_app, posts_file, "--users", users, "--source", "there") == {}
    assert all_rows(in_app) == before
    assert "u2" not in {db.session.get_one(Member, gone).external_id}

    later = write_lines(
        tmp_path / "later.jsonl",
        question(),
        answer(accepted=True),
        answer("a2", body="<p>Tomasz was here.</p>", source="Tomasz was here.", excerpt="Tomasz was here."),
    )
    assert run_again(in_app, later, "--users", users, "--source", "there") == {"posts": 1}
    new = imported("a2")
    assert new.author_id == gone
    assert ("Tomasz was here" in f"{new.source}{new.html}{new.excerpt}") is keep_text
    names = set(db.session.execute(select(Member.name)).scalars())
    assert "Tomasz Lind" not in names


def test_who_was_erased_does_not_come_back_under_another_key(in_app: Flask, posts_file: Path):
    """Who was erased under a former key, and who under the one in force: both stay known."""
    now = in_app.config["SETTINGS"].SECRET_KEY
    run_import(in_app, "jsonl", posts_file, "--source", "there")
    people = [person(key).id for key in ("u1", "u2")]
    try:
        for member_id, keys in zip(people, [("former",), (now, "former")], strict=True):
            marks.use(*keys)
            with unit_of_work():
                erase_account(member_id, keep_text=True)
        assert run_again(in_app, posts_file, "--source", "there") == {}
        marks.use(now)
        assert run_again(in_app, posts_file, "--source", "there")["members"] == 1, "a key that is lost"
    finally:
        marks.use(now)


def test_former_keys_are_a_setting(tmp_path: Path):
    values = {"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "c", "FORMER_SECRET_KEYS": "Bb , a,"}
    assert load(values).FORMER_SECRET_KEYS == ("Bb", "a")
    assert load({"INSTANCE_PATH": str(tmp_path)}).FORMER_SECRET_KEYS == ()


def test_the_same_number_elsewhere_is_somebody_else(in_app: Flask, posts_file: Path):
    run_import(in_app, "jsonl", posts_file, "--source", "there")
    gone = person("u2").id
    with unit_of_work():
        erase_account(gone, keep_text=True)
    assert run_again(in_app, posts_file, "--source", "elsewhere")["members"] == 2
    assert person("u2").id != gone


def test_having_been_imported_makes_nobody_a_customer(in_app: Flask, posts_file: Path):
    run_import(in_app, "jsonl", posts_file)
    member_id = claim(in_app, "u1", "ines@gmail.com")
    viewer = viewer_of(member_id)
    assert viewer.status is Status.PROSPECT
    assert Audience.CUSTOMERS not in READABLE[viewer.status]
    confirm_company(viewer_of(make_moderator()), person("u1").username, make_company())
    assert viewer_of(member_id).status is Status.CUSTOMER


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (CompanyKind.CUSTOMER, Status.CUSTOMER),
        (CompanyKind.FORMER, Status.FORMER),
        (CompanyKind.PROSPECT, Status.PROSPECT),
    ],
)
def test_an_imported_persons_status_is_that_of_the_address(
    in_app: Flask, posts_file: Path, kind: CompanyKind, status: Status
):
    make_company(kind=kind, domain="castellan.example")
    run_import(in_app, "jsonl", posts_file)
    assert viewer_of(claim(in_app, "u1", "ines@castellan.example")).status is status
