"""Who is told of a post: once each, in the ways they chose, and never of what they may not read."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services import acceptance, following, removal
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.mail import MailDelayed, MailRefused
from portal.members.models import Member
from portal.notifications import queries
from portal.notifications.models import Digest, Mail, Notice
from portal.notifications.services import mailing, notifying, preferences
from tests.conftest import make_board, make_customer, make_prospect, noon, viewer_of
from tests.support.racing import at_once


class Kept:
    """A mail server that keeps what it is given, or says what it is told to say."""

    def __init__(self, error: Exception | None = None) -> None:
        self.messages: list[EmailMessage] = []
        self.error = error

    def send(self, message: EmailMessage) -> None:
        if self.error:
            raise self.error
        self.messages.append(message)


def sender(kept: Kept) -> mailing.Sender:
    return mailing.Sender("https://community.example", "Flow <us@flow.example>", "k" * 40, kept)


@pytest.fixture
def asker(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Ines Okafor", username="ines"))


@pytest.fixture
def helper(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Tomasz Wiśniewski", username="tomasz"))


def ask(asker: Viewer, audience: Audience = Audience.PUBLIC) -> int:
    board = make_board(audience=audience)
    return open_thread(
        asker, board, kind=ThreadKind.QUESTION, title="How do you isolate one partner?", body="All late."
    ).id


def sentences(member: Viewer) -> list[str]:
    return [shown.line.sentence for shown in queries.notices_of(member).rows]


def test_the_asker_hears_of_an_answer_once_though_they_also_follow(asker: Viewer, helper: Viewer) -> None:
    thread = ask(asker)
    post_reply(helper, thread, "A lane for each, @ines.")
    post_reply(helper, thread, "And a breaker.")
    assert sentences(asker) == ["Tomasz Wiśniewski answered your question", "Tomasz Wiśniewski mentioned you"]
    assert viewer_of(asker.member_id or 0).unread_notices == 2
    assert sentences(helper) == []


def test_comments_and_acceptance_are_told_to_their_author(asker: Viewer, helper: Viewer) -> None:
    thread = ask(asker)
    answer = post_reply(helper, thread, "A lane for each.")
    post_comment(asker, answer.id, "How many workers?")
    acceptance.accept(asker, thread, answer.id)
    assert sentences(helper) == ["Your answer was accepted", "Ines Okafor commented"]


def test_nobody_is_told_of_what_they_may_not_read(asker: Viewer) -> None:
    prospect = viewer_of(make_prospect("Pia", username="pia"))
    thread = ask(asker, Audience.CUSTOMERS)
    post_reply(asker, thread, "What would @pia say?")
    assert db.session.execute(select(Notice.id).where(Notice.member_id == prospect.member_id)).all() == []


def test_a_hidden_post_is_neither_shown_nor_mailed(asker: Viewer, helper: Viewer) -> None:
    answer = post_reply(helper, ask(asker), "A lane for each.")
    removal.hide_post(answer.id, rule="4", reason="names", case_id=1, by_id=1)
    kept = Kept()
    assert sentences(asker) == []
    assert mailing.send_due(sender(kept)) == 0
    assert kept.messages == []


def test_a_mail_has_both_parts_thread_headers_and_one_click_unsubscribe(
    asker: Viewer, helper: Viewer
) -> None:
    thread = ask(asker)
    post_reply(helper, thread, "A **lane** for each.")
    kept = Kept()
    assert mailing.send_due(sender(kept)) == 1
    assert mailing.send_due(sender(kept)) == 0
    message = kept.messages[0]
    assert message["Subject"] == "Tomasz Wiśniewski answered your question: How do you isolate one partner?"
    assert message["References"] == f"<thread-{thread}@community.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = message.get_body(("plain",))
    rich = message.get_body(("html",))
    assert plain is not None
    assert "https://community.example/posts/" in plain.get_content()
    assert rich is not None
    assert "<strong>lane</strong>" in rich.get_content()
    token = message["List-Unsubscribe"].strip("<>").rsplit("/", 1)[1]
    found = preferences.read_unsubscribe_token("k" * 40, token)
    assert found == (asker.member_id, "reply")
    preferences.unsubscribe(*found)
    post_reply(helper, thread, "And a breaker.")
    assert mailing.send_due(sender(kept)) == 0
    assert len(sentences(asker)) == 2


def test_who_unsubscribes_while_a_mail_waits_gets_no_mail(asker: Viewer, helper: Viewer) -> None:
    post_reply(helper, ask(asker), "A lane for each.")
    preferences.unsubscribe(asker.member_id or 0, "reply")
    kept = Kept()
    assert mailing.send_due(sender(kept)) == 0
    assert kept.messages == []
    assert len(sentences(asker)) == 1


def test_a_code_sample_comes_as_it_was_written(asker: Viewer, helper: Viewer) -> None:
    thread = ask(asker)
    post_reply(helper, thread, 'See [it](/rules "a > b"):\n\n```\n<a href="/x"><img src="/y">\n```')
    kept = Kept()
    mailing.send_due(sender(kept))
    rich = kept.messages[0].get_body(("html",))
    assert rich is not None
    html = rich.get_content()
    assert 'href="https://community.example/rules"' in html
    words = re.sub(r"<[a-z/][^>]*>", "", html)
    assert '&lt;a href="/x"&gt;&lt;img src="/y"&gt;' in words


def test_first_choices_of_two_browsers_at_once_are_both_kept(in_app: Flask, asker: Viewer) -> None:
    member = asker.member_id or 0

    def choose(number: int) -> None:
        preferences.choose(member, "reply", in_app=True, by_mail=bool(number % 2))
        preferences.choose_digest(member, Digest.DAILY)

    assert at_once(in_app, choose, 8) == [None] * 8
    assert queries.digest_of(member) is Digest.DAILY


def test_a_name_cannot_add_a_header(asker: Viewer) -> None:
    rogue = viewer_of(make_customer("Eve\r\nBcc: all@example.com"))
    post_reply(rogue, ask(asker), "A lane.")
    kept = Kept()
    mailing.send_due(sender(kept))
    assert kept.messages[0]["Bcc"] is None
    assert "\n" not in kept.messages[0]["Subject"]


def test_a_delayed_mail_is_tried_again_later_and_given_up_in_the_end(
    asker: Viewer, helper: Viewer, at: Callable[[datetime], None]
) -> None:
    at(noon())
    post_reply(helper, ask(asker), "A lane for each.")
    broken = sender(Kept(MailDelayed("451 later")))
    moment = noon()
    for _ in range(len(mailing.WAITS) + 1):
        mailing.send_due(broken)
        moment += timedelta(days=2)
        at(moment)
    assert queries.mail_counts() == queries.MailCounts(waiting=0, failed=1)
    failed = queries.failed_mails()[0]
    assert failed.error == "451 later"
    mailing.retry_failed(failed.id)
    kept = Kept()
    assert mailing.send_due(sender(kept)) == 1


def test_a_refused_mail_is_not_tried_again(asker: Viewer, helper: Viewer) -> None:
    post_reply(helper, ask(asker), "A lane for each.")
    mailing.send_due(sender(Kept(MailRefused("550 no such user"))))
    assert queries.mail_counts().failed == 1


def test_followers_of_a_board_hear_of_new_threads_on_the_site_only(asker: Viewer, helper: Viewer) -> None:
    board = make_board("Integrations")
    following.follow_board(helper, board)
    open_thread(asker, board, kind=ThreadKind.DISCUSSION, title="Lanes in practice", body="Who uses them?")
    assert sentences(helper) == ["Ines Okafor started a thread in Integrations"]
    assert db.session.execute(select(Mail.id)).all() == []


def test_reading_takes_the_count_down(asker: Viewer, helper: Viewer) -> None:
    thread = ask(asker)
    first = post_reply(helper, thread, "A lane for each.")
    post_reply(helper, thread, "And a breaker.")
    notifying.mark_thread_read(asker.member_id or 0, [first.id])
    assert db.session.get_one(Member, asker.member_id).unread_notices == 1
    notifying.mark_read(asker.member_id or 0)
    assert db.session.get_one(Member, asker.member_id).unread_notices == 0


def test_no_mail_goes_out_twice_where_the_server_is_slower_than_a_claim_lasts(
    asker: Viewer, helper: Viewer, at: Callable[[datetime], None]
) -> None:
    at(noon())
    thread_id = ask(asker)
    for number in range(3):
        post_reply(helper, thread_id, f"Answer {number}.")

    class Slow(Kept):
        def send(self, message: EmailMessage) -> None:
            super().send(message)
            at(noon() + mailing.CLAIM * 0.6 * len(self.messages))
            mailing.send_due(sender(other))  # another worker

    slow, other = Slow(), Kept()
    mailing.send_due(sender(slow))
    sent = [message["Message-ID"] for message in (*slow.messages, *other.messages)]
    assert len(sent) == len(set(sent)) == 3


def test_a_mail_that_cannot_be_made_holds_up_no_other(asker: Viewer, helper: Viewer) -> None:
    thread_id = ask(asker)
    for number in range(3):
        post_reply(helper, thread_id, f"Answer {number}.")

    with pytest.raises(RuntimeError):
        mailing.send_due(sender(Kept(RuntimeError())))
    kept = Kept()
    assert mailing.send_due(sender(kept)) == 2
