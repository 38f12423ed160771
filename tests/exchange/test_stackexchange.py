"""A Stack Exchange dump: everything is there, once, as it was."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Post, PostKind, Thread, Vote
from portal.discussions.services.recount import recount
from portal.kernel.db import db
from portal.members.models import Member
from tests.exchange.communities import DUMP, all_rows, report_of, run_import, write_dump

END_OF_23 = datetime(2014, 1, 23, 23, 59, 59, 999999, UTC)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "stackexchange-beer")


def posts() -> dict[str, Post]:
    return {post.external_id or "": post for post in db.session.execute(select(Post)).scalars()}


def test_everything_is_there_as_it_was(in_app: Flask, dump: Path):
    result = run_import(in_app, "stackexchange", dump, "--json")
    assert result.exit_code == 0, result.output
    report = report_of(result)
    assert report["read"] == {
        "users": 4, "questions": 1, "answers": 2, "comments": 2, "votes": 6, "tags": 1, "badges": 1
    }  # fmt: skip
    assert report["made"] == {
        "members": 5, "threads": 1, "posts": 3, "comments": 2, "votes": 4, "accepted answers": 1
    }  # fmt: skip
    assert report["skipped"] == []

    found = posts()
    assert {key: post.score for key, post in found.items()} == {"1": 2, "2": -1, "3": 4, "c1": 1, "c2": 0}
    assert {key: post.number for key, post in found.items()} == {
        "1": 1, "3": 2, "2": 3, "c1": None, "c2": None
    }  # fmt: skip
    assert found["c1"].parent_id == found["1"].id
    assert found["c2"].parent_id == found["3"].id
    assert found["1"].edited_at == datetime(2014, 2, 1, 10, tzinfo=UTC)
    assert found["1"].html.strip() == "<p>Keep it <strong>cold</strong>?</p>"
    assert found["1"].source == "Keep it **cold**?"
    assert "script" not in found["2"].html
    assert "alert" not in found["2"].html
    assert found["c1"].html.strip() == "<p>Which <em>beer</em>?</p>"
    assert found["3"].source_url == "https://beer.stackexchange.com/a/3"

    thread = db.session.execute(select(Thread)).scalar_one()
    assert (thread.title, thread.tags, thread.views_count) == (
        "How cold is too cold?", ["storage", "hops"], 1216
    )  # fmt: skip
    assert thread.created_at == datetime(2014, 1, 21, 20, 26, 5, 383000, UTC)
    assert thread.closed_at == datetime(2014, 3, 1, 10, tzinfo=UTC)
    assert (thread.accepted_post_id, thread.accepted_at) == (found["3"].id, END_OF_23)
    assert (thread.last_post_id, thread.last_number) == (found["2"].id, 3)
    assert found["3"].kind is PostKind.ANSWER
    assert found["3"].author_id == thread.author_id
    assert {vote.member_id for vote in db.session.execute(select(Vote)).scalars()} == {None}
    assert recount() == []


def test_people_have_names_of_their_own_and_no_way_in(in_app: Flask, dump: Path):
    run_import(in_app, "stackexchange", dump)
    people = {member.external_id: member for member in db.session.execute(select(Member)).scalars()}
    assert {key: member.username for key, member in people.items()} == {
        "-1": "community",
        "7": "zoe-angstrom",
        "8": "admin-member",
        "9": "zoe-angstrom-2",
        "": "former-member",
    }
    assert people["7"].name == "Zoë Ångström"
    assert people[""].name == "former member"
    assert posts()["2"].author_id == people[""].id
    for member in people.values():
        assert (member.email, member.password_hash) == (None, None)


def test_a_second_run_changes_nothing(in_app: Flask, dump: Path):
    run_import(in_app, "stackexchange", dump)
    before = all_rows(in_app)
    result = run_import(in_app, "stackexchange", dump, "--json")
    assert (result.exit_code, report_of(result)["made"]) == (0, {})
    assert all_rows(in_app) == before


def test_a_later_dump_adds_what_is_new(in_app: Flask, dump: Path):
    run_import(in_app, "stackexchange", dump)
    later = DUMP["Posts.xml"].replace(
        "</posts>",
        '<row Id="9" PostTypeId="2" ParentId="1" CreationDate="2015-01-01T00:00:00" Score="1" '
        'Body="&lt;p&gt;Late.&lt;/p&gt;" OwnerUserId="9" /></posts>',
    )
    votes = DUMP["Votes.xml"].replace(
        "</votes>", '<row Id="7" PostId="9" VoteTypeId="2" CreationDate="2015-01-02T00:00:00" /></votes>'
    )
    result = run_import(in_app, "stackexchange", write_dump(dump, Posts=later, Votes=votes), "--json")
    assert report_of(result)["made"] == {"posts": 1, "votes": 1}
    db.session.rollback()
    found = posts()
    assert (found["9"].number, found["9"].score) == (4, 1)
    thread = db.session.execute(select(Thread)).scalar_one()
    assert (thread.answers_count, thread.last_post_id) == (3, found["9"].id)
    assert recount() == []


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("Posts", DUMP["Posts.xml"][:-30], "Posts.xml.gz, line "),
        ("Posts", DUMP["Posts.xml"].replace('Score="4"', 'Score="x"'), "Posts.xml, line 9: Score is 'x'"),
        ("Posts", DUMP["Posts.xml"].replace('<row Id="3"', '<row Id="2"'), "the post 2 is there twice"),
        ("Posts", '<!DOCTYPE x [<!ENTITY a "b">]><posts>&a;</posts>', "not a plain XML file"),
        ("Users", DUMP["Users.xml"].replace('Id="8" ', ""), "Users.xml, line 5: a row without Id"),
        ("Users", DUMP["Users.xml"].replace("2014-01-22T18", "yesterday"), "line 5: CreationDate is"),
        ("Comments", DUMP["Comments.xml"].replace('Id="2"', 'Id="1"'), "the comment 1 is there twice"),
        ("Votes", DUMP["Votes.xml"].replace('<row Id="2"', '<row Id="1"'), "the vote 1 is there twice"),
        ("Votes", DUMP["Votes.xml"].replace('<row Id="2"', '<row Id="x"'), "Votes.xml, line 4: Id is 'x'"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_clear_line_and_nothing_is_written(
    in_app: Flask, tmp_path: Path, file: str, text: str, says: str
):
    before = all_rows(in_app)
    result = run_import(in_app, "stackexchange", write_dump(tmp_path / "dump", **{file: text}), "--json")
    assert result.exit_code == 1
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert all_rows(in_app) == before


def test_a_cut_off_archive_and_missing_files_are_named(in_app: Flask, dump: Path, tmp_path: Path):
    packed = dump / "Votes.xml.gz"
    packed.write_bytes(packed.read_bytes()[:-20])
    result = run_import(in_app, "stackexchange", dump)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Votes.xml.gz, line " in result.stderr
    assert "cut off" in result.stderr
    (dump / "Posts.xml.gz").unlink()
    assert "Posts.xml: the dump has no such file" in run_import(in_app, "stackexchange", dump).stderr
    assert "no such folder" in run_import(in_app, "stackexchange", tmp_path / "nowhere").stderr


def test_what_hangs_in_the_air_is_left_out_and_said(in_app: Flask, tmp_path: Path):
    second = 'Id="2" PostTypeId="2" ParentId='
    posts = DUMP["Posts.xml"].replace(f'{second}"1"', f'{second}"77"')
    comments = DUMP["Comments.xml"].replace('PostId="3"', 'PostId="2"')
    dump = write_dump(tmp_path / "dump", Posts=posts, Comments=comments)
    result = run_import(in_app, "stackexchange", dump, "--json")
    assert result.exit_code == 1
    report = report_of(result)
    assert [(row["file"], row["line"], row["reason"]) for row in report["skipped"]] == [
        ("Posts.xml", 7, "its thread 77 is not there"),
        ("Comments.xml", 4, "its thread 77 is not there"),
    ]
    assert report["made"]["posts"] == 2
