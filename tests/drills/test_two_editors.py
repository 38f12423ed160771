"""Two people edit one text, again and again: one of them wins, and nothing is overwritten silently.

What else may race (votes, acceptances, forms sent twice) stands in tests/discussions/test_races.py.
"""

import os

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.discussions.models import Post, PostRevision, ThreadKind
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.racing import all_at_once

pytestmark = pytest.mark.drill

RACES = 1000 if os.environ.get("DRILL") == "full" else 40


@pytest.fixture
def asker(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Ines"))


@pytest.fixture
def thread(in_app: Flask, asker: Viewer) -> int:
    made = open_thread(
        asker, make_board(), kind=ThreadKind.QUESTION, title="Which port does it use?", body="Mine."
    )
    return made.id


def test_two_editors_of_one_text_never_overwrite_each_other(in_app: Flask, asker: Viewer, thread: int):
    post = db.session.scalars(select(Post).where(Post.thread_id == thread)).one()
    post_id, author = post.id, asker
    for race in range(RACES):
        version = db.session.scalar(select(Post.version).where(Post.id == post_id)) or 0
        edits = [Edit(body=f"Race {race}, text {name}.", version=version) for name in "ab"]

        results = all_at_once(in_app, [lambda edit=edit: edit_post(author, post_id, edit) for edit in edits])

        won = [edit.body for edit, result in zip(edits, results, strict=True) if isinstance(result, Post)]
        lost = [result for result in results if isinstance(result, Conflict)]
        assert (len(won), len(lost)) == (1, 1), results
        stored = db.session.execute(select(Post.source, Post.version).where(Post.id == post_id)).one()
        assert tuple(stored) == (won[0], version + 1)
        assert lost[0].version == version + 1
    assert db.session.scalar(select(func.count()).select_from(PostRevision)) == 0, (
        "own quick fixes leave no mark"
    )
