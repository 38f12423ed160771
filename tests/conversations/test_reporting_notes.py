"""The note of a request is reported as messages are: by who got it, also once the request came to nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.conversations import services, telling
from portal.conversations.models import Report
from portal.conversations.queries import reading
from portal.conversations.services.messages import mark_seen
from portal.kernel import clock
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.moderation.models import Case, Evidence, MemberMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.evidence import forget_evidence, read_evidence
from portal.notifications.models import Notice
from tests.conftest import make_customer, make_moderator, make_prospect, viewer_of
from tests.conversations.conftest import asked, talking
from tests.support.people import submit

NOTE = "Answer me, or your boss hears what I know."
ENDINGS = {
    "declined": lambda jonas, ines, talk: services.decline(ines, talk),
    "taken back": lambda jonas, ines, talk: services.withdraw(jonas, talk),
    "blocked": lambda jonas, ines, talk: services.block(ines, talk, jonas.member_id),
}


@pytest.fixture
def scene(in_app):
    """Jonas asked Ines, who has read the note."""
    jonas, ines = viewer_of(make_prospect("Jonas")), viewer_of(make_customer("Ines"))
    mona = viewer_of(make_moderator("Mona"))
    conversation = asked(jonas, ines.member_id or 0, NOTE)
    mark_seen(ines, conversation.id, 0)
    return jonas, ines, mona, conversation.id


def sentences(member) -> list[tuple[str, str]]:
    rows = db.session.execute(
        select(Notice).where(Notice.member_id == member.member_id, Notice.kind == "conversation_report")
    ).scalars()
    return [(line.sentence, line.url) for line in telling.resolve(member, list(rows)).values()]


def report_note(member, conversation_id: str, *more: str, **choice) -> Report:
    return services.report(member, conversation_id, ["note", *more], **{"rule_number": 2, **choice})


def test_reviewers_read_the_note_and_both_see_it(scene):
    jonas, ines, mona, talk = scene
    report = report_note(ines, talk)
    case = db.session.get_one(Case, report.case_id)
    assert (case.member_id, case.peers_only) == (jonas.member_id, False)
    assert case.title == "The note of a request for a private conversation"
    assert [(one.text, one.by, one.about) for one in read_evidence(mona, case.id)] == [(NOTE, "Jonas", True)]
    assert sentences(jonas) == [
        ("The note of a request of yours was shown to reviewers", f"/conversations/{talk}")
    ]
    for member in (jonas, ines):
        line = reading.page(member, talk).reports[0]
        assert (line.with_note, line.messages, len(line.readings)) == (True, 0, 1)
    box = db.session.execute(select(Evidence.box)).scalar_one()
    assert NOTE not in box
    with pytest.raises(Exception, match="cannot be opened"):
        reading.page(ines, talk).conversation.key().open(box, purpose="note")


def test_after_the_decision_it_is_closed_and_then_forgotten(scene, at):
    jonas, ines, mona, talk = scene
    report = report_note(ines, talk)
    warning = Verdict(member=MemberMeasure.WARN, rule_number=2, reason="A threat.", version=1)
    decide(mona, report.case_id, warning)
    with pytest.raises(NotFound):
        read_evidence(mona, report.case_id)
    assert ("A report was decided", f"/conversations/{talk}") in sentences(jonas)
    assert sentences(ines) == [("A report was decided", f"/conversations/{talk}")]
    at(clock.now() + timedelta(days=40))
    assert forget_evidence() == 1
    assert reading.page(ines, talk).reports[0].reason == "A threat."


def test_peers_alone_as_the_reporter_chooses(scene):
    _jonas, ines, mona, talk = scene
    with pytest.raises(Invalid) as refused:
        report_note(ines, talk, peers_only=True)
    assert refused.value.field == "reviewers"
    peer = viewer_of(make_customer("Pia", duties=(Duty.MODERATOR,)))
    report = report_note(ines, talk, peers_only=True, rule_number=4)
    with pytest.raises(NotFound):
        read_evidence(mona, report.case_id)
    assert [one.text for one in read_evidence(peer, report.case_id)] == [NOTE]
    alerted = db.session.execute(select(Notice.member_id).where(Notice.kind == "alert")).scalars().all()
    assert alerted == [peer.member_id]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_read_stays_reportable_for_30_days_as_a_deleted_message_does(scene, at, ending):
    jonas, ines, mona, talk = scene
    ENDINGS[ending](jonas, ines, talk)
    with pytest.raises(NotFound):
        reading.page(ines, talk)
    at(clock.now() + timedelta(days=29))
    report = report_note(ines, talk)
    assert [one.text for one in read_evidence(mona, report.case_id)] == [NOTE]
    at(clock.now() + timedelta(days=2))
    with pytest.raises(NotFound):
        report_note(ines, talk)
    decide(mona, report.case_id, Verdict(reason="No rule is broken.", version=1))
    assert ("A report was decided", f"/conversations/{talk}/report") in sentences(ines)
    line = reading.page_to_report(ines, talk).reports[0]
    assert (line.report.nothing_done, line.reason) == (True, "No rule is broken.")


def test_a_note_that_was_taken_back_unread_stays_unread(in_app):
    jonas, ines = viewer_of(make_prospect()), viewer_of(make_customer())
    talk = asked(jonas, ines.member_id or 0, NOTE).id
    services.withdraw(jonas, talk)
    for attempt in (lambda: report_note(ines, talk), lambda: reading.page_to_report(ines, talk)):
        with pytest.raises(NotFound):
            attempt()
    assert db.session.execute(select(Report)).first() is None


def test_nobody_else_reports_it_and_nobody_reports_themselves(scene):
    jonas, ines, _mona, talk = scene
    with pytest.raises(Invalid):
        report_note(jonas, talk)
    for other in (viewer_of(make_customer()), viewer_of(make_prospect()), viewer_of(make_moderator())):
        with pytest.raises(NotFound):
            report_note(other, talk)
        with pytest.raises(NotFound):
            reading.page_to_report(other, talk)
    services.decline(ines, talk)
    with pytest.raises(NotFound):
        services.report(ines, talk, ["note", "no-such-message"], rule_number=2)


def test_in_an_open_conversation_it_is_shown_beside_messages_and_by_the_other_side(in_app):
    jonas, ines = make_prospect("Jonas"), make_customer("Ines")
    mona = viewer_of(make_moderator("Mona"))
    talk = talking(jonas, ines, "mine", "yours")
    letters = [letter.id for letter in reading.page(viewer_of(ines), talk.id).letters]
    both = report_note(viewer_of(ines), talk.id, letters[1])
    words = [one.text for one in read_evidence(mona, both.case_id)]
    assert (len(words), words[1]) == (2, "yours")
    theirs = services.report(viewer_of(jonas), talk.id, [letters[0]], rule_number=2)
    services.add_messages(viewer_of(jonas), talk.id, theirs.id, ["note"])
    services.add_messages(viewer_of(jonas), talk.id, theirs.id, ["note", letters[1]])
    assert len(read_evidence(mona, theirs.case_id)) == 3, "the note once"
    lines = reading.page(viewer_of(ines), talk.id).reports
    assert [(line.with_note, line.messages) for line in lines] == [(True, 1), (True, 2)]


def test_the_pages(app, sign_in):
    with app.app_context():
        jonas, ines = make_prospect("Jonas"), make_customer("Ines")
        talk = asked(jonas, ines, NOTE).id
    ines_, jonas_ = sign_in(ines), sign_in(jonas)
    place = f"/conversations/{talk}"
    page = ines_.get(place).text
    assert f'href="{place}/report"' in page
    assert f'href="{place}/report"' not in jonas_.get(place).text, "there is nothing of anybody else's"
    form = ines_.get(f"{place}/report").text
    assert NOTE in form
    assert 'value="note" checked' in form, "there is nothing else to choose"
    refused = submit(ines_, f"{place}/report", {"messages": "note", "reviewers": "moderators"})
    assert refused.status_code == 422
    with app.app_context():
        services.decline(viewer_of(ines), talk)
    asked_page = ines_.get("/requests").text
    assert f'href="{place}/report"' in asked_page
    assert ines_.get(place).status_code == 404
    sent = submit(ines_, f"{place}/report", {"messages": "note", "rule": "2", "reviewers": "moderators"})
    assert (sent.status_code, sent.location) == (303, f"{place}/report")
    shown = ines_.get(f"{place}/report").text
    assert "The note was shown to reviewers" in shown
    assert "Nobody has read it yet" in shown
    assert "The note was shown to reviewers" in jonas_.get(place).text
    assert "Ines" not in [line.strip() for line in jonas_.get("/notifications").text.splitlines()]
