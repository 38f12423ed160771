"""All components in their states (empty, one, crowded, failed), on pages for tests alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length

from portal import csrf
from portal.discussions.queries.boards import BoardLine
from portal.kernel import access, clock, nav
from portal.kernel.access import Duty, Permission, Status, Viewer
from portal.kernel.forms import Form

# What no page of a site in order shows.
ERRORS = {"error_500": 500, "error_503": 503, "error_plain": 503}
PAGES = ("lists", "thread", "asking", "forms", "console", "states", *ERRORS)

MEMBER = Viewer(
    member_id=1,
    username="dana",
    display_name="Dana Kowalski",
    status=Status.CUSTOMER,
    company_name="Castellan Foods",
    confirmed=True,
    time_zone="Europe/Warsaw",
    unread_notices=2,
    permissions=access.permissions_of(Status.CUSTOMER, frozenset()),
)
MODERATOR = replace(
    MEMBER,
    username="ruth",
    display_name="Ruth Adeyemi",
    company_name="Northwind Flow",
    status=Status.VENDOR,
    duties=frozenset({Duty.MODERATOR}),
    permissions=access.permissions_of(Status.VENDOR, frozenset({Duty.MODERATOR})),
)

blueprint = Blueprint("gallery", __name__, url_prefix="/gallery", template_folder="templates")


class SampleForm(Form):
    title = StringField("Title", [DataRequired("Say what it is about, in one line."), Length(max=200)])
    email = EmailField("Work e-mail", description="We write to it once, to see that it is yours.")
    secret = PasswordField("Password", [DataRequired("Choose a password.")])
    board = SelectField("Board", choices=[("1", "Integrations"), ("2", "Operations")])
    kind = RadioField(
        "What is it?",
        [DataRequired("Choose one of the three.")],
        choices=[("question", "A question"), ("discussion", "A discussion"), ("war_story", "A war story")],
    )
    topics = SelectMultipleField("Topics", choices=[("a", "Capacity"), ("b", "Upgrades"), ("c", "Nights")])
    agree = BooleanField("I have read the rules", [DataRequired("The rules apply to everyone.")])
    about = TextAreaField("About you", description="Two sentences are enough.")
    body = TextAreaField("Body", [DataRequired("Write something first.")])


def install(app: Flask) -> None:
    """Put the gallery on an application."""
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


@blueprint.get("/")
@access.requires(Permission.VISIT)
def start() -> Any:
    return show("lists")


@blueprint.get("/page", endpoint="home", defaults={"page": "lists"})
@blueprint.get("/<page>")
@access.requires(Permission.VISIT)
def show(page: str) -> Any:
    """?as=visitor|member|moderator, ?theme=light|dark."""
    who = {"member": MEMBER, "moderator": MODERATOR}.get(request.args.get("as", ""), access.VISITOR)
    g.viewer = replace(who, theme=request.args.get("theme", ""))
    g.csrf_token = "a-token"
    good = SampleForm(formdata=None, data={"title": "Lanes or queues?", "board": "2", "kind": "question"})
    bad = SampleForm(
        MultiDict({"email": "dana@", "about": "Integration lead", "body": ""}), meta={"csrf": False}
    )
    bad.validate()
    return render_template(
        f"gallery/{page}.html",
        who=request.args.get("as", ""),
        place=request.args.get("place", "thread-1"),
        good=good,
        bad=bad,
        nav=menu,
        boards_nav=boards,
        notice_count=g.viewer.unread_notices,
        status=ERRORS.get(page),
        request_id="7f3a9c21",
        kept={
            "title": "Lanes or queues?",
            "body": "We have forty partners.\n\n" + "One of them blocks the rest. " * 20,
        },
        **sample(),
    )


def person(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "username": name.split()[0].lower(), **fields}


INES = person(
    "Ines Okafor",
    title="Integration lead",
    company="Castellan Foods",
    company_slug="castellan-foods",
    verified_by="mail",
)
TOMASZ = person(
    "Tomasz Wiśniewski",
    title="Head of IT operations",
    company="Manufacturer, 500–1,000 people, Poland",
    verified_by="moderator",
)
LONG = person(
    "Marguerite Haugland-Brzęczyszczykiewicz",
    title="Principal electronic data interchange architect and deputy head of integration services",
    company="Norrgross Retail and Wholesale Distribution Holding, 5,000+ people, Norway",
    verified_by="imported",
    former=True,
)
CALLUM = person("Callum Reyes", title="Product manager, connectors", vendor_name="Northwind Flow")
NOBODY = {"name": "former member", "username": ""}


def boards() -> tuple[BoardLine, ...]:
    now = clock.now()
    rows = [
        ("Integrations", "Connectors, formats, partners, and what breaks between them.", "public", 3, 412),
        ("Operations", "Running Flow: capacity, upgrades, alarms, nights.", "public", 120, 1),
        ("Migrating to Flow", "Coming from something else, or from nothing at all.", "public", 0, 138),
        ("Customers only", "", "customers", 0, 0),
        ("Datenaustauschschnittstellenbeschreibungen", "A long name.", "prospects", 1, 12_345),
    ]
    return tuple(
        BoardLine(
            id=number,
            slug=name.lower().replace(" ", "-"),
            name=name,
            description=about,
            audience=audience,
            unread=unread,
            threads_count=count,
            last_activity_at=now - timedelta(hours=3) if count else None,
            archived=name == "Customers only",
        )
        for number, (name, about, audience, unread, count) in enumerate(rows)
    )


def threads() -> list[dict[str, Any]]:
    now = clock.now()
    common = {"url": "/gallery/thread", "board_name": "Integrations"}
    return [
        {
            **common,
            "title": "Flow keeps retrying a dead SFTP target and blocks the whole queue. "
            "How do you isolate one bad partner?",
            "kind": "question",
            "author": INES,
            "last_activity_at": now - timedelta(hours=3),
            "answers_count": 4,
            "answered": True,
            "unread": 2,
            "pinned": True,
            "tags": ["sftp", "lanes"],
        },
        {
            **common,
            "title": "We moved 212 interfaces in one weekend and would not do it again",
            "kind": "war_story",
            "author": TOMASZ,
            "last_activity_at": now - timedelta(hours=30),
            "helpful": 46,
            "replies_count": 12,
        },
        {
            **common,
            "title": "Mapping editor is unusable above 3,000 fields",
            "kind": "discussion",
            "author": LONG,
            "last_activity_at": now - timedelta(days=5),
            "vendor_replied": True,
            "replies_count": 1,
            "closed": True,
            "excerpt": Markup(
                "It takes <mark>nine seconds</mark> to open, and saving fails one time in five."
            ),
        },
        {
            **common,
            "title": "Does-anyone-sign-AS2-messages-with-a-hardware-module-with-a-long-unbroken-name?",
            "kind": "question",
            "author": NOBODY,
            "last_activity_at": now - timedelta(days=400),
            "answers_count": 0,
            "held": True,
            "tags": [f"topic-{number}" for number in range(8)],
        },
    ]


def posts() -> dict[str, dict[str, Any]]:
    now = clock.now()

    def one(number: int, author: dict[str, Any], html: str, **fields: Any) -> dict[str, Any]:
        return {
            "number": number,
            "author": author,
            "html": Markup(html),
            "created_at": now - timedelta(days=3, hours=-number),
            "url": f"/posts/{number}",
            "state": "visible",
            **fields,
        }

    return {
        "opening": one(
            1,
            INES,
            "<p>We exchange delivery notes with 61 carriers. What we would like is: <em>one partner down, "
            "one partner late, nobody else notices.</em></p><ul><li>Flow 7.4, self-hosted, 8 workers</li>"
            "<li>retry policy <code>retry: linear, 60s, forever</code></li></ul><h3>What we tried</h3>"
            "<blockquote><p>Raise the worker count.</p></blockquote><p>How do you run this?</p>",
            is_question=True,
            edited_at=now - timedelta(days=1),
        ),
        "accepted": one(
            3,
            TOMASZ,
            '<p>We had exactly this in March. Two changes fixed it.</p><pre tabindex="0"><code>queue:\n'
            "lanes:\n  by: partner_id\n  max_workers: 2        # never more than 2 of 8, whatever a partner "
            "does and however long it takes</code></pre><p>What it cost us: half a day.</p>",
        ),
        "long": one(
            2,
            LONG,
            "<p>Put the state on the shared disk: <code>/var/lib/flow/lanes/eu-west-1/carriers-production-"
            "secondary.state.json</code></p><table><thead><tr><th>Partner</th><th>Files</th><th>Late</th></tr>"
            "</thead><tbody><tr><td>North</td><td>9,000</td><td>12</td></tr><tr><td>South</td><td>800</td>"
            "<td>0</td></tr></tbody></table>",
        ),
        "vendor": one(4, CALLUM, "<p>The advice to raise the worker count was wrong, and I am sorry.</p>"),
        "held": one(6, INES, "<p>Three links in a first post.</p>", state="held"),
        "story": one(
            7,
            NOBODY,
            "",
            sections=[
                ("What happened", Markup("<p>The partner said “connected” for eleven hours.</p>")),
                ("What it cost", Markup("<p>340 stores without prices on a Saturday morning.</p>")),
                ("What we would do differently", Markup("<p>Watch age, not errors.</p>")),
            ],
        ),
    }


def comments() -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "id": 1,
            "html": Markup("<p>Is it one queue for all carriers?</p>"),
            "author": TOMASZ,
            "created_at": now - timedelta(hours=5),
        },
        {
            "id": 2,
            "html": Markup("<p>One for all. I know, it is <code>queue: carriers</code> for everybody.</p>"),
            "author": INES,
            "created_at": now - timedelta(hours=4),
            "edited_at": now,
        },
        {
            "id": 3,
            "html": Markup("<p>Lanes come with every licence since 7.2.</p>"),
            "author": CALLUM,
            "created_at": now - timedelta(minutes=4),
        },
    ]


def rows() -> list[dict[str, Any]]:
    def one(why: str, title: str, where: str, due: str, *, late: bool = False) -> dict[str, Any]:
        return {
            "why": why,
            "title": title,
            "where": where,
            "due": due,
            "late": late,
            "url": "/gallery/thread",
        }

    return [
        one("Held for 26 h", "Cheap EDI mapping by experts", "Integrations", "since yesterday", late=True),
        one("3 flags, rule 4: personal data", "#7 in Who do you call?", "Operations", "for 40 min"),
        one(
            "Appeal, other decided",
            f"#5 in {'Flow keeps retrying a target ' * 4}",
            LONG["name"],
            "due tomorrow",
        ),
        one(
            "Customer to confirm",
            "nadia.h@mail.example says she works for Castellan",
            "Free mail",
            "since 08:20",
        ),
    ]


def clocks() -> list[dict[str, Any]]:
    """Just begun, running, overdue, stopped."""
    now = clock.now()

    def one(sentence: str, asked: float, passed: int, **fields: Any) -> dict[str, Any]:
        begun = now - timedelta(hours=asked)
        return {
            "sentence": sentence,
            "asked_at": begun,
            "due_at": begun + timedelta(hours=24),
            "hours": 24,
            "whole": 1440,
            "passed": passed,
            "time_passed": f"{passed // 60} h",
            "running": True,
            "late": False,
            **fields,
        }

    return [
        one("23 h 50 min left for a customer’s answer", 0.2, 10, time_passed=""),
        one("40 min left for a customer’s answer", 23.4, 1400),
        one("No customer had answered in time. Ruth Adeyemi is looking for somebody.", 26, 1440, late=True),
        one("A customer answered after 4 h 10 min", 40, 250, running=False),
    ]


def stages() -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {"at": now - timedelta(hours=6), "text": "You asked.", "kind": ""},
        {"at": now - timedelta(hours=5), "text": "Five customers were asked: same industry.", "kind": ""},
        {
            "at": now - timedelta(hours=2),
            "text": "Northwind Flow replied. The clock runs on.",
            "kind": "vendor",
        },
        {"at": now, "text": "Three of them have looked.", "kind": "now"},
        {"at": now + timedelta(hours=6), "text": "Five more are asked if nobody answers.", "kind": "next"},
    ]


def cards() -> list[dict[str, Any]]:
    """One with much to say, one with a long name, one of whom only a role is known."""
    full = {
        "why": "Replaced Brokerline two years ago, with 40 suppliers.",
        "soon": "Tomorrow 10:00 or 15:30, your time.",
        "differs": "Twice your size; no AS2.",
        "chosen": "Fits best, and was asked least this quarter (1 of 4).",
    }
    return [
        {"id": 1, "name": INES["name"], "who": "Integration lead · Castellan Foods", **full},
        {
            "id": 2,
            "name": LONG["name"],
            "who": f"{LONG['title']} · {LONG['company']}",
            **full,
            "why": "Same industry, and answered four questions like yours; " * 3,
        },
        {
            "id": 3,
            "name": "Head of IT",
            "who": TOMASZ["company"],
            "why": "Same industry.",
            "soon": "",
            "differs": "",
            "chosen": "",
        },
    ]


def sample() -> dict[str, Any]:
    return {
        "clocks": clocks(),
        "stages": stages(),
        "cards": cards(),
        "threads": threads(),
        "boards": boards(),
        "persons": [INES, TOMASZ, LONG, CALLUM, NOBODY],
        "posts": posts(),
        "comments": comments(),
        "rows": rows(),
        "months": ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"],
        "now": clock.now(),
        "hour": timedelta(hours=1),
    }


def _twelve(_viewer: Any) -> int:
    return 12


def menu(place: str) -> tuple[nav.Entry, ...]:
    """Entries as the product has them; all lead to the gallery."""
    labels = {
        "main": [("Home", "house"), ("People", "people"), ("Bookmarks", "bookmark")],
        "tab": [("Home", "house"), ("Search", "search"), ("Notices", "bell"), ("Me", "person")],
        "account": [("Settings", "gear"), ("Your data", "download")],
        "foot": [
            ("How it works and who reads what", ""),
            ("Rules", ""),
            ("Transparency", ""),
            ("Privacy", ""),
        ],
        "console": [("Today", ""), ("Queue", ""), ("Members", ""), ("Community health", ""), ("Log", "")],
    }
    return tuple(
        nav.Entry(
            label=label,
            endpoint="gallery.home" if number == 0 else "gallery.start",
            icon=icon,
            place=place,
            count=_twelve if label in ("Today", "Notices") else None,
        )
        for number, (label, icon) in enumerate(labels[place])
    )


# What the modules ask of the server, as the product answers it (documented at the top of each module).

drafts: dict[str, tuple[int, str]] = {}


@blueprint.post("/preview")
@access.requires(Permission.VISIT)
def preview() -> Any:
    body = request.form["body"]
    if body == "refuse":
        return Markup("<p>Too many brackets.</p>"), 422
    return Markup("<p><strong>{}</strong></p>").format(body)


@blueprint.put("/drafts/<place>")
@access.requires(Permission.VISIT)
def save_draft(place: str) -> Any:
    known, _text = drafts.get(place, (0, ""))
    if place == "signed-out":
        return {}, 401
    if known != int(request.form["sequence"]):
        return {"sequence": known}, 409
    drafts[place] = (known + 1, request.form["body"])
    return {"sequence": known + 1, "saved_at": "2026-03-02T12:04:00Z"}


@blueprint.delete("/drafts/<place>")
@access.requires(Permission.VISIT)
def drop_draft(place: str) -> Any:
    drafts.pop(place, None)
    return {}


@blueprint.get("/members/complete")
@access.requires(Permission.VISIT)
def complete() -> Any:
    found = [INES, TOMASZ, CALLUM]
    return [
        {"username": one["username"], "name": one["name"], "company": one.get("company", "")}
        for one in found
        if one["username"].startswith(request.args["q"])
    ]


@blueprint.post("/uploads")
@access.requires(Permission.VISIT)
def upload() -> Any:
    file = request.files["file"]
    return {"url": "/uploads/1.png", "markdown": f"![{file.filename}](/uploads/1.png)"}


@blueprint.get("/threads/similar")
@access.requires(Permission.VISIT)
def similar() -> Any:
    return Markup('<p><a href="/gallery/thread">{} and lanes</a></p>').format(request.args["title"])


@blueprint.route("/posts/<int:number>/vote", methods=["POST", "DELETE"])
@access.requires(Permission.VISIT)
def vote(number: int) -> Any:
    if number == 2:
        return "no", 500
    return {"pressed": request.method == "POST", "count": 10 if request.method == "POST" else 9}


@blueprint.post("/slow")
@access.requires(Permission.VISIT)
def slow() -> Any:
    sent.append(request.form.get("body", ""))
    return redirect("/gallery/states")


sent: list[str] = []
