"""What moderators do by tools is told to whoever wrote it, logged in public, and open to appeal."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.house_rules import taken_out_up_to
from portal.discussions.models import Audience, Board, Post, Thread, ThreadKind
from portal.discussions.services import tools
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel import clock
from portal.kernel.access import VISITOR, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Appeal, AppealOutcome, Case, Decision, PostMeasure
from portal.moderation.queries import log
from portal.moderation.queries.own import own_decision
from portal.moderation.services import deciding
from portal.moderation.services.appeals import appeal, decide_appeal
from portal.moderation.services.tooling import reopen_own_thread
from tests.conftest import make_board, make_customer, make_moderator, viewer_of
from tests.discussions.browsing import send
from tests.moderation.conftest import ask, flagged, hiding, told


def decision_of(author: Viewer) -> Decision:
    query = select(Decision).where(Decision.member_id == author.member_id).order_by(Decision.id.desc())
    return db.session.execute(query.limit(1)).scalar_one()


def logged() -> list[tuple[PostMeasure, str, str]]:
    return [
        (entry.decision.post_measure, entry.decision.rule_label[:6], entry.reason)
        for entry in log.entries(VISITOR).rows
    ]


def edited(moderator: Viewer, post: Post, body: str = "Call the desk.") -> Decision:
    edit_post(moderator, post.id, Edit(body=body, reason="A number in it.", rule=4, version=post.version))
    return decision_of(viewer_of(post.author_id))


def overturn(author: Viewer, judge: Viewer, decision: Decision) -> None:
    made = appeal(author.member_id or 0, decision.id, "It is the number of the desk, which is public.")
    version = db.session.get_one(Case, made.case_id).version
    decide_appeal(judge, made.id, AppealOutcome.OVERTURNED, "It was public.", version=version)


def test_words_of_others_are_changed_by_a_rule_and_their_author_is_told(
    board: int, asker: Viewer, author: Viewer, moderator: Viewer
) -> None:
    post = post_reply(author, ask(asker, board).id, "Call 555-0100.")
    with pytest.raises(Invalid) as refused:
        edit_post(moderator, post.id, Edit(body="Call.", reason="Shorter.", version=post.version))
    assert refused.value.field == "rule"
    assert db.session.get_one(Post, post.id).source == "Call 555-0100."
    edited(moderator, post)
    assert told(author) == ["A moderator changed the words of your post"]
    assert logged() == [(PostMeasure.EDIT, "Rule 4", "A number in it.")]


def test_tags_are_no_words(board: int, asker: Viewer, moderator: Viewer) -> None:
    thread = ask(asker, board)
    opening = db.session.execute(select(Post).where(Post.thread_id == thread.id)).scalar_one()
    edit = Edit(body=opening.source, tags="edifact", reason="To be found.", version=opening.version)
    edit_post(moderator, opening.id, edit)
    assert db.session.get_one(Thread, thread.id).tags == ["edifact"]
    assert logged() == []


@pytest.mark.parametrize("kind", [ThreadKind.QUESTION, ThreadKind.WAR_STORY])
def test_an_appeal_gives_the_words_back(
    board: int, author: Viewer, moderator: Viewer, other_moderator: Viewer, kind: ThreadKind
) -> None:
    sections = {"happened": "It fell over.", "cost": "Two days.", "differently": "Call 555-0100 first."}
    thread = open_thread(
        author, board, kind=kind, title="The night it fell over", body="Call 555-0100.", sections=sections
    )
    opening = db.session.execute(select(Post).where(Post.thread_id == thread.id)).scalar_one()
    before, version = opening.source, opening.version
    is_story = kind is ThreadKind.WAR_STORY
    edit = Edit(
        body="" if is_story else "It was bad.",
        sections={**sections, "differently": "Nothing."} if is_story else None,
        title="A small problem at night",
        reason="A number in it.",
        rule=4,
        version=version,
    )
    edit_post(moderator, opening.id, edit)
    overturn(author, other_moderator, decision_of(author))
    back = db.session.get_one(Post, opening.id)
    assert (back.source, back.sections) == (before, sections if is_story else None)
    assert db.session.get_one(Thread, thread.id).title == "The night it fell over"
    assert back.revisions_count == 2
    assert told(author)[0] == "You were right: the decision is taken back"


def test_what_the_author_wrote_since_is_not_overwritten(
    board: int, asker: Viewer, author: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    post = post_reply(author, ask(asker, board).id, "Call 555-0100.")
    decision = edited(moderator, post)
    version = db.session.get_one(Post, post.id).version
    edit_post(author, post.id, Edit(body="Call the desk in Graz.", version=version))
    assert taken_out_up_to(post.id) == version - 1
    overturn(author, other_moderator, decision)
    assert taken_out_up_to(post.id) == 0, "the rule was held against nothing, so its history is for all again"
    assert db.session.get_one(Post, post.id).source == "Call the desk in Graz."


def test_closed_by_a_rule_can_be_appealed(
    board: int, author: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    thread = ask(author, board)
    tools.close_thread(moderator, thread.id, "It turned on a person.", rule=1)
    closed = db.session.get_one(Thread, thread.id)
    assert closed.closed_reason.startswith("Rule 1")
    assert told(author) == ["Your thread was closed"]
    decision = decision_of(author)
    with pytest.raises(Invalid):
        reopen_own_thread(author.member_id or 0, decision.id)
    overturn(author, other_moderator, decision)
    assert db.session.get_one(Thread, thread.id).closed_at is None


def test_closed_as_settled_is_opened_again_by_its_author(
    board: int, author: Viewer, asker: Viewer, moderator: Viewer
) -> None:
    thread = ask(author, board)
    tools.close_thread(moderator, thread.id, "Solved in 7.6.")
    decision = decision_of(author)
    assert logged() == [(PostMeasure.CLOSE, "", "Solved in 7.6.")]
    with pytest.raises(NotFound):
        appeal(author.member_id or 0, decision.id, "It is not.")
    with pytest.raises(NotFound):
        reopen_own_thread(asker.member_id or 0, decision.id)
    reopen_own_thread(author.member_id or 0, decision.id)
    assert db.session.get_one(Thread, thread.id).closed_at is None
    with pytest.raises(Invalid):
        reopen_own_thread(author.member_id or 0, decision.id)


def test_what_a_rule_closes_after_it_was_settled_stays_closed(
    board: int, author: Viewer, asker: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    thread = ask(author, board)
    post = post_reply(asker, thread.id, "Call the fool at desk 4.")
    tools.close_thread(moderator, thread.id, "Solved in 7.6.")
    settled = decision_of(author)
    since = db.session.get_one(Thread, thread.id).closed_at
    case = flagged(post, reporter)
    by_rule = deciding.decide(
        moderator, case.id, hiding(case, post=PostMeasure.CLOSE, reason="It turned on a person.")
    )
    closed = db.session.get_one(Thread, thread.id)
    assert (closed.closed_reason[:6], closed.closed_at) == ("Rule 4", since)
    assert not own_decision(author.member_id or 0, settled.id).may_reopen
    with pytest.raises(Invalid):
        reopen_own_thread(author.member_id or 0, settled.id)
    deciding.undo(moderator, by_rule.id)
    closed = db.session.get_one(Thread, thread.id, populate_existing=True)
    assert (closed.closed_reason, closed.closed_at) == ("Solved in 7.6.", since)
    reopen_own_thread(author.member_id or 0, settled.id)
    assert db.session.get_one(Thread, thread.id).closed_at is None


def test_nothing_is_opened_again_on_an_archived_board(board: int, author: Viewer, moderator: Viewer) -> None:
    thread = ask(author, board)
    tools.close_thread(moderator, thread.id, "Solved in 7.6.")
    settled = decision_of(author)
    with unit_of_work():
        db.session.get_one(Board, board).archived_at = clock.now()
    with pytest.raises(Invalid, match="archived"):
        reopen_own_thread(author.member_id or 0, settled.id)


def test_a_moderator_who_opens_it_again_takes_it_back(board: int, author: Viewer, moderator: Viewer) -> None:
    thread = ask(author, board)
    tools.close_thread(moderator, thread.id, "Solved in 7.6.")
    decision = decision_of(author)
    with pytest.raises(Invalid):
        deciding.undo(moderator, decision.id)
    tools.reopen_thread(moderator, thread.id)
    assert db.session.get_one(Decision, decision.id).undone_at is not None
    assert told(author) == ["A decision about your post was taken back"]


def test_moving_splitting_and_merging_are_told_and_logged(
    board: int, asker: Viewer, author: Viewer, moderator: Viewer
) -> None:
    other = viewer_of(make_customer())
    thread, target = ask(asker, board), ask(other, board, "Whom does one call at night?")
    post = post_reply(author, thread.id, "And what of weekends?")
    tools.move_thread(moderator, thread.id, make_board("Elsewhere"), "It is about running it.")
    assert told(asker)[0] == "Your thread was moved to another board"
    assert told(author) == []
    tools.split_thread(moderator, thread.id, [post.id], "What of weekends?", "Another question.")
    assert told(author) == ["A thread with your post was split"]
    assert told(asker)[0] == "A thread with your post was split"
    tools.move_thread(moderator, thread.id, board, "Back.")
    tools.merge_threads(moderator, thread.id, target.id, "Asked twice.")
    assert told(asker)[0] == "Your thread was merged into another"
    assert told(other) == ["Another thread was merged into yours"]
    assert decision_of(other).reason == decision_of(asker).reason == "Asked twice."
    assert [what for what, _rule, _reason in logged()] == [
        PostMeasure.MERGE,
        PostMeasure.MERGE,
        PostMeasure.MOVE,
        PostMeasure.SPLIT,
        PostMeasure.SPLIT,
        PostMeasure.MOVE,
    ]
    assert recount() == []


def test_out_of_sight_only_by_a_rule_that_can_be_appealed(
    app: Flask, sign_in: Callable[[int], FlaskClient], client: FlaskClient
) -> None:
    with app.app_context():
        author_id, moderator = make_customer("Tamsin Boyle"), viewer_of(make_moderator("Ruth Adeyemi"))
        judge = viewer_of(make_moderator("Marijke Brouwer"))
        board, staff = make_board("Operations"), make_board("Staff room", audience=Audience.STAFF)
        thread = ask(viewer_of(author_id), board)
        with pytest.raises(Invalid) as refused:
            tools.move_thread(moderator, thread.id, staff, "Internal.")
        assert refused.value.field == "move_rule"
        assert logged() == []
        tools.move_thread(moderator, thread.id, staff, "A number in it.", rule=4)
        decision = decision_of(viewer_of(author_id))
        assert logged() == [(PostMeasure.MOVE, "Rule 4", "A number in it.")]
    entry = client.get(f"/transparency/log/{decision.case_id}")
    assert entry.status_code == 200
    assert "A number in it." in entry.text
    assert thread.title not in entry.text, "it is out of this reader's sight"
    page = sign_in(author_id).get(f"/decisions/{decision.id}").text
    assert "Our night shift ends at six." in page, "their own words"
    assert f'"/posts/{decision.post_id}"' not in page, "no link that leads nowhere"
    assert f"/transparency/log/{decision.case_id}" in page
    assert "/appeals/new?decision=" in page
    with app.app_context():
        reply = post_reply(judge, thread.id, "For us alone.")
        with pytest.raises(Invalid, match="for fewer readers"):
            overturn(viewer_of(author_id), judge, decision)
        assert db.session.get_one(Thread, thread.id).board_id == staff
        tools.split_thread(judge, thread.id, [reply.id], "Among ourselves", "For us.")
        made = db.session.execute(select(Appeal)).scalar_one()
        version = db.session.get_one(Case, made.case_id).version
        decide_appeal(judge, made.id, AppealOutcome.OVERTURNED, "It was public.", version=version)
        assert db.session.get_one(Thread, thread.id).board_id == board
        assert recount() == []


def test_merged_out_of_sight_only_by_a_rule(
    board: int, staff_room: int, author: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    thread, target = ask(author, board), ask(moderator, staff_room, "Whom does one call at night?")
    with pytest.raises(Invalid) as refused:
        tools.merge_threads(moderator, thread.id, target.id, "Asked twice.")
    assert refused.value.field == "rule"
    tools.merge_threads(moderator, thread.id, target.id, "Asked twice.", rule=4)
    assert logged() == [(PostMeasure.MERGE, "Rule 4", "Asked twice.")]
    decision = decision_of(author)
    with pytest.raises(Invalid, match="Split them off"):
        overturn(author, other_moderator, decision)
    new = tools.split_thread(
        other_moderator, target.id, [decision.post_id or 0], "Whom does one call?", "To put it back."
    )
    made = db.session.execute(select(Appeal)).scalar_one()
    version = db.session.get_one(Case, made.case_id).version
    decide_appeal(other_moderator, made.id, AppealOutcome.OVERTURNED, "It was fine.", version=version)
    assert db.session.get_one(Thread, new.id).board_id == board
    assert recount() == []


def test_no_tool_without_a_reason(board: int, asker: Viewer, author: Viewer, moderator: Viewer) -> None:
    thread, target = ask(asker, board), ask(author, board, "Whom does one call at night?")
    post = post_reply(author, thread.id, "And what of weekends?")
    elsewhere, before = make_board("Elsewhere"), told(asker)
    for use in (
        lambda: tools.close_thread(moderator, thread.id, " "),
        lambda: tools.move_thread(moderator, thread.id, elsewhere, " "),
        lambda: tools.split_thread(moderator, thread.id, [post.id], "What of weekends?", ""),
        lambda: tools.merge_threads(moderator, thread.id, target.id, "\n"),
    ):
        with pytest.raises(Invalid) as refused:
            use()
        assert "Say why" in refused.value.message
    assert (logged(), told(asker), told(author)) == ([], before, [])


def test_two_threads_of_one_author_are_merged_in_one_word(
    board: int, author: Viewer, moderator: Viewer
) -> None:
    thread, target = ask(author, board), ask(author, board, "Whom does one call at night?")
    tools.merge_threads(moderator, thread.id, target.id, "Asked twice.")
    assert told(author) == ["Your thread was merged into another"]


def test_ones_own_thread_is_nobody_elses_business(board: int, moderator: Viewer) -> None:
    tools.close_thread(moderator, ask(moderator, board).id, "Done.")
    assert (logged(), told(moderator)) == ([], [])


def test_the_pages_show_it(app: Flask, sign_in: Callable[[int], FlaskClient], client: FlaskClient) -> None:
    with app.app_context():
        author_id, moderator_id = make_customer("Tamsin Boyle"), make_moderator("Ruth Adeyemi")
        thread = ask(viewer_of(author_id), make_board())
        post_id = db.session.execute(select(Post.id).where(Post.thread_id == thread.id)).scalar_one()
    author, moderator = sign_in(author_id), sign_in(moderator_id)
    form = moderator.get(f"/posts/{post_id}/edit").text
    assert "Choose a rule" in form
    tools_page = moderator.get(f"/threads/{thread.id}/tools").text
    assert "None: it is settled" in tools_page
    closing = {"reason": "Solved in 7.6.", "rule": ""}
    assert send(moderator, f"/threads/{thread.id}/closing", closing).status_code == 303
    with app.app_context():
        decision = decision_of(viewer_of(author_id))
    page = author.get(f"/decisions/{decision.id}").text
    assert "Your thread was closed" in page
    assert "Open the thread again" in page
    assert "Solved in 7.6." in client.get("/transparency").text
    entry = client.get(f"/transparency/log/{decision.case_id}")
    assert "Ruth" not in entry.text
    assert "Tamsin" not in entry.text
    assert moderator.get(f"/console/cases/{decision.case_id}").status_code == 200
    assert send(author, f"/decisions/{decision.id}/reopening").status_code == 303
    assert "opened again by its author" in client.get("/transparency").text
    with app.app_context():
        version = db.session.get_one(Post, post_id).version
    words = {"title": thread.title, "body": "Call.", "reason": "A number.", "rule": "4", "version": version}
    assert send(moderator, f"/posts/{post_id}", words).status_code == 303
    with app.app_context():
        decision = decision_of(viewer_of(author_id))
    page = author.get(f"/decisions/{decision.id}").text
    assert "What you wrote, and what was changed" in page
    assert "/appeals/new?decision=" in page
    assert client.get("/transparency?what=edited").status_code == 200
    assert moderator.get(f"/console/cases/{decision.case_id}").status_code == 200
