"""A community full of strings that somebody may not read, and a crawl of everything for each role.

A canary is a word that occurs nowhere else. `Canary.readers` are the roles that may come across it, `owner`
is who wrote it. To add a kind of content: plant it in `plant`, with its ids in `known` when it has addresses
of its own. Parameters of routes are looked up in `known` by "endpoint name:parameter" or the parameter alone;
one that is in neither makes the crawl fail.
"""

import io
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from portal.advocacy.models import Contest, Entry
from portal.advocacy.services import engagements
from portal.asks.models import AnswerRequest, Ask
from portal.asks.services import asking, inviting, waves
from portal.consents.models import Activity, CompanyConsent
from portal.conversations import services as conversations
from portal.conversations.services.messages import mark_seen
from portal.discussions.models import Audience, Post, Tag, Thread, ThreadKind, Upload
from portal.discussions.services import drafts, editing, tools, uploads
from portal.discussions.services.editing import Edit
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, KeptForm, Member
from portal.moderation.models import Case, Decision, MemberMeasure, PostMeasure
from portal.moderation.services.appeals import appeal
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post
from portal.notifications.models import Notice
from portal.relations import services as relations
from portal.relations.models import Health, Hold, Measure
from tests.conftest import make_board, make_company, make_customer, make_moderator, make_prospect, viewer_of
from tests.discussions.factories import hold
from tests.house.people import PEOPLE

ROLES = frozenset(person.name for person in PEOPLE)
OUTSIDE = frozenset({"visitor", "unconfirmed"})
VENDOR = frozenset({"vendor", "vendor moderator", "sales", "service", "admin"})
MODERATORS = frozenset({"peer moderator", "vendor moderator", "admin"})
MEMBERS = ROLES - OUTSIDE
CUSTOMERS = MEMBERS - {"prospect"}
CONFIRMERS = frozenset({"vendor moderator", "admin"})
SELLERS = frozenset({"sales", "service"})
NOBODY: frozenset[str] = frozenset()

# Where a person stands for themselves: that they exist is no secret, what they wrote without a name is.
OF_PEOPLE = (
    "people.", "mentions.", "console_people.", "score_console.", "log.", "members_list.",
    "candidates.", "rising.", "own_consents.suggestion", "company_consents.",
    "relations.", "holds.",
)  # fmt: skip


# Where everybody's name stands beside others', which says nothing of any two of them.
LISTING_PEOPLE = ("directory.", "today.")


@dataclass(frozen=True)
class Canary:
    """A word, who may read it, and parts of the site where its being there says nothing."""

    word: str
    readers: frozenset[str]
    owner: str = ""
    harmless_at: tuple[str, ...] = ()


@dataclass
class Community:
    """What was planted: canaries by word, ids by parameter, people by role (the owners among them)."""

    canaries: list[Canary] = field(default_factory=list)
    known: dict[str, list[Any]] = field(default_factory=dict)
    people: dict[str, int | None] = field(default_factory=dict)

    def word(self, what: str, readers: frozenset[str], owner: str = "author", harmless_at: Any = ()) -> str:
        """A new word for this content."""
        word = f"canary{what}{len(self.canaries)}qx"
        self.canaries.append(Canary(word, readers, owner, tuple(harmless_at)))
        return word

    def watch(self, word: str, readers: frozenset[str], owner: str = "", harmless_at: Any = ()) -> None:
        """A word that the product made itself, such as the name of a file."""
        self.canaries.append(Canary(word, readers, owner, tuple(harmless_at)))

    def knows(self, **values: Any) -> None:
        for name, value in values.items():
            self.known.setdefault(name, []).append(value)


def plant(app: Flask) -> Community:
    """The community, inside an application context."""
    site = Community(people={person.name: person.make() for person in PEOPLE})
    secret_company = make_company(
        site.word("company", CUSTOMERS, ""), kind="customer", industry="31-33", size_band="500-999"
    )
    hidden = {
        "region": "nobody",
        "about": "nobody",
        "title": "nobody",
        "replaced": "members",
        "topics": "members",
    }
    site.people["author"] = make_customer(
        "Author",
        username="the-author",
        company_id=secret_company,
        email=f"{site.word('mail', CONFIRMERS)}@mail.example",
        title=site.word("title", CONFIRMERS),
        about_source=(about := site.word("about", NOBODY)),
        about_html=f"<p>{about}</p>",
        replaced=site.word("replaced", MEMBERS),
        topics=[site.word("topic", MEMBERS)],
        visibility=hidden,
    )
    site.people["reporter"] = make_customer("Reporter", username="the-reporter")
    site.people["helper"] = make_customer("Helper", username="the-helper")
    author = viewer_of(site.people["author"] or 0)
    reporter = viewer_of(site.people["reporter"] or 0)
    moderator = viewer_of(make_moderator("Decider", username="the-decider"))
    public = make_board("Public board", slug="public-board")
    _boards(site, app, author, public)
    _own_things(site, author, public)
    _states(site, author, reporter, moderator, public)
    _without_name(site, viewer_of(site.people["helper"] or 0), public)
    _private(site)
    _asks(site)
    _relations(site, secret_company)
    _engagements(site, moderator, author)
    _known_rows(site)
    return site


def ask(author: Viewer, board: int, title: str, body: str, **more: Any) -> Thread:
    return open_thread(author, board, kind=ThreadKind.QUESTION, title=title, body=body, **more)


def _boards(site: Community, app: Flask, author: Viewer, public: int) -> None:
    """A thread with a picture on a board of each narrower audience; only the vendor reads the staff's."""
    ask(author, public, "A thread that everybody reads", "Nothing to hide here.", tags="open")
    staff = viewer_of(site.people["vendor"] or 0)
    for audience, readers, writer in (
        (Audience.PROSPECTS, MEMBERS, author),
        (Audience.CUSTOMERS, CUSTOMERS, author),
        (Audience.STAFF, VENDOR, staff),
    ):
        name = audience.value
        owner = "author" if writer is author else "vendor"

        def word(what: str, name: str = name, readers: frozenset[str] = readers, owner: str = owner) -> str:
            return site.word(f"{name}{what}", readers, owner)

        board = make_board(
            word("board"), slug=word("slug"), audience=audience, description=word("description")
        )
        folder: Path = app.config["SETTINGS"].uploads_path
        folder.mkdir(parents=True, exist_ok=True)
        picture = uploads.keep_picture(writer, _png(), folder)
        site.watch(picture.name.removesuffix(".webp"), readers, owner)
        body = f"{word('body')} ![]({f'/uploads/{picture.name}'})"
        thread = ask(writer, board, f"A thread with {word('threadtitle')}", body, tags=word("tag"))
        post = post_reply(writer, thread.id, word("reply"))
        post_comment(writer, post.id, word("comment"))
        with clock.frozen(clock.now() + timedelta(hours=1)):
            version = db.session.get_one(Post, post.id).version
            editing.edit_post(writer, post.id, Edit(body=word("edited"), reason=word("why"), version=version))


def _private(site: Community) -> None:
    """A conversation of two people; of its words one was disclosed to the moderators."""
    asker, member = (
        viewer_of(make_prospect("Asks in private")),
        viewer_of(make_customer("Answers in private")),
    )
    talk = conversations.request(asker, member.member_id or 0, note=site.word("note", NOBODY, ""))
    conversations.accept(member, talk.id, text=site.word("private", NOBODY, ""))
    said = conversations.send_message(member, talk.id, site.word("disclosed", MODERATORS, ""))
    report = conversations.report(asker, talk.id, [said.id], rule_number=2)
    shown = site.word("shown-note", MODERATORS, "")
    declined = conversations.request(asker, make_customer("Is asked in private"), note=shown)
    asked = viewer_of(declined.member_id)
    mark_seen(asked, declined.id, 0)
    conversations.decline(asked, declined.id)
    noted = conversations.report(asked, declined.id, ["note"], rule_number=2)
    site.knows(conversation_id=declined.id, report_id=noted.id, case_id=noted.case_id)
    site.knows(conversation_id=talk.id, report_id=report.id, message_id=said.id, case_id=report.case_id)
    _pair(site)


def _pair(site: Community) -> None:
    """Two who do nothing here but talk: their names stand where people are listed, and nowhere else."""
    names = [
        site.word(f"talks{side}", NOBODY, "", (*OF_PEOPLE, *LISTING_PEOPLE)) for side in ("asking", "asked")
    ]
    asker = viewer_of(make_prospect(f"Jo {names[0]}", username=names[0]))
    member = viewer_of(make_customer(f"Bo {names[1]}", username=names[1]))
    talk = conversations.request(asker, member.member_id or 0, note="May I ask?")
    conversations.accept(member, talk.id, text="Please do.")
    conversations.send_message(asker, talk.id, "Was it worth it?")
    conversations.send_message(member, talk.id, "It was, after a year.")
    conversations.rate(asker, talk.id, useful=True, honest=True, again=True)
    conversations.thank(asker, talk.id, "That helped a lot.")
    site.knows(conversation_id=talk.id)


def _engagements(site: Community, moderator: Viewer, author: Viewer) -> None:
    """What a member did for the vendor: one that stands, one taken back."""
    stands, gone = site.word("engaged", CONFIRMERS), site.word("disengaged", CONFIRMERS)
    for words in (stands, gone):
        row = engagements.record(
            moderator, author.member_id or 0, Activity.CALL, clock.now().date(), f"With {words}."
        )
    engagements.withdraw(moderator, row.id, site.word("mistake", CONFIRMERS))


def _own_things(site: Community, author: Viewer, public: int) -> None:
    """Drafts, a form kept when a session ended, an unused picture."""
    member_id = author.member_id or 0
    fields = {"title": site.word("drafttitle", NOBODY), "body": site.word("draft", NOBODY)}
    drafts.save_draft(member_id, "new:public-board", fields, 0)
    with unit_of_work():
        db.session.add(
            KeptForm(
                token_hash="0" * 64,
                member_id=member_id,
                action="/threads/new",
                fields=[["body", site.word("kept", NOBODY, "")]],
                created_at=clock.now(),
            )
        )
        db.session.get_one(Member, member_id).company_claim = site.word("claim", CONFIRMERS)


def _states(site: Community, author: Viewer, reporter: Viewer, moderator: Viewer, board: int) -> None:
    """What waits, was removed or deleted, with former texts, flags, notes and an appeal."""
    held = ask(
        author,
        board,
        f"Held {site.word('heldtitle', MODERATORS)}",
        site.word("held", MODERATORS),
        tags=site.word("heldtag", MODERATORS),
    )
    hold(db.session.scalars(db.select(Post.id).where(Post.thread_id == held.id)).one())
    thread = ask(author, board, "What became of these answers?", "They come and go.")
    waiting = post_reply(author, thread.id, site.word("heldreply", MODERATORS))
    hold(waiting.id)

    deleted = post_reply(author, thread.id, site.word("deletedold", NOBODY, ""))
    _edit(author, deleted, site.word("deleted", NOBODY, ""))
    editing.delete_own_post(author, deleted.id)

    removed = post_reply(author, thread.id, site.word("removedold", MODERATORS))
    _edit(author, removed, site.word("removed", MODERATORS))
    comment = site.word("flag", MODERATORS, "reporter")
    flag = flag_post(reporter, removed.id, rule_number=4, comment=comment)
    site.watch("the-reporter", MODERATORS, "reporter", OF_PEOPLE)
    site.watch("the-decider", MODERATORS, "", OF_PEOPLE)
    case = db.session.get_one(Case, flag.case_id)
    decision = decide(
        moderator,
        case.id,
        Verdict(
            post=PostMeasure.HIDE,
            member=MemberMeasure.NONE,
            rule_number=4,
            reason="It gave a number.",
            note=site.word("note", MODERATORS, ""),
            version=case.version,
        ),
    )
    site.knows(decision_id=decision.id)
    site.knows(key="belittles")  # a practice case
    site.knows(appeal_id=appeal(author.member_id or 0, decision.id, site.word("appeal", MODERATORS)).id)
    tools.close_thread(moderator, thread.id, "All is said.")


def _without_name(site: Community, helper: Viewer, board: int) -> None:
    """An asker without a name, and a guest with one, whom sales and service do not read."""
    masked = make_customer(
        site.word("askername", NOBODY, "asker", OF_PEOPLE),
        username=site.word("askeruser", NOBODY, "asker", OF_PEOPLE),
        picture=f"m-{site.word('askerpicture', NOBODY, 'asker', OF_PEOPLE)}.webp",
        company_id=make_company(site.word("askercompany", NOBODY, "asker", OF_PEOPLE)),
    )
    site.people["asker"] = masked
    asker = viewer_of(masked)
    thread = ask(asker, board, "Who left a vendor like this?", "We are about to.", author_shown_as="role")
    answer = post_reply(helper, thread.id, "We did, it took a year.")
    reply = post_reply(asker, thread.id, "And the data in it?")
    post_comment(asker, answer.id, "In which year?")
    _edit(asker, reply, "And the pictures in it?")
    flag_post(helper, reply.id, rule_number=4)

    readers = (ROLES - SELLERS) | {"helper", "author", "reporter", "asker"}
    surname = site.word(
        "guestname", readers, "guest"
    ).capitalize()  # as names are written; small in addresses
    site.watch(surname, readers, "guest")
    guest = make_prospect(
        f"Paula {surname}",
        username=site.word("guestuser", readers, "guest"),
        email=f"{site.word('guestmail', readers, 'guest')}@mail.example",
        company_claim=site.word("guestcompany", readers, "guest", OF_PEOPLE),
    )
    site.people["guest"] = guest
    asked = ask(viewer_of(guest), board, "Is it as slow as they say?", "I read so elsewhere.")
    name = viewer_of(guest).username
    first = db.session.scalars(db.select(Post.id).where(Post.thread_id == asked.id)).one()
    quoted = f"> [@{name} in #1](/posts/{first}):\n> slow\n\nNo, @{name}. See [the page](/members/{name})."
    post_reply(helper, asked.id, f"Thank you, {viewer_of(guest).display_name}, for asking.")
    answer = post_reply(helper, asked.id, quoted)
    _edit(helper, answer, f"{quoted} Really not, @{name}.")
    _named_by_others(site, helper, viewer_of(guest), asked, board)


def _named_by_others(site: Community, helper: Viewer, guest: Viewer, asked: Thread, board: int) -> None:
    """Others call the guest by name: in titles, signatures, links, reasons and to what sales wrote."""
    surname, row = guest.display_name.split()[1], db.session.get_one(Member, guest.member_id)
    post_reply(guest, asked.id, f"Thanks. Regards, {surname}, {row.company_claim}, {row.email}")
    ask(helper, board, f"What {guest.display_name} asked of us", f"{surname} wrote from {row.email}.")
    ask(helper, board, "Where it was asked before", f"{surname} did, in [her thread](/threads/{asked.id}).")
    sales, moderator = viewer_of(site.people["sales"] or 0), viewer_of(make_moderator())
    offer = post_reply(sales, asked.id, "Have you thought of our new offer?")
    thanks = post_reply(helper, asked.id, f"No thanks, {surname} has not.")
    for reporter, post in ((helper, offer), (sales, thanks)):
        case = db.session.get_one(Case, flag_post(reporter, post.id, rule_number=4).case_id)
        verdict = Verdict(
            post=PostMeasure.HIDE,
            member=MemberMeasure.NONE,
            rule_number=4,
            reason=f"{guest.display_name} asked for it, {surname} was cross.",
            note="",
            version=case.version,
        )
        decided = decide(moderator, case.id, verdict)
        site.knows(decision_id=decided.id)


def _asks(site: Community) -> None:
    """The asker without a name asks in the open, where sales reads too, and in private, for nobody else."""
    asker = viewer_of(site.people["asker"] or 0)
    make_board("Asks", slug="asks-board", audience=Audience.PROSPECTS)
    asking.ask_openly(asker, title="How long did the move really take?", body="We are told a month.")
    asking.ask_privately(
        asker,
        title=f"What of {site.word('privatetitle', NOBODY, 'asker')} is true?",
        body=f"They say {site.word('privatebody', NOBODY, 'asker')}.",
    )
    waves.move_on()
    waves.deliver()
    inviting.invite_guest(viewer_of(site.people["sales"] or 0), site.word("reference", NOBODY, "sales"))


def _relations(site: Community, company_id: int) -> None:
    """What sales and service say of a company: for them, the vendor's moderators and admins."""
    sales, service = viewer_of(site.people["sales"] or 0), viewer_of(site.people["service"] or 0)

    def said(what: str) -> str:
        return f"Because of {site.word(what, SELLERS | CONFIRMERS, '')}."

    today = clock.now().date()
    relations.place_hold(sales, company_id, said("holdreason"), until=today)
    ended = relations.place_hold(service, company_id, said("oldhold"), until=today)
    relations.end_hold(service, ended.id, said("holdended"), version=ended.version)
    relations.set_health(service, company_id, Health.RED, said("health"))
    one = relations.open_escalation(service, company_id, said("escalation"))
    relations.close_escalation(service, company_id, one.id, said("outcome"), version=one.version)
    relations.record_satisfaction(
        service, company_id, Measure.NPS, -3, sample=7, surveyed_on=today, source=said("survey")
    )


def _edit(author: Viewer, post: Post, body: str) -> None:
    with clock.frozen(clock.now() + timedelta(hours=2)):
        version = db.session.get_one(Post, post.id).version
        editing.edit_post(author, post.id, Edit(body=body, reason="clearer", version=version))


def know_every_row(site: Community) -> None:
    """Every id and name of these that stands in the database, and what else stands in addresses."""
    ids = {
        "thread_id": Thread.id,
        "post_id": Post.id,
        "case_id": Case.id,
        "decision_id": Decision.id,
        "notice_id": Notice.id,
        "ask_id": Ask.id,
        "request_id": AnswerRequest.id,
        "entry_id": Entry.id,
        "contest_id": Contest.id,
        "username": Member.username,
        "people:slug": Company.slug,
        "console_people:slug": Company.slug,
        "company_consents:slug": Company.slug,
        "consent_id": CompanyConsent.id,
        "hold_id": Hold.id,
        "relations:slug": Company.slug,
        "discussions.tag:name": Tag.name,
        "uploads.picture:name": Upload.name,
        "discussions.thread:slug": Thread.slug,
    }
    for name, column in ids.items():
        site.known[name] = list(db.session.scalars(db.select(column).distinct().order_by(column)))
    pictures = db.session.scalars(db.select(Member.picture).where(Member.picture != ""))
    site.known["members.picture:name"] = [name.removeprefix("m-") for name in pictures]
    site.known |= {
        "number": [1, 4],
        "part": [0],
        "community_health:part": [
            "weeks",
            "boards",
            "by-board-and-week",
            "people",
            "first-posts",
            "concentration",
        ],
        "programme:part": ["weeks", "answer-requests", "switched-off"],
        "token": ["not-a-token"],
        "light": ["246b5e"],
        "dark": ["8fd0bf"],
        "theme.logo:name": ["light.webp"],
        "appeal_id": site.known.get("appeal_id", []),
    }


def _known_rows(site: Community) -> None:
    know_every_row(site)
    board_slugs = [canary.word for canary in site.canaries if "slug" in canary.word]
    site.known["slug"] = ["public-board", *board_slugs]
    own = [site.people[role] for role in ("author", "reporter", "asker", "guest", "sales")]
    site.known["username"] = list(db.session.scalars(db.select(Member.username).where(Member.id.in_(own))))


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#246b5e").save(out, "PNG")
    return out.getvalue()


class Unreached(Exception):
    """A route whose parameters the crawl does not know: plant content for it and add its ids to `known`."""


WORDS = ("canary", "thread", "name", "title:canary", "vis:private", "[a TO z]", "*", "author:the-author")


def addresses(app: Flask, site: Community) -> list[tuple[str, str]]:
    """(endpoint, address) of every GET route with every known id, and of searches. Raises Unreached."""
    found: dict[tuple[str, str], None] = {}
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or "GET" not in (rule.methods or ()):
            continue
        for values in _values(rule, site):
            found[rule.endpoint, adapter.build(rule.endpoint, values)] = None
    written = ("customersbody", "staffbody", "stafftag", "staffthread", "held", "removed", "deleted", "user")
    words = [one.word for one in site.canaries if any(part in one.word for part in written)]
    for word in (*WORDS, *words):
        found["searching.search", f"/search?q={word}"] = None
    for name in (one.word for one in site.canaries if "user" in one.word):
        found["searching.search", f"/search?author={name}"] = None
        found["mentions.complete", f"/members/complete?q={name[:11]}"] = None
    for slug in site.known["slug"]:
        found["searching.search", f"/search?board={slug}"] = None
        found["composing.new_thread", f"/threads/new?board={slug}"] = None
    for post, thread in db.session.execute(db.select(Post.id, Post.thread_id)):
        found["composing.new_post", f"/threads/{thread}/posts?quote={post}"] = None
    for title in ("Held canary", "A thread with canary"):
        found["composing.similar", f"/threads/similar?title={title}"] = None
    found["queue.index", "/console/queue?whose=anyone"] = None
    found["queue.index", "/console/queue?state=decided"] = None
    return list(found)


def _values(rule: Rule, site: Community) -> list[dict[str, Any]]:
    """The combinations of known values; a thread's slug goes with its id."""
    package = rule.endpoint.split(".")[0]
    rows: list[dict[str, Any]] = [{}]
    for name in sorted(rule.arguments - set(rule.defaults or {})):
        for key in (f"{rule.endpoint}:{name}", f"{package}:{name}", name):
            if key in site.known:
                break
        else:
            raise Unreached(f"{rule.endpoint} takes {name!r}, of which the crawl knows no value")
        if rule.endpoint == "discussions.thread" and name == "slug":
            continue  # a wrong one leads to the right one
        rows = [{**row, name: value} for row in rows for value in site.known[key]]
    if rule.endpoint == "discussions.thread" and "slug" in rule.arguments:
        return []
    return rows


class Reader:
    """A browser that reads each page once, wherever it was led from."""

    def __init__(self, browser: FlaskClient) -> None:
        self.browser = browser
        self.read: set[str] = set()
        self.led_to = ""  # the address at which the last one ended

    def everything(self, address: str) -> str:
        """All that an address answers: headers, redirects, body; "" for what was read before."""
        text = ""
        for _hop in range(4):
            if address in self.read:
                return text
            self.read.add(address)
            self.led_to = address
            answer = self.browser.get(address)
            text += " ".join(f"{name}: {value}" for name, value in answer.headers if name != "Set-Cookie")
            location = answer.headers.get("Location", "")
            if not location or location.startswith("/login"):
                break
            address = location.partition("#")[0]
        if (answer.mimetype or "").startswith("image/"):
            return f"given {address}"  # its name counts, although it was asked for by it
        return f"{text}\n{answer.get_data(as_text=True)}"


def endpoint_at(app: Flask, address: str) -> str:
    """The endpoint that answers a GET of this address; "-" where none does."""
    try:
        return str(app.url_map.bind("localhost").match(address.partition("?")[0])[0])
    except HTTPException:
        return "-"


def echoed(address: str, text: str) -> str:
    """The text without the words that stood in the address: a page may repeat what it was asked for."""
    for word in re.findall(r"[\w.-]{6,}", address):
        text = re.sub(re.escape(word), "", text, flags=re.IGNORECASE)
    return text
