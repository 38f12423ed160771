"""An address with two ids writes only where the second belongs to the first; elsewhere it leads nowhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.advocacy.services import candidates, engagements, notes
from portal.consents.models import Activity
from portal.consents.services import record_company_consent
from portal.conversations import services as conversations
from portal.conversations.models import Message, TimeProposal
from portal.conversations.services import people
from portal.kernel import clock
from portal.kernel.access import Duty, Status
from portal.kernel.db import Base, db
from portal.members.models import Company
from portal.relations.models import Measure
from tests.conftest import make_company, make_customer, make_member, make_moderator, make_prospect, viewer_of
from tests.conversations.conftest import talking
from tests.house.routes import SAFE
from tests.relations.scenes import escalated, surveyed


@dataclass(frozen=True)
class Pair:
    """What `actor` writes to: `second` belongs to `first`; `other` is another one of its kind."""

    actor: int
    first: str
    other: str
    second: str | int
    fields: dict[str, str]


def _companies() -> tuple[int, str, str]:
    one, other = (db.session.get_one(Company, make_company()) for _ in range(2))
    return one.id, one.slug, other.slug


def _service() -> int:
    return make_member(status=Status.VENDOR, duties=(Duty.SERVICE,))


def _talks(*texts: str) -> tuple[int, int, str, str]:
    """(who asked, who was asked, their conversation, another one of the same asker)."""
    asker, member = make_prospect(), make_customer()
    return asker, member, talking(asker, member, *texts).id, talking(asker, make_customer(), *texts).id


def _escalation() -> Pair:
    by, (company, slug, other) = _service(), _companies()
    return Pair(by, slug, other, escalated(company, viewer_of(by)).id, {"outcome": "Done.", "version": "1"})


def _survey() -> Pair:
    by, (company, slug, other) = _service(), _companies()
    return Pair(by, slug, other, surveyed(company, Measure.NPS, 3, by=viewer_of(by)).id, {})


def _agreement() -> Pair:
    by, (company, slug, other), today = make_moderator(), _companies(), clock.now().date()
    row = record_company_consent(
        viewer_of(by),
        company,
        Activity.LOGO,
        given_by="Ms Okafor",
        given_on=today,
        expires_on=today + timedelta(days=9),
    )
    return Pair(by, slug, other, row, {})


def _members() -> tuple[int, int, str, str]:
    by, member, other = make_moderator(), make_customer(), make_customer()
    return by, member, viewer_of(member).username, viewer_of(other).username


def _note() -> Pair:
    by, member, name, other = _members()
    return Pair(by, name, other, notes.add_note(viewer_of(by), member, "Likes short letters."), {})


def _nomination() -> Pair:
    by, member, name, other = _members()
    return Pair(by, name, other, candidates.nominate(viewer_of(make_customer()), member, "Helps.").id, {})


def _engagement() -> Pair:
    by, member, name, other = _members()
    row = engagements.record(viewer_of(by), member, Activity.CALL, clock.now().date(), "With a colleague.")
    return Pair(by, name, other, row.id, {f"back{row.id}-reason": "It was somebody else."})


def _block() -> Pair:
    asker, member, talk, other = _talks("Ask me.")
    return Pair(asker, talk, other, member, {})


def _time() -> Pair:
    asker, member, talk, other = _talks("Ask me.")
    conversations.propose_times(viewer_of(member), talk, ((clock.now() + timedelta(days=3), 30),))
    return Pair(asker, talk, other, db.session.scalars(select(TimeProposal.id)).one(), {})


def _message() -> Pair:
    asker, _member, talk, other = _talks("Ask me.", "What did it cost?")
    said = select(Message.id).where(Message.conversation_id == talk, Message.author_id == asker)
    return Pair(asker, talk, other, db.session.scalars(said).one(), {})


def _person() -> Pair:
    asker, member, talk, other = _talks("Ask me.")
    newcomer = make_customer()
    people.propose_person(viewer_of(member), talk, viewer_of(newcomer).username)
    return Pair(asker, talk, other, newcomer, {})


def _report() -> Pair:
    asker, member, talk, other = _talks("Ask me.", "No.", "You will regret it.")
    make_moderator()
    own = dict(
        db.session.execute(select(Message.author_id, Message.id).where(Message.conversation_id == talk)).all()
    )
    made = conversations.report(viewer_of(member), talk, [own[asker]], rule_number=2)
    return Pair(asker, talk, other, made.id, {"messages": own[member]})


PAIRS: dict[str, Callable[[], Pair]] = {
    "candidates.read_nomination": _nomination,
    "company_consents.end": _agreement,
    "console_people.delete_note": _note,
    "conversations.add": _report,
    "conversations.agree": _time,
    "conversations.agree_to_person": _person,
    "conversations.block": _block,
    "conversations.delete": _message,
    "conversations.refuse_person": _person,
    "engagements.withdraw": _engagement,
    "relations.close_escalation": _escalation,
    "relations.delete_satisfaction": _survey,
}


def test_every_address_with_two_ids_has_a_pair(app: Flask):
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if len(rule.arguments) > 1 and (rule.methods or set()) - SAFE
    }
    assert found == PAIRS.keys()


def _rows() -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: sorted(map(tuple, db.session.execute(select(table))), key=repr)
        for table in Base.metadata.sorted_tables
        if table.name != "sessions"
    }


@pytest.mark.parametrize("endpoint", PAIRS)
def test_what_belongs_to_another_one_is_not_found(
    app: Flask, sign_in: Callable[[int], FlaskClient], endpoint: str
):
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        pair = PAIRS[endpoint]()
    rule = next(app.url_map.iter_rules(endpoint))
    (method,) = (rule.methods or set()) - SAFE
    urls = app.url_map.bind("localhost")
    parts = [name for _is_variable, name in rule._trace if name in rule.arguments]
    browser = sign_in(pair.actor)
    browser.get("/")
    with app.app_context():
        before = _rows()

    def send(first: str) -> int:
        address = urls.build(endpoint, dict(zip(parts, (first, pair.second), strict=True)), method=method)
        return browser.open(address, method=method, data=pair.fields).status_code

    assert send(pair.other) == 404
    with app.app_context():
        assert _rows() == before
    assert send(pair.first) == 303, "the same where it belongs"
