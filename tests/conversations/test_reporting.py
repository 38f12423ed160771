"""Reporting: exactly the chosen messages, to whom the reporter chose, seen by both; afterwards and thanks."""

import pytest
from sqlalchemy import select

from portal.conversations import services, telling
from portal.conversations.models import Decided, Rating, Report
from portal.conversations.queries import giving, reading
from portal.kernel import clock
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.moderation.models import Case, CaseState, Evidence, MemberMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.evidence import read_evidence
from portal.notifications.models import Notice
from tests.conftest import make_customer, make_moderator, make_prospect, viewer_of
from tests.conversations.conftest import talking


@pytest.fixture
def scene(in_app):
    jonas, ines, mona = make_prospect("Jonas"), make_customer("Ines"), viewer_of(make_moderator("Mona"))
    conversation = talking(jonas, ines, "harmless", "I said this", "You will regret it")
    return jonas, ines, mona, conversation


def ids(member: int, conversation_id: str) -> list[str]:
    return [letter.id for letter in reading.page(viewer_of(member), conversation_id).letters]


def kinds_told(member: int) -> list[str]:
    return list(
        db.session.execute(
            select(Notice.kind).where(Notice.member_id == member, Notice.kind == "conversation_report")
        ).scalars()
    )


def test_reviewers_read_exactly_what_was_chosen_and_both_see_that_they_did(scene):
    jonas, ines, mona, conversation = scene
    chosen = ids(jonas, conversation.id)[2]
    report = services.report(viewer_of(jonas), conversation.id, [chosen], rule_number=2)
    assert kinds_told(ines)
    assert [one.text for one in read_evidence(mona, report.case_id)] == ["You will regret it"]
    for member in (jonas, ines):
        line = reading.page(viewer_of(member), conversation.id).reports[0]
        assert len(line.readings) == 1
    box = db.session.execute(select(Evidence.box)).scalar_one()
    with pytest.raises(Exception, match="cannot be opened"):
        conversation.key().open(box, purpose=f"message:{chosen}")


def test_who_has_left_hears_of_the_report_and_its_decision_and_reads_nothing_there(scene):
    jonas, ines, mona, conversation = scene
    chosen = ids(jonas, conversation.id)[2]
    services.leave(viewer_of(ines), conversation.id)
    report = services.report(viewer_of(jonas), conversation.id, [chosen], rule_number=2)
    services.leave(viewer_of(jonas), conversation.id)
    decide(mona, report.case_id, Verdict(rule_number=2, reason="No rule is broken.", version=1))
    for member, sentences in (
        (ines, {"Messages of a conversation of yours were shown to reviewers", "A report was decided"}),
        (jonas, {"A report was decided"}),
    ):
        notices = [
            one
            for one in db.session.execute(select(Notice).where(Notice.member_id == member)).scalars()
            if one.kind == "conversation_report"
        ]
        lines = telling.resolve(viewer_of(member), notices).values()
        assert {line.sentence for line in lines} == sentences
        assert {line.url for line in lines} == {"/conversations"}
    other = make_customer("Otto")
    assert telling.resolve(viewer_of(other), notices) == {}


def test_the_other_side_adds_and_after_the_decision_it_is_closed(scene):
    jonas, ines, mona, conversation = scene
    first, second, third = ids(jonas, conversation.id)
    report = services.report(viewer_of(jonas), conversation.id, [third], rule_number=2)
    services.add_messages(viewer_of(ines), conversation.id, report.id, [second, third])
    assert [one.text for one in read_evidence(mona, report.case_id)] == ["I said this", "You will regret it"]
    case = db.session.get_one(Case, report.case_id)
    decide(
        mona,
        case.id,
        Verdict(member=MemberMeasure.WARN, rule_number=2, reason="A threat.", version=case.version),
    )
    with pytest.raises(NotFound):
        read_evidence(mona, report.case_id)
    with pytest.raises(Conflict):
        services.add_messages(viewer_of(ines), conversation.id, report.id, [first])
    line = reading.page(viewer_of(ines), conversation.id).reports[0]
    assert (line.reason, line.report.nothing_done) == ("A threat.", False)
    assert kinds_told(jonas)


def test_for_peers_no_vendor_account_sees_the_case(scene):
    jonas, _ines, mona, conversation = scene
    chosen = ids(jonas, conversation.id)[2:]
    with pytest.raises(Invalid):
        services.report(viewer_of(jonas), conversation.id, chosen, rule_number=2, peers_only=True)
    peer = viewer_of(make_customer("Pia", duties=(Duty.MODERATOR,)))
    report = services.report(viewer_of(jonas), conversation.id, chosen, rule_number=4, peers_only=True)
    with pytest.raises(NotFound):
        read_evidence(mona, report.case_id)
    assert read_evidence(peer, report.case_id)
    alerted = db.session.execute(select(Notice.member_id).where(Notice.kind == "alert")).scalars().all()
    assert alerted == [peer.member_id]


def test_a_grave_report_alerts_whoever_is_on_duty_without_content(scene):
    jonas, _ines, mona, conversation = scene
    services.report(viewer_of(jonas), conversation.id, ids(jonas, conversation.id)[2:], rule_number=4)
    notice = db.session.execute(select(Notice).where(Notice.kind == "alert")).scalar_one()
    assert notice.member_id == mona.member_id
    assert "regret" not in str(notice.data)


def test_only_messages_of_ones_own_conversation_can_be_disclosed(scene):
    jonas, _ines, _mona, conversation = scene
    other = talking(make_prospect(), make_customer(), "of others")
    theirs = ids(other.member_id, other.id)
    for chosen in (theirs, ["nothing-like-it"], [*theirs, *ids(jonas, conversation.id)]):
        with pytest.raises(NotFound):
            services.report(viewer_of(jonas), conversation.id, chosen, rule_number=2)
    with pytest.raises(NotFound):
        services.report(viewer_of(jonas), other.id, theirs, rule_number=2)
    with pytest.raises(Invalid):
        services.report(viewer_of(jonas), conversation.id, ids(jonas, conversation.id)[1:2], rule_number=2)
    assert db.session.execute(select(Report)).first() is None


def test_a_dismissal_is_told_to_both_too(scene):
    jonas, ines, mona, conversation = scene
    report = services.report(
        viewer_of(jonas), conversation.id, ids(jonas, conversation.id)[:1], rule_number=None
    )
    case = db.session.get_one(Case, report.case_id)
    decide(mona, case.id, Verdict(reason="Nothing in it.", version=case.version))
    assert db.session.get_one(Case, case.id).state is CaseState.DECIDED
    assert reading.page(viewer_of(ines), conversation.id).reports[0].report.nothing_done
    assert len(kinds_told(jonas)) == 1


def test_ratings_are_ones_own_unless_shared(scene):
    jonas, ines, _mona, conversation = scene
    services.rate(viewer_of(jonas), conversation.id, useful=True, honest=True)
    assert reading.page(viewer_of(ines), conversation.id).others_rating is None
    services.rate(viewer_of(jonas), conversation.id, useful=True, shared=True)
    assert reading.page(viewer_of(ines), conversation.id).others_rating.useful
    assert len(db.session.execute(select(Rating)).all()) == 1


def test_what_was_decided_is_kept_of_prospects_alone(scene):
    jonas, ines, _mona, conversation = scene
    for one in (jonas, ines):
        services.rate(viewer_of(one), conversation.id, useful=True, decided=Decided.CHOSE)
    rows = db.session.execute(select(Rating.by_id, Rating.decided)).all()
    assert {row.by_id: row.decided for row in rows} == {jonas: Decided.CHOSE, ines: None}


def test_thanks_stand_on_the_page_only_when_both_want_it(scene):
    jonas, ines, _mona, conversation = scene
    services.thank(viewer_of(jonas), conversation.id, "You saved us a year", may_be_public=False)
    with pytest.raises(Invalid):
        services.thank(viewer_of(jonas), conversation.id, "again")
    kept = giving.contributions(viewer_of(ines)).thanks[0]
    assert kept.text == "You saved us a year"
    with pytest.raises(Invalid):
        services.publish_thanks(viewer_of(ines), kept.id, shown=True)
    with pytest.raises(NotFound):
        services.publish_thanks(viewer_of(jonas), kept.id, shown=False)
    services.thank(viewer_of(ines), conversation.id, "Good questions", may_be_public=True)
    mine = giving.contributions(viewer_of(jonas)).thanks[0]
    assert giving.public_thanks(jonas) == []
    services.publish_thanks(viewer_of(jonas), mine.id, shown=True)
    assert [text for text, _at in giving.public_thanks(jonas)] == ["Good questions"]
    assert clock.now() >= giving.public_thanks(jonas)[0][1]
