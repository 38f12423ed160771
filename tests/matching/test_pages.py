"""What a member says about being asked, as pages: kept, refused beside its field, never overwritten."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.kernel import clock, site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.matching import queries, services
from portal.matching.models import Availability, Identity
from portal.matching.services import availability
from portal.members.models import Member
from tests.conftest import make_admin, make_member, make_moderator, make_prospect, noon
from tests.matching.scenes import choose, make_helper
from tests.support.people import fields_of, submit

SignIn = Callable[[int], FlaskClient]
PAGE = "/settings/availability"
SLOTS = "/settings/availability/slots"
CHOICES = {
    "conversations_open": "y",
    "limit": "4",
    "answer_requests_open": "y",
    "answer_requests": "3",
    "topics": "audits, supplier onboarding",
    "talk_about": "moving 40 suppliers in nine months",
    "paused_until": "",
    "quiet_from": "22",
    "quiet_to": "0",
    "by_mail": "here",
    "identity": "role",
    "company_address_required": "y",
    "values": ["peers", "voice"],
}


@pytest.fixture(autouse=True)
def _monday(at: Callable[[datetime], None]) -> None:
    at(noon())


@pytest.fixture
def member(app: Flask) -> int:
    with app.app_context():
        return make_helper("Dana Reyes", title="Head of EDI", time_zone="Europe/Berlin")


@pytest.fixture
def browser(sign_in: SignIn, member: int) -> FlaskClient:
    return sign_in(member)


def save(browser: FlaskClient, **fields: Any) -> Any:
    return submit(browser, PAGE, {**CHOICES, **fields}, PAGE)


def test_what_is_chosen_is_in_force(app: Flask, browser: FlaskClient, member: int) -> None:
    assert save(browser, paused_until="2026-03-20").location == PAGE
    page = browser.get(PAGE).text
    assert "moving 40 suppliers in nine months" in page
    assert "Head of EDI, Manufacturer, 500–999 people, Germany" in page
    with app.app_context():
        stored = availability.preferences_of(member).preferences
        row = db.session.get_one(Availability, member)
        assert row.paused_until == datetime(2026, 3, 19, 23, tzinfo=UTC)  # midnight in Berlin
        assert queries.load(member).limit == 4
    assert stored.limit == 4
    assert (stored.quiet_from, stored.quiet_to) == (22, 0)
    assert stored.identity is Identity.ROLE
    assert stored.topics == ["audits", "supplier onboarding"]
    assert stored.values == ["peers", "voice"]
    assert not stored.by_mail
    again = browser.get(PAGE).text
    assert 'value="2026-03-20"' in again


def test_boxes_without_a_tick_switch_it_off(app: Flask, browser: FlaskClient, member: int) -> None:
    fields = {name: value for name, value in CHOICES.items() if not name.endswith("_open")}
    submit(browser, PAGE, fields, PAGE)
    with app.app_context():
        stored = availability.preferences_of(member).preferences
    assert (stored.conversations_open, stored.answer_requests_open) == (False, False)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"limit": "13"}, "Not a valid choice"),
        ({"limit": "x"}, "Invalid Choice"),
        ({"answer_requests": "11"}, "Not a valid choice"),
        ({"talk_about": "x" * 201}, "At most 200 characters"),
        ({"topics": ",".join(f"t{n}" for n in range(13))}, "At most 12"),
        ({"paused_until": "2026-03-02"}, "within the next twelve months"),
        ({"paused_until": "2028-03-02"}, "within the next twelve months"),
        ({"paused_until": "soon"}, "Not a valid date"),
        ({"quiet_to": ""}, "Choose both hours"),
        ({"quiet_from": "24"}, "Not a valid choice"),
        ({"identity": "number"}, "Not a valid choice"),
        ({"values": ["money"]}, "not a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_and_the_text_kept(
    app: Flask, browser: FlaskClient, member: int, fields: dict[str, Any], said: str
) -> None:
    answer = save(browser, **{"topics": "kept text", **fields})
    assert answer.status_code == 422
    assert said.lower() in answer.text.lower()
    assert "kept text" in answer.text or "topics" in fields
    with app.app_context():
        assert db.session.get(Availability, member) is None


def test_a_stale_form_overwrites_nothing(app: Flask, browser: FlaskClient, member: int) -> None:
    stale = fields_of(browser.get(PAGE), PAGE)
    save(browser, talk_about="First")
    answer = browser.post(PAGE, data={**stale, **CHOICES, "talk_about": "Second"})
    assert answer.status_code == 409
    assert "First" in answer.text
    assert 'value="Second"' in answer.text
    with app.app_context():
        assert availability.preferences_of(member).preferences.talk_about == "First"
    again = browser.post(PAGE, data={**fields_of(answer, PAGE), **CHOICES, "talk_about": "Second"})
    assert again.status_code == 303
    with app.app_context():
        assert availability.preferences_of(member).preferences.talk_about == "Second"


def test_a_change_of_the_profile_makes_the_form_stale(app: Flask, browser: FlaskClient, member: int) -> None:
    stale = fields_of(browser.get(PAGE), PAGE)
    save(browser, topics="one")
    answer = browser.post(PAGE, data={**stale, **CHOICES, "topics": "two"})
    assert answer.status_code == 409
    with app.app_context():
        assert db.session.get_one(Member, member).topics == ["one"]


def test_only_customers_have_the_form(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        people = [make_prospect(), make_moderator()]
        former = make_member(status=Status.FORMER)
    for one in people:
        page = sign_in(one).get(PAGE).text
        assert "Only customers are asked" in page
        assert '<form class="form"' not in page
    assert "Save your choices" in sign_in(former).get(PAGE).text


def test_times_are_opened_in_ones_own_zone_and_closed(app: Flask, browser: FlaskClient, member: int) -> None:
    slot = {"slot-day": "2026-03-30", "slot-time": "14:30", "slot-minutes": "20"}
    assert submit(browser, PAGE, slot, SLOTS).location == f"{PAGE}#times"
    submit(browser, PAGE, slot, SLOTS)
    with app.app_context():
        (found,) = queries.open_slots(member)
        assert found.starts_at == datetime(2026, 3, 30, 12, 30, tzinfo=UTC)  # summer time
    assert "14:30" in browser.get(PAGE).text
    path = f"{SLOTS}/{found.id}?_method=DELETE"
    token = fields_of(browser.get(PAGE), path)
    browser.post(path, data=token)
    with app.app_context():
        assert queries.open_slots(member) == []
    assert browser.post(path, data=token).status_code == 404


@pytest.mark.parametrize(
    ("day", "time", "said"),
    [
        ("2026-03-29", "02:30", "no such time on this day"),
        ("2026-03-01", "10:00", "half an hour to six months"),
        ("2027-03-01", "10:00", "half an hour to six months"),
        ("", "10:00", "Choose a day"),
        ("2026-03-10", "25:00", "Not a valid time"),
        ("2026-03-20", "10:10", "overlaps"),
    ],
)
def test_times_that_cannot_be(
    app: Flask, browser: FlaskClient, member: int, day: str, time: str, said: str
) -> None:
    with app.app_context():
        services.open_slot(member, datetime(2026, 3, 20, 9, tzinfo=UTC), 20)
    answer = submit(browser, PAGE, {"slot-day": day, "slot-time": time, "slot-minutes": "20"}, SLOTS)
    assert answer.status_code == 422
    assert said in answer.text
    with app.app_context():
        assert len(queries.own_slots(member)) == 1


def test_a_booked_time_cannot_be_closed_here(app: Flask, browser: FlaskClient, member: int) -> None:
    with app.app_context():
        slot = services.open_slot(member, clock.now() + timedelta(days=2), 20).id
    path = f"{SLOTS}/{slot}?_method=DELETE"
    token = fields_of(browser.get(PAGE), path)
    with app.app_context():
        services.take_slot(slot, "talk:1")
    assert browser.post(path, data=token, follow_redirects=True).text.count("booked meanwhile") == 1
    with app.app_context():
        assert len(queries.own_slots(member)) == 1


def test_anothers_time_is_not_there(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        slot = services.open_slot(make_helper(), clock.now() + timedelta(days=2), 20).id
    token = fields_of(browser.get(PAGE), SLOTS)
    assert browser.post(f"{SLOTS}/{slot}?_method=DELETE", data=token).status_code == 404


def test_the_profile_says_what_one_is_happy_to_talk_about(
    app: Flask, browser: FlaskClient, client: FlaskClient, member: int
) -> None:
    with app.app_context():
        path = f"/members/{db.session.get_one(Member, member).username}"
    assert "Happy to talk about" not in client.get(path).text
    save(browser)
    assert "moving 40 suppliers in nine months" in client.get(path).text
    save(browser, paused_until="2026-03-20")
    assert "moving 40 suppliers" not in client.get(path).text


def test_the_first_minute_is_offered_until_it_is_done(
    app: Flask, browser: FlaskClient, member: int, sign_in: SignIn
) -> None:
    with app.app_context():
        make_helper("Somebody Alike")
        other, prospect = make_helper(), make_prospect()
    assert "/welcome/first-minute" in browser.get("/").text
    place = "/welcome/first-minute?next=/members"
    page = browser.get(place)
    assert "Somebody Alike" in page.text
    assert "Dana Reyes" not in page.text.split("<main")[1]
    answer = browser.post(
        place, data={**fields_of(page, place), "limit": "1", "answer_requests": "4", "values": ["speaking"]}
    )
    assert answer.location == "/members"
    assert "/welcome/first-minute" not in browser.get("/").text
    with app.app_context():
        stored = availability.preferences_of(member).preferences
    assert (stored.limit, stored.answer_requests, stored.values) == (1, 4, ["speaking"])
    skipping = sign_in(other)
    path = "/welcome/first-minute?_method=DELETE"
    assert skipping.post(path, data=fields_of(skipping.get("/"), path)).location == "/"
    assert "/welcome/first-minute" not in skipping.get("/").text
    assert "/welcome/first-minute" not in sign_in(prospect).get("/").text
    assert sign_in(prospect).get(place).location == "/members"


def test_who_is_the_first_reads_so_in_the_first_minute(browser: FlaskClient) -> None:
    page = browser.get("/welcome/first-minute?next=/").text
    assert "People in a situation like yours" in page
    assert "You are among the first" in page


def test_the_first_minute_refuses_what_is_not_on_offer(browser: FlaskClient) -> None:
    place = "/welcome/first-minute?next=/"
    answer = submit(browser, place, {"limit": "99", "answer_requests": "1"}, place)
    assert answer.status_code == 422
    assert submit(browser, place, {}, place).status_code == 422


def test_staff_lower_the_limit_and_only_the_member_raises_it(
    app: Flask, browser: FlaskClient, member: int, sign_in: SignIn
) -> None:
    with app.app_context():
        username = db.session.get_one(Member, member).username
        moderator, admin = sign_in(make_moderator()), sign_in(make_admin())
    page, path = f"/console/members/{username}", f"/console/members/{username}/limit"
    save(browser)
    assert submit(moderator, page, {"limit": "1"}, path).status_code == 303
    with app.app_context():
        assert queries.load(member).limit == 1
    assert "lowered your limit to 1 a quarter" in browser.get(PAGE).text
    assert submit(admin, page, {"limit": "4"}, path).status_code == 422
    save(browser, limit="1", talk_about="Other things changed")
    with app.app_context():
        assert queries.load(member).limit == 1
        assert availability.preferences_of(member).own_limit == 4, "saving other things raises nothing"
    save(browser, limit="3")
    with app.app_context():
        assert queries.load(member).limit == 3
    submit(moderator, page, {"limit": "0"}, path)
    submit(moderator, page, {"limit": ""}, path)
    with app.app_context():
        assert queries.load(member).limit == 3


def test_the_calendar_is_the_sites(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        admin = sign_in(make_admin())
    path = "/console/settings/calendar"
    good = {
        "weekend": ["4", "5"],
        "country": "DE",
        "part": "by",
        "days_off": "2026-12-24\n2026-12-31",
        "zone": "Europe/Berlin",
    }
    assert submit(admin, path, good, path).status_code == 303
    page = admin.get(path).text
    assert "Corpus Christi" in page
    assert "own day off" in page
    with app.app_context():
        now = site.current()
    assert (now.weekend, now.holidays_of, now.calendar_zone) == ([4, 5], "DE-BY", "Europe/Berlin")
    for fields, said in (
        ({"weekend": list("0123456")}, "working day"),
        ({"part": "XX"}, "Parts of this country"),
        ({"days_off": "tomorrow"}, "2026-12-24"),
        ({"zone": "Mars"}, "Not a valid choice"),
    ):
        answer = submit(admin, path, {**good, **fields}, path)
        assert answer.status_code == 422
        assert said in answer.text


def test_own_data_holds_it_and_erasure_takes_it(app: Flask, browser: FlaskClient, member: int) -> None:
    save(browser, talk_about="CANARY line")
    with app.app_context():
        services.open_slot(member, clock.now() + timedelta(days=2), 20)
        services.reserve(member, purpose="talk:SECRET", expires_at=clock.now() + timedelta(days=1))
    data = browser.get("/me/data.json").text
    assert "CANARY line" in data
    assert '"reserved_at"' not in data
    assert "talk:SECRET" not in data, "whom it was with stands in the conversation"
    assert '"kind": "conversation"' in data


def test_the_page_takes_a_few_statements(
    app: Flask, browser: FlaskClient, member: int, statements: Any
) -> None:
    with app.app_context():
        choose(member, talk_about="x")
    with statements() as seen:
        browser.get(PAGE)
    assert len(seen) <= 12, str(seen)


def test_people_of_the_vendor_are_never_asked(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        moderator = sign_in(make_moderator())
    assert moderator.get("/welcome/first-minute").location == "/"
    assert PAGE not in moderator.get("/settings/profile").text
