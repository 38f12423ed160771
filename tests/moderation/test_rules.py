"""Rules as an admin changes them, and what moderation keeps about people."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.kernel import clock, personal
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Appeal, Flag, Rule
from portal.moderation.personal import forget_comments
from portal.moderation.queries import rules as queries
from portal.moderation.services import appeals
from portal.moderation.services.deciding import decide
from portal.moderation.services.rules import add_rule, change_rule
from tests.conftest import make_admin, viewer_of
from tests.moderation.conftest import answered, flagged, hidden, hiding

WORDS = {
    "title": "No selling",
    "short": "selling",
    "flag_label": "It sells something.",
    "text": "Recommend what you *use*.",
    "severity": 1,
    "templates": ["An offer.", " "],
}


@pytest.fixture
def admin(in_app: Flask) -> Viewer:
    return viewer_of(make_admin())


def test_seven_rules_are_there_from_the_start_and_are_stored_when_one_is_cited(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer
) -> None:
    assert [rule.number for rule in queries.rules()] == [1, 2, 3, 4, 5, 6, 7]
    assert db.session.execute(select(Rule.number)).all() == []
    flagged(answered(asker, author, board), reporter)
    assert len(db.session.execute(select(Rule.number)).all()) == 7
    assert queries.find_rule(4).label == "Rule 4, no personal data of others"


def test_a_changed_rule_is_in_force_at_once_and_its_former_words_are_kept(admin: Viewer) -> None:
    change_rule(admin, 6, **WORDS, active=True, version=1)
    rule = queries.find_rule(6)
    assert (rule.title, rule.flag_label, rule.templates) == (
        "No selling",
        "It sells something",
        ("An offer.",),
    )
    assert "<em>use</em>" in rule.html
    assert [old.title for old in queries.former_words()[6]] == ["Sell nothing here"]
    with pytest.raises(Conflict):
        change_rule(admin, 6, **WORDS, active=True, version=1)


def test_a_retired_rule_is_cited_no_more_and_its_number_is_never_given_again(
    admin: Viewer, board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    case = flagged(answered(asker, author, board), reporter)
    for number in range(1, 7):
        rule = queries.find_rule(number)
        change_rule(admin, number, **WORDS, active=False, version=rule.version)
    assert [rule.number for rule in queries.rules()] == [7]
    with pytest.raises(Invalid):
        change_rule(admin, 7, **WORDS, active=False, version=1)
    with pytest.raises(Invalid):
        flagged(answered(asker, author, board), reporter, rule=4)
    assert add_rule(admin, **WORDS).number == 8
    assert decide(moderator, case.id, hiding(case, rule_number=8)).rule_label == "Rule 8, no selling"


def test_only_admins_change_rules_and_not_to_nonsense(admin: Viewer, moderator: Viewer) -> None:
    with pytest.raises(Forbidden):
        add_rule(moderator, **WORDS)
    for field, value in (
        ("title", ""),
        ("title", "x" * 101),
        ("text", " "),
        ("severity", 9),
        ("short", "y" * 41),
    ):
        with pytest.raises(Invalid) as refused:
            add_rule(admin, **{**WORDS, field: value})
        assert refused.value.field == field


def test_the_pages_of_rules(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        browser = sign_in(make_admin(username="marijke"))
    assert "No personal data of others" in browser.get("/console/rules").text

    def fields(page: str) -> dict[str, str]:
        return dict(re.findall(r'name="(\w+)" type="hidden" value="([^"]*)"', page))

    page = browser.get("/console/rules/6").text
    sent = {**fields(page), **WORDS, "templates": "An offer.\nAnother.", "active": "y"}
    assert browser.post("/console/rules/6", data={**sent, "title": ""}).status_code == 422
    assert browser.post("/console/rules/6", data=sent).status_code == 303
    stale = browser.post("/console/rules/6", data=sent)
    assert stale.status_code == 409
    assert "Somebody changed this rule meanwhile" in stale.text
    assert "<li><strong>In the form for flags</strong>: It sells something</li></ul>" in stale.text
    other = browser.post("/console/rules/6", data={**sent, "severity": "3", "text": "What we ask of you."})
    assert other.status_code == 409
    assert "within" in other.text.split("There it now says:")[1].split("</ul>")[0]
    assert "What we ask of you." in other.text
    again = {**sent, **fields(other.text), "text": "What we ask of you."}
    assert browser.post("/console/rules/6", data=again).status_code == 303
    new = {**fields(browser.get("/console/rules/new").text), **WORDS, "templates": ""}
    assert browser.post("/console/rules", data=new).status_code == 303
    assert "Rule 8" in browser.get("/console/rules/8").text
    assert browser.get("/console/rules/9").status_code == 404
    second = fields(browser.get("/console/rules").text)
    unknown = browser.post("/console/rules/second", data={**second, "appeal_second": "nobody-here"})
    assert unknown.status_code == 422
    named = browser.post("/console/rules/second", data={**second, "appeal_second": "@Marijke"})
    assert named.status_code == 303
    assert 'value="marijke"' in browser.get("/console/rules").text


def test_what_is_kept_about_a_member_is_exported_and_erased(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer
) -> None:
    decision = hidden(moderator, answered(asker, author, board), reporter)
    waiting = flagged(answered(asker, author, board), reporter, comment="He is my colleague.")
    appeals.appeal(author.member_id or 0, decision.id, "My own words.")
    classes = {one.name: one for one in personal.registered()}
    ids = {
        "reporter": reporter.member_id or 0,
        "author": author.member_id or 0,
        "moderator": moderator.member_id or 0,
    }
    assert len(classes["flags you made"].export(ids["reporter"])) == 2
    assert classes["decisions about you"].export(ids["author"])[0]["rule"].startswith("Rule 4")
    assert classes["appeals you made"].export(ids["author"])[0]["text"] == "My own words."
    assert classes["your letter as a moderator"].export(ids["moderator"]) == {
        "in the public log": "Moderator A"
    }
    assert classes["what you did with a duty"].export(ids["moderator"])[0]["action"] == "hide post"
    with unit_of_work():
        for one in classes.values():
            if one.tables[0] in ("flags", "decisions", "appeals", "moderator_aliases", "audit_entries"):
                for member_id in ids.values():
                    one.erase(member_id, True)
    left = db.session.execute(select(Flag)).scalars().all()
    assert [(flag.case_id, flag.comment) for flag in left] == [(waiting.id, "")]
    assert db.session.execute(select(Appeal.text)).scalar_one() == ""


def test_comments_of_flags_are_forgotten_a_year_after_the_decision(
    board: int, asker: Viewer, author: Viewer, reporter: Viewer, moderator: Viewer, at: Callable
) -> None:
    case = flagged(answered(asker, author, board), reporter, comment="He is my colleague.")
    assert decide(moderator, case.id, hiding(case)).id
    assert forget_comments() == 0
    at(clock.now() + timedelta(days=366))
    assert forget_comments() == 1
    assert db.session.execute(select(Flag.comment)).scalar_one() == ""
