"""A thread that a rule takes to fewer readers leaves a tombstone, and brings nothing back from there."""

from collections.abc import Callable
from contextvars import Context
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import Audience, Draft, Post, PostKind, PostRevision, Thread
from portal.discussions.services import editing, tools
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import post_comment, post_reply
from portal.discussions.services.recount import recount
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.moderation.models import Appeal, AppealOutcome, Case, Decision
from portal.moderation.services.appeals import appeal, decide_appeal
from tests.conftest import make_board, make_customer, make_moderator, make_prospect, viewer_of
from tests.moderation.conftest import QUESTION, ask, told
from tests.support.people import get, submit

SECRET = "Among customers: it is 555-0100."


def opening_of(thread_id: int) -> Post:
    db.session.rollback()
    return db.session.execute(select(Post).where(Post.thread_id == thread_id, Post.number == 1)).scalar_one()


def decision_about(author: Viewer) -> Decision:
    query = select(Decision).where(Decision.member_id == author.member_id).order_by(Decision.id.desc())
    return db.session.execute(query.limit(1)).scalar_one()


def overturn(author: Viewer, judge: Viewer) -> None:
    made = db.session.execute(select(Appeal)).scalar_one_or_none()
    made = made or appeal(author.member_id or 0, decision_about(author).id, "It was fine where it was.")
    version = db.session.get_one(Case, made.case_id).version
    decide_appeal(judge, made.id, AppealOutcome.OVERTURNED, "It was.", version=version)


def later(at: Callable) -> None:
    at(clock.now() + timedelta(hours=1))


class Moved:
    """A public question that was moved among customers, and browsers of those who lost it and did not."""

    def __init__(self, app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
        self.author = viewer_of(make_customer("Tamsin Boyle"))
        self.moderator, self.judge = viewer_of(make_moderator()), viewer_of(make_moderator())
        self.board, self.inner = make_board("Operations"), make_board(audience=Audience.CUSTOMERS)
        self.thread = ask(self.author, self.board)
        self.reply = post_reply(viewer_of(make_customer()), self.thread.id, "Call the desk.")
        self.visitor, self.prospect = app.test_client(), sign_in(make_prospect())
        self.customer = sign_in(make_customer())
        self.address = f"/threads/{self.thread.id}"

    def move(self, board: int | None = None) -> None:
        tools.move_thread(self.moderator, self.thread.id, board or self.inner, "A number in it.", rule=4)


@pytest.fixture
def moved(in_app: Flask, sign_in: Callable[[int], FlaskClient]) -> Moved:
    return Moved(in_app, sign_in)


def test_who_lost_it_reads_a_tombstone_without_a_word_of_it(moved: Moved):
    moved.move()
    case = decision_about(moved.author).case_id
    for reader in (moved.visitor, moved.prospect):
        assert get(reader, f"{moved.address}/{moved.thread.slug}").headers["Location"] == moved.address
        page = get(reader, moved.address)
        assert page.status_code == 200
        assert "This thread was moved" in page.text
        assert "Rule 4" in page.text
        assert f'href="/transparency/log/{case}"' in page.text
        assert get(reader, f"/transparency/log/{case}").status_code == 200
        for word in (moved.thread.title, moved.thread.slug, "night shift", "Call the desk", "Tamsin"):
            assert word not in page.text
        assert 'content="noindex"' in page.text
        for post_id in (decision_about(moved.author).post_id, moved.reply.id):
            assert get(reader, f"/posts/{post_id}").headers["Location"] == moved.address
    assert moved.thread.title in get(moved.customer, f"{moved.address}/{moved.thread.slug}").text


def test_what_was_never_there_for_them_stays_unknown(moved: Moved):
    inner = ask(moved.author, moved.inner)
    assert get(moved.visitor, f"/threads/{inner.id}").status_code == 404
    moved.move()
    reply = post_reply(moved.author, moved.thread.id, "Since then.")
    comment = post_comment(moved.author, moved.reply.id, "Thank you, since then.")
    for post in (reply, comment):
        assert get(moved.visitor, f"/posts/{post.id}").status_code == 404
    staff = make_board(audience=Audience.STAFF)
    tools.move_thread(moved.moderator, inner.id, staff, "A number in it.", rule=4)
    assert get(moved.visitor, f"/threads/{inner.id}").status_code == 404, "they never could read it"
    assert "was moved" in get(moved.customer, f"/threads/{inner.id}").text


def test_each_reads_of_the_move_by_which_they_lost_it(moved: Moved):
    moved.move()
    first = decision_about(moved.author).case_id
    moved.move(make_board(audience=Audience.STAFF))
    second = decision_about(moved.author).case_id
    assert f"/transparency/log/{first}" in get(moved.visitor, moved.address).text
    assert f"/transparency/log/{second}" in get(moved.customer, moved.address).text


def test_merged_away_it_leaves_a_tombstone_too(moved: Moved):
    target = ask(moved.moderator, moved.inner, "Whom does one call at night?")
    tools.merge_threads(moved.moderator, moved.thread.id, target.id, "A number in it.", rule=4)
    page = get(moved.visitor, moved.address).text
    assert "This thread was merged into another" in page
    assert "Whom does one call" not in page
    assert get(moved.visitor, f"/threads/{target.id}").status_code == 404
    assert get(moved.customer, moved.address).status_code == 301


def test_a_moderator_leaves_the_same_where_their_own_thread_stood(moved: Moved):
    """Whoever read it there loses it all the same; nobody is told of what they did themselves, or appeals."""
    target = ask(moved.judge, moved.inner, "Whom does one call at night?")
    for merged in (False, True):
        own = ask(moved.moderator, moved.board, "Who answers at six?")
        post_reply(moved.author, own.id, "I would call the desk.")
        if merged:
            tools.merge_threads(moved.moderator, own.id, target.id, "A number in it.", rule=4)
        else:
            tools.move_thread(moved.moderator, own.id, moved.inner, "A number in it.", rule=4)
        decision = decision_about(moved.moderator)
        page = get(moved.visitor, f"/threads/{own.id}")
        assert (page.status_code, "Rule 4" in page.text) == (200, True)
        assert ("was merged into another" in page.text, "was moved" in page.text) == (merged, not merged)
        assert f'href="/transparency/log/{decision.case_id}"' in page.text
        assert get(moved.visitor, f"/transparency/log/{decision.case_id}").status_code == 200
        assert {one for one in told(moved.moderator) if "answered" not in one} == set()
        with pytest.raises(NotFound):
            appeal(moved.moderator.member_id or 0, decision.id, "I changed my mind.")
    tools.move_thread(moved.moderator, ask(moved.moderator, moved.board).id, make_board("Else"), "Mine.")
    assert decision_about(moved.moderator).id == decision.id, "where as many read it, it is nobody's business"


def test_deleted_by_its_author_or_put_back_it_leaves_none(moved: Moved):
    moved.move()
    overturn(moved.author, moved.judge)
    assert moved.thread.title in get(moved.visitor, f"{moved.address}/{moved.thread.slug}").text
    other = ask(moved.author, moved.board, "Something else")
    tools.move_thread(moved.moderator, other.id, moved.inner, "A number in it.", rule=4)
    editing.delete_own_post(moved.author, opening_of(other.id).id)
    assert get(moved.visitor, f"/threads/{other.id}").status_code == 404


@pytest.mark.parametrize("quick", [True, False])
def test_what_was_changed_for_fewer_readers_stays_with_its_author(moved: Moved, at: Callable, quick: bool):
    """Also a quick fix that would leave no mark elsewhere."""
    before = opening_of(moved.thread.id)
    text, title = before.source, moved.thread.title
    if not quick:
        later(at)
    moved.move()
    for words in (SECRET, f"{SECRET} And more."):
        version = opening_of(moved.thread.id).version
        new = Edit(body=words, title="It is 555-0100", tags="secret-tag", version=version)
        edit_post(moved.author, before.id, new)
    overturn(moved.author, moved.judge)
    now = opening_of(moved.thread.id)
    thread = db.session.get_one(Thread, moved.thread.id)
    assert (now.source, thread.title, thread.tags, thread.board_id) == (text, title, [], moved.board)
    assert (now.revisions_count, now.edited_at) == (0, None)
    assert db.session.execute(select(PostRevision)).all() == []
    for address in (f"{moved.address}/{thread.slug}", f"/posts/{now.id}/history", "/search?q=555-0100"):
        assert "555-0100." not in get(moved.visitor, address).text
    draft = db.session.execute(select(Draft)).scalar_one()
    assert (draft.member_id, draft.fields["body"]) == (moved.author.member_id, f"{SECRET} And more.")
    assert recount() == []


def test_what_was_changed_before_stays_in_the_history(moved: Moved, at: Callable):
    later(at)
    post = opening_of(moved.thread.id)
    edit_post(moved.author, post.id, Edit(body="Ours ends at seven.", reason="Wrong.", version=post.version))
    later(at)
    moved.move()
    post = opening_of(moved.thread.id)
    edit_post(moved.author, post.id, Edit(body=SECRET, version=post.version))
    overturn(moved.author, moved.judge)
    now = opening_of(moved.thread.id)
    assert (now.source, now.revisions_count) == ("Ours ends at seven.", 1)
    assert now.edited_at is not None


def test_words_that_a_rule_took_out_since_stay_out(moved: Moved):
    moved.move()
    post = opening_of(moved.thread.id)
    edit_post(
        moved.moderator, post.id, Edit(body="Ends at [time].", reason="x", rule=4, version=post.version)
    )
    overturn_move(moved)
    assert opening_of(moved.thread.id).source == "Ends at [time]."


def changed_by_both(moved: Moved) -> tuple[int, str]:
    """Its author added a number for the fewer, and a rule took words out: (the move, the text of before)."""
    moved.move()
    move = decision_about(moved.author).id
    post = opening_of(moved.thread.id)
    before = post.source
    edit_post(
        moved.author,
        post.id,
        Edit(body=f"{before} {SECRET}", title="Who is there at six?", version=post.version),
    )
    version = opening_of(moved.thread.id).version
    edit_post(moved.moderator, post.id, Edit(body="Ours ends.", reason="x", rule=4, version=version))
    return move, before


def test_where_both_changed_it_the_judge_says_what_stands(moved: Moved):
    move, before = changed_by_both(moved)
    post_id = opening_of(moved.thread.id).id
    with pytest.raises(Invalid, match="by its author and by a moderator"):
        overturn_move(moved, move)
    assert db.session.get_one(Thread, moved.thread.id).board_id == moved.inner
    edits = [one for one in told(moved.author) if "changed the words" in one]
    overturn_move(moved, move, {post_id: (QUESTION, "Our night shift ends early.")})
    now, thread = opening_of(moved.thread.id), db.session.get_one(Thread, moved.thread.id)
    assert (now.source, thread.title, thread.board_id) == (
        "Our night shift ends early.",
        QUESTION,
        moved.board,
    )
    draft = db.session.execute(select(Draft)).scalar_one()
    assert draft.member_id == moved.author.member_id
    assert (draft.fields["title"], draft.fields["body"]) == ("Who is there at six?", f"{before} {SECRET}"), (
        "all they wrote"
    )
    kept = [row.source for row in db.session.execute(select(PostRevision)).scalars()]
    assert kept == [before], "what was written for fewer readers left the history"
    left_out = decision_about(moved.author)
    said = [one for one in told(moved.author) if "changed the words" in one]
    assert (len(edits), len(said)) == (1, 2), "told of what the judge left out"
    history = get(moved.visitor, f"/posts/{now.id}/history").text
    assert "555-0100" not in history
    assert "ends at six" not in history, "a rule took it out"
    assert left_out.rule_number == 4
    assert recount() == []


def test_as_it_said_before_nothing_is_left_out_and_nobody_is_told(moved: Moved):
    move, before = changed_by_both(moved)
    post_id = opening_of(moved.thread.id).id
    overturn_move(moved, move, {post_id: (QUESTION, before)})
    now = opening_of(moved.thread.id)
    assert (now.source, now.revisions_count, now.edited_at) == (before, 0, None)
    assert len([one for one in told(moved.author) if "changed the words" in one]) == 1
    assert recount() == []


def test_what_a_rule_took_out_before_the_author_went_on_needs_no_word(moved: Moved):
    moved.move()
    move, post = decision_about(moved.author).id, opening_of(moved.thread.id)
    edit_post(
        moved.moderator, post.id, Edit(body="Ends at [time].", reason="x", rule=4, version=post.version)
    )
    version = opening_of(moved.thread.id).version
    edit_post(moved.author, post.id, Edit(body=SECRET, version=version))
    overturn_move(moved, move)
    assert opening_of(moved.thread.id).source == "Ends at [time]."
    assert db.session.execute(select(Draft)).scalar_one().fields["body"] == SECRET


def test_a_moderators_tags_are_no_words(moved: Moved):
    moved.move()
    move, post = decision_about(moved.author).id, opening_of(moved.thread.id)
    before = post.source
    edit_post(moved.author, post.id, Edit(body=SECRET, version=post.version))
    version = opening_of(moved.thread.id).version
    edit_post(
        moved.moderator, post.id, Edit(body=SECRET, tags="edifact", reason="To be found.", version=version)
    )
    overturn_move(moved, move)
    assert opening_of(moved.thread.id).source == before


def test_the_judge_has_the_words_in_the_form(moved: Moved, sign_in: Callable[[int], FlaskClient]):
    move, before = changed_by_both(moved)
    made = appeal(moved.author.member_id or 0, move, "It was fine.")
    post_id, judge = opening_of(moved.thread.id).id, sign_in(moved.judge.member_id or 0)
    place = f"/console/cases/{made.case_id}"
    assert f'name="words-{post_id}"' in get(judge, place).text
    answer = {
        "outcome": "overturned",
        "reason": "",
        f"title-{post_id}": "When is the night over?",
        f"words-{post_id}": "Early.",
    }
    refused = Context().run(submit, judge, place, answer, f"/appeals/{made.id}/decision")
    assert refused.status_code == 422
    assert "Early.</textarea>" in refused.text
    assert 'value="When is the night over?"' in refused.text
    done = Context().run(
        submit, judge, place, {**answer, "reason": "It was."}, f"/appeals/{made.id}/decision"
    )
    assert done.status_code == 303
    assert (opening_of(moved.thread.id).source, before) == ("Early.", "Our night shift ends at six.")
    assert db.session.get_one(Thread, moved.thread.id).title == "When is the night over?"


def overturn_move(
    moved: Moved, decision_id: int | None = None, words: dict[int, tuple[str, str]] | None = None
) -> None:
    if decision_id is None:
        query = select(Decision.id).where(Decision.member_id == moved.author.member_id).order_by(Decision.id)
        decision_id = db.session.execute(query.limit(1)).scalar_one()
    made = db.session.execute(select(Appeal)).scalar_one_or_none()
    made = made or appeal(moved.author.member_id or 0, decision_id, "It was fine where it was.")
    version = db.session.get_one(Case, made.case_id).version
    decide_appeal(moved.judge, made.id, AppealOutcome.OVERTURNED, "It was.", version=version, words=words)


def test_comments_written_for_fewer_readers_stay_behind(moved: Moved):
    """They hold nothing up: nobody could split them off by hand."""
    early = post_comment(moved.judge, moved.reply.id, "At which number?")
    moved.move()
    commenter = viewer_of(make_customer())
    late = post_comment(commenter, moved.reply.id, SECRET)
    another = post_comment(moved.author, moved.reply.id, "Thank you.")
    overturn(moved.author, moved.judge)
    db.session.rollback()
    assert db.session.get_one(Post, early.id).parent_id == moved.reply.id
    left = db.session.get_one(Post, late.id)
    assert (left.kind, left.parent_id, left.number) == (PostKind.OPENING, None, 1)
    home = db.session.get_one(Thread, left.thread_id)
    assert (home.board_id, home.author_id, home.posts_count) == (moved.inner, commenter.member_id, 2)
    assert db.session.get_one(Post, another.id).thread_id == home.id
    assert told(commenter) == ["A thread with your post was split"]
    assert SECRET not in get(moved.visitor, f"{moved.address}/{moved.thread.slug}").text
    assert get(moved.visitor, f"/posts/{late.id}").status_code == 404
    assert SECRET in get(moved.customer, f"/threads/{home.id}/{home.slug}").text
    assert recount() == []


def test_an_equal_move_leaves_everybody_where_they_were(moved: Moved):
    tools.move_thread(moved.moderator, moved.thread.id, make_board("Elsewhere"), "About running it.")
    post = opening_of(moved.thread.id)
    edit_post(moved.author, post.id, Edit(body="Ours ends at seven.", version=post.version))
    assert opening_of(moved.thread.id).revisions_count == 0, "a quick fix leaves no mark"


def test_the_judge_reads_what_becomes_of_later_words(moved: Moved, sign_in: Callable[[int], FlaskClient]):
    moved.move()
    made = appeal(moved.author.member_id or 0, decision_about(moved.author).id, "It was fine.")
    page = get(sign_in(moved.judge.member_id or 0), f"/console/cases/{made.case_id}").text
    assert "reads again as it did" in page
