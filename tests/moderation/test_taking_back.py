"""A flag and an appeal can be taken back as long as nobody has decided."""

import pytest
from flask import Flask

from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, NotFound, TooMany
from portal.moderation import policy
from portal.moderation.models import Appeal, Case, CaseState, Flag, FlagOutcome
from portal.moderation.queries import cases as one_case
from portal.moderation.queries import queue
from portal.moderation.services import appeals
from portal.moderation.services.deciding import decide
from portal.moderation.services.flags import flag_post, withdraw_flag
from portal.moderation.services.telling import FLAGGER
from portal.notifications.models import Notice
from tests.conftest import make_board, make_customer, make_moderator, viewer_of
from tests.discussions.browsing import send
from tests.moderation.conftest import answered, flagged, hidden, hiding


def test_the_last_flag_taken_back_ends_the_case(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    second = viewer_of(make_customer())
    post = answered(asker, author, board)
    case = flagged(post, reporter, second)
    weight = case.weight
    withdraw_flag(second, post.id)
    case = db.session.get_one(Case, case.id, populate_existing=True)
    assert (case.state, case.flags_count, case.weight < weight) == (CaseState.OPEN, 1, True)
    withdraw_flag(reporter, post.id)
    assert db.session.get_one(Case, case.id, populate_existing=True).state is CaseState.WITHDRAWN
    assert queue.waiting_count(moderator) == 0
    assert flag_post(reporter, post.id, rule_number=4).case_id != case.id, "who thinks again may flag again"


def test_flags_taken_back_count_towards_the_limit(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board)
    for _ in range(policy.FLAGS_AN_HOUR):
        flag_post(reporter, post.id, rule_number=4, comment="Names my colleague.")
        withdraw_flag(reporter, post.id)
    with pytest.raises(TooMany):
        flag_post(reporter, post.id, rule_number=4)
    with pytest.raises(NotFound):
        withdraw_flag(reporter, post.id)
    assert set(db.session.execute(db.select(Flag.outcome, Flag.comment)).all()) == {
        (FlagOutcome.WITHDRAWN, "")
    }


def test_who_took_a_flag_back_is_no_party_and_hears_nothing(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    second = viewer_of(make_customer())
    post = answered(asker, author, board)
    case = flagged(post, reporter, second)
    withdraw_flag(reporter, post.id)
    view = one_case.case_view(moderator, case.id)
    assert [line.flag.reporter_id for line in view.flags] == [second.member_id]
    decide(moderator, case.id, hiding(db.session.get_one(Case, case.id)))
    rows = db.session.execute(db.select(Flag.reporter_id, Flag.outcome))
    outcomes = {row.reporter_id: row.outcome for row in rows}
    assert outcomes == {
        reporter.member_id: FlagOutcome.WITHDRAWN,
        second.member_id: FlagOutcome.UPHELD,
    }
    told = db.session.scalars(db.select(Notice.member_id).where(Notice.kind == FLAGGER)).all()
    assert told == [second.member_id]


def test_a_decided_flag_stays(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board)
    case = flagged(post, reporter)
    decide(moderator, case.id, hiding(case))
    with pytest.raises(Conflict):
        withdraw_flag(reporter, post.id)
    with pytest.raises(NotFound):
        withdraw_flag(asker, post.id)
    assert db.session.scalar(db.select(Flag.id).where(Flag.post_id == post.id))


def test_an_appeal_taken_back_can_be_made_again(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    decision = hidden(moderator, answered(asker, author, board), reporter)
    made = appeals.appeal(author.member_id or 0, decision.id, "It is on our own page.")
    case_id = made.case_id
    with pytest.raises(NotFound):
        appeals.withdraw_appeal(reporter.member_id or 0, made.id)
    assert appeals.withdraw_appeal(author.member_id or 0, made.id) == decision.id
    assert db.session.scalar(db.select(Appeal.id)) is None
    assert db.session.get_one(Case, case_id, populate_existing=True).state is CaseState.WITHDRAWN
    assert queue.waiting_count(moderator) == 0
    assert one_case.case_view(moderator, case_id).appeal is None
    assert appeals.appeal(author.member_id or 0, decision.id, "On second thought.").case_id != case_id


def test_both_have_a_button(app: Flask, sign_in) -> None:
    with app.app_context():
        board, author, reporter = make_board(), make_customer("Tamsin"), make_customer("Lars")
        post = answered(viewer_of(make_customer()), viewer_of(author), board)
        flagged(post, viewer_of(reporter))
    browser = sign_in(reporter)
    address = f"/posts/{post.id}/flags"
    assert "Take your flag back" in browser.get(address).text
    assert "Your flag is taken back" in send(browser, address, method="DELETE", follow_redirects=True).text
    assert "Take your flag back" not in browser.get(address).text
    with app.app_context():
        decision = hidden(viewer_of(make_moderator()), post, viewer_of(reporter))
        appeal = appeals.appeal(author, decision.id, "It is on our own page.")
    browser = sign_in(author)
    assert "Take your appeal back" in browser.get(f"/decisions/{decision.id}").text
    page = send(browser, f"/appeals/{appeal.id}", method="DELETE", follow_redirects=True).text
    assert "Your appeal is taken back" in page
    assert f"/appeals/new?decision={decision.id}" in page
