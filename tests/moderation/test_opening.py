"""Cases that others open: what was disclosed is sealed, read on record, and closed with the decision."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.kernel import clock
from portal.kernel.access import Duty, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import (
    AppealOutcome,
    Case,
    CaseKey,
    CaseKind,
    CaseState,
    Evidence,
    MemberMeasure,
)
from portal.moderation.queries import cases as case_queries
from portal.moderation.queries import evidence as readings
from portal.moderation.queries import queue
from portal.moderation.queries.own import barred_from_conversations
from portal.moderation.services import evidence
from portal.moderation.services.appeals import appeal, decide_appeal
from portal.moderation.services.deciding import Verdict, decide, undo
from portal.moderation.services.opening import Exhibit, add_evidence, open_case, withdraw_case
from tests.conftest import make_customer, make_moderator, make_prospect, noon, viewer_of

WORDS = "Nobody but Bielefeld knows this sentence"


def disclosed(author: int, reporter: int, *, text: str = WORDS, **fields: object) -> Case:
    with unit_of_work():
        return open_case(
            CaseKind.CONVERSATION,
            title="Messages of a private conversation",
            link="",
            why="",
            member_id=author,
            due_at=clock.now() + timedelta(hours=8),
            open_key=f"conversation:{clock.token(6)}",
            evidence=[Exhibit(author, clock.now(), text)],
            shared_by_id=reporter,
            **fields,
        )


def warn(case: Case, member: MemberMeasure = MemberMeasure.WARN, **fields: object) -> Verdict:
    return Verdict(member=member, rule_number=2, reason="It threatens.", version=case.version, **fields)


@pytest.fixture
def people(in_app) -> tuple[int, int, Viewer]:
    return make_customer("Ines"), make_prospect("Jonas"), viewer_of(make_moderator("Mona"))


def test_what_was_disclosed_is_read_on_record_and_closes_with_the_decision(people):
    ines, jonas, mona = people
    case = disclosed(ines, jonas)
    assert WORDS not in db.session.execute(select(Evidence.box)).scalar_one()
    assert [one.text for one in evidence.read_evidence(mona, case.id)] == [WORDS]
    assert [one.messages for one in readings.readings([case.id])[case.id]] == [1]
    decide(mona, case.id, warn(case))
    with pytest.raises(NotFound):
        evidence.read_evidence(mona, case.id)
    assert case_queries.case_view(mona, case.id).disclosed == 0


def test_vendor_accounts_know_nothing_of_a_case_for_peers(people):
    ines, jonas, mona = people
    peer = viewer_of(make_customer("Pia", duties=(Duty.MODERATOR,)))
    case = disclosed(ines, jonas, peers_only=True)
    with pytest.raises(NotFound):
        case_queries.case_view(mona, case.id)
    with pytest.raises(NotFound):
        evidence.read_evidence(mona, case.id)
    with pytest.raises(NotFound):
        decide(mona, case.id, warn(case))
    assert queue.waiting_count(mona) == 0
    assert queue.waiting_count(peer) == 1
    assert [one.text for one in evidence.read_evidence(peer, case.id)] == [WORDS]


def test_a_party_or_a_colleague_of_one_reads_and_decides_nothing(people):
    _, jonas, _ = people
    author = make_customer("Otto", duties=(Duty.MODERATOR,))
    otto = viewer_of(author)
    colleague = viewer_of(make_customer("Karl", duties=(Duty.MODERATOR,), company_id=otto.company_id))
    case = disclosed(author, jonas)
    for one in (otto, colleague):
        with pytest.raises(NotFound):
            evidence.read_evidence(one, case.id)


def test_an_appeal_opens_the_messages_again_to_another_moderator(people):
    ines, jonas, mona = people
    second = viewer_of(make_moderator("Nils"))
    case = disclosed(ines, jonas)
    decision = decide(mona, case.id, warn(case))
    made = appeal(ines, decision.id, "I was quoting a song.")
    assert evidence.read_evidence(second, made.case_id)[0].text == WORDS
    with pytest.raises(NotFound):
        evidence.read_evidence(mona, made.case_id)
    decide_appeal(second, made.id, AppealOutcome.OVERTURNED, "A song.", version=1)
    with pytest.raises(NotFound):
        evidence.read_evidence(second, made.case_id)


def test_no_new_conversations_is_a_measure_that_ends_and_can_be_taken_back(people):
    ines, jonas, mona = people
    case = disclosed(ines, jonas)
    with pytest.raises(Invalid):
        decide(mona, case.id, warn(case, MemberMeasure.NO_CONVERSATIONS))
    until = clock.now() + timedelta(days=7)
    decision = decide(mona, case.id, warn(case, MemberMeasure.NO_CONVERSATIONS, suspended_until=until))
    assert barred_from_conversations(ines) == until
    undo(mona, decision.id)
    assert barred_from_conversations(ines) is None
    assert db.session.get_one(Case, case.id).state is CaseState.OPEN
    assert evidence.read_evidence(mona, case.id)


def test_evidence_and_its_key_go_when_nobody_can_appeal_any_more(people, at):
    ines, jonas, mona = people
    at(noon("2026-03-02"))
    case = disclosed(ines, jonas)
    decide(mona, case.id, warn(case))
    at(noon("2026-03-10"))
    assert evidence.forget_evidence() == 0
    at(noon("2026-03-20"))
    assert evidence.forget_evidence() == 1
    assert db.session.execute(select(Evidence)).first() is None
    assert db.session.execute(select(CaseKey)).first() is None


def test_messages_are_added_while_the_case_is_open_and_not_after(people):
    ines, jonas, mona = people
    case = disclosed(ines, jonas)
    with unit_of_work():
        add_evidence(case.id, [Exhibit(jonas, clock.now(), "I wrote this first")], shared_by_id=ines)
    case = db.session.get_one(Case, case.id)
    assert len(evidence.read_evidence(mona, case.id)) == 2
    decide(mona, case.id, warn(case))
    with pytest.raises(Conflict), unit_of_work():
        add_evidence(case.id, [Exhibit(jonas, clock.now(), "too late")], shared_by_id=ines)


def test_a_case_of_an_ask_is_one_for_each_key_and_ends_by_itself(people):
    ines, _, mona = people

    def connect() -> Case:
        with unit_of_work():
            return open_case(
                CaseKind.CONNECT,
                title="Is it worth it?",
                link="/asks/1",
                why="Nobody answered in time",
                member_id=ines,
                due_at=clock.now(),
                open_key="ask:1",
            )

    first = connect()
    assert connect().id == first.id
    with pytest.raises(Invalid):
        decide(mona, first.id, warn(first))
    with unit_of_work():
        assert withdraw_case("ask:1")
    assert queue.waiting_count(mona) == 0
    with unit_of_work():
        assert not withdraw_case("ask:1")
    assert connect().id != first.id


def test_the_console_shows_the_case_and_the_messages_only_on_asking(app, sign_in):
    with app.app_context():
        ines, jonas, mona = make_customer("Ines"), make_prospect("Jonas"), make_moderator("Mona")
        case_id = disclosed(ines, jonas, rule_number=2).id
    browser = sign_in(mona)
    page = browser.get(f"/console/cases/{case_id}")
    assert page.status_code == 200
    assert WORDS not in page.text
    assert WORDS in browser.get(f"/console/cases/{case_id}/evidence").text
    assert "Reported messages, rule 2" in browser.get("/console/queue").text
    with app.app_context():
        decide(viewer_of(mona), case_id, warn(db.session.get_one(Case, case_id)))
    assert browser.get(f"/console/cases/{case_id}/evidence").status_code == 404
    assert WORDS not in browser.get(f"/console/cases/{case_id}").text
