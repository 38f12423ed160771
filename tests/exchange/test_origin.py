"""An imported post says where it comes from."""

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Post
from portal.discussions.origin import origin_of
from portal.discussions.services.voting import vote
from portal.kernel.db import db
from portal.members.models import Member
from portal.members.queries import viewer_of
from tests.conftest import make_customer
from tests.exchange.communities import question, run_import, write_dump, write_lines


def page(app: Flask, key: str) -> str:
    with app.app_context():
        thread_id = db.session.execute(select(Post.thread_id).where(Post.external_id == key)).scalar_one()
    return app.test_client().get(f"/threads/{thread_id}", follow_redirects=True).get_data(as_text=True)


def test_the_page_links_each_post_to_its_site(app: Flask, tmp_path: Path):
    run_import(app, "stackexchange", write_dump(tmp_path / "stackexchange-beer"))
    html = page(app, "1")
    for place in ("q/1", "a/2", "a/3"):
        assert f'<a href="https://beer.stackexchange.com/{place}"' in html
    assert html.count("From beer.stackexchange.com</a>, CC BY-SA") == 3


def test_an_address_that_runs_is_no_link(app: Flask, tmp_path: Path):
    run_import(app, "jsonl", write_lines(tmp_path / "posts.jsonl", question(url="javascript:alert(1)")))
    html = page(app, "q1")
    assert "javascript:" not in html
    assert "post__origin" not in html


def test_a_score_that_came_along_is_told_as_a_score(app: Flask, tmp_path: Path):
    """Elsewhere one votes down, too: a score of 4 is not four people who found it helpful."""
    run_import(app, "stackexchange", write_dump(tmp_path / "stackexchange-beer"))
    html = page(app, "1")
    for score in (2, 4, -1):
        assert f">Score {score}</span>" in html
    assert "found it helpful" not in html
    with app.app_context():
        answer = db.session.execute(select(Post).where(Post.external_id == "3")).scalar_one()
        author = db.session.get_one(Member, answer.author_id).username
        vote(viewer_of(make_customer()), answer.id)
    assert ">Score 5</span>" in page(app, "1")
    of_author = app.test_client().get(f"/members/{author}").get_data(as_text=True)
    assert "Score 5" in of_author
    assert "found it helpful" not in of_author


def test_a_comment_keeps_the_score_it_came_with(app: Flask, tmp_path: Path):
    run_import(app, "stackexchange", write_dump(tmp_path / "stackexchange-beer"))
    html = page(app, "1")
    asked, thanks = re.findall(r'<li id="c\d+".*?</li>', html, re.S)
    assert ">Score 1</span>" in asked
    assert "Score" not in thanks


def test_members_read_a_score_on_the_button_too_and_no_count_of_helped(app: Flask, tmp_path: Path, sign_in):
    run_import(app, "stackexchange", write_dump(tmp_path / "stackexchange-beer"))
    with app.app_context():
        thread_id = db.session.execute(select(Post.thread_id).where(Post.external_id == "1")).scalar_one()
        reader = make_customer()
    html = sign_in(reader).get(f"/threads/{thread_id}", follow_redirects=True).get_data(as_text=True)
    counts = re.findall(r'data-toggle-label>Helpful<.*?<span class="num"[^>]*>(.*?)</button>', html, re.S)
    told = [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in counts]
    assert told == ["· score 2", "· score 4", "· score -1"]


@pytest.mark.parametrize(
    ("url", "site", "licence"),
    [
        ("https://stackoverflow.com/q/1", "stackoverflow.com", "CC BY-SA"),
        ("https://forum.example/t/1", "forum.example", ""),
        ("https://notstackexchange.com/q/1", "notstackexchange.com", ""),
    ],
)
def test_the_licence_is_named_where_it_is_known(url: str, site: str, licence: str):
    origin = origin_of(url)
    assert origin is not None
    assert (origin.site, origin.licence) == (site, licence)


@pytest.mark.parametrize("url", ["", "/posts/1", "javascript:alert(1)", "https://[x"])
def test_no_address_no_origin(url: str):
    assert origin_of(url) is None
