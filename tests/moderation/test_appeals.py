"""Appeals: by the author, in time, decided by somebody else; overturning puts everything right in public."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Post, PostState, ThreadKind
from portal.discussions.services.posting import open_thread
from portal.discussions.services.recount import recount
from portal.kernel import clock, site
from portal.kernel.access import Duty, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.moderation.models import (
    Appeal,
    AppealOutcome,
    Case,
    Decision,
    Flag,
    FlagOutcome,
    MemberMeasure,
    PostMeasure,
)
from portal.moderation.queries import log
from portal.moderation.services import appeals, deciding
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.rules import name_second
from tests.conftest import make_admin, make_customer, make_moderator, make_prospect, viewer_of
from tests.moderation.conftest import answered, flagged, hidden, hiding, told

SPAM = "See [a](https://shop.example/a), [b](https://shop.example/b), [c](https://shop.example/c). Order now."


def appealed(author: Viewer, decision: Decision, text: str = "It was my own number.") -> Appeal:
    return appeals.appeal(author.member_id or 0, decision.id, text)


def judge(by: Viewer, appeal: Appeal, outcome: AppealOutcome = AppealOutcome.OVERTURNED) -> Decision:
    version = db.session.get_one(Case, appeal.case_id).version
    return appeals.decide_appeal(by, appeal.id, outcome, "Looked at it anew.", version=version)


@pytest.fixture
def post(board: int, asker: Viewer, author: Viewer) -> Post:
    return answered(asker, author, board)


@pytest.fixture
def decision(moderator: Viewer, post: Post, reporter: Viewer) -> Decision:
    return hidden(moderator, post, reporter)


def test_overturned_the_post_is_back_and_the_log_says_so(
    post: Post, author: Viewer, reporter: Viewer, decision: Decision, other_moderator: Viewer
) -> None:
    judge(other_moderator, appealed(author, decision))
    assert db.session.get_one(Post, post.id).state is PostState.VISIBLE
    assert told(author)[0] == "You were right: the decision is taken back"
    assert told(reporter)[0] == "After an appeal, what you flagged is back"
    assert db.session.execute(select(Flag.outcome)).scalar_one() is FlagOutcome.FAIR
    entry = log.entries(Viewer()).rows[0]
    assert (entry.decision.overturned_at is not None, entry.appeal) == (True, AppealOutcome.OVERTURNED)
    assert recount() == []


def test_upheld_everything_stays(
    post: Post, author: Viewer, reporter: Viewer, decision: Decision, other_moderator: Viewer
) -> None:
    before = told(reporter)
    judge(other_moderator, appealed(author, decision), AppealOutcome.UPHELD)
    assert db.session.get_one(Post, post.id).state is PostState.HIDDEN
    assert told(author)[0] == "Your appeal was looked at: the decision stands"
    assert told(reporter) == before


def test_only_the_author_appeals_once_and_in_time(
    author: Viewer, reporter: Viewer, decision: Decision, at: Callable[[datetime], None]
) -> None:
    with pytest.raises(NotFound):
        appealed(reporter, decision)
    with pytest.raises(Invalid):
        appealed(author, decision, "   ")
    at(decision.decided_at + timedelta(days=14, seconds=1))
    with pytest.raises(Invalid, match="too late"):
        appealed(author, decision)
    at(decision.decided_at + timedelta(days=13))
    appealed(author, decision)
    with pytest.raises(Invalid, match="already"):
        appealed(author, decision)


def test_whoever_decided_does_not_decide_the_appeal(
    author: Viewer, decision: Decision, moderator: Viewer, asker: Viewer, other_moderator: Viewer
) -> None:
    appeal = appealed(author, decision)
    with pytest.raises(Forbidden, match="You took the decision"):
        judge(moderator, appeal)
    with pytest.raises(NotFound):
        judge(asker, appeal)
    judge(other_moderator, appeal)
    with pytest.raises(Conflict):
        judge(viewer_of(make_moderator()), appeal)


def test_a_peer_of_the_authors_company_does_not_decide_the_appeal(author: Viewer, decision: Decision) -> None:
    peer = viewer_of(make_customer(company_id=author.company_id, duties=(Duty.MODERATOR,)))
    with pytest.raises(Forbidden, match="own company"):
        judge(peer, appealed(author, decision))


def test_the_named_second_decides_appeals(author: Viewer, decision: Decision) -> None:
    second = viewer_of(make_customer("Wanda", username="wanda"))
    name_second(viewer_of(make_admin()), "wanda")
    appeal = appealed(author, decision)
    assert told(second)[0] == "An appeal waits for you"
    judge(second, appeal)
    assert db.session.get_one(Appeal, appeal.id).outcome is AppealOutcome.OVERTURNED


def test_the_second_must_be_somebody(in_app: Flask) -> None:
    admin = viewer_of(make_admin())
    with pytest.raises(Invalid):
        name_second(admin, "nobody-here")
    with pytest.raises(Forbidden):
        name_second(viewer_of(make_moderator()), "")
    name_second(admin, "")
    assert site.current().appeal_second == ""


def test_an_overturned_suspension_and_ban_end(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    week = clock.now() + timedelta(days=7)
    for measure in (MemberMeasure.SUSPEND, MemberMeasure.BAN):
        case = flagged(answered(asker, author, board), viewer_of(make_customer()))
        decision = decide(moderator, case.id, hiding(case, member=measure, suspended_until=week))
        assert not viewer_of(author.member_id or 0).may(Permission.POST)
        judge(other_moderator, appealed(author, decision))
        assert viewer_of(author.member_id or 0).may(Permission.POST)


def test_a_refused_post_that_was_right_is_published_after_all(
    board: int, moderator: Viewer, other_moderator: Viewer
) -> None:
    newcomer = viewer_of(make_prospect("Leila"))
    thread = open_thread(newcomer, board, kind=ThreadKind.QUESTION, title="Which of these holds?", body=SPAM)
    case = db.session.execute(select(Case).where(Case.thread_id == thread.id)).scalar_one()
    refusal = Verdict(
        post=PostMeasure.REFUSE, rule_number=7, reason="Looks like a shop.", version=case.version
    )
    decision = decide(moderator, case.id, refusal)
    assert told(newcomer)[0] == "Your post was not published"
    judge(other_moderator, appealed(newcomer, decision))
    opening = db.session.execute(select(Post).where(Post.thread_id == thread.id)).scalar_one()
    assert opening.state is PostState.VISIBLE
    assert recount() == []


def test_a_decision_that_was_appealed_is_not_taken_back_quietly(
    author: Viewer, decision: Decision, moderator: Viewer
) -> None:
    appealed(author, decision)
    with pytest.raises(Invalid, match="appealed"):
        deciding.undo(moderator, decision.id)
