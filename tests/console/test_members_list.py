"""The members explorer and the page of one member: facts, facets, notes."""

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.models import MemberNote, ScoreChoice
from portal.advocacy.services import candidates, engagements
from portal.consents import services as consents
from portal.consents.models import Activity
from portal.console import explorer, member_facts
from portal.console.explorer import Wanted
from portal.conversations import services as conversations
from portal.discussions.models import ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock, personal
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services as matching
from portal.matching.models import Availability
from portal.matching.queries import load, loads_by_week
from portal.members.models import Member, MemberProduct, Product
from portal.members.services import confirming
from tests.asks.scenes import ask
from tests.asks.scenes import board as board_for_asks
from tests.conftest import make_board, make_company, make_customer, make_moderator, make_prospect, viewer_of
from tests.conversations.conftest import asked
from tests.discussions.factories import make_post, make_thread
from tests.matching.scenes import held, make_helper, reserve
from tests.support.people import fields_of, submit
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]


def people() -> dict[str, int]:
    """Five people, each different in one fact or more."""
    now = clock.now()
    bank = make_company("Banque", industry="52", size_band="5000+", region="FR")
    mill = make_company("Mill", industry="31-33", size_band="50-199", region="DE")
    found = {
        "ana": make_customer("Ana", company_id=bank, last_seen_at=now, answers_count=3),
        "bo": make_customer("Bo", company_id=mill, last_seen_at=now - timedelta(days=5), answers_count=9),
        "cy": make_customer("Cy", company_id=mill, last_seen_at=now - timedelta(days=200)),
        "di": make_prospect("Di", company_id=bank),
        "ed": make_customer("Ed", company_id=mill),
    }
    with unit_of_work():
        db.session.add(Product(id=7, name="Mapper"))
        db.session.flush()
        db.session.add(MemberProduct(member_id=found["bo"], product_id=7))
        db.session.add(Availability(member_id=found["cy"], paused_until=now + timedelta(days=9)))
    return found


def names(**wanted: object) -> list[str]:
    return [one.name for one in explorer.members(Wanted(**wanted))]  # type: ignore[arg-type]


def test_members_are_found_by_any_fact(in_app: Flask) -> None:
    people()
    assert names(sort="name") == ["Ana", "Bo", "Cy", "Di", "Ed"]
    assert names(industry="52", sort="name") == ["Ana", "Di"]
    assert names(standing="rising", sort="helpful") == []
    assert names(size="50-199", region="DE", sort="name") == ["Bo", "Cy", "Ed"]
    assert names(status="prospect") == ["Di"]
    assert names(product="7") == ["Bo"]
    assert names(seen="week") == ["Bo"]
    assert names(seen="never", sort="name") == ["Di", "Ed"]
    assert names(load="paused") == ["Cy"]
    assert names(words="banq", sort="name") == ["Ana", "Di"]
    assert names(sort="answers")[0] == "Bo"
    assert names(sort="helpful")
    assert names(load="full") == []


def test_facets_count_under_the_other_words(in_app: Flask) -> None:
    people()
    counted = explorer.facets(Wanted(industry="31-33"))
    assert counted.total == 3
    assert counted.industry == {"31-33": 3, "52": 2}
    assert counted.status == {"customer": 3}
    assert counted.seen == {"week": 1, "longer": 1, "never": 1}
    assert explorer.facets(Wanted(industry="31-33")).products == [(7, "Mapper", 1)]
    assert explorer.facets(Wanted(industry="52")).products == [(7, "Mapper", 0)]


def test_standing_is_a_facet(in_app: Flask) -> None:
    board, helper, beginner = make_board(), make_customer("Helper"), make_customer("Beginner")
    for number, who in enumerate((helper, helper, helper, beginner)):
        asker = viewer_of(make_customer(f"Asker {number}"))
        thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title=f"Question {number}", body="Why?")
        accept(asker, thread.id, post_reply(viewer_of(who), thread.id, f"So: {number}.").id)
    assert names(standing="ranked") == ["Helper"]
    assert names(standing="rising") == ["Beginner"]
    assert names(sort="helpful")[:2] == ["Helper", "Beginner"]
    early = names(standing="too early", sort="name")
    assert early == [f"Asker {number}" for number in range(4)]
    counted = explorer.facets(Wanted(standing="rising"))
    assert counted.total == 1
    assert counted.standing == {"ranked": 1, "rising": 1, "too early": 4}
    make_prospect("Nobody asks them")
    make_moderator("Of the vendor")
    assert names(standing="too early", sort="name") == early
    with unit_of_work():
        db.session.add(ScoreChoice(member_id=helper, not_scored=True, changed_at=clock.now()))
        db.session.get_one(Member, beginner).status = Status.PROSPECT
    assert explorer.facets(Wanted()).standing == {"too early": 4}
    assert names(standing="ranked") == names(standing="rising") == []


def test_nobodys_place_tells_how_helpful_somebody_is_who_opted_out(in_app: Flask) -> None:
    board, first = make_board(), make_customer("Never helped")
    helper, beginner = make_customer("Helper"), make_customer("Beginner")
    for number, who in enumerate((helper, helper, helper, beginner)):
        asker = viewer_of(make_customer(f"Asker {number}"))
        thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title=f"Question {number}", body="Why?")
        accept(asker, thread.id, post_reply(viewer_of(who), thread.id, f"So: {number}.").id)
    assert first < helper
    assert names(sort="helpful")[0] == "Helper"
    with unit_of_work():
        db.session.add(ScoreChoice(member_id=helper, not_scored=True, changed_at=clock.now()))
    assert names(sort="helpful")[:3] == ["Beginner", "Never helped", "Helper"]
    assert next(iter(explorer.everybody(Wanted(sort="helpful")))).name == "Beginner"


def test_every_facet_counts_what_choosing_it_shows(in_app: Flask) -> None:
    people()
    counted = explorer.facets(Wanted())
    for facet in ("industry", "size", "region", "status", "seen", "standing"):
        for value, number in getattr(counted, facet).items():
            assert not value or len(names(**{facet: value})) == number, f"{facet} {value}"


def test_a_pause_that_is_over_is_none(in_app: Flask) -> None:
    cy = people()["cy"]
    assert next(one for one in explorer.members(Wanted()) if one.id == cy).paused_until
    with clock.frozen(clock.now() + timedelta(days=10)):
        assert next(one for one in explorer.members(Wanted()) if one.id == cy).paused_until is None


@pytest.fixture
def moderator(app: Flask, sign_in: SignIn) -> FlaskClient:
    with app.app_context():
        return sign_in(make_moderator("Ruth", username="ruth"))


def test_the_address_says_everything_and_the_file_holds_the_same(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        people()
    page = moderator.get("/console/members?industry=31-33&sort=name&q=%00&size=nonsense").text
    assert re.findall(r"data-row-open data-row-do>([^<]+)</a>", page) == ["Bo", "Cy", "Ed"]
    assert 'href="/console/members.csv?industry=31-33&amp;sort=name"' in page
    answer = moderator.get("/console/members.csv?industry=31-33&sort=name")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row[1] for row in rows[1:]] == ["Bo", "Cy", "Ed"]
    assert "@" not in answer.get_data(as_text=True)
    assert "Nobody fits" in moderator.get("/console/members?industry=92").text


def test_statements_do_not_grow_with_members(
    app: Flask, moderator: FlaskClient, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    with app.app_context():
        people()
    moderator.get("/console/members")
    counts = []
    for more in (0, 20):
        with app.app_context():
            for _ in range(more):
                make_customer()
        with statements() as seen:
            assert moderator.get("/console/members?seen=never&sort=load").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 14, seen


def test_a_note_is_the_members_data(app: Flask, moderator: FlaskClient, sign_in: SignIn) -> None:
    with app.app_context():
        ines = make_customer("Ines", username="ines")
        other = make_moderator()
    path = "/console/members/ines"
    assert "Ines gets the notes with the export of their data" in moderator.get(path).text
    answer = submit(moderator, path, {"text": "Prefers mail."}, f"{path}/notes")
    assert answer.location == f"{path}#notes"
    assert "Prefers mail." in moderator.get(path).text
    refused = submit(moderator, path, {"text": "  "}, f"{path}/notes")
    assert refused.status_code == 422
    with app.app_context():
        kept = next(one for one in personal.registered() if "member_notes" in one.tables)
        assert [row["note"] for row in kept.export(ines)] == ["Prefers mail."]
        note = db.session.query(MemberNote).one().id
    browser = sign_in(other)
    token = fields_of(browser.get(path), "/logout")
    assert browser.post(f"{path}/notes/{note}?_method=DELETE", data=token).status_code == 404
    with app.app_context():
        with unit_of_work():
            kept.erase(ines, False)
        assert db.session.query(MemberNote).count() == 0


def test_the_timeline_tells_what_somebody_was_asked_and_agreed_to(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        ines, ruth = make_prospect("Ines", username="ines"), viewer_of(make_moderator())
        board_for_asks()
        ask(ines, "By name: who runs Flow with forty partners?", shown_as="name")
        ask(ines, "Canary of somebody who asks as a role", shown_as="role")
        confirming.confirm_company(ruth, "ines", make_company("Castellan Foods"))
        candidates.nominate(viewer_of(make_customer()), ines, "Helped me twice.")
        both = [Activity.CALL, Activity.QUOTE]
        asked = candidates.ask(ruth, ines, "Would you?", both, reason="Offered")
        candidates.answer(viewer_of(ines), asked.id, [Activity.CALL])
        consents.withdraw(viewer_of(ines), Activity.CALL)
    page = moderator.get("/console/members/ines").text.split('id="timeline"')[1]
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in (
        "Company confirmed by a moderator : Castellan Foods",
        "Asked customers : By name: who runs Flow with forty partners?",
        "Nominated by a peer : Helped me twice.",
        "Was asked for : Calls, A quote",
        "Said yes to : Calls",
        "Said no to : A quote",
        "Agreed to : Calls",
        "Took an agreement back : Calls",
        "Moved to “asked”: Offered",
        "Moved to “resting”: took the last consent back",
    ):
        assert words.replace(" :", ":") in text.replace(" :", ":"), words
    assert "Canary of somebody" not in text
    help_alone = moderator.get("/console/members/ines?show=help").text.split('id="timeline"')[1]
    assert "Nominated by a peer" not in help_alone


def test_a_narrowed_timeline_shows_what_is_older_than_all_the_rest(
    app: Flask, moderator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_facts, "TIMELINE", 2)
    with app.app_context():
        ines, ruth = make_customer("Ines", username="ines"), viewer_of(make_moderator())
        kept = engagements.record(ruth, ines, Activity.CALL, clock.now().date(), "Canary of a mistake.")
        engagements.withdraw(ruth, kept.id, "It did not happen.")
        engagements.record(ruth, ines, Activity.SPEAKING, clock.now().date(), "At a meeting in Ghent.")
        asker, board = make_customer(), make_board()
        with clock.frozen(clock.now() + timedelta(days=1)):
            question = make_thread(asker, board)
            accept(viewer_of(asker), question.id, make_post(ines, question).id)
    everything, alone = (
        moderator.get(f"/console/members/ines{show}").text.split('id="timeline"')[1]
        for show in ("", "?show=asked")
    )
    assert "The answer was accepted" in everything
    assert "At a meeting in Ghent." not in everything
    assert "At a meeting in Ghent." in alone
    assert "Canary of a mistake." not in alone + everything


def test_a_load_says_how_it_was_when_the_week_began_and_not_the_hour(
    app: Flask, at: Callable[[datetime], None], sign_in: SignIn
) -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    day = timedelta(days=1)
    at(monday + 2 * day)
    with app.app_context():
        dana = make_helper("Dana", username="dana", limit_per_quarter=5)
        held(dana, "earlier", monday - 40 * day)
        held(dana, "no longer counted", monday - 91 * day)
        moderator = make_moderator()

    def shown() -> set[int]:
        """The same in every place where staff read it."""
        page = sign_in(moderator).get("/console/members/dana").text  # a session ends within the week
        line = re.search(r"(\d+) of 5 conversations", page)
        assert line
        with app.app_context():
            [row] = [one for one in explorer.members(Wanted(sort="load")) if one.name == "Dana"]
            [of_week] = loads_by_week([dana], clock.now()).values()
            assert of_week.limit == 5
        return {int(line.group(1)), row.load, of_week.taken}

    assert shown() == {1}
    with app.app_context():
        reserve(dana, "now", offered=True)
        assert load(dana).taken == 2
    assert shown() == {1}, "nobody who looks often learns when she was asked"
    at(monday + 7 * day)
    assert shown() == {2}
    with app.app_context():
        matching.release("now")
        assert load(dana).taken == 1
    assert shown() == {2}, "nor when she declined"
    at(monday + 14 * day)
    assert shown() == {1}


def test_how_conversations_were_rated_is_counted_from_five_on(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        dana = make_helper("Dana", username="dana", limit_per_quarter=9)
        talks = [asked(make_prospect(), dana) for _ in range(5)]
        for talk in talks:
            conversations.accept(viewer_of(dana), talk.id)
            conversations.send_message(viewer_of(dana), talk.id, "It took us a year.")
        talks = [(talk.id, talk.asker_id) for talk in talks]
        moderator = sign_in(make_moderator())
    own = sign_in(dana)
    for number, (talk, asker) in enumerate(talks, start=1):
        with app.app_context():
            conversations.rate(
                viewer_of(asker), talk, useful=number != 2, honest=True, again=number > 3, shared=True
            )
        page = moderator.get("/console/members/dana").text
        mine = re.sub(r"<[^>]+>|\s+", " ", own.get("/me/contributions").text)
        said = "4 of 5 found it useful, 5 honest, 2 would again"
        assert (said in page, "found it useful" in page) == ((True, True) if number == 5 else (False, False))
        assert ("ratings to show; from five on" in mine) is (number < 5)
