"""Appeals: by the author, in time, decided by somebody else; overturning puts everything right in public."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.conversations.services.preserving import preserve
from portal.discussions.models import Post, PostState, Thread, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel import clock, preserving, site
from portal.kernel.access import Duty, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState
from portal.members.services.erasing import erase_account
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
from portal.moderation.queries.parties import is_named_second
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


@pytest.mark.parametrize("way", ["appeal", "undo"])
def test_an_accepted_answer_that_is_back_is_accepted_again(
    post: Post,
    asker: Viewer,
    author: Viewer,
    reporter: Viewer,
    moderator: Viewer,
    other_moderator: Viewer,
    way: str,
) -> None:
    accept(asker, post.thread_id, post.id)
    since = db.session.get_one(Thread, post.thread_id).accepted_at
    decision = hidden(moderator, post, reporter)
    assert db.session.get_one(Thread, post.thread_id).accepted_post_id is None
    if way == "appeal":
        judge(other_moderator, appealed(author, decision))
    else:
        deciding.undo(moderator, decision.id)
    thread = db.session.get_one(Thread, post.thread_id, populate_existing=True)
    assert (thread.accepted_post_id, thread.accepted_at) == (post.id, since)
    counted = select(Member.accepted_count).where(Member.id == author.member_id)
    assert db.session.execute(counted).scalar_one() == 1
    assert recount() == []


def test_what_the_asker_accepted_meanwhile_stays_accepted(
    post: Post, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    accept(asker, post.thread_id, post.id)
    decision = hidden(moderator, post, reporter)
    other = post_reply(reporter, post.thread_id, "The desk in Graz answers at night.")
    accept(asker, post.thread_id, other.id)
    deciding.undo(moderator, decision.id)
    assert db.session.get_one(Thread, post.thread_id, populate_existing=True).accepted_post_id == other.id
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


@pytest.mark.parametrize("held_by_order", [False, True])
def test_whoever_takes_the_user_name_of_an_erased_second_is_no_second(
    in_app: Flask, *, held_by_order: bool
) -> None:
    admin, wanda = viewer_of(make_admin()), make_moderator("Wanda", username="wanda")
    name_second(admin, "wanda")
    site.change(ask_responsible="wanda")
    if held_by_order:
        now = clock.now()
        order = preserving.Preservation(
            member_id=wanda, reason="Court 7", created_at=now, until=now + timedelta(days=30)
        )
        with unit_of_work():
            db.session.add(order)
    with unit_of_work():
        erase_account(wanda, keep_text=True)
    other = viewer_of(make_customer("Wanda", username="wanda"))
    assert not is_named_second(other)
    assert (site.current().appeal_second, site.current().ask_responsible) == ("", "")


def test_the_erasure_of_others_leaves_the_second(in_app: Flask) -> None:
    make_customer("Wanda", username="wanda")
    name_second(viewer_of(make_admin()), "wanda")
    other = make_customer()
    with unit_of_work():
        erase_account(other, keep_text=True)
    assert site.current().appeal_second == "wanda"


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


def test_an_account_that_waits_for_its_erasure_is_opened_by_no_appeal(
    board: int, asker: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    author = viewer_of(make_customer("Tamsin Boyle", username="tamsin"))
    case = flagged(answered(asker, author, board), viewer_of(make_customer()))
    decision = decide(moderator, case.id, hiding(case, member=MemberMeasure.BAN))
    made = appealed(author, decision)
    preserve("tamsin", reason="Court 7", until=clock.now() + timedelta(days=30))
    with unit_of_work():
        erase_account(author.member_id or 0, keep_text=True)
    judge(other_moderator, made)
    assert db.session.get_one(Member, author.member_id or 0).state is MemberState.BANNED


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
