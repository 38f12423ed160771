"""From a flag to a decision: what is carried out, who is told, who may decide, and how it is taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from portal.discussions.models import Post, PostState, Thread, ThreadKind
from portal.discussions.services.editing import Edit, delete_own_post, edit_post
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel import audit, clock
from portal.kernel.access import Duty, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Repeated, TooMany
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company
from portal.moderation import policy
from portal.moderation.models import (
    Case,
    CaseState,
    Decision,
    Flag,
    FlagOutcome,
    MemberMeasure,
    PostMeasure,
)
from portal.moderation.queries import cases as one_case
from portal.moderation.queries.parties import reason_against
from portal.moderation.services import cases, deciding
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post, weight_of
from portal.notifications.models import Mail
from tests.conftest import make_company, make_customer, make_moderator, noon, viewer_of
from tests.moderation.conftest import answered, dismissing, flagged, hidden, hiding, told


def test_a_flag_becomes_a_case_a_decision_a_tombstone_and_two_notices(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board)
    case = flagged(post, reporter)
    assert (case.state, case.flags_count, case.rule_number) == (CaseState.OPEN, 1, 4)
    assert case.title == "#2 in Who do you call when support is closed?"
    assert db.session.get_one(Post, post.id).state is PostState.VISIBLE

    decision = decide(moderator, case.id, hiding(case))
    post = db.session.get_one(Post, post.id)
    assert (post.state, post.state_rule, post.state_reason, post.state_case_id) == (
        PostState.HIDDEN,
        "Rule 4, no personal data of others",
        "It gave the number of a technician.",
        case.id,
    )
    assert told(author)[0] == "Your post was removed"
    assert told(reporter)[0] == "What you flagged was removed"
    assert db.session.execute(select(Flag.outcome)).scalar_one() is FlagOutcome.UPHELD
    assert db.session.get_one(Case, case.id).state is CaseState.DECIDED
    assert recount() == []
    row = db.session.execute(select(audit.AuditEntry)).scalar_one()
    assert (row.action, row.actor_id, row.target_id) == ("hide post", moderator.member_id, case.id)
    assert decision.rule_label == "Rule 4, no personal data of others"


def test_a_dismissal_leaves_everything_and_tells_the_flagger_alone_of_the_flag(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board, "7.5.0 was a disgrace, and somebody must have known.")
    case = flagged(post, reporter, rule=2)
    before = told(author)
    decide(moderator, case.id, dismissing(case))
    assert db.session.get_one(Post, post.id).state is PostState.VISIBLE
    assert told(reporter)[0] == "What you flagged stays"
    assert told(author) == before
    assert db.session.execute(select(Flag.outcome)).scalar_one() is FlagOutcome.DISMISSED


def test_nothing_is_taken_away_without_a_rule_and_a_reason(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    case = flagged(answered(asker, author, board), reporter)
    for verdict, field in (
        (hiding(case, rule_number=None), "rule"),
        (hiding(case, reason="  "), "reason"),
        (hiding(case, reason="x" * 601), "reason"),
        (dismissing(case, reason=""), "reason"),
        (Verdict(member=MemberMeasure.WARN, reason="Hostile.", version=case.version), "rule"),
        (hiding(case, post=PostMeasure.RELEASE), "post"),
    ):
        with pytest.raises(Invalid) as refused:
            decide(moderator, case.id, verdict)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        decide(moderator, case.id, hiding(case, rule_number=99))
    assert db.session.get_one(Case, case.id).state is CaseState.OPEN
    assert db.session.execute(select(Decision.id)).all() == []


@pytest.mark.parametrize("who", ["author", "visitor to another board", "twice", "nothing said"])
def test_who_can_flag_what(
    who: str, board: int, staff_room: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board)
    if who == "author":
        with pytest.raises(Invalid):
            flag_post(author, post.id, rule_number=4)
    elif who == "visitor to another board":
        secret = answered(moderator, viewer_of(make_moderator()), staff_room)
        with pytest.raises(NotFound):
            flag_post(reporter, secret.id, rule_number=4)
    elif who == "twice":
        flag_post(reporter, post.id, rule_number=4, form_key="k")
        with pytest.raises(Repeated) as again:
            flag_post(reporter, post.id, rule_number=4, form_key="k")
        assert again.value.place == f"/posts/{post.id}"
        with pytest.raises(Invalid):
            flag_post(reporter, post.id, rule_number=2)
    else:
        with pytest.raises(Invalid) as refused:
            flag_post(reporter, post.id, rule_number=None)
        assert refused.value.field == "comment"
        assert flag_post(reporter, post.id, rule_number=None, comment="It names my colleague.").id


def test_flags_are_limited(board: int, asker: Viewer, author: Viewer, reporter: Viewer) -> None:
    thread_id = answered(asker, author, board).thread_id
    for n in range(policy.FLAGS_AN_HOUR):
        flag_post(reporter, post_reply(author, thread_id, f"Number {n}").id, rule_number=1)
    with pytest.raises(TooMany) as refused:
        flag_post(reporter, post_reply(author, thread_id, "One more").id, rule_number=1)
    assert refused.value.retry_after > 0


def test_people_of_one_company_are_one_voice_and_more_voices_are_sooner_due(
    board: int, asker: Viewer, author: Viewer
) -> None:
    company = make_company()
    colleagues = [viewer_of(make_customer(company_id=company)) for _ in range(3)]
    strangers = [viewer_of(make_customer()) for _ in range(3)]
    by_colleagues = flagged(answered(asker, author, board), *colleagues)
    by_strangers = flagged(answered(asker, author, board), *strangers)
    assert (by_colleagues.flags_count, by_colleagues.weight) == (3, 100)
    assert (by_strangers.flags_count, by_strangers.weight) == (3, 300)
    assert by_strangers.due_at - by_strangers.opened_at == policy.PRESSING
    assert by_colleagues.due_at - by_colleagues.opened_at == timedelta(hours=2)
    # However many say so, nothing is hidden by itself.
    assert db.session.get_one(Post, by_strangers.post_id).state is PostState.VISIBLE


def test_a_flag_weighs_what_its_makers_record_says(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    assert weight_of(reporter.member_id or 0) == 100
    for _ in range(3):
        case = flagged(answered(asker, author, board), reporter)
        decide(moderator, case.id, hiding(case))
    careful = weight_of(reporter.member_id or 0)
    careless = viewer_of(make_customer())
    for _ in range(3):
        case = flagged(answered(asker, author, board), careless, rule=2)
        decide(moderator, case.id, dismissing(case))
    assert weight_of(careless.member_id or 0) == 40
    assert careful == 160
    case = flagged(answered(asker, author, board), careless, rule=2)
    decide(moderator, case.id, dismissing(case, fair=True))
    assert weight_of(careless.member_id or 0) == 40


def test_the_second_moderator_learns_what_the_first_decided(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    case = flagged(answered(asker, author, board), reporter)
    seen_by_both = case.version
    cases.claim(moderator, case.id)
    with pytest.raises(Conflict, match="Ruth Adeyemi has taken this case"):
        decide(other_moderator, case.id, hiding(case, version=case.version))
    case = db.session.get_one(Case, case.id)
    with pytest.raises(Conflict, match="changed while you were looking"):
        decide(moderator, case.id, hiding(case, version=seen_by_both))
    decide(moderator, case.id, hiding(case))
    with pytest.raises(Conflict, match="decided this case meanwhile"):
        decide(other_moderator, case.id, dismissing(case))
    assert len(db.session.execute(select(Decision.id)).all()) == 1


def test_a_claim_ends_by_itself_and_can_be_taken_over(
    board: int,
    asker: Viewer,
    author: Viewer,
    reporter: Viewer,
    moderator: Viewer,
    other_moderator: Viewer,
    at: Callable[[datetime], None],
) -> None:
    at(noon())
    case = flagged(answered(asker, author, board), reporter)
    cases.claim(moderator, case.id)
    case = cases.claim(other_moderator, case.id)
    with pytest.raises(Conflict):
        decide(moderator, case.id, hiding(case))
    at(noon() + policy.CLAIM + timedelta(seconds=1))
    assert decide(moderator, case.id, hiding(case)).id


def test_a_post_that_changed_under_the_moderators_eyes_is_looked_at_again(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board)
    case = flagged(post, reporter)
    seen = post.version
    edit_post(author, post.id, Edit(body="Ask for the session byte cap.", version=post.version))
    with pytest.raises(Conflict, match="post was changed"):
        decide(moderator, case.id, hiding(case, post_version=seen))
    delete_own_post(author, post.id)
    with pytest.raises(Invalid, match="deleted"):
        decide(moderator, case.id, hiding(case))
    # What it said can still be a reason for a word with its author.
    decide(moderator, case.id, hiding(case, post=PostMeasure.NONE, member=MemberMeasure.WARN))
    assert told(author)[0] == "You were warned"


def test_a_decision_is_taken_back_within_ten_minutes(
    board: int,
    asker: Viewer,
    author: Viewer,
    reporter: Viewer,
    moderator: Viewer,
    other_moderator: Viewer,
    at: Callable[[datetime], None],
) -> None:
    at(noon())
    post = answered(asker, author, board)
    decision = hidden(moderator, post, reporter)
    with pytest.raises(Forbidden):
        deciding.undo(other_moderator, decision.id)
    at(noon() + timedelta(minutes=9))
    deciding.undo(moderator, decision.id)
    assert db.session.get_one(Post, post.id).state is PostState.VISIBLE
    case = db.session.get_one(Case, decision.case_id)
    assert (case.state, case.claimed_by_id) == (CaseState.OPEN, moderator.member_id)
    assert told(author)[0] == "A decision about your post was taken back"
    assert "Your post was removed" not in told(author)
    assert db.session.execute(select(Flag.outcome)).scalar_one() is FlagOutcome.PENDING
    again = decide(moderator, case.id, hiding(case))
    at(noon() + timedelta(minutes=9 + 10))
    with pytest.raises(Invalid, match="no longer"):
        deciding.undo(moderator, again.id)
    assert recount() == []


def test_everything_that_a_decision_did_is_undone(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    post = answered(asker, author, board)
    case = flagged(post, reporter)
    until = clock.now() + timedelta(days=3)
    decision = decide(
        moderator,
        case.id,
        hiding(case, post=PostMeasure.CLOSE, member=MemberMeasure.SUSPEND, suspended_until=until),
    )
    assert viewer_of(author.member_id or 0).suspended_until == until
    assert not viewer_of(author.member_id or 0).may(Permission.POST)
    thread = db.session.get_one(Thread, post.thread_id)
    assert thread.closed_at is not None
    assert thread.closed_reason.startswith("Rule 4, no personal data of others: It gave")
    deciding.undo(moderator, decision.id)
    assert viewer_of(author.member_id or 0).may(Permission.POST)
    assert db.session.get_one(Thread, post.thread_id).closed_at is None


def test_a_ban_ends_the_account_and_is_told_by_mail(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    case = flagged(answered(asker, author, board), reporter)
    decision = decide(moderator, case.id, hiding(case, member=MemberMeasure.BAN))
    assert not viewer_of(author.member_id or 0).is_member
    mail = db.session.execute(select(Mail).where(Mail.kind == "account")).scalar_one()
    assert mail.body["button"][1].startswith(f"/appeals/new?decision={decision.id}&token=")
    deciding.undo(moderator, decision.id)
    assert viewer_of(author.member_id or 0).is_member


def test_nobody_decides_on_their_own_post(
    board: int, asker: Viewer, reporter: Viewer, moderator: Viewer, other_moderator: Viewer
) -> None:
    case = flagged(answered(asker, moderator, board), reporter)
    with pytest.raises(Forbidden, match="wrote yourself"):
        decide(moderator, case.id, dismissing(case))
    assert decide(other_moderator, case.id, dismissing(case)).id


@pytest.mark.parametrize("party", ["author", "reporter"])
@pytest.mark.parametrize(
    ("relation", "refused"),
    [("colleague", True), ("declared by us", True), ("declared by them", True), ("stranger", False)],
)
def test_a_peer_moderator_does_not_decide_about_the_own_company_or_a_competitor(
    party: str, relation: str, refused: bool, board: int, asker: Viewer
) -> None:
    own, other = make_company(), make_company()
    with unit_of_work():
        if relation == "declared by us":
            db.session.get_one(Company, own).competitors = [other]
        if relation == "declared by them":
            db.session.get_one(Company, other).competitors = [own]
    peer = viewer_of(make_customer(company_id=own, duties=(Duty.MODERATOR,)))
    someone = viewer_of(make_customer(company_id=own if relation == "colleague" else other))
    stranger = viewer_of(make_customer())
    author, reporter = (someone, stranger) if party == "author" else (stranger, someone)
    case = flagged(answered(asker, author, board), reporter)
    assert bool(reason_against(peer, case)) is refused
    if refused:
        with pytest.raises(Forbidden, match=r"company"):
            decide(peer, case.id, dismissing(case))
    else:
        assert decide(peer, case.id, dismissing(case)).id


@pytest.mark.parametrize("which", ["own", "competitor", "none"])
def test_why_a_peer_moderator_decides_nothing_about_a_role_tells_nothing(board: int, which: str) -> None:
    rival = make_company("Rival")
    own = make_company("Own", competitors=[rival])
    company = {"own": own, "competitor": rival, "none": None}[which]
    asker = viewer_of(make_customer("Zephyrine", title="Head of IT", company_id=company))
    thread = open_thread(
        asker,
        board,
        kind=ThreadKind.QUESTION,
        title="How do you leave a vendor?",
        body="Without losing a week.",
        author_shown_as="role",
    )
    reply = post_reply(asker, thread.id, "And with the pictures in it.")
    opening = db.session.scalars(db.select(Post).where(Post.thread_id == thread.id, Post.number == 1)).one()
    peer = viewer_of(make_customer(company_id=own, duties=(Duty.MODERATOR,)))
    for post in (opening, reply):
        case = flagged(post, viewer_of(make_customer()))
        said = "Its author appears without a name, so a moderator of the vendor decides."
        assert reason_against(peer, case) == said
        view = one_case.case_view(peer, case.id)
        assert (view.line.against, view.line.author.name) == (said, "Head of IT")
        assert reason_against(viewer_of(make_moderator()), case) == ""


def test_peers_close_no_account_and_hold_back_no_vendor_account(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    peer = viewer_of(make_customer(duties=(Duty.MODERATOR,)))
    case = flagged(answered(asker, author, board), reporter)
    with pytest.raises(Forbidden):
        decide(peer, case.id, hiding(case, member=MemberMeasure.BAN))
    staff = flagged(answered(asker, moderator, board), reporter)
    week = clock.now() + timedelta(days=7)
    with pytest.raises(Forbidden):
        decide(peer, staff.id, hiding(staff, member=MemberMeasure.SUSPEND, suspended_until=week))
    assert decide(peer, case.id, hiding(case, member=MemberMeasure.SUSPEND, suspended_until=week)).id


def test_a_peer_moderator_finds_no_case_of_the_staff_room(
    staff_room: int, moderator: Viewer, other_moderator: Viewer
) -> None:
    peer = viewer_of(make_customer(duties=(Duty.MODERATOR,)))
    case = flagged(answered(moderator, other_moderator, staff_room), moderator)
    for act in (
        lambda: cases.claim(peer, case.id),
        lambda: decide(peer, case.id, dismissing(case)),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_member_who_does_not_moderate_decides_nothing(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer
) -> None:
    case = flagged(answered(asker, author, board), reporter)
    for act in (lambda: decide(asker, case.id, dismissing(case)), lambda: cases.claim(asker, case.id)):
        with pytest.raises(Forbidden):
            act()
