"""What an account leaves behind: everything in its export, nobody's name after its erasure."""

import json

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.discussions import personal as discussions_personal
from portal.discussions.models import (
    Bookmark,
    Draft,
    Follow,
    Post,
    PostRevision,
    PostState,
    ReadMark,
    Thread,
    ThreadKind,
    Upload,
    Vote,
)
from portal.discussions.services import drafts, editing, erasing, following, voting
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.discussions.services.recount import recount
from portal.kernel import clock, personal
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from tests.conftest import make_board, make_customer, make_moderator, viewer_of

CALL = "Call the operator ![at the desk](/uploads/used-in-the-reply.webp)"


class Past:
    """Ines asked, Tomasz answered and quoted her, she wrote more; a moderator changed one of her posts."""

    def __init__(self) -> None:
        self.ines = viewer_of(make_customer("Ines", username="ines.okafor"))
        self.tomasz = viewer_of(make_customer("Tomasz", username="ines"))
        self.ruth = viewer_of(make_moderator("Ruth"))
        self.board = make_board("Integrations")
        self.asked = self.thread(self.ines, "How do you isolate one bad partner?")
        self.answer = post_reply(
            self.tomasz,
            self.asked,
            "> [@ines.okafor in #1](/posts/1):\n> One down\n\n"
            "Ask @ines.okafor. Not @ines or ines@okafor.example",
        ).id
        self.comment = post_comment(self.ines, self.answer, "Thank you.").id
        self.alone = self.thread(self.ines, "Something nobody answered")
        self.reply = post_reply(self.ines, self.asked, "Call 555-0100").id
        version = db.session.get_one(Post, self.reply).version
        edited = editing.Edit(body=CALL, version=version, reason="a number", rule=4)
        editing.edit_post(self.ruth, self.reply, edited)
        voting.vote(self.ines, self.answer)
        following.bookmark(self.ines, self.answer)
        drafts.save_draft(self.ines.member_id or 0, "new:", {"body": "Half a text"}, 0)
        with unit_of_work():
            now = clock.now()
            db.session.add(
                ReadMark(member_id=self.ines.member_id, thread_id=self.asked, last_number=2, read_at=now)
            )
            for name, post_id in (("used-in-the-reply", self.reply), ("unused", None)):
                db.session.add(
                    Upload(
                        name=f"{name}.webp",
                        member_id=self.ines.member_id,
                        post_id=post_id,
                        width=1,
                        height=1,
                        bytes=1,
                        created_at=now,
                    )
                )

    def thread(self, author: Viewer, title: str) -> int:
        return open_thread(
            author, self.board, kind=ThreadKind.QUESTION, title=title, body="One down, all late."
        ).id

    def erase(self, *, keep_text: bool) -> None:
        with unit_of_work():
            for one in discussions_personal.CLASSES:
                one.erase(self.ines.member_id or 0, keep_text)
        db.session.expire_all()

    def post(self, post_id: int) -> Post:
        return db.session.get_one(Post, post_id)


@pytest.fixture
def past(in_app: Flask) -> Past:
    return Past()


def test_the_export_holds_everything_of_ones_own_and_nothing_of_others(past: Past):
    texts = json.dumps([one.export(past.ines.member_id or 0) for one in discussions_personal.CLASSES])
    for word in ("One down, all late.", "Thank you.", "Call the operator", "Call 555-0100", "Half a text"):
        assert word in texts
    assert "Not @ines" not in texts
    theirs = json.dumps([one.export(past.tomasz.member_id or 0) for one in discussions_personal.CLASSES])
    assert "Half a text" not in theirs
    assert "555-0100" not in theirs


def test_every_table_that_names_a_member_is_registered(in_app: Flask):
    registered = {table for one in personal.registered() for table in one.tables}
    ours = {table.name for table in db.metadata.sorted_tables if table.name in _TABLES}
    naming = {
        table.name
        for table in db.metadata.sorted_tables
        if table.name in ours and any(key.column.table.name == "members" for key in table.foreign_keys)
    }
    assert naming
    assert naming <= registered


_TABLES = {
    model.__tablename__
    for model in (Bookmark, Draft, Follow, Post, PostRevision, ReadMark, Thread, Upload, Vote)
}


def test_texts_may_stay_and_the_name_goes_from_mentions_and_quotes(past: Past):
    past.erase(keep_text=True)
    answer = past.post(past.answer)
    assert "ines.okafor" not in answer.source + answer.html
    assert "Ask @former-member. Not @ines or ines@okafor.example" in answer.source
    assert past.ines.member_id not in answer.mentions
    assert past.tomasz.member_id in answer.mentions, "whoever has the shorter name is still mentioned"
    assert past.post(past.reply).source == CALL
    assert db.session.scalar(select(func.count()).select_from(PostRevision)) == 0
    for model in (Draft, Bookmark, ReadMark):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0
    assert db.session.scalars(select(Upload.name)).all() == ["used-in-the-reply.webp"]
    assert db.session.scalar(select(Follow.id).where(Follow.member_id == past.ines.member_id)) is None
    assert recount() == []


def test_texts_may_go_and_answers_of_others_stay_where_they_are(past: Past):
    past.erase(keep_text=False)
    everything = " ".join(db.session.scalars(select(Post.source)).all())
    for word in ("One down, all late", "Thank you", "Call"):
        assert word not in everything
    opening = db.session.scalars(select(Post).where(Post.thread_id == past.asked, Post.number == 1)).one()
    assert opening.state is PostState.VISIBLE
    assert opening.source == erasing.GONE
    assert past.post(past.answer).state is PostState.VISIBLE
    assert past.post(past.reply).state is PostState.DELETED
    assert past.post(past.comment).state is PostState.DELETED
    assert db.session.get_one(Thread, past.alone).state is PostState.DELETED
    assert db.session.scalars(select(Upload.name)).all() == []
    assert db.session.scalar(select(func.count()).select_from(Vote)) == 1
    assert recount() == []


def test_a_deleted_post_is_deleted_in_the_database_too(past: Past):
    editing.delete_own_post(past.ines, past.reply)
    gone = past.post(past.reply)
    assert (gone.source, gone.html, gone.excerpt, gone.revisions_count) == ("", "", "", 0)
    assert db.session.scalar(select(func.count()).select_from(PostRevision)) == 0
    assert recount() == []
