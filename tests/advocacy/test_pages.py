"""The pages about scores, as their readers see them."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.advocacy.models import Contest, Entry, Rule, ScoreChoice, WeightsDecision
from portal.advocacy.queries import contests
from portal.advocacy.queries.standing import standing_of
from portal.advocacy.queries.weights import current
from portal.advocacy.services import contesting
from portal.advocacy.services.choosing import choose
from portal.advocacy.services.weighing import apply_due
from portal.discussions.models import ShownAs
from portal.discussions.services.acceptance import accept
from portal.discussions.services.voting import vote
from portal.kernel.db import db
from tests.advocacy.scenes import make_world
from tests.conftest import make_admin, make_customer, make_moderator, make_prospect, viewer_of
from tests.discussions.factories import make_post, make_thread

SignIn = Callable[[int], FlaskClient]


@pytest.fixture
def helped(app: Flask) -> dict[str, int]:
    """A helper whom three companies thanked: two by accepting, one of them as a role, one by a vote."""
    with app.app_context():
        world = make_world(companies=5, people=1)
        helper, *others = world.members
        world.thank(others[0], helper)
        guest = make_prospect("Canary Guestname")
        thread = make_thread(guest, world.board, "How long does a move take?", author_shown_as=ShownAs.ROLE)
        post = make_post(helper, thread)
        accept(viewer_of(guest), thread.id, post.id)
        vote(viewer_of(others[1]), post.id)
        entry = db.session.execute(
            select(Entry.id).where(Entry.receiver_id == helper, Entry.rule == Rule.ACCEPTED).limit(1)
        ).scalar_one()
        names = {
            "accepted": viewer_of(others[0]).display_name,
            "voted": viewer_of(others[1]).display_name,
        }
        return {
            "helper": helper,
            "guest": guest,
            "entry": entry,
            "moderator": make_moderator(),
            "admin": make_admin(),
            "username": viewer_of(helper).username,
            **names,
        }


def test_one_reads_what_made_the_own_score_and_no_name_of_who_voted_or_asked_as_a_role(
    helped: dict, sign_in: SignIn
) -> None:
    page = sign_in(helped["helper"]).get("/me/score").text
    assert "gives you one point, which halves every 60 days" in page
    assert helped["accepted"] in page
    assert helped["voted"] not in page
    assert "Canary Guestname" not in page
    assert "accepted your answer" in page
    assert "found it helpful" in page
    assert "People whose company is not confirmed" in page


@pytest.mark.parametrize("who", ["guest", "moderator", "admin"])
def test_nobody_else_has_such_a_page(helped: dict, sign_in: SignIn, who: str) -> None:
    assert sign_in(helped[who]).get("/me/score").status_code == 404


def test_moderators_of_the_vendor_read_it_and_others_do_not(helped: dict, sign_in: SignIn) -> None:
    address = f"/console/scores/{helped['username']}"
    page = sign_in(helped["moderator"]).get(address)
    assert page.status_code == 200
    assert helped["voted"] not in page.text
    for other in ("helper", "guest"):
        assert sign_in(helped[other]).get(address).status_code == 403


def test_an_entry_is_contested_answered_and_taken_out(app: Flask, helped: dict, sign_in: SignIn) -> None:
    own = sign_in(helped["helper"])
    number = helped["entry"]
    assert own.get(f"/me/score/contest?entry={number}").status_code == 200
    token = {"csrf_token": csrf(own, f"/me/score/contest?entry={number}")}
    refused = own.post("/me/score/contest", data={**token, "entry": number, "words": ""})
    assert refused.status_code == 422
    asked = own.post("/me/score/contest", data={**token, "entry": number, "words": "Not my answer."})
    assert asked.status_code == 303
    moderator = sign_in(helped["moderator"])
    assert "Not my answer." in moderator.get("/console/contests").text
    with app.app_context():
        contest = db.session.execute(select(Contest.id)).scalar_one()
        before = standing_of(helped["helper"]).helpfulness
    address = f"/console/contests/{contest}"
    token = {"csrf_token": csrf(moderator, address)}
    answered = moderator.post(
        f"{address}/answer", data={**token, "correction": "reverse", "answer": "You are right, it is not."}
    )
    assert answered.status_code == 303
    assert "You are right, it is not." in own.get("/me/score").text
    with app.app_context():
        assert standing_of(helped["helper"]).helpfulness < before


def test_a_contested_entry_is_looked_at_once_more_by_somebody_else(
    app: Flask, helped: dict, sign_in: SignIn
) -> None:
    own, number = sign_in(helped["helper"]), helped["entry"]
    first, second = sign_in(helped["moderator"]), sign_in(helped["admin"])

    def contest(words: str) -> int:
        token = {"csrf_token": csrf(own, "/me/score/contest")}
        asked = own.post("/me/score/contest", data={**token, "entry": number, "words": words})
        if asked.status_code != 303:
            assert "looked at this entry, one after the other" in asked.text
            return 0
        with app.app_context():
            return db.session.execute(select(func.max(Contest.id))).scalar_one()

    def answer(browser: FlaskClient, contest: int, words: str) -> int:
        token = {"csrf_token": csrf(browser, "/console/weights")}
        return browser.post(
            f"/console/contests/{contest}/answer", data={**token, "answer": words}
        ).status_code

    once = contest("I never wrote that.")
    assert "You get an answer by" in own.get("/me/score").text
    assert "Have somebody else look" not in own.get("/me/score").text
    assert "Entry contested" in first.get("/console/").text
    assert answer(first, once, "You did.") == 303
    assert "Have somebody else look" in own.get("/me/score").text
    again = contest("I did not.")
    assert "Somebody else looks now." in own.get("/me/score").text
    assert "Entry contested again" in second.get("/console/").text
    assert "somebody else looks now" in first.get(f"/console/contests/{again}").text
    assert answer(first, again, "You did, I say.") == 403
    assert "You did." in second.get(f"/console/contests/{again}").text
    assert answer(second, again, "I looked too: you did.") == 303
    assert "Have somebody else look" not in own.get("/me/score").text
    assert contest("But no.") == 0


def test_somebody_elses_entry_cannot_be_contested(app: Flask, helped: dict, sign_in: SignIn) -> None:
    with app.app_context():
        other = make_world(companies=1, people=1).members[0]
    browser = sign_in(other)
    assert browser.get(f"/me/score/contest?entry={helped['entry']}").status_code == 404


def test_one_may_stay_out_of_every_list(app: Flask, helped: dict, sign_in: SignIn) -> None:
    own = sign_in(helped["helper"])
    data = {"csrf_token": csrf(own, "/me/score"), "not_scored": "y"}
    assert own.post("/me/score/choices", data=data).status_code == 303
    with app.app_context():
        assert db.session.get(ScoreChoice, helped["helper"]).not_scored
    assert "left out of every list" in own.get("/me/score").text
    assert helped["accepted"] in own.get("/me/score").text
    moderator = sign_in(helped["moderator"])
    page = moderator.get(f"/console/scores/{helped['username']}")
    assert "chose to be left out" in page.text
    assert helped["accepted"] not in page.text
    assert moderator.get(f"/console/entries/{helped['entry']}").status_code == 404
    data = {"csrf_token": csrf(moderator, "/console/weights"), "reason": "Wrong."}
    assert moderator.post(f"/console/entries/{helped['entry']}/correction", data=data).status_code == 404
    candidate = moderator.get(f"/console/candidates/{helped['username']}").text
    assert "0 of 3" in candidate


def test_weights_are_tried_out_then_decided_and_members_read_why(
    app: Flask, helped: dict, sign_in: SignIn
) -> None:
    admin = sign_in(helped["admin"])
    numbers = {
        "csrf_token": csrf(admin, "/console/weights"),
        "half_life_days": "30",
        "person_limit": "1",
        "company_limit": "3",
        "votes_per_post": "5",
        "answer_points": "0.5",
        "answer_limit": "5",
        "companies_to_rank": "2",
    }
    tried = admin.post("/console/weights/preview", data=numbers)
    assert tried.status_code == 200
    assert "Whom it would move today" in tried.text
    too_short = admin.post("/console/weights/preview", data={**numbers, "half_life_days": "1"})
    assert too_short.status_code == 422
    assert admin.post("/console/weights", data=numbers).status_code == 422  # no reason
    reason = "Help of last month says more here."
    assert admin.post("/console/weights", data={**numbers, "reason": reason}).status_code == 303
    own = sign_in(helped["helper"])
    told = own.get("/me/score").text
    assert "Days after which a point is worth half: 30 instead of 60" in told
    assert "Companies that have to thank within a year: 2 instead of 3" in told
    assert "Most that one person counts:" not in told
    assert "not in force yet" in told
    with app.app_context():
        assert current().half_life_days == 60
        assert apply_due() == 1
        assert current().half_life_days == 30
        assert db.session.execute(select(WeightsDecision.applied_at)).scalar_one() is not None
    assert reason in own.get("/me/score").text
    assert "not in force yet" not in own.get("/me/score").text


def test_patterns_are_shown_to_vendor_moderators(helped: dict, sign_in: SignIn) -> None:
    page = sign_in(helped["moderator"]).get("/console/patterns")
    assert page.status_code == 200
    assert "Canary Guestname" not in page.text


def test_patterns_leave_out_what_members_received_who_opted_out(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        world = make_world(companies=4, people=1)
        for one, other in (world.members[:2], world.members[2:]):
            for _time in range(2):
                world.thank(one, other)
                world.thank(other, one)
        names = [viewer_of(member).display_name for member in world.members]
        moderator = make_moderator()
    page = sign_in(moderator).get("/console/patterns").text
    assert all(name in page for name in names)
    with app.app_context():
        choose(viewer_of(world.members[0]), not_scored=True, not_approached=False)
    page = sign_in(moderator).get("/console/patterns").text
    assert not any(name in page for name in names[:2])
    assert all(name in page for name in names[2:])
    assert "nor is what members received who chose to be left out" in page


def csrf(browser: FlaskClient, path: str) -> str:
    return browser.get(path).text.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]


def test_contested_entries_are_narrowed_paged_and_exported(app: Flask, helped: dict, sign_in: SignIn) -> None:
    with app.app_context():
        for number in range(contests.ROWS + 1):
            member = make_customer(f"Asker number {number:03}")
            contesting.contest(viewer_of(member), None, f"Words of {number:03}.")
        first = contests.waiting(1)[0].id
        contesting.answer(viewer_of(helped["moderator"]), first, "Looked at it.")
    browser = sign_in(helped["moderator"])
    waiting, more = browser.get("/console/contests").text, browser.get("/console/contests?show=all").text
    assert "Words of 000." not in waiting
    assert "Words of 050." in waiting
    assert "page=2" not in waiting
    assert 'href="/console/contests?show=all&amp;page=2"' in more
    assert "Words of 000." in browser.get("/console/contests?show=all&page=2").text
    answered = browser.get("/console/contests?show=answered").text
    assert "Looked at it." in answered
    assert "Words of 001." not in answered
    file = browser.get("/console/contests.csv?show=all").text
    assert len(file.splitlines()) == contests.ROWS + 2
    assert browser.get("/console/contests?page=0&show=x").status_code == 200


def test_all_patterns_come_as_a_file(app: Flask, helped: dict, sign_in: SignIn) -> None:
    with app.app_context():
        world = make_world(companies=2, people=1)
        for _time in range(2):
            world.thank(*world.members)
            world.thank(*reversed(world.members))
        names = sorted(viewer_of(member).display_name for member in world.members)
    browser = sign_in(helped["moderator"])
    assert 'href="/console/patterns"' in browser.get("/console/").text
    rows = browser.get("/console/patterns.csv").text.splitlines()
    assert len(rows) == 2
    assert rows[1].startswith("thank each other,")
    assert all(name in rows[1] for name in names)
