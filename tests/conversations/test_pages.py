"""The pages of conversations in a browser without a script, and what each of them costs."""

import json
import re
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from portal.conversations import services
from portal.conversations.models import Conversation, ConversationState, Message
from portal.kernel import clock, mail, vault
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import KeptForm, Member
from portal.moderation.models import Case
from portal.notifications.models import Mail
from portal.notifications.services import mailing
from tests.conftest import make_customer, make_member, make_moderator, make_prospect, noon, viewer_of
from tests.conversations.conftest import asked, talking


@pytest.fixture
def two(app):
    with app.app_context():
        return make_prospect("Jonas Lindqvist", username="jonas"), make_customer(
            "Hanneke Vos", username="hanneke"
        )


def csrf_of(text: str) -> str:
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text).group(1)


def post(browser, path, page, **fields):
    """Send a form of a page, with its token and key."""
    text = browser.get(page).text
    key = re.search(r'name="form_key"[^>]*value="([^"]+)"', text)
    return browser.post(
        path,
        data={"csrf_token": csrf_of(text), "form_key": key.group(1) if key else "", **fields},
    )


def test_from_the_profile_to_the_first_words_both_ways(app, sign_in, two):
    jonas, hanneke = sign_in(two[0]), sign_in(two[1])
    assert "/conversations/new?to=hanneke" in jonas.get("/members/hanneke").text
    assert "/conversations/new" not in jonas.get("/members/jonas").text
    sent = post(
        jonas, "/conversations", "/conversations/new?to=hanneke&origin=profile",
        to="hanneke", origin="profile", note="What did the second half cost?",
    )  # fmt: skip
    place = sent.headers["Location"]
    assert place in hanneke.get("/conversations").text
    page = hanneke.get(place).text
    assert "What did the second half cost?" in page
    assert "Only you two. No vendor account can open this." in page
    assert "not verified: an address of their own" in page, "how the other was verified"
    assert "by company mail" in jonas.get(place).text
    taken = post(hanneke, f"{place}/acceptance", place, body="Five **more** months")
    assert taken.status_code == 303
    assert "<strong>more</strong>" in jonas.get(place).text
    assert post(jonas, f"{place}/messages", place, body="Thank you").status_code == 303
    assert "Thank you" in hanneke.get(place).text
    assert "seen" in jonas.get(place).text


def test_who_is_in_touch_already_loses_no_word_of_a_request(app, sign_in, two):
    jonas = sign_in(two[0])
    shown = jonas.get("/conversations/new?to=hanneke").text
    with app.app_context():
        place = f"/conversations/{talking(*two, 'hello').id}"  # she was quicker, in another window
    key = re.search(r'name="form_key"[^>]*value="([^"]+)"', shown).group(1)
    words = {"to": "hanneke", "note": "What did the second half cost?"}
    sent = jonas.post("/conversations", data={"csrf_token": csrf_of(shown), "form_key": key, **words})
    assert sent.status_code == 422
    assert "You are in touch already" in sent.text
    assert "What did the second half cost?" in sent.text
    assert f'href="{place}"' in sent.text


def test_an_empty_message_is_refused_with_the_page_and_a_long_one_keeps_its_text(app, sign_in, two):
    with app.app_context():
        place = f"/conversations/{talking(*two, 'hello').id}"
    browser = sign_in(two[0])
    assert post(browser, f"{place}/messages", place, body=" ").status_code == 422
    refused = post(browser, f"{place}/messages", place, body="word " * 5000)
    assert refused.status_code == 422
    assert "word word" in refused.text


def test_nobody_else_gets_more_than_of_an_address_that_does_not_exist(app, sign_in, two):
    with app.app_context():
        conversation = talking(*two, "hello")
        others = [
            make_customer(),
            make_prospect(),
            make_customer(duties=(Duty.MODERATOR,)),
        ]
        vendors = [make_member(status=Status.VENDOR, duties=(duty,)) for duty in Duty]
        message = db.session.execute(select(Message.id)).scalar_one()
    paths = ["", "/export.json", "/calendar.ics", "/report", "/leave", "/people", "/rating", "/times"]
    for one in others:
        browser = sign_in(one)
        for path in paths:
            here = browser.get(f"/conversations/{conversation.id}{path}")
            nowhere = browser.get(f"/conversations/no-such-conversation{path}")
            assert here.status_code == nowhere.status_code == 404, path
            assert _plain(here.text) == _plain(nowhere.text)
            assert here.headers["Cache-Control"] == "no-store"
        token = csrf_of(browser.get("/notifications").text)
        for method, path in (
            ("post", "/messages"),
            ("post", "/acceptance"),
            ("post", "/departure"),
            ("post", "/report"),
            ("delete", f"/messages/{message}"),
        ):
            answer = getattr(browser, method)(
                f"/conversations/{conversation.id}{path}",
                data={
                    "csrf_token": token,
                    "body": "x",
                    "rule": "2",
                    "reviewers": "moderators",
                    "messages": message,
                },
                headers={"X-CSRFToken": token},
            )
            assert answer.status_code == 404, path
    for one in vendors:
        assert sign_in(one).get(f"/conversations/{conversation.id}").status_code == 404
        assert sign_in(one).get("/conversations").status_code == 403


@pytest.mark.parametrize("who", ["vendor", "moderator", "sales", "service", "admin", "peer", "outsider"])
def test_every_address_of_a_conversation_reads_the_same_whether_it_is_there_or_not(app, sign_in, two, who):
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        conversation = talking(*two, "hello")
        asker = viewer_of(two[0])
        said = services.send_message(asker, conversation.id, "More")
        report = services.report(viewer_of(two[1]), conversation.id, [said.id], rule_number=2)
        if who in ("peer", "outsider"):
            one = make_customer(duties=(Duty.MODERATOR,) if who == "peer" else ())
        else:
            one = make_member(status=Status.VENDOR, duties=() if who == "vendor" else (Duty(who),))
        there = {
            "conversation_id": conversation.id,
            "message_id": said.id,
            "report_id": report.id,
            "member_id": two[0],
            "username": "jonas",
            "time_id": "any",
            "thanks_id": "any",
        }
        rules = [
            rule
            for rule in app.url_map.iter_rules()
            if rule.endpoint.startswith("conversations.") and "conversation_id" in rule.arguments
        ]
    browser = sign_in(one)
    browser.get("/notifications")  # the cookie comes with the first page
    adapter = app.url_map.bind("localhost")
    assert len(rules) > 25
    for rule in rules:
        places = [
            adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})
            for values in (there, {**there, "conversation_id": "no-such-conversation"})
        ]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            here, nowhere = (browser.open(place, method=method, data={"body": "x"}) for place in places)
            assert here.status_code == nowhere.status_code == 404, rule
            assert _plain(here.text) == _plain(nowhere.text), rule
            assert sorted(here.headers.keys()) == sorted(nowhere.headers.keys()), rule


def _plain(text: str) -> str:
    return re.sub(
        r"[0-9a-f]{4}-[0-9a-f]{4}|content=\"[^\"]{20,}\"|value=\"[^\"]{20,}\"|no-such-conversation|/conversations/[\w-]{20,}",
        "",
        text,
    )


@pytest.mark.parametrize("path", ["x.css", "anything.js", "x/y.css"])
def test_addresses_that_look_like_files_are_not_there_and_not_kept(app, sign_in, two, path):
    with app.app_context():
        conversation = talking(*two, "hello")
    answer = sign_in(two[0]).get(f"/conversations/{conversation.id}/{path}")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert sign_in(two[0]).get(f"/conversations/{conversation.id}").headers["Cache-Control"] == "no-store"


def test_after_leaving_the_old_addresses_are_gone(app, sign_in, two):
    with app.app_context():
        place = f"/conversations/{talking(*two, 'hello').id}"
    browser = sign_in(two[1])
    assert post(browser, f"{place}/departure", f"{place}/leave").status_code == 303
    for path in ("", "/export.json", "/report"):
        assert browser.get(place + path).status_code == 404


def test_mails_say_only_that_there_is_something(app, two, settings):
    with app.app_context():
        talking(*two, "canary-in-the-words")
        folder = mail.transport("", settings.outbox_path)
        mailing.send_due(
            mailing.Sender(
                public_url="http://localhost",
                mail_from="x@northwind.example",
                secret_key=settings.SECRET_KEY,
                transport=folder,
            )
        )
        stored = str(db.session.execute(select(Mail.subject, Mail.body)).all())
    sent = [path.read_text() for path in settings.outbox_path.glob("*.eml")]
    assert len(sent) >= 2
    for text in (*sent, stored):
        assert "canary" not in text
        assert "Jonas" not in text.partition("To: ")[2].partition("\n")[2]


def test_the_calendar_file_is_for_the_agreed_time_and_invites_nobody(app, sign_in, two):
    start = (clock.now() + timedelta(days=3)).replace(microsecond=0)
    with app.app_context():
        conversation = asked(*two)
        services.accept(viewer_of(two[1]), conversation.id, times=((start, 20),))
    jonas, place = sign_in(two[0]), f"/conversations/{conversation.id}"
    assert jonas.get(f"{place}/calendar.ics").status_code == 404
    action = re.search(rf'action="({place}/times/[^"]+)"', jonas.get(place).text).group(1)
    assert post(jonas, action, place).status_code == 303
    assert post(jonas, f"{place}/link", place, link="https://meet.example/abc").status_code == 303
    event = Calendar.from_ical(jonas.get(f"{place}/calendar.ics").data).walk("VEVENT")[0]
    assert event["dtstart"].dt == start
    assert event["location"] == "https://meet.example/abc"
    assert "attendee" not in event
    assert "organizer" not in event


def test_ones_own_copy_is_a_file_and_in_ones_own_data(app, sign_in, two):
    with app.app_context():
        conversation = talking(*two, "what Hanneke said")
    browser = sign_in(two[0])
    copy = json.loads(browser.get(f"/conversations/{conversation.id}/export.json").text)
    assert copy["messages"][0]["text"] == "what Hanneke said"
    assert "mail.example" not in json.dumps(copy)
    assert "what Hanneke said" in browser.get("/me/data.json").text


def test_a_message_typed_before_the_session_ended_is_kept_sealed(app, client, two):
    with app.app_context():
        place = f"/conversations/{talking(*two, 'hello').id}"
    answer = client.post(f"{place}/messages", data={"body": "typed in private"})
    assert answer.status_code in (400, 401)
    assert "typed in private" in answer.text
    with app.app_context():
        assert db.session.execute(select(KeptForm)).first() is None


def test_reporting_by_hand_from_choice_to_decision(app, sign_in, two):
    with app.app_context():
        place = f"/conversations/{talking(*two, 'harmless', 'fine', 'I will find you').id}"
        mona = make_moderator()
    jonas = sign_in(two[0])
    form = jonas.get(f"{place}/report").text
    boxes = re.findall(r'name="messages"[^>]*value="([^"]+)"', form)
    none = post(jonas, f"{place}/report", f"{place}/report", rule="2", reviewers="moderators")
    assert none.status_code == 422
    sent = post(
        jonas, f"{place}/report", f"{place}/report", rule="2", reviewers="moderators", messages=boxes[-1]
    )
    assert sent.status_code == 303
    assert "Nobody has read them yet" in sign_in(two[1]).get(place).text
    with app.app_context():
        case_id = db.session.execute(select(Case.id)).scalar_one()
    moderator = sign_in(mona)
    assert "I will find you" in moderator.get(f"/console/cases/{case_id}/evidence").text
    assert "harmless" not in moderator.get(f"/console/cases/{case_id}/evidence").text
    assert "Moderator A read them" in sign_in(two[1]).get(place).text
    decided = post(
        moderator, f"/console/cases/{case_id}/decision", f"/console/cases/{case_id}",
        post="none", member="warn", rule="2", reason="A threat.", version="1",
    )  # fmt: skip
    assert decided.status_code == 303, decided.text
    assert moderator.get(f"/console/cases/{case_id}/evidence").status_code == 404
    assert "A threat." in jonas.get(place).text


def test_the_statements_of_a_page_do_not_grow_with_its_messages(app, sign_in, two, statements):
    with app.app_context():
        conversation = talking(*two, "one", "two")
    browser, place = sign_in(two[0]), f"/conversations/{conversation.id}"
    browser.get(place)
    with statements() as few:
        browser.get(place)
    with app.app_context():
        for number in range(30):
            services.send_message(viewer_of(two[1]), conversation.id, f"again {number}")
    browser.get(place)
    with statements() as many:
        browser.get(place)
    assert len(many) == len(few) <= 26
    with statements() as listed:
        browser.get("/conversations")
    assert len(listed) <= 14


def test_the_page_who_can_read_this_is_for_everybody(client):
    page = client.get("/conversations/who-can-read").text
    assert "It is not end-to-end encryption." in page
    assert "Who may know what" in page


def test_a_declined_request_reads_not_available(app, sign_in, two):
    with app.app_context():
        conversation = asked(*two)
        services.decline(viewer_of(two[1]), conversation.id)
        assert db.session.get_one(Conversation, conversation.id).state is ConversationState.DECLINED
    page = sign_in(two[0]).get(f"/conversations/{conversation.id}").text
    assert "Not available now." in page
    assert "declined" not in page.lower()
    assert sign_in(two[1]).get(f"/conversations/{conversation.id}").status_code == 404


def test_pressed_twice_it_ends_where_the_first_ended(app, sign_in, two):
    with app.app_context():
        conversation = asked(*two).id
        taken_back = asked(two[0], make_customer()).id
    hanneke, jonas = sign_in(two[1]), sign_in(two[0])
    token = csrf_of(hanneke.get("/notifications").text)
    declined = [
        hanneke.post(f"/conversations/{conversation}/refusal", data={"csrf_token": token}) for _ in range(2)
    ]
    assert [(one.status_code, one.location) for one in declined] == [(303, "/conversations")] * 2
    token = csrf_of(jonas.get("/notifications").text)
    path = f"/conversations/{taken_back}/request?_method=DELETE"
    back = [jonas.post(path, data={"csrf_token": token}) for _ in range(2)]
    assert [(one.status_code, one.location) for one in back] == [(303, "/conversations")] * 2
    path = f"/conversations/{conversation}/request?_method=DELETE"
    late = jonas.post(path, data={"csrf_token": token})
    assert (late.status_code, late.location) == (303, f"/conversations/{conversation}"), "answered meanwhile"
    nobody = sign_in_stranger(app, sign_in)
    token = csrf_of(nobody.get("/notifications").text)
    stranger = nobody.post(f"/conversations/{conversation}/refusal", data={"csrf_token": token})
    assert stranger.status_code == 404


def sign_in_stranger(app, sign_in):
    with app.app_context():
        return sign_in(make_customer())


def test_a_time_that_the_clock_skips_is_refused_beside_its_field(app, sign_in, two, at):
    at(noon("2026-03-20"))
    with app.app_context():
        place = f"/conversations/{talking(*two, 'hello').id}"
        with unit_of_work():
            db.session.get_one(Member, two[0]).time_zone = "Europe/Berlin"
    jonas = sign_in(two[0])
    refused = post(jonas, f"{place}/times", f"{place}/times", time_1="2026-03-29T02:30", minutes="20")
    assert refused.status_code == 422
    assert "there is no such time on this day" in refused.text
    taken = post(jonas, f"{place}/times", f"{place}/times", time_1="2026-03-29T03:30", minutes="20")
    assert taken.status_code == 303


def test_without_a_word_of_theirs_there_is_no_form_to_report_but_a_way_out(app, sign_in, two):
    with app.app_context():
        start = clock.now() + timedelta(days=1)
        conversation = asked(*two, slots=((start, 20),)).id
    page = sign_in(two[0]).get(f"/conversations/{conversation}/report").text
    assert 'name="rule"' not in page
    assert f'href="/conversations/{conversation}/leave"' in page
    with app.app_context():
        talk = talking(make_prospect(), two[1], "hello", "and you").id
    assert 'name="rule"' in sign_in(two[1]).get(f"/conversations/{talk}/report").text


def test_reports_and_messages_without_end_are_refused(app, sign_in, two):
    with app.app_context():
        conversation_id = talking(*two, "hello", "more").id
        messages = db.session.scalars(select(Message.id).where(Message.author_id == two[1])).all()
        before = len(db.session.scalars(select(Case.id)).all())
    jonas = sign_in(two[0])
    place = f"/conversations/{conversation_id}"
    codes = [
        post(
            jonas, f"{place}/report", f"{place}/report",
            rule="2", reviewers="moderators", messages=messages[0],
        ).status_code
        for _ in range(10)
    ]  # fmt: skip
    assert codes[:8] == [303] * 8
    assert codes[8:] == [429] * 2
    with app.app_context():
        assert len(db.session.scalars(select(Case.id)).all()) == before + 8
    said = [post(jonas, f"{place}/messages", place, body=f"Number {n}").status_code for n in range(121)]
    assert (set(said[:120]), said[120]) == ({303}, 429)


def test_messages_to_choose_from_are_shown_in_plain_words(app, sign_in, two):
    said = "It took **five** weeks, see [the `plan`](https://flow.example/plan) & <notes>."
    with app.app_context():
        place = f"/conversations/{talking(*two, said, said).id}"
    jonas = sign_in(two[0])
    for page in (jonas.get(f"{place}/report").text, jonas.get(f"{place}/own-messages").text):
        assert "It took five weeks, see the plan &amp; &lt;notes&gt;." in page
        assert "**" not in page
        assert "](" not in page


def test_without_the_key_conversations_say_so_and_everything_else_answers(app, sign_in, two, settings):
    with app.app_context():
        conversation = talking(*two, "hello").id
    browser = sign_in(two[0])
    vault.configure(lambda: "a key that was never the one of this site")
    try:
        page = browser.get(f"/conversations/{conversation}")
        assert page.status_code == 200
        assert "cannot be opened" in page.text
        assert "hello" not in page.text
        fields = {"csrf_token": csrf_of(browser.get("/notifications").text), "body": "does this go?"}
        refused = browser.post(f"/conversations/{conversation}/messages", data=fields)
        assert refused.status_code == 503
        assert "the key that protects it is missing" in refused.text
        assert "does this go?" in refused.text, "what was typed is not lost"
        for path in ("/", "/conversations", "/asks", "/ask", "/members", "/me/contributions", "/me/data"):
            assert browser.get(path).status_code == 200, path
    finally:
        vault.configure(lambda: settings.conversation_keys)
    assert "hello" in browser.get(f"/conversations/{conversation}").text
