"""From an ask to a conversation: three proposals, two approaches, the next one, a moderator who connects."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.asks.models import Ask, AskProposal, AskState, ProposalState
from portal.asks.queries.finding import find_visible_ask, proposals_of, proposed_to_moderator
from portal.asks.queries.private import words_of
from portal.asks.services import asking, connecting, requests, settling
from portal.asks.services.asking import Situation
from portal.conversations import services as conversations
from portal.conversations.models import Conversation
from portal.conversations.queries import listing
from portal.discussions.models import ShownAs
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import Base, db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability
from portal.matching.services import open_slot
from portal.members.models import Member, MemberState, VerifiedBy
from portal.moderation.models import Case, CaseState
from tests.asks.scenes import (
    FACTORY,
    HOUR,
    TUESDAY,
    ask,
    asked,
    board,
    change_member,
    fresh,
    happened,
    make_company,
    make_customers,
    make_prospect,
    request_of,
    told,
    work,
)
from tests.conftest import make_customer, make_member, make_moderator, viewer_of
from tests.conversations.conftest import talking

Clock = Callable[[datetime], None]
NEXT_MONDAY = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock) -> None:
    at(TUESDAY)


def limit(member_id: int, number: int) -> None:
    """The member takes so many conversations a quarter."""
    with unit_of_work():
        row = db.session.get(Availability, member_id)
        if row is None:
            row = Availability(member_id=member_id)
            db.session.add(row)
        row.limit_per_quarter = number


def require_company_address(member_id: int) -> None:
    """The member talks only with people who are here with their company's address."""
    with unit_of_work():
        db.session.add(Availability(member_id=member_id, company_address_required=True))


def open_ids(ask_id: int) -> list[int]:
    return [one.id for one in proposals_of(ask_id) if one.state is ProposalState.OPEN]


def listed(moderator: Viewer, of: Ask) -> list[int]:
    """The proposals that this moderator reads as ready to be asked."""
    return [one.id for one in proposed_to_moderator(moderator, fresh(of))]


def conversations_of(asker_id: int) -> list[Conversation]:
    return list(db.session.execute(select(Conversation).where(Conversation.asker_id == asker_id)).scalars())


class TestProposals:
    def test_connect_me_now_gives_three_different_ones_at_once(self, in_app: Flask):
        board()
        customers = make_customers(8)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        found = proposals_of(one.id)
        assert len({row.member_id for row in found}) == 3
        assert {row.member_id for row in found} <= set(customers)
        assert [row.chosen_as for row in found] == ["chosen", "least shown", "random"]
        assert all("industry" in row.same for row in found)
        assert "connect" in happened(one)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        assert len(proposals_of(one.id)) == 3

    def test_two_can_be_approached_at_once_and_no_more(self, in_app: Flask):
        board()
        make_customers(8)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        ids = open_ids(one.id)
        with pytest.raises(Invalid):
            connecting.approach(viewer_of(asker), one.id, ids, note="May I ask you?")
        result = connecting.approach(viewer_of(asker), one.id, ids[:2], note="May I ask you?")
        assert len(result.conversation_ids) == 2
        assert {row.origin for row in conversations_of(asker)} == {f"ask:{one.id}"}
        with pytest.raises(Invalid):
            connecting.approach(viewer_of(asker), one.id, ids[2:], note="May I ask you?")

    def test_nobody_approaches_for_somebody_else(self, in_app: Flask):
        board()
        make_customers(4)
        asker, other = make_prospect(), make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        with pytest.raises(Forbidden):
            connecting.approach(viewer_of(other), one.id, open_ids(one.id)[:1], note="Me.")
        with pytest.raises(Forbidden):
            connecting.connect_now(viewer_of(other), one.id, may_connect=True)

    @pytest.mark.parametrize("how", ["limit", "suspended", "banned"])
    def test_whoever_left_between_proposal_and_request_is_replaced_by_the_next(self, in_app: Flask, how: str):
        board()
        make_customers(6)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        first = proposals_of(one.id)[0]
        if how == "limit":
            limit(first.member_id, 0)
        elif how == "suspended":
            change_member(first.member_id, suspended_until=TUESDAY + 100 * HOUR)
        else:
            change_member(first.member_id, state=MemberState.BANNED)
        result = connecting.approach(viewer_of(asker), one.id, [first.id], note="May I ask you?")
        assert (result.gone, result.conversation_ids, result.replaced) == (1, [], 1)
        assert first.id not in open_ids(one.id)
        assert len(open_ids(one.id)) == 3

    def test_a_decline_brings_the_next_and_says_no_reason(self, in_app: Flask):
        board()
        make_customers(6)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        first = proposals_of(one.id)[0]
        [made] = connecting.approach(
            viewer_of(asker), one.id, [first.id], note="May I ask you?"
        ).conversation_ids
        conversations.decline(viewer_of(first.member_id), made)
        db.session.expire_all()
        row = db.session.get_one(AskProposal, first.id)
        assert row.state is ProposalState.GONE
        assert len(open_ids(one.id)) == 3
        assert asker in told("ask")

    @pytest.mark.parametrize("how", ["suspended", "banned", "erased"])
    def test_whoever_is_held_back_before_answering_is_moved_on_from_at_once(self, in_app: Flask, how: str):
        make_customers(6)
        prospect = make_prospect()
        board()
        one = ask(prospect)
        connecting.connect_now(viewer_of(prospect), one.id, may_connect=False)
        [talk_id] = connecting.approach(
            viewer_of(prospect), one.id, open_ids(one.id)[:1], note="May I ask?"
        ).conversation_ids
        member = db.session.get_one(Conversation, talk_id).member_id
        change_member(
            member,
            **(
                {"suspended_until": TUESDAY + 24 * HOUR}
                if how == "suspended"
                else {"state": MemberState(how)}
            ),
        )
        assert conversations.release_due() == 1
        assert conversations.release_due() == 0
        assert len(open_ids(one.id)) == 3, "the next is proposed"
        assert member not in [
            row.member_id for row in proposals_of(one.id) if row.state == ProposalState.OPEN
        ]
        assert told("conversation_news") == [prospect]
        row = listing.lists(viewer_of(prospect)).over[0]
        assert not row.is_available, "it reads as a decline reads: nothing about anybody"

    def test_looking_further_gives_up_what_weighs_least(self, in_app: Flask):
        board()
        asker = make_prospect()
        one = ask(asker)
        work()
        assert happened(one) == ["asked", "nobody"]
        make_customers(5, region="FR")
        assert connecting.widen(viewer_of(asker), one.id) == "region"
        work()
        assert len(asked(one)) == 5
        assert fresh(one).dropped == ["region"]
        for left in ("size_band", "industry"):
            assert connecting.widen(viewer_of(asker), one.id) == left
        with pytest.raises(Invalid):
            connecting.widen(viewer_of(asker), one.id)


class TestInTouch:
    """Two who have a conversation or a request already are not proposed to each other again."""

    def test_whom_one_talks_with_is_not_proposed(self, in_app: Flask):
        board()
        known, *others = make_customers(5)
        asker = make_prospect()
        talking(asker, known)
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        assert {row.member_id for row in proposals_of(one.id)} <= set(others)
        assert len(open_ids(one.id)) == 3

    def test_asked_from_one_ask_they_leave_the_other_and_the_next_comes(self, in_app: Flask):
        board()
        make_customers(4)
        asker = make_prospect()
        first, second = ask(asker), ask(asker, title="Who looks after it once it runs?", body="Two people?")
        for each in (first, second):
            connecting.connect_now(viewer_of(asker), each.id, may_connect=False)
        there = {row.member_id for row in proposals_of(second.id)}
        shared = next(row for row in proposals_of(first.id) if row.member_id in there)
        connecting.approach(viewer_of(asker), first.id, [shared.id], note="May I ask you?")
        rows = {row.member_id: row.state for row in proposals_of(second.id)}
        assert rows[shared.member_id] is ProposalState.GONE
        assert len(open_ids(second.id)) == 3
        assert db.session.get_one(AskProposal, shared.id).state is ProposalState.APPROACHED

    @pytest.mark.parametrize("how", ["approach", "book"])
    def test_chosen_all_the_same_it_leads_to_the_conversation_there_is(self, in_app: Flask, how: str):
        board()
        make_customers(3)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        row = proposals_of(one.id)[0]
        there = talking(asker, row.member_id)
        with unit_of_work():  # chosen in the moment in which the other request was made
            db.session.get_one(AskProposal, row.id).state = ProposalState.OPEN
        if how == "approach":
            result = connecting.approach(viewer_of(asker), one.id, [row.id], note="Again.")
        else:
            slot = open_slot(row.member_id, TUESDAY + 48 * HOUR, 30)
            result = connecting.book(viewer_of(asker), one.id, row.id, slot.id, note="Again.")
        assert (result.conversation_ids, result.in_touch, result.missing) == ([], [there.id], 1)
        assert db.session.get_one(AskProposal, row.id).state is ProposalState.GONE
        assert len(conversations_of(asker)) == 1

    def test_a_moderator_who_picks_them_reads_no_pair_and_the_case_stays(self, in_app: Flask, at: Clock):
        board()
        make_customers(1)
        asker = make_prospect()
        one = ask(asker, may_connect=True)
        at(TUESDAY + 24 * HOUR)
        work()
        [row] = proposals_of(one.id)
        talking(asker, row.member_id)
        with unit_of_work():
            db.session.get_one(AskProposal, row.id).state = ProposalState.OPEN
        result = connecting.introduce(viewer_of(make_moderator()), one.id, [row.id])
        assert (result.conversation_ids, result.missing) == ([], 1)
        assert "introduced" not in happened(one)
        [case] = db.session.execute(select(Case)).scalars()
        assert case.state is CaseState.OPEN


class TestCompanyAddress:
    """Who talks only with people of a company's address is proposed to nobody with a free mailbox."""

    def test_a_guest_with_a_free_mailbox_is_proposed_others(self, in_app: Flask):
        board()
        picky, open_to_all = make_customers(2)
        require_company_address(picky)
        free, of_company = make_prospect(), make_prospect(verified_by=VerifiedBy.MAIL)
        proposed = []
        for asker in (free, of_company):
            one = ask(asker, title=f"How long did it take, {asker}?")
            connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
            proposed.append({row.member_id for row in proposals_of(one.id)})
        assert proposed == [{open_to_all}, {picky, open_to_all}]

    def test_required_since_they_were_proposed_the_next_is_there(self, in_app: Flask):
        board()
        make_customers(4)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        row = proposals_of(one.id)[0]
        require_company_address(row.member_id)
        result = connecting.approach(viewer_of(asker), one.id, [row.id], note="May I?")
        assert (result.closed, result.gone, result.replaced) == (1, 0, 1)
        assert row.id not in open_ids(one.id)

    def test_who_requires_one_does_not_offer_to_talk_to_a_free_mailbox(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        one = ask(make_prospect())
        work()
        require_company_address(customer)
        with pytest.raises(Invalid):
            requests.would_talk(viewer_of(customer), request_of(one, customer))
        assert proposals_of(one.id) == []


class TestNobodyIsLeft:
    """When proposals run out a moderator has a case; an ask in private stays its asker's own."""

    def test_the_last_decline_is_a_moderators_case(self, in_app: Flask):
        board()
        [only] = make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        [made] = connecting.approach(
            viewer_of(asker), one.id, open_ids(one.id), note="May I?"
        ).conversation_ids
        assert db.session.execute(select(Case)).first() is None
        conversations.decline(viewer_of(only), made)
        [case] = db.session.execute(select(Case)).scalars()
        assert (case.state, case.link) == (CaseState.OPEN, f"/console/asks/{one.id}")

    def test_looking_again_in_vain_is_one_case(self, in_app: Flask):
        board()
        [only] = make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        change_member(only, suspended_until=TUESDAY + 100 * HOUR)
        for _ in range(2):
            assert connecting.propose_again(viewer_of(asker), one.id) == 0
        assert len(db.session.execute(select(Case)).scalars().all()) == 1


class TestTalking:
    def test_who_would_rather_talk_stands_among_the_proposals(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        work()
        requests.would_talk(viewer_of(customer), request_of(one, customer))
        assert "talk" in happened(one)
        assert told("ask") == [asker]
        [row] = proposals_of(one.id)
        assert (row.member_id, row.chosen_as) == (customer, "talk")
        with pytest.raises(Invalid):
            requests.would_talk(viewer_of(customer), request_of(one, customer))
        result = connecting.approach(viewer_of(asker), one.id, [row.id], note="Gladly.")
        assert len(result.conversation_ids) == 1

    def test_who_offers_to_talk_can_be_asked_although_they_usually_are_not(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        work()
        with unit_of_work():
            db.session.add(Availability(member_id=customer, conversations_open=False))
        requests.would_talk(viewer_of(customer), request_of(one, customer))
        [row] = proposals_of(one.id)
        result = connecting.approach(viewer_of(asker), one.id, [row.id], note="Gladly.")
        assert (len(result.conversation_ids), result.gone) == (1, 0)

    def test_who_is_full_reads_so_before_offering_to_talk(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        one = ask(make_prospect())
        work()
        with unit_of_work():
            db.session.add(Availability(member_id=customer, limit_per_quarter=0))
        with pytest.raises(Invalid, match="raise your limit"):
            requests.would_talk(viewer_of(customer), request_of(one, customer))
        assert proposals_of(one.id) == []

    def test_not_now_tells_nobody(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        work()
        requests.not_now(viewer_of(customer), request_of(one, customer))
        assert told("ask") == []
        assert happened(one) == ["asked", "wave"]

    def test_another_members_request_is_not_there(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        one = ask(make_prospect())
        work()
        with pytest.raises(NotFound):
            requests.not_now(viewer_of(make_customer()), request_of(one, customer))


class TestInPrivate:
    def test_nobody_but_the_asker_reads_a_word_of_it(self, in_app: Flask):
        board()
        make_customers(4)
        asker = make_prospect()
        one = asking.ask_privately(
            viewer_of(asker),
            title="What does canarytitle cost in year three?",
            body="The canarybody is clear for two years only.",
            situation=FACTORY,
        )
        assert words_of(viewer_of(asker), one)[0].startswith("What does canarytitle")
        assert len(open_ids(one.id)) == 3
        for other in (make_prospect(), make_customer(), make_moderator(), make_member(status=Status.VENDOR)):
            with pytest.raises(NotFound):
                find_visible_ask(viewer_of(other), one.id)
            with pytest.raises(Forbidden):
                words_of(viewer_of(other), one)
        for table in Base.metadata.sorted_tables:
            stored = " ".join(repr(tuple(row)) for row in db.session.execute(select(table)))
            assert "canarytitle" not in stored, table.name
            assert "canarybody" not in stored, table.name

    def test_it_is_no_moderators_case_whatever_happens(self, in_app: Flask):
        board()
        asker = make_prospect()
        one = asking.ask_privately(
            viewer_of(asker), title="Is anybody there at all?", body="Anybody.", situation=Situation()
        )
        connecting.connect_now(viewer_of(asker), one.id, may_connect=True)
        work()
        assert db.session.execute(select(Case)).first() is None


class TestModerator:
    def due(self, at: Clock, **fields: bool) -> tuple[int, Ask]:
        board()
        make_customers(8)
        asker = make_prospect("Jonas Lindqvist")
        one = ask(asker, **fields)
        at(TUESDAY + 24 * HOUR)
        work()
        return asker, one

    def test_with_consent_customers_are_asked_for_the_asker(self, in_app: Flask, at: Clock):
        asker, one = self.due(at, may_connect=True)
        moderator = make_moderator()
        assert len(open_ids(one.id)) == 3
        result = connecting.introduce(viewer_of(moderator), one.id, open_ids(one.id)[:2])
        assert len(result.conversation_ids) == 2
        assert {row.asker_id for row in conversations_of(asker)} == {asker}
        assert "introduced" in happened(one)
        [case] = db.session.execute(select(Case)).scalars()
        assert case.state is not CaseState.OPEN

    def test_without_consent_they_are_only_proposed(self, in_app: Flask, at: Clock):
        asker, one = self.due(at)
        connecting.introduce(viewer_of(make_moderator()), one.id, open_ids(one.id)[:1])
        assert conversations_of(asker) == []
        assert told("ask").count(asker) == 2  # that it was due, and that somebody is proposed

    def test_only_a_moderator_connects(self, in_app: Flask, at: Clock):
        _asker, one = self.due(at, may_connect=True)
        for other in (make_member(status=Status.VENDOR), make_customer(), make_prospect()):
            with pytest.raises(Forbidden):
                connecting.introduce(viewer_of(other), one.id, open_ids(one.id)[:1])

    def test_one_who_cannot_be_asked_does_not_undo_the_other(self, in_app: Flask, at: Clock):
        asker, one = self.due(at, may_connect=True)
        asked_before = open_ids(one.id)[0]
        connecting.approach(viewer_of(asker), one.id, [asked_before], note="I have begun myself.")
        result = connecting.introduce(viewer_of(make_moderator()), one.id, open_ids(one.id)[:2])
        assert (len(result.conversation_ids), result.refused) == (1, 1)
        assert "introduced" in happened(one)
        [case] = db.session.execute(select(Case)).scalars()
        assert case.state is not CaseState.OPEN

    def test_one_who_wants_a_company_address_is_replaced_and_says_nothing_of_settings(
        self, in_app: Flask, at: Clock
    ):
        _asker, one = self.due(at, may_connect=True)
        first, second = proposals_of(one.id)[:2]
        require_company_address(second.member_id)
        result = connecting.introduce(viewer_of(make_moderator()), one.id, [first.id, second.id])
        assert (len(result.conversation_ids), result.missing, len(open_ids(one.id))) == (1, 1, 3)
        assert "introduced" in happened(one)

    @pytest.mark.parametrize("answer", ["waits", "accepted"])
    def test_whom_the_asker_asked_alone_reads_to_moderators_like_the_others(
        self, app: Flask, at: Clock, sign_in: Callable[[int], FlaskClient], answer: str
    ):
        app.config["WTF_CSRF_ENABLED"] = False  # tests/house looks after those
        with app.app_context():
            asker, one = self.due(at, may_connect=True)
            (first, alone), (second, other) = [(row.id, row.member_id) for row in proposals_of(one.id)[:2]]
            number, place = one.id, f"/console/asks/{one.id}"
            browser = sign_in(make_moderator())

        def picks() -> list[str]:
            return re.findall(r'name="pick"[^>]*value="(\d+)"', browser.get(place).get_data(as_text=True))

        before = picks()
        with app.app_context():
            made = connecting.approach(viewer_of(asker), number, [first], note="By myself.")
            if answer == "accepted":
                conversations.accept(viewer_of(alone), made.conversation_ids[0])
        assert picks() == before, "who is missing there would be whom they asked"
        tried = browser.post(f"{place}/introductions", data={"pick": [first, second]})
        assert tried.status_code == 303
        page = browser.get(place).get_data(as_text=True)
        assert "One of them cannot be asked for this asker" in page
        assert "Nothing that the asker named." in page
        assert set(before) - set(picks()) == {f"{first}", f"{second}"}, "as whoever is full leaves it"
        with app.app_context():
            assert {row.member_id for row in conversations_of(asker)} == {alone, other}
            assert db.session.get_one(AskProposal, first).by_id is None

    def test_proposed_anew_whom_the_asker_asked_alone_nothing_tells_it(self, in_app: Flask, at: Clock):
        asker, one = self.due(at)
        first = proposals_of(one.id)[0]
        connecting.approach(viewer_of(asker), one.id, [first.id], note="By myself.")
        result = connecting.introduce(viewer_of(make_moderator()), one.id, [first.id])
        assert (result.missing, result.refused, result.barred) == (0, 0, False)
        assert "introduced" in happened(one)
        assert len(conversations_of(asker)) == 1

    def test_looking_for_more_tells_nothing_of_whom_the_asker_asked_alone(self, in_app: Flask, at: Clock):
        asker, one = self.due(at, may_connect=True)
        moderator = viewer_of(make_moderator())
        at(TUESDAY + 25 * HOUR)
        connecting.approach(viewer_of(asker), one.id, open_ids(one.id)[:1], note="Alone.")
        assert connecting.look_again(moderator, one.id) == 0

    def test_whom_a_moderator_chose_in_vain_tells_nothing_by_saying_no_later(self, in_app: Flask, at: Clock):
        asker, one = self.due(at, may_connect=True)
        moderator = viewer_of(make_moderator())
        first = listed(moderator, one)[0]
        at(TUESDAY + 25 * HOUR)
        [made] = connecting.approach(viewer_of(asker), one.id, [first], note="Alone.").conversation_ids
        assert connecting.introduce(moderator, one.id, [first]).missing == 1
        before = listed(moderator, one)
        assert first not in before
        assert len(before) == 3
        at(TUESDAY + 26 * HOUR)
        conversations.decline(viewer_of(db.session.get_one(AskProposal, first).member_id), made)
        assert listed(moderator, one) == before

    @pytest.mark.parametrize("ends", ["declined", "lapsed"])
    def test_what_came_of_asking_alone_changes_no_moderators_list_before_the_next_week(
        self, in_app: Flask, at: Clock, ends: str
    ):
        asker, one = self.due(at, may_connect=True)
        watching = viewer_of(make_moderator())
        before = listed(watching, one)
        assert len(before) == 3
        at(TUESDAY + 25 * HOUR)
        [made] = connecting.approach(viewer_of(asker), one.id, before[:1], note="Alone.").conversation_ids
        alone = db.session.get_one(AskProposal, before[0]).member_id
        if ends == "declined":
            at(TUESDAY + 26 * HOUR)
            conversations.decline(viewer_of(alone), made)
        else:
            at(TUESDAY + 25 * HOUR + timedelta(days=2, minutes=1))
            assert conversations.release_due() == 1
        assert before[0] not in open_ids(one.id)
        assert len(open_ids(one.id)) == 3, "the asker reads the next at once"
        assert listed(watching, one) == before
        at(NEXT_MONDAY)
        assert listed(watching, one) == open_ids(one.id)

    @pytest.mark.parametrize("consent", [True, False])
    def test_whoever_said_no_reads_as_anybody_who_cannot_be_asked_and_the_next_is_there(
        self, in_app: Flask, at: Clock, consent: bool
    ):
        asker, one = self.due(at, may_connect=consent)
        moderator = viewer_of(make_moderator())
        before = listed(moderator, one)
        at(TUESDAY + 25 * HOUR)
        [made] = connecting.approach(viewer_of(asker), one.id, before[:1], note="Alone.").conversation_ids
        conversations.decline(viewer_of(db.session.get_one(AskProposal, before[0]).member_id), made)
        paused = db.session.get_one(AskProposal, before[1]).member_id
        with unit_of_work():
            db.session.add(Availability(member_id=paused, paused_until=TUESDAY + timedelta(days=90)))
        at(TUESDAY + 26 * HOUR)
        for chosen in before[:2]:
            result = connecting.introduce(moderator, one.id, [chosen])
            assert (result.conversation_ids, result.missing, result.refused) == ([], 1, 0)
            assert "introduced" not in happened(one)
        assert listed(moderator, one) == open_ids(one.id)
        assert len(open_ids(one.id)) == 3

    def test_moderators_read_the_introductions_they_made_and_nobody_elses(
        self, app: Flask, at: Clock, sign_in: Callable[[int], FlaskClient]
    ):
        app.config["WTF_CSRF_ENABLED"] = False  # tests/house looks after those
        with app.app_context():
            asker, one = self.due(at, may_connect=True)
            chosen, *_others = proposals_of(one.id)
            name = db.session.get_one(Member, chosen.member_id).name
            place, picked = f"/console/asks/{one.id}", chosen.id
            made_it, watches = sign_in(make_moderator()), sign_in(make_moderator())

        def lists(browser: FlaskClient) -> list[str]:
            return re.findall(r'name="pick"[^>]*value="(\d+)"', browser.get(place).text)

        before = lists(watches)
        assert made_it.post(f"{place}/introductions", data={"pick": [picked]}).status_code == 303
        at(TUESDAY + 26 * HOUR)
        for answer in ("waits", "declined"):
            if answer == "declined":
                with app.app_context():
                    [talk] = conversations_of(asker)
                    conversations.decline(viewer_of(talk.member_id), talk.id)
            own = made_it.get(place).text
            assert f"You asked {name}" in re.sub(r"\s+", " ", own), answer
            assert lists(made_it) == [number for number in before if number != f"{picked}"], answer
            assert lists(watches) == before, answer
            assert "You asked" not in watches.get(place).text

    def test_when_nobody_is_left_the_list_is_empty_as_the_case_says(self, in_app: Flask, at: Clock):
        asker, one = self.due(at, may_connect=True)
        watching = viewer_of(make_moderator())
        for number in range(8):
            at(TUESDAY + (25 + number) * HOUR)
            [first, *_more] = open_ids(one.id)
            [made] = connecting.approach(viewer_of(asker), one.id, [first], note="Alone.").conversation_ids
            conversations.decline(viewer_of(db.session.get_one(AskProposal, first).member_id), made)
        assert listed(watching, one) == open_ids(one.id) == []

    @pytest.mark.parametrize("shown_as", list(ShownAs))
    def test_a_peer_of_the_same_company_or_of_an_asker_without_a_name_decides_nothing(
        self, in_app: Flask, at: Clock, shown_as: ShownAs
    ):
        board()
        make_customers(4)
        company = make_company()
        one = ask(make_prospect(company_id=company), shown_as=shown_as)
        at(TUESDAY + 24 * HOUR)
        work()
        own_companys = make_customer(company_id=company, duties=(Duty.MODERATOR,))
        others = make_customer(company_id=make_company(), duties=(Duty.MODERATOR,))
        said = set()
        for peer in (own_companys, others):
            if peer == others and shown_as is ShownAs.NAME:
                connecting.introduce(viewer_of(peer), one.id, open_ids(one.id)[:1])
                settling.settle(viewer_of(peer), one.id)
                continue
            for act in (
                lambda who: connecting.introduce(who, one.id, open_ids(one.id)[:1]),
                lambda who: connecting.look_again(who, one.id),
                lambda who: settling.settle(who, one.id),
            ):
                with pytest.raises(Forbidden) as refused:
                    act(viewer_of(peer))
                said.add(refused.value.message)
        assert len(said) == 1, "of an asker without a name every peer reads the same"


class TestSettling:
    def test_asker_or_moderator_settles_and_sums_up(self, in_app: Flask):
        board()
        asker = make_prospect()
        one = ask(asker)
        with pytest.raises(Forbidden):
            settling.settle(viewer_of(make_customer()), one.id)
        with pytest.raises(Invalid):
            settling.write_summary(viewer_of(asker), one.id, "Nine months.")
        settling.settle(viewer_of(asker), one.id)
        with pytest.raises(Forbidden):
            settling.write_summary(viewer_of(make_customer()), one.id, "Nine months.")
        settling.write_summary(viewer_of(asker), one.id, "Plan **nine** months.")
        one = fresh(one)
        assert one.state is AskState.SETTLED
        assert "<strong>nine</strong>" in one.summary_html
        assert happened(one) == ["asked", "settled", "summary"]
        settling.write_summary(viewer_of(make_moderator()), one.id, "")
        assert fresh(one).summary_at is None
