"""Every kept counter is right after what people do, and `portal recount` repairs each that is not."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Integer, update

from portal.discussions.models import Post
from portal.discussions.services import following
from portal.discussions.services.acceptance import accept
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.voting import vote
from portal.kernel import clock
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.services.standing import count_company
from portal.moderation.services.flags import flag_post
from portal.upkeep.recounting import recount
from tests.conftest import make_board, make_company, make_customer, make_prospect, viewer_of
from tests.conversations.conftest import talking
from tests.discussions.factories import make_comment, make_post, make_thread, opening_of

COUNTERS = {
    "boards.followers_count",
    "boards.posts_count",
    "boards.threads_count",
    "cases.flags_count",
    "cases.weight",
    "companies.members_count",
    "conversations.messages_count",
    "members.accepted_count",
    "members.answers_count",
    "members.posts_count",
    "members.threads_count",
    "members.unread_notices",
    "posts.revisions_count",
    "posts.score",
    "posts.votes_count",
    "tags.threads_count",
    "threads.answers_count",
    "threads.comments_count",
    "threads.followers_count",
    "threads.last_number",
    "threads.posts_count",
    "threads.score",
}
# Kept numbers that follow from no rows, or have a command of their own.
NOT_COUNTED = {
    "threads.views_count": "views leave no row",
    "companies.threads_count": "nothing keeps or reads it",
    "posts.base_score": "an imported score is a fact",
    "read_marks.last_number": "how far somebody has read is a fact",
    "conversation_participants.unread": "opening the conversation sets it to nought",
    "flags.weight": "the record of the flagger at that time is a fact",
}


def test_the_list_has_every_counter_of_the_schema() -> None:
    kept = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Integer)
        and (
            column.name.endswith(("_count", "score", "weight"))
            or column.name in ("last_number", "unread", "unread_notices")
        )
    }
    assert kept == COUNTERS | NOT_COUNTED.keys()


@pytest.fixture
def busy(in_app: Flask) -> None:
    """A community in which every counter counts something."""
    company = make_company("Castellan Foods")
    asker = viewer_of(make_customer("Ines", company_id=company))
    helper = viewer_of(make_customer("Tomasz", company_id=company))
    with unit_of_work():
        count_company(company)
    board = make_board("Before you buy", slug="before")
    following.follow_board(helper, board)
    thread = make_thread(asker, board, tags="restores")
    following.follow_thread(helper, thread.id)
    answer = make_post(helper, thread, "Every week, by hand.")
    make_comment(asker, answer, "By whose hand?")
    vote(asker, answer.id)
    vote(helper, opening_of(thread).id)
    accept(asker, thread.id, answer.id)
    with clock.frozen(clock.now() + timedelta(hours=2)):
        edit = Edit(body="Every day, by hand.", reason="clearer", version=version_of(answer.id))
        edit_post(helper, answer.id, edit)
    flag_post(helper, opening_of(thread).id, rule_number=4)
    talking(make_prospect("Jonas"), helper.member_id, "hello")
    db.session.expire_all()


def version_of(post_id: int) -> int:
    db.session.expire_all()
    return db.session.get_one(Post, post_id).version


@pytest.mark.usefixtures("busy")
def test_what_people_do_keeps_every_counter() -> None:
    assert recount() == []


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("counter", sorted(COUNTERS))
def test_a_wrong_counter_is_repaired_and_named(counter: str) -> None:
    table_name, name = counter.split(".")
    table = Base.metadata.tables[table_name]
    before = sorted(map(tuple, db.session.execute(db.select(table.c.id, table.c[name]))), key=repr)
    counting = [row for row in before if row[1]]
    assert counting, "the scene gives it something to count"
    # Numbers that are never given twice may be too high; everything else is wrong either way.
    by = -1 if name in ("last_number", "messages_count") else 7
    with unit_of_work():
        wrong = update(table).where(table.c.id == counting[0][0]).values({name: table.c[name] + by})
        db.session.execute(wrong)
    found = recount()
    assert counter in [difference.counter for difference in found]
    db.session.expire_all()
    after = sorted(map(tuple, db.session.execute(db.select(table.c.id, table.c[name]))), key=repr)
    assert after == before
    assert recount() == []
