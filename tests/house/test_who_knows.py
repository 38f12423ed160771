"""The published table of who may know what of a private conversation, tried cell by cell.

Rows, columns and what stands in the cells are those that the page prints (`portal.conversations.who_knows`).
A site is filled with conversations of every kind, each role reads every address there is for it, and of
each row must find what its cell says, and nothing else. A row, a column or a cell of a new kind without an
entry below makes it fail.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text

from portal import create_app
from portal.asks.queries.finding import proposed_to_moderator
from portal.asks.services import asking, connecting, inviting, waves
from portal.conversations import services as conversations
from portal.conversations.models import Conversation, Message, Report
from portal.conversations.who_knows import ROWS, Knows, What, Who, printed
from portal.discussions.models import Audience, ShownAs
from portal.kernel import clock, page_cache
from portal.kernel.access import Status
from portal.kernel.db import Base, db
from portal.members import lists
from portal.members.models import Member
from portal.members.services import sessions
from portal.moderation.models import Case
from portal.moderation.services.deciding import Verdict, decide
from portal.settings import Settings
from tests.conftest import make_board, make_customer, make_moderator, make_prospect, viewer_of
from tests.house.canaries import (
    LISTING_PEOPLE,
    OF_PEOPLE,
    Community,
    Reader,
    addresses,
    echoed,
    know_every_row,
)
from tests.house.people import PEOPLE
from tests.matching.scenes import choose

pytestmark = [pytest.mark.long, pytest.mark.slow]

# Who of the site stands in which column. Whoever stands in none knows nothing.
COLUMNS: dict[Who, tuple[str, ...]] = {
    Who.PARTICIPANTS: ("asker", "member"),
    Who.PEERS: ("peer moderator",),
    Who.VENDOR: ("vendor moderator", "admin"),
    Who.SELLERS: ("sales", "service"),
    Who.OPERATOR: ("operator",),
}
MEANS_NOTHING = (
    *OF_PEOPLE,
    *LISTING_PEOPLE,
    "console_asks.",
)  # names stand there beside each other by themselves
NO_COLUMN = ("visitor", "prospect", "customer", "vendor")

# What there is of each row on this site, and what of it each word of a cell promises.
FACTS: dict[What, set[str]] = {
    What.PAIR: {
        "one's own", "arranged alone", "introduced by oneself", "introduced by others", "reported",
        "reported to peers", "decided",
    },
    What.WORDS: {
        "note", "message", "link", "thanks", "title of an ask in private", "reported", "reported to peers",
        "not reported", "decided",
    },
    What.WHEN: {"one's own", "arranged alone", "reported", "reported to peers", "decided", "load", "month"},
    What.RATING: {"one's own", "shared", "not shared", "counted of one", "counted of five"},
    What.INVITE: {"announced", "of one's own", "of others'", "who came"},
}  # fmt: skip
PROMISED: dict[tuple[What, Knows], set[str]] = {
    (What.PAIR, Knows.YES): {"one's own"},
    (What.PAIR, Knows.INTRODUCED): {"introduced by oneself", "reported", "reported to peers"},
    (What.PAIR, Knows.INTRODUCED_UNLESS_PEERS): {"introduced by oneself", "reported"},
    (What.PAIR, Knows.NO): set(),
    (What.PAIR, Knows.AS_NUMBERS): FACTS[What.PAIR] - {"one's own", "introduced by oneself"},
    (What.WORDS, Knows.YES): {"note", "message", "link", "thanks", "title of an ask in private"},
    (What.WORDS, Knows.REPORTED): {"reported", "reported to peers"},
    (What.WORDS, Knows.REPORTED_UNLESS_PEERS): {"reported"},
    (What.WORDS, Knows.NO): set(),
    (What.WORDS, Knows.NOT_WITHOUT_KEY): set(),
    (What.WHEN, Knows.YES): {"one's own"},
    (What.WHEN, Knows.WHEN_REPORTED): {"reported", "reported to peers"},
    (What.WHEN, Knows.LOAD_AND_MONTH): {"reported", "load", "month"},
    (What.WHEN, Knows.NO): set(),
    (What.RATING, Knows.OWN_AND_SHARED): {"one's own", "shared"},
    (What.RATING, Knows.COUNTS): {"counted of five"},
    (What.RATING, Knows.NO): set(),
    (What.INVITE, Knows.ANNOUNCED): {"announced"},
    (What.INVITE, Knows.OWN_INVITES): {"of one's own"},
}
NOT_THERE = {(What.RATING, "asker"): {"shared"}}  # the other side shares nothing with them
# Whoever has the database reads every row that is not sealed.
BY_THE_OPERATOR = {
    (What.WHEN, Knows.YES): {"arranged alone", "reported", "reported to peers", "decided"},
    (What.RATING, Knows.YES): {"shared", "not shared"},
    (What.INVITE, Knows.YES): {"of others'", "who came"},
}

INVITERS = ("peer moderator", "vendor moderator", "admin", "sales", "service")
MODERATORS = INVITERS[:3]
PERIODS = {
    "arranged alone": datetime(2026, 2, 11, 3, 17, tzinfo=UTC),
    "decided": datetime(2026, 3, 3, 7, 19, tzinfo=UTC),
    "reported": datetime(2026, 3, 4, 5, 11, tzinfo=UTC),
    "reported to peers": datetime(2026, 3, 5, 6, 13, tzinfo=UTC),
}
BEGAN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ASKED = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 24, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """The site and what was put there: names of pairs, words, members by role, what each role was read."""

    app: Flask
    community: Community = field(default_factory=Community)
    people: dict[str, int | None] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)  # of a pair, by what it is
    ids: dict[str, tuple[int, int]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    token: str = ""
    read: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def pages(self, role: str) -> dict[str, tuple[str, str]]:
        """(endpoint, text) by address: all that this role is answered."""
        if role not in self.read:
            with self.app.app_context():
                wanted = addresses(self.app, self.community)
            browser = Reader(_browser(self.app, self.people[role]))
            self.read[role] = {
                address: (endpoint, unescape(echoed(address, browser.everything(address))))
                for endpoint, address in wanted
            }
        return self.read[role]

    def stored(self) -> str:
        """Every value of the database, row by row."""
        with self.app.app_context(), db.engine.connect() as connection:
            return "\n".join(
                f"{table}: {dict(row)}"
                for table in inspect(db.engine).get_table_names()
                for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
            )


def _browser(app: Flask, member_id: int | None) -> FlaskClient:
    browser = app.test_client()
    if member_id is not None:
        with app.app_context():
            token = sessions.start_session(member_id)
        with browser.session_transaction() as session:
            session["_user_id"], session["_fresh"] = token, True
    return browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("who_knows")
    app = create_app(
        Settings(
            INSTANCE_PATH=folder,
            DATABASE_URL=f"sqlite:///{folder / 'portal.sqlite'}",
            SECRET_KEY="a test key that is long enough for signing",
            CONVERSATION_KEY="another test key that is long enough",
            SITE_ENV="test",
            SITE_NAME="Northwind Flow",
            VENDOR_DOMAINS=("northwind.example",),
        )
    )
    page_cache.clear()
    lists.forget()
    made = World(app)
    with app.app_context():
        Base.metadata.create_all(db.engine)
        _fill(made)
        db.session.remove()
    with clock.frozen(NOW):
        yield made
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    page_cache.clear()


def _fill(world: World) -> None:
    with clock.frozen(BEGAN):
        make_board("Before you buy", audience=Audience.PROSPECTS, slug="before-you-buy")
        for person in PEOPLE:
            number = world.people[person.name] = person.make()
            if person.status in (Status.CUSTOMER, Status.FORMER):
                choose(number or 0, paused_until=NOW + timedelta(days=200))  # their names are words of pages
    _alone(world)
    _reports(world)
    _five_ratings(world)
    _introductions(world)
    _invites(world)
    with clock.frozen(NOW):
        know_every_row(world.community)
        known = world.community.known
        for name, column in (
            ("conversation_id", Conversation.id),
            ("message_id", Message.id),
            ("report_id", Report.id),
        ):
            known[name] = list(db.session.scalars(select(column)))
        known |= {"slug": ["before-you-buy"], "key": ["belittles"], "token": [world.token, "not-a-token"]}
        known.setdefault("appeal_id", [])


def _pair(world: World, what: str) -> tuple[int, int]:
    """Two people whose names stand nowhere else."""
    mark = re.sub(r"[^a-z]", "", what)
    world.names[what] = (f"Jo Asks{mark}", f"Bo Helps{mark}")
    asker, member = (
        make_prospect(world.names[what][0], username=f"jo-{mark}"),
        make_customer(world.names[what][1], username=f"bo-{mark}"),
    )
    world.ids[what] = (asker, member)
    return asker, member


def _say(world: World, what: str, *texts: str) -> Conversation:
    """A conversation of this kind, at its own moment; the member speaks first."""
    with clock.frozen(BEGAN):
        asker, member = _pair(world, what)
        choose(member, limit_per_quarter=7)
    with clock.frozen(PERIODS[what]):
        talk = conversations.request(viewer_of(asker), member, note=world.words.get("note", "May I ask?"))
        conversations.accept(viewer_of(member), talk.id)
        for number, words in enumerate(texts):
            conversations.send_message(viewer_of((member, asker)[number % 2]), talk.id, words)
    return talk


def _alone(world: World) -> None:
    for name in ("note", "message", "link", "thanks", "title of an ask in private"):
        world.words[name] = f"canary-{re.sub('[^a-z]', '', name)}-71"
    talk = _say(world, "arranged alone", world.words["message"], "It was slow at first.")
    asker, member = world.ids["arranged alone"]
    world.people |= {"asker": asker, "member": member}
    with clock.frozen(PERIODS["arranged alone"]):
        conversations.set_link(viewer_of(asker), talk.id, f"https://meet.example/{world.words['link']}")
        conversations.thank(viewer_of(asker), talk.id, world.words["thanks"])
        conversations.rate(viewer_of(asker), talk.id, useful=True, honest=True, again=True, shared=True)
        conversations.rate(viewer_of(member), talk.id, useful=True, honest=True, again=False)
    with clock.frozen(PERIODS["arranged alone"] + timedelta(days=3)):
        choose(member, limit_per_quarter=7, paused_until=NOW + timedelta(days=200))
    with clock.frozen(PERIODS["arranged alone"] + timedelta(days=9)):
        for who in (asker, member):
            asking.ask_privately(
                viewer_of(who), title=f"What of {world.words['title of an ask in private']}?", body="Tell me."
            )


def _reports(world: World) -> None:
    for what in ("decided", "reported", "reported to peers"):
        world.words[what] = f"canary-{re.sub('[^a-z]', '', what)}-72"
        world.words["not reported"] = "canary-unreported-73"
        talk = _say(world, what, world.words[what], world.words["not reported"])
        first = db.session.scalars(
            select(Message.id).where(Message.conversation_id == talk.id, Message.number == 1)
        ).one()
        asker, _member = world.ids[what]
        with clock.frozen(datetime(2026, 3, 6, 8, 0, tzinfo=UTC)):
            made = conversations.report(
                viewer_of(asker), talk.id, [first], rule_number=2, peers_only=what == "reported to peers"
            )
        if what == "decided":
            with clock.frozen(datetime(2026, 3, 7, 8, 0, tzinfo=UTC)):
                version = db.session.get_one(Case, made.case_id).version
                verdict = Verdict(rule_number=2, reason="No rule is broken.", version=version)
                decide(viewer_of(make_moderator("Decider")), made.case_id, verdict)


def _five_ratings(world: World) -> None:
    first = BEGAN - timedelta(days=200)
    with clock.frozen(first):
        fay = make_customer("Fay Fivefold", username="fay")
        choose(fay, limit_per_quarter=6)
    for number in range(5):  # with three weeks of rest between them
        with clock.frozen(first + timedelta(days=22 * number)):
            asker = viewer_of(make_prospect())
            talk = conversations.request(asker, fay, note="How was it?")
            conversations.accept(viewer_of(fay), talk.id, text="Fine.")
            conversations.send_message(asker, talk.id, "Good.")
            conversations.send_message(viewer_of(fay), talk.id, "Yes.")
            conversations.rate(asker, talk.id, useful=True, honest=True, again=True)
    choose(fay, limit_per_quarter=6, paused_until=NOW + timedelta(days=200))


def _introductions(world: World) -> None:
    """Each moderator connected somebody who asked in the open."""
    with clock.frozen(BEGAN):
        for number in range(9):
            make_customer(f"Cam Ready{'abcdefghi'[number]}")
    asks = {}
    with clock.frozen(ASKED):
        for role in MODERATORS:
            asker = make_prospect(f"Al Wonders{role.split()[0]}")
            asks[role] = asking.ask_openly(
                viewer_of(asker),
                title=f"How long did it take, {role}?",
                body="We are told a month.",
                may_connect=True,
                shown_as=ShownAs.NAME,
            )
    with clock.frozen(ASKED + timedelta(hours=26)):
        waves.move_on()
        for role, ask in asks.items():
            moderator = viewer_of(world.people[role] or 0)
            first = proposed_to_moderator(moderator, ask)[0]
            result = connecting.introduce(moderator, ask.id, [first.id])
            assert len(result.conversation_ids) == 1
            pair = (ask.asker_id, first.member_id)
            world.ids[f"introduced by {role}"] = pair
            world.names[f"introduced by {role}"] = tuple(  # type: ignore[assignment] # two of them
                db.session.get_one(Member, number).name for number in pair
            )


def _invites(world: World) -> None:
    with clock.frozen(ASKED):
        for role in INVITERS:
            mark = role.replace(" ", "")
            _invite, token = inviting.invite_guest(viewer_of(world.people[role] or 0), f"OPP-{mark}-74")
            guest = viewer_of(make_prospect(f"Gus Came{mark}"))
            inviting.accept_as_guest(guest, token, report=True)
            asking.ask_privately(guest, title="Is it true?", body="Tell me.")
        _invite, world.token = inviting.invite_guest(viewer_of(world.people["sales"] or 0), "OPP-open-75")


# --- What a role finds, each fact with the address of a page on which it stands ---


def _on(pages: dict[str, tuple[str, str]], *words: str, only: str = "", but: tuple[str, ...] = ()) -> str:
    """The first address whose page has all these words; "" for none."""
    for address, (endpoint, page) in pages.items():
        if (
            endpoint.startswith(only)
            and not (but and endpoint.startswith(but))
            and all(w in page for w in words)
        ):
            return address
    return ""


def _pairs_found(world: World, role: str) -> dict[str, str]:
    """Which pairs stand beside each other where that means something, or are named as an introduction."""
    pages, found = world.pages(role), {}
    for what, (asker, member) in world.names.items():
        if role in COLUMNS[Who.PARTICIPANTS] and what == "arranged alone":
            # One's own name stands on each of one's pages, so it has to be among the conversations.
            found["one's own"] = _on(pages, asker, member, only="conversations.")
            continue
        where = _on(pages, f"You asked {member}", asker) or _on(pages, asker, member, but=MEANS_NOTHING)
        name = what
        if what.startswith("introduced"):
            name = "introduced by oneself" if what == f"introduced by {role}" else "introduced by others"
        found[name] = found.get(name) or where
    return found


def _words_found(world: World, role: str) -> dict[str, str]:
    return {what: _on(world.pages(role), word) for what, word in world.words.items()}


def _moments_found(world: World, role: str) -> dict[str, str]:
    pages, found = world.pages(role), {}
    is_participant = role in COLUMNS[Who.PARTICIPANTS]
    for what, at in PERIODS.items():
        # As machines and as people write it; "24 March" is not the 4th.
        date = re.compile(rf"{at:%Y-%m-%d}|\b{at:%Y%m%d}T|\b{at.day} {at:%b}|\b{at:%b}[a-z]* {at.day}\b")
        name = "one's own" if is_participant and what == "arranged alone" else what
        found[name] = next((where for where, (_endpoint, page) in pages.items() if date.search(page)), "")
    if not is_participant:
        found["load"] = _on(pages, "1 of 7", world.names["arranged alone"][1])
        found["month"] = _on(pages, "February 2026")
    return found


def _ratings_found(world: World, role: str) -> dict[str, str]:
    pages, own = world.pages(role), "conversations.conversation"
    others = "not shared" if role == "asker" else "shared"
    return {
        "one's own": _on(pages, "You said how it was.", only=own),
        others: _on(pages, "The other side found it useful.", only=own),
        "counted of one": _on(pages, "of 1 found it useful"),
        "counted of five": _on(pages, "5 of 5 found it useful"),
    }


def _invites_found(world: World, role: str) -> dict[str, str]:
    pages, found = world.pages(role), {}
    for other in INVITERS:
        mark = other.replace(" ", "")
        name = "of one's own" if other == role else "of others'"
        found[name] = found.get(name) or _on(pages, f"OPP-{mark}-74")
        found["who came"] = found.get("who came") or _on(pages, f"Gus Came{mark}", f"OPP-{mark}-74")
    if found.get("of one's own"):
        row = re.search(
            rf"<tr>(?:(?!</tr>).)*OPP-{role.replace(' ', '')}-74.*?</tr>", pages["/invites"][1], re.DOTALL
        )
        told = re.findall(r"</span>\s*(?:<span class=\"quiet\">)?(yes|no)<", row[0] if row else "")
        found["of one's own"] = found["of one's own"] if told == ["yes", "yes", "no", "no"] else ""
    if role in COLUMNS[Who.PARTICIPANTS]:
        said = (
            "that you joined",
            "asked something, not what",
            "answered you, not who",
            "not with whom or of what",
        )
        found["announced"] = _on(pages, *said, only="invites.show")
    return found


PROBES: dict[What, Callable[[World, str], dict[str, str]]] = {
    What.PAIR: _pairs_found,
    What.WORDS: _words_found,
    What.WHEN: _moments_found,
    What.RATING: _ratings_found,
    What.INVITE: _invites_found,
}


def _operator_finds(world: World, what: What) -> set[str]:
    """What stands in the database for whoever reads it without the key."""
    rows = world.stored().splitlines()
    talks = [row for row in rows if row.startswith("conversations:")]
    if what is What.PAIR:
        return {
            "introduced by others" if name.startswith("introduced") else name
            for name, (asker, member) in world.ids.items()
            if any(f"'asker_id': {asker}," in row and f"'member_id': {member}," in row for row in talks)
        }
    if what is What.WORDS:
        return {name for name, word in world.words.items() if any(word in row for row in rows)}
    if what is What.WHEN:
        return {name for name, at in PERIODS.items() if any(f"{at:%Y-%m-%d %H:%M}" in row for row in talks)}
    if what is What.RATING:
        given = [row for row in rows if row.startswith("conversation_ratings:")]
        said = {"shared": "'shared': 1", "not shared": "'shared': 0"}
        return {
            name
            for name, value in said.items()
            if any(value in row and "'useful': 1" in row for row in given)
        }
    invites = [row for row in rows if row.startswith("invites:") and "OPP-" in row]
    return {"of others'"} | (
        {"who came"} if any("'used_by_id': None" not in row for row in invites) else set()
    )


def _found(world: World, what: What, role: str) -> dict[str, str]:
    """The facts that this role finds, each with where."""
    return {fact: where for fact, where in PROBES[what](world, role).items() if where}


class _Somewhere:
    """Equal to any address."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(other)

    __hash__ = None  # type: ignore[assignment] # it is compared, never looked up


def _there(facts: set[str]) -> dict[str, _Somewhere]:
    return {fact: _Somewhere() for fact in facts}


CELLS = [
    pytest.param(row.what, who, role, id=f"{row.what}-{role}")
    for row in ROWS
    for who in Who
    for role in COLUMNS.get(who, ())
]


@pytest.mark.parametrize(("what", "who", "role"), CELLS)
def test_each_knows_what_its_cell_says_and_no_more(world: World, what: What, who: Who, role: str) -> None:
    knows = next(row.cells[who] for row in ROWS if row.what is what)
    if who is Who.OPERATOR:
        assert _operator_finds(world, what) == {**PROMISED, **BY_THE_OPERATOR}[what, knows]
    else:
        promised = PROMISED[what, knows] - NOT_THERE.get((what, role), set())
        assert _found(world, what, role) == _there(promised)


@pytest.mark.parametrize("role", NO_COLUMN)
@pytest.mark.parametrize("what", What)
def test_who_stands_in_no_column_knows_nothing(world: World, what: What, role: str) -> None:
    assert _found(world, what, role) == {}


def test_with_the_key_the_operator_could_as_the_page_says(world: World) -> None:
    with world.app.app_context():
        talk = db.session.scalars(
            select(Conversation).where(Conversation.asker_id == world.ids["arranged alone"][0])
        ).first()
        assert talk is not None
        assert talk.key().open(talk.note_box, purpose="note") == world.words["note"]


def test_every_row_column_and_cell_has_its_probe() -> None:
    assert {row.what for row in ROWS} == set(What) == set(FACTS) == set(PROBES)
    assert all(set(row.cells) == set(Who) for row in ROWS)
    assert set(COLUMNS) == set(Who)
    tried = {role for roles in COLUMNS.values() for role in roles} | set(NO_COLUMN)
    of_everybody = {person.name for person in PEOPLE} | {"asker", "member", "operator"}
    held_back = {"unconfirmed", "former customer", "suspended customer"}  # as others, with fewer permissions
    assert of_everybody - held_back == tried
    by_others = {
        (row.what, knows) for row in ROWS for who, knows in row.cells.items() if who is not Who.OPERATOR
    }
    by_operator = {(row.what, row.cells[Who.OPERATOR]) for row in ROWS}
    assert by_others | by_operator == set(PROMISED) | set(BY_THE_OPERATOR)
    assert all(found <= FACTS[what] for (what, _), found in {**PROMISED, **BY_THE_OPERATOR}.items())


def test_the_page_prints_these_rows(world: World) -> None:
    page = unescape(world.app.test_client().get("/conversations/who-can-read").text)
    table = page.partition("Who may know what of a private conversation")[2].partition("</table>")[0]
    cells = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    ]
    with world.app.test_request_context():
        heads, rows = printed()
    assert cells[-len(rows) :] == rows
    assert all(head in table for head in heads)
