"""Rules, public log, numbers, how it works, privacy: what everybody may know, and nothing beyond that."""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience
from portal.discussions.services.posting import post_reply
from portal.kernel import personal
from portal.kernel.access import Duty, Viewer
from portal.kernel.crypto import hash_password
from portal.kernel.errors import NotFound
from portal.members.models import VerifiedBy
from portal.moderation.models import AppealOutcome, MemberMeasure
from portal.moderation.queries import log, own
from portal.moderation.services import appeals, deciding
from portal.moderation.services.deciding import decide
from portal.moderation.services.rules import change_rule
from tests.conftest import make_admin, make_board, make_customer, make_moderator, noon, viewer_of
from tests.moderation.conftest import answered, ask, dismissing, flagged, hidden, hiding
from tests.support.people import PASSWORD, fields_of

SignIn = Callable[[int], FlaskClient]


@pytest.fixture
def people(in_app: Flask) -> dict[str, Viewer]:
    return {
        "asker": viewer_of(make_customer("Dana Kowalski")),
        "author": viewer_of(make_customer("Tamsin Boyle")),
        "reporter": viewer_of(make_customer("Lars Tveit")),
        "moderator": viewer_of(make_moderator("Ruth Adeyemi")),
        "other": viewer_of(make_moderator("Marijke Brouwer")),
    }


def removed_on(audience: Audience, people: dict[str, Viewer], **fields: object) -> int:
    """A removal on a board of this audience; gives the case."""
    board = make_board(audience=audience)
    staff = people["moderator"] if audience is Audience.STAFF else None
    post = answered(staff or people["asker"], people["other"] if staff else people["author"], board)
    case = flagged(post, people["moderator"] if staff else people["reporter"])
    decide(people["moderator"], case.id, hiding(case, **fields))
    return case.id


def test_the_log_and_its_numbers_show_each_reader_the_boards_they_read(people: dict[str, Viewer]) -> None:
    public = removed_on(Audience.PUBLIC, people)
    customers = removed_on(Audience.CUSTOMERS, people)
    staff = removed_on(Audience.STAFF, people)
    for reader, seen in (
        (Viewer(), [public]),
        (people["asker"], [customers, public]),
        (people["moderator"], [staff, customers, public]),
    ):
        assert [entry.case_id for entry in log.entries(reader).rows] == seen
        numbers = log.numbers(reader)
        assert (numbers.removed, numbers.flagged, len(numbers.boards)) == (len(seen), len(seen), len(seen))
        assert sum(count for _rule, count in numbers.removed_by_rule) == len(seen)
        for case_id in {public, customers, staff} - set(seen):
            with pytest.raises(NotFound):
                log.story(reader, case_id)


def test_the_numbers_are_what_happened(people: dict[str, Viewer], at: Callable[[datetime], None]) -> None:
    at(noon("2026-03-02"))
    make_customer(verified_by=VerifiedBy.MODERATOR)
    board = make_board()
    first = hidden(
        people["moderator"], answered(people["asker"], people["author"], board), people["reporter"]
    )
    stays = flagged(answered(people["asker"], people["author"], board), people["reporter"], rule=2)
    at(noon("2026-03-02") + timedelta(hours=2))
    decide(people["moderator"], stays.id, dismissing(stays))
    warned = flagged(answered(people["asker"], people["author"], board), people["reporter"], rule=2)
    at(noon("2026-03-02") + timedelta(hours=6))
    decide(people["moderator"], warned.id, hiding(warned, rule_number=2, member=MemberMeasure.WARN))
    waiting = flagged(answered(people["asker"], people["author"], board), people["reporter"])
    appeal = appeals.appeal(people["author"].member_id or 0, first.id, "It was my own number.")
    numbers = log.numbers(Viewer())
    assert (numbers.removed, numbers.dismissed, numbers.flagged, numbers.warned) == (2, 1, 4, 1)
    assert (numbers.appeals, numbers.upheld, numbers.overturned, numbers.waiting) == (1, 0, 0, 2)
    assert numbers.removed_by_rule == [(2, 1), (4, 1)]
    assert (numbers.decided, numbers.median_seconds) == (3, 2 * 3600)
    assert numbers.confirmed_by_hand == 1
    appeals.decide_appeal(people["other"], appeal.id, AppealOutcome.OVERTURNED, "It was.", version=1)
    numbers = log.numbers(Viewer())
    assert (numbers.removed, numbers.overturned, numbers.undone) == (1, 1, 1)
    assert waiting.id
    # What is older than a year is in the log, and no longer in the numbers.
    at(noon("2027-04-02"))
    assert log.numbers(Viewer()).removed == 0
    assert len(log.entries(Viewer()).rows) == 2


def test_an_entry_names_nobody_and_tells_its_whole_story(
    app: Flask, people: dict[str, Viewer], client: FlaskClient
) -> None:
    board = make_board()
    decision = hidden(
        people["moderator"], answered(people["asker"], people["author"], board), people["reporter"]
    )
    made = appeals.appeal(people["author"].member_id or 0, decision.id, "My own words against it.")
    appeals.decide_appeal(people["other"], made.id, AppealOutcome.UPHELD, "A number is a number.", version=1)
    page = client.get(f"/transparency/log/{decision.case_id}").text
    for words in (
        "Post removed",
        "Rule 4, no personal data of others",
        "It gave the number",
        "Moderator A",
        "The author appealed",
        "the decision stands",
        "A number is a number.",
        "Moderator B",
    ):
        assert words in page
    for name in ("Tamsin", "Lars", "Ruth", "Marijke", "My own words against it"):
        assert name not in page
        assert name not in client.get("/transparency").text


def test_a_decision_taken_back_stays_in_the_log_as_such(
    people: dict[str, Viewer], client: FlaskClient
) -> None:
    decision = hidden(
        people["moderator"], answered(people["asker"], people["author"], make_board()), people["reporter"]
    )
    deciding.undo(people["moderator"], decision.id)
    assert "taken back by the moderator" in client.get("/transparency").text
    assert log.numbers(Viewer()).removed == 0


def test_the_title_of_a_removed_thread_is_gone_from_the_log(
    people: dict[str, Viewer], client: FlaskClient
) -> None:
    thread = ask(people["author"], make_board(), "Alan Pethick, +44 1632 960142, answers at night")
    opening = thread.last_post_id
    assert opening
    case = flagged_opening(opening, people["reporter"])
    decide(people["moderator"], case.id, hiding(case))
    for address in ("/transparency", f"/transparency/log/{case.id}", f"/threads/{thread.id}"):
        page = client.get(address, follow_redirects=True)
        assert "Pethick" not in page.text, address
    assert "Thread removed" in client.get("/transparency").text


def flagged_opening(post_id: int, reporter: Viewer):
    class Opening:
        id = post_id

    return flagged(Opening, reporter)


def test_a_dismissed_flag_is_counted_and_not_shown(people: dict[str, Viewer], client: FlaskClient) -> None:
    case = flagged(answered(people["asker"], people["author"], make_board()), people["reporter"], rule=2)
    decide(people["moderator"], case.id, dismissing(case))
    assert log.entries(Viewer()).rows == []
    assert client.get(f"/transparency/log/{case.id}").status_code == 404


def test_the_log_has_filters_and_pages(people: dict[str, Viewer], client: FlaskClient) -> None:
    board = make_board("Operations", slug="operations")
    author = people["author"]
    thread_id = answered(people["asker"], author, board).thread_id  # which stands: the author is known here
    for number in range(log.PAGE + 2):
        post = post_reply(author, thread_id, f"Call desk {number}.")
        hidden(people["moderator"], post, viewer_of(make_customer()))
    first = log.entries(Viewer())
    rest = log.entries(Viewer(), before=first.next)
    assert (len(first.rows), len(rest.rows), rest.next) == (log.PAGE, 2, "")
    assert log.entries(Viewer(), rule=2).rows == []
    assert len(log.entries(Viewer(), rule=4, board="operations", what="removed").rows) == log.PAGE
    assert log.entries(Viewer(), what="refused").rows == []
    for query in ("?before=nonsense", "?before=" + "A" * 400):
        assert client.get(f"/transparency{query}").status_code == 404
    for query in ("?rule=abc", "?rule=99999999999", "?what=%00", "?board=x&rule=4", f"?before={first.next}"):
        assert client.get(f"/transparency{query}").status_code == 200


def test_rules_are_published_with_anchors_and_their_former_words(
    app: Flask, client: FlaskClient, in_app: Flask
) -> None:
    page = client.get("/rules").text
    for number in range(1, 8):
        assert f'id="rule-{number}"' in page
    admin = viewer_of(make_admin())
    change_rule(
        admin,
        6,
        title="No selling",
        short="selling",
        flag_label="It sells something",
        text="Not here.",
        severity=1,
        templates=[],
        active=True,
        version=1,
    )
    page = client.get("/rules").text
    assert "No selling" in page
    assert "Sell nothing here" in page
    assert "What it said before" in page


def test_where_nobody_could_decide_an_appeal_the_pages_say_so(in_app: Flask, client: FlaskClient) -> None:
    said = "nobody"
    for addition in (None, make_moderator, None):
        if addition:
            addition()
        assert own.appeals_have_a_second() is False
        assert said in client.get("/rules").text
        assert said in client.get("/transparency").text
    make_customer(duties=(Duty.MODERATOR,))
    assert own.appeals_have_a_second() is True
    assert "nobody else could decide" not in client.get("/rules").text


def test_privacy_is_made_of_the_real_settings(client: FlaskClient) -> None:
    page = client.get("/privacy").text
    assert "<code>candor</code>" in page
    assert "60 days" in page
    assert "No mail server is set" in page
    assert 'href="/me/data"' in page
    for one in personal.registered():
        assert one.name.split(": ")[-1].capitalize() in unescape(page)
        assert not one.retention_days or f">{one.retention_days} day" in page


def test_privacy_names_every_cookie_that_is_set(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_customer("Ada", email="ada@mail.example", password_hash=hash_password(PASSWORD))
    fields = fields_of(client.get("/login"), "/login")
    data = {**fields, "email": "ada@mail.example", "password": PASSWORD, "remember": "y"}
    answer = client.post("/login", data=data)
    assert answer.status_code == 303
    names = {line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")}
    assert names == {"candor", "candor_known"}
    page = client.get("/privacy").text
    assert [name for name in names if f"<code>{name}</code>" not in page] == []
    assert ">180 days<" in page


def test_how_it_works_says_who_reads_what(client: FlaskClient) -> None:
    page = client.get("/how-it-works").text
    assert "Who reads what" in page
    assert "Northwind Flow" in page


def test_a_visitors_pages_carry_no_cookie(client: FlaskClient) -> None:
    for address in ("/rules", "/transparency", "/how-it-works", "/privacy"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
