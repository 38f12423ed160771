"""What is said: sealed, seen, taken back; times; further people; ways out."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.conversations import services
from portal.conversations.events import ConversationHeld
from portal.conversations.models import Block, Conversation, ConversationState, Message
from portal.conversations.queries import copies, listing, reading
from portal.conversations.queries.finding import find_own
from portal.conversations.services import messages, people
from portal.conversations.services import times as agreeing
from portal.kernel import clock, events, vault
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.kernel.vault import CannotOpen
from portal.matching.models import Availability
from portal.matching.queries import load
from portal.members.models import Company, Member
from portal.members.services.erasing import erase_account
from portal.moderation.models import Case, CaseKind
from portal.notifications.models import Notice
from tests.conftest import make_customer, make_member, make_prospect, noon, viewer_of
from tests.conversations.conftest import asked, talking


@pytest.fixture
def two(in_app) -> tuple[int, int]:
    return make_prospect("Jonas"), make_customer("Ines")


def texts(member: int, conversation_id: str) -> list[str]:
    return [letter.source for letter in reading.page(viewer_of(member), conversation_id).letters]


def test_both_read_what_was_said_and_the_database_does_not(two):
    jonas, ines = two
    conversation = talking(jonas, ines, "The **last ten** took five months", "Worth more than a call")
    assert texts(jonas, conversation.id) == texts(ines, conversation.id)
    page = reading.page(viewer_of(jonas), conversation.id)
    assert "<strong>last ten</strong>" in page.letters[0].html
    for row in db.session.execute(select(Message.source_box, Message.html_box)):
        assert "last ten" not in row.source_box + row.html_box


def test_it_took_place_once_the_member_has_written(two):
    jonas, ines = two
    held: list[ConversationHeld] = []
    events.subscribe(ConversationHeld, held.append)
    conversation = asked(jonas, ines, origin="ask:9")
    services.accept(viewer_of(ines), conversation.id)
    services.send_message(viewer_of(jonas), conversation.id, "Thank you for taking the time")
    assert not held
    services.send_message(viewer_of(ines), conversation.id, "Gladly")
    assert [one.origin for one in held] == ["ask:9"]
    services.leave(viewer_of(jonas), conversation.id)
    assert load(ines, clock.now()).taken == 1


def test_seen_and_unread_and_one_notice_for_a_row_of_messages(two):
    jonas, ines = two
    conversation = talking(jonas, ines, "one")
    messages.mark_seen(viewer_of(jonas), conversation.id, 1)
    told = _message_notices(jonas)
    for text in ("two", "three", "four"):
        services.send_message(viewer_of(ines), conversation.id, text)
    assert _message_notices(jonas) == told + 1
    assert db.session.scalar(select(listing.waiting_count(jonas))) == 1
    assert reading.page(viewer_of(ines), conversation.id).letters[0].seen_at
    messages.mark_seen(viewer_of(jonas), conversation.id, 4)
    assert db.session.scalar(select(listing.waiting_count(jonas))) == 0
    assert not [row for row in _notices(jonas) if row.read_at is None and row.kind == "conversation_message"]


def _notices(member: int) -> list[Notice]:
    return list(db.session.execute(select(Notice).where(Notice.member_id == member)).scalars())


def _message_notices(member: int) -> int:
    return sum(row.kind == "conversation_message" for row in _notices(member))


def test_a_deleted_message_is_read_by_nobody_and_reportable_for_thirty_days(two, at):
    jonas, ines = two
    at(noon("2026-03-02"))
    conversation = talking(jonas, ines, "I know where you live")
    message = reading.page(viewer_of(ines), conversation.id).letters[0]
    with pytest.raises(NotFound):
        services.delete_message(viewer_of(jonas), conversation.id, message.id)
    services.delete_message(viewer_of(ines), conversation.id, message.id)
    assert texts(jonas, conversation.id) == [""]
    assert reading.page(viewer_of(jonas), conversation.id).letters[0].reportable
    at(noon("2026-03-30"))
    assert messages.forget_deleted() == 0
    services.report(viewer_of(jonas), conversation.id, [message.id], rule_number=2)
    at(noon("2026-04-03"))
    with pytest.raises(NotFound):
        services.report(viewer_of(jonas), conversation.id, [message.id], rule_number=2)
    assert messages.forget_deleted() == 1
    assert db.session.get_one(Message, message.id, populate_existing=True).source_box == ""


def test_times_go_both_ways_and_one_is_agreed(two):
    jonas, ines = two
    conversation = talking(jonas, ines, "hello")
    start = (clock.now() + timedelta(days=3)).replace(microsecond=0)
    services.propose_times(viewer_of(ines), conversation.id, ((start, 20), (start + timedelta(days=1), 30)))
    times = reading.page(viewer_of(jonas), conversation.id).letters[-1].times
    with pytest.raises(Invalid):
        services.agree_time(viewer_of(ines), conversation.id, times[0].id)
    services.agree_time(viewer_of(jonas), conversation.id, times[0].id)
    page = reading.page(viewer_of(ines), conversation.id)
    assert (page.conversation.agreed_at, page.conversation.agreed_minutes) == (start, 20)


def test_the_agreed_time_passing_counts_as_held(two, at):
    jonas, ines = two
    at(noon("2026-03-02"))
    conversation = asked(jonas, ines)
    start = clock.now() + timedelta(days=1)
    services.accept(viewer_of(ines), conversation.id, times=((start, 20),))
    times = reading.page(viewer_of(jonas), conversation.id).letters[-1].times
    services.agree_time(viewer_of(jonas), conversation.id, times[0].id)
    assert agreeing.hold_due() == 0
    at(noon("2026-03-04"))
    assert (agreeing.hold_due(), agreeing.hold_due()) == (1, 0)
    assert db.session.get_one(Conversation, conversation.id, populate_existing=True).held_at == start


def test_a_further_person_joins_when_all_agree_and_reads_from_then_on(two):
    jonas, ines = two
    pia = make_customer("Pia")
    vendor = make_member("Vera", status=Status.VENDOR)
    conversation = talking(jonas, ines, "before")
    with pytest.raises(Invalid):
        people.propose_person(viewer_of(jonas), conversation.id, viewer_of(vendor).username)
    people.propose_person(viewer_of(jonas), conversation.id, viewer_of(pia).username)
    with pytest.raises(NotFound):
        find_own(viewer_of(pia), conversation.id, invited=True)
    people.agree_to_person(viewer_of(ines), conversation.id, pia)
    with pytest.raises(NotFound):
        find_own(viewer_of(pia), conversation.id)
    people.join(viewer_of(pia), conversation.id)
    services.send_message(viewer_of(ines), conversation.id, "after")
    assert [text for text in texts(pia, conversation.id) if text] == ["after"]
    assert not reading.page(viewer_of(pia), conversation.id).note
    assert "before" not in str(copies.export(viewer_of(pia), conversation.id))


@pytest.mark.parametrize("why", ["blocked by another", "competitor", "wants company addresses", "suspended"])
def test_a_further_person_is_somebody_whom_each_of_them_could_talk_with(two, why):
    jonas, ines = two
    pia = make_customer("Pia")
    conversation = talking(jonas, ines, "before")
    with unit_of_work():
        if why == "blocked by another":
            db.session.add(Block(blocker_id=pia, blocked_id=ines, at=clock.now()))
        elif why == "competitor":
            company = db.session.get_one(Company, db.session.get_one(Member, ines).company_id)
            company.competitors = [db.session.get_one(Member, pia).company_id]
        elif why == "wants company addresses":  # Jonas has none
            db.session.add(Availability(member_id=pia, values=[], company_address_required=True))
        else:
            db.session.get_one(Member, pia).suspended_until = clock.now() + timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        people.propose_person(viewer_of(jonas), conversation.id, viewer_of(pia).username)
    with pytest.raises(Invalid) as nobody:
        people.propose_person(viewer_of(jonas), conversation.id, "nobody-of-this-name")
    assert refused.value.message == nobody.value.message, "why it is reads the same"


def test_two_who_write_without_the_member_have_not_talked_with_them(two):
    jonas, ines = two
    pia = make_customer("Pia")
    conversation = asked(jonas, ines)
    services.accept(viewer_of(ines), conversation.id)
    people.propose_person(viewer_of(jonas), conversation.id, viewer_of(pia).username)
    people.agree_to_person(viewer_of(ines), conversation.id, pia)
    people.join(viewer_of(pia), conversation.id)
    for one in (jonas, pia, jonas):
        services.send_message(viewer_of(one), conversation.id, "Is she there?")
    assert db.session.get_one(Conversation, conversation.id, populate_existing=True).held_at is None
    services.send_message(viewer_of(ines), conversation.id, "Here I am")
    assert db.session.get_one(Conversation, conversation.id, populate_existing=True).held_at is not None


def test_after_leaving_there_is_nothing_and_the_other_keeps_a_copy(two):
    jonas, ines = two
    conversation = talking(jonas, ines, "hello", "and thanks")
    services.leave(viewer_of(ines), conversation.id)
    with pytest.raises(NotFound):
        reading.page(viewer_of(ines), conversation.id)
    assert "hello" in texts(jonas, conversation.id)
    with pytest.raises(Invalid):
        services.send_message(viewer_of(jonas), conversation.id, "anybody there?")
    assert reading.page(viewer_of(jonas), conversation.id).conversation.state is ConversationState.ENDED


def test_three_blocks_open_a_case_without_a_word(two):
    _, _ines = two
    pushy = make_prospect("Pushy")
    for number in range(3):
        member = make_customer()
        conversation = talking(pushy, member, f"secret-{number}")
        services.block(viewer_of(member), conversation.id, pushy)
        cases = list(db.session.execute(select(Case)).scalars())
        assert len(cases) == (1 if number == 2 else 0)
    assert (cases[0].kind, cases[0].member_id) == (CaseKind.BLOCKS, pushy)


def test_an_erased_account_leaves_the_copy_of_the_other_without_its_name(two):
    jonas, ines = two
    conversation = talking(jonas, ines, "what Ines said")
    with unit_of_work():
        erase_account(ines, keep_text=False)
    page = reading.page(viewer_of(jonas), conversation.id)
    assert page.letters[0].source == "what Ines said"
    assert page.letters[0].author.name == "former member"
    assert page.title == "former member"


def test_without_the_key_the_rest_works_and_conversations_say_so(two, settings):
    jonas, ines = two
    conversation = talking(jonas, ines, "hello")
    vault.configure(lambda: "a key that was never the one of this site")
    try:
        page = reading.page(viewer_of(jonas), conversation.id)
        assert page.locked
        assert page.letters[0].html == ""
        with pytest.raises(CannotOpen):
            services.send_message(viewer_of(jonas), conversation.id, "does this go?")
        assert any("which is not there" in line for line in vault.problems())
    finally:
        vault.configure(lambda: settings.conversation_keys)
    assert texts(jonas, conversation.id) == ["hello"]


def test_rekeying_wraps_every_key_anew_and_changes_no_word(two, settings):
    jonas, ines = two
    conversation = talking(jonas, ines, "hello")
    before = db.session.execute(select(Message.source_box)).scalar_one()
    keys = ["a wholly new key for conversations", settings.CONVERSATION_KEY]
    vault.configure(lambda: ",".join(keys))
    try:
        assert vault.rewrap_all() == 1
        assert vault.rewrap_all() == 0
        keys.pop()
        assert not list(vault.problems())
        assert texts(jonas, conversation.id) == ["hello"]
        assert db.session.execute(select(Message.source_box)).scalar_one() == before
    finally:
        vault.configure(lambda: settings.conversation_keys)


def test_a_box_moved_into_another_conversation_does_not_open(two):
    jonas, ines = two
    one, other = talking(jonas, ines, "hello"), talking(make_prospect(), make_customer(), "secret of others")
    with unit_of_work():
        mine, theirs = (
            db.session.execute(select(Message).where(Message.conversation_id == c.id)).scalar_one()
            for c in (one, other)
        )
        mine.html_box, mine.source_box = theirs.html_box, theirs.source_box
    assert texts(jonas, one.id) == [""]


def test_a_name_that_changes_is_new_in_old_letters(two):
    jonas, ines = two
    conversation = talking(jonas, ines, "hello")
    with unit_of_work():
        db.session.get_one(Member, ines).name = "Ines Newname"
    assert reading.page(viewer_of(jonas), conversation.id).letters[0].author.name == "Ines Newname"
