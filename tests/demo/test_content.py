"""The written content of the demo community holds together.

Format of `portal/demo/content/threads/*.toml`, some twenty threads to a file:

    [[thread]]
    key = "sftp-lanes"            # unique over all files
    board = "integrations"        # slug in boards.toml
    kind = "question"             # question | discussion | war_story
    title = "…"
    author = "ines-okafor"        # username in cast.toml
    days_ago = 41.3               # float, 1 to 730, age of the opening when the demo is loaded
    tags = ["sftp", "lanes"]      # lower-case words and hyphens, at most 5
    votes = 9                     # optional: how many others vote the opening up
    body = '''Markdown'''         # a war_story has happened, cost, differently instead

    [[thread.post]]
    author = "tomaszw"
    after_hours = 4.6             # since the opening; ascending in the thread, not in the future
    kind = "answer"               # answer | reply | comment
    body = '''Markdown'''
    votes = 21                    # optional
    accepted = true               # optional, at most one answer of a question
    on = 3                        # of a comment only: number of the post it stands under
    quote_of = 2                  # optional: number of the post that is quoted above the body
    edited_reason = "…"           # optional: the post was edited once, for this reason

The opening is number 1; answers and replies count on from there in their order; comments have no
number. In a question a numbered post by anyone but the asker is an answer, the asker's own are
replies; elsewhere every numbered post is a reply.

Markers, all optional. On a thread: `pinned = true`; `closed = { by = "…", reason = "…" }`;
`edited_reason`. On a thread (meaning its opening) or on a numbered post or comment:
`flagged = [{ by = "…", reason = "hostile", comment = "…" }]` (an open case), and
`hidden = { by = "…", rule = "personal_data", reason = "…" }` (a tombstone). `reason` of a flag and
`rule` of a removal are among RULES below. `by` of a closing or a removal is a moderator.

`moderation = "…"` with `moderation_reason = "…"` says which state the case is in when the demo is
loaded: "hidden-rule4" (removed for personal data), "warned" (removed and the author warned),
"appealed" (removed, the reason is the author's appeal), "flagged" (open), "dismissed" (flagged and
left standing), "held" (a newcomer's post that waits for release), "refused" (held, and not released),
"released" (held, and shown after a look), "closed" (flagged, and its thread closed by a rule), "suspended"
and "banned" (removed, and the author held back), "taken-back" (removed, undone within minutes and left
standing), "upheld" and "overturned" (removed, the reason is the author's appeal, which another moderator
answered). Who decided the refused, the released and the closed
stands in `decided = { by = "…", rule = "…", reason = "…" }`, who answered an appeal in
`appeal = { by = "…", reason = "…" }`. `deleted = true`: taken back by its author; on a thread without posts.
`trimmed = { by = "…", rule = "…", reason = "…", body = "…" }` on a post: a moderator took words out of it.
`merged = { into = "key", by = "…", reason = "…" }` and `split = { by = "…", posts = [2, 3], title = "…",
reason = "…" }` (places of posts in the file) and, to fewer readers by a rule,
`moved = { to = "board", by = "…", rule = "…", reason = "…" }` are done after the last post.
`![words](picture:name)` in a body is a picture that `portal/demo/pictures.py` draws.

Order: threads by age (oldest first), then key. No sentence of more than six words may occur in two
threads. Nothing here names a real product of the trade: rivals are invented.
"""

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

CONTENT = Path(__file__).resolve().parents[2] / "portal" / "demo" / "content"

INDUSTRIES = set(  # NAICS sectors
    "11 21 22 23 31-33 42 44-45 48-49 51 52 53 54 55 56 61 62 71 72 81 92".split()  # noqa: SIM905 (one line is easier to compare with the list)
)
SIZES = {"1-49", "50-199", "200-499", "500-999", "1000-4999", "5000+"}
STATUSES = {"customer", "prospect", "former", "vendor"}
AUDIENCES = {"public", "prospects", "customers", "staff"}
ROLE_LEVELS = {"executive", "manager", "lead", "practitioner"}
RULES = {"hostile", "personal_data", "advertising", "spam", "off_topic", "confidential"}
MODERATION = {  # state: the marker that it needs beside it
    "hidden-rule4": "hidden",
    "warned": "hidden",
    "appealed": "hidden",
    "flagged": "flagged",
    "dismissed": "flagged",
    "held": "",
    "refused": "decided",
    "released": "decided",
    "closed": "decided",
    "suspended": "hidden",
    "banned": "hidden",
    "taken-back": "hidden",
    "upheld": "appeal",
    "overturned": "appeal",
}
BODIES = {"war_story": ("happened", "cost", "differently")}
THREAD_KEYS = {
    *("key", "board", "kind", "title", "author", "days_ago", "tags", "votes", "body", "post"),
    *("happened", "cost", "differently", "pinned", "closed", "edited_reason", "flagged", "hidden"),
    *("moderation", "moderation_reason", "decided", "merged", "split", "moved", "deleted"),
}
POST_KEYS = {
    *("author", "after_hours", "kind", "body", "votes", "accepted", "on", "quote_of"),
    *("edited_reason", "flagged", "hidden", "moderation", "moderation_reason"),
    *("decided", "appeal", "deleted", "trimmed"),
}
MIN_THREADS, MIN_COMPANIES, MIN_MEMBERS = 300, 40, 150

# Makers and products of the trade: praise or blame of them is not for us to invent.
REAL_VENDORS = re.compile(
    r"\b(mulesoft|boomi|informatica|axway|seeburger|cleo|ibm|oracle|microsoft|azure|biztalk|"
    r"opentext|gxs|sap|talend|snaplogic|jitterbit|workato|celigo|tibco|webmethods|globalscape|goanywhere|"
    r"moveit|ipswitch|progress software|sps commerce|truecommerce|edicom|basware|pagero|coupa|ariba|"
    r"mirth|rhapsody|intersystems|cloverleaf|stonebranch|control-m|aws|amazon|google|"
    r"salesforce|servicenow|pagerduty|datadog|splunk|elasticsearch)\b",
    re.IGNORECASE,
)

Table = dict[str, Any]


def load(name: str) -> Table:
    return tomllib.loads((CONTENT / name).read_text(encoding="utf-8"))


def threads_by_file() -> dict[str, list[Table]]:
    return {
        path.name: tomllib.loads(path.read_text(encoding="utf-8"))["thread"]
        for path in sorted((CONTENT / "threads").glob("*.toml"))
    }


def all_threads() -> list[Table]:
    threads = [thread for file in threads_by_file().values() for thread in file]
    return sorted(threads, key=lambda thread: (-thread["days_ago"], thread["key"]))


CAST = load("cast.toml")
PEOPLE: dict[str, Table] = {person["username"]: person for person in CAST["person"]}
COMPANIES: dict[str, Table] = {company["slug"]: company for company in CAST["company"]}
BOARDS: dict[str, Table] = {board["slug"]: board for board in load("boards.toml")["board"]}
THREADS = all_threads()
CONVERSATIONS = tomllib.loads((CONTENT / "conversations.toml").read_text(encoding="utf-8"))["conversation"]
ASKS = tomllib.loads((CONTENT / "asks.toml").read_text(encoding="utf-8"))["ask"]
INVITES = tomllib.loads((CONTENT / "invites.toml").read_text(encoding="utf-8"))["invite"]
MODERATORS = {name for name, person in PEOPLE.items() if "moderator" in person.get("duties", [])}


def may_read(person: Table, audience: str) -> bool:
    status = person["status"]
    return {
        "public": True,
        "prospects": True,
        "customers": status in {"customer", "former", "vendor"},
        "staff": status == "vendor",
    }[audience]


def texts(thread: Table) -> Iterator[str]:
    """Every text of a thread that a reader meets, the title first."""
    yield thread["title"]
    for field in ("body", "happened", "cost", "differently"):
        if field in thread:
            yield thread[field]
    for post in thread.get("post", []):
        yield post["body"]


def sentences(text: str) -> Iterator[str]:
    """The sentences of more than six words in a Markdown text, folded so that looks do not matter."""
    # A list item, a table row, a heading and a line of code each end a sentence as a full stop does.
    blocks = re.split(r"\n\s*\n|\n\s*(?=[-*+>|#]|\d+[.)]\s)|(?<=\|)\s*\n", text)
    for block in blocks:
        for sentence in re.split(r"(?<=[.?!:;…])[\"'’”)*_`]*\s+", block.replace("\n", " ")):
            words = re.findall(r"\w+(?:['’]\w+)*", sentence.casefold())
            if len(words) > 6:
                yield " ".join(words)


def numbered(thread: Table) -> list[Table]:
    """The posts of a thread by number, the opening at index 1."""
    return [{}, thread, *(post for post in thread.get("post", []) if post["kind"] != "comment")]


def name_of(thread: Table) -> str:
    return str(thread["key"])


def conversation_texts() -> Iterator[tuple[str, str]]:
    """(key, text) of everything that is said in a private conversation of the demo."""
    for one in CONVERSATIONS:
        yield one["key"], one["note"]
        for step in one.get("step", []):
            if step["do"] != "link" and "text" in step:
                yield one["key"], step["text"]


def ask_texts(ask: Table) -> Iterator[str]:
    """Everything that is written in an ask."""
    yield ask["title"]
    yield ask["body"]
    for step in ask.get("step", []):
        yield step.get("text", "")


each_thread = pytest.mark.parametrize("thread", THREADS, ids=name_of)


def test_the_cast_is_large_and_its_names_are_unique() -> None:
    assert len(COMPANIES) == len(CAST["company"]) >= MIN_COMPANIES
    assert len(PEOPLE) == len(CAST["person"]) >= MIN_MEMBERS
    assert len({person["name"] for person in PEOPLE.values()}) == len(PEOPLE)
    assert len({company["domain"] for company in COMPANIES.values()}) == len(COMPANIES)


@pytest.mark.parametrize("company", COMPANIES.values(), ids=lambda company: company["slug"])
def test_a_company_uses_the_closed_lists(company: Table) -> None:
    assert company["industry"] in INDUSTRIES
    assert company["size"] in SIZES
    assert company["kind"] in STATUSES
    assert company["domain"].endswith(".example")
    assert re.fullmatch(r"[A-Z]{2}", company["country"])
    assert set(company.get("competitors", [])) <= COMPANIES.keys() - {company["slug"]}
    assert company["name"]
    assert company["about"]


@pytest.mark.parametrize("person", PEOPLE.values(), ids=lambda person: person["username"])
def test_a_person_fits_the_company_and_the_closed_lists(person: Table) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,30}", person["username"])
    assert person["status"] in STATUSES
    assert person["role_level"] in ROLE_LEVELS
    ZoneInfo(person["time_zone"])
    assert person["languages"]
    assert person["title"]
    assert person["about"]
    if person["company"]:
        assert person["status"] == COMPANIES[person["company"]]["kind"]
    else:
        assert person["status"] == "prospect"
    for product in person.get("products", []):
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", product["since"])


def test_duties_are_granted_as_the_product_allows() -> None:
    granted = Counter(duty for person in PEOPLE.values() for duty in person.get("duties", []))
    assert granted == {"moderator": 4, "sales": 2, "service": 2, "admin": 1}
    assert Counter(PEOPLE[name]["status"] for name in MODERATORS) == {"vendor": 3, "customer": 1}
    for person in PEOPLE.values():
        duties = set(person.get("duties", []))
        assert not (duties & {"sales", "service"} and duties & {"moderator", "admin"})


def test_each_contract_account_belongs_to_the_right_person() -> None:
    accounts = {p["email"]: p for p in PEOPLE.values() if p.get("email", "").endswith("@demo.example")}
    assert {mail.split("@")[0] for mail in accounts} == {
        *("customer", "prospect", "moderator", "sales", "service", "admin")
    }
    for mail, person in accounts.items():
        role = mail.split("@")[0]
        assert role == person["status"] or role in person.get("duties", [])


def test_boards_cover_every_audience() -> None:
    assert len(BOARDS) >= 9
    assert {board["audience"] for board in BOARDS.values()} == AUDIENCES
    assert sum(board.get("archived", False) for board in BOARDS.values()) == 1


def test_thread_keys_and_titles_are_unique_so_that_the_order_is_total() -> None:
    assert [k for k, n in Counter(thread["key"] for thread in THREADS).items() if n > 1] == []
    assert [t for t, n in Counter(thread["title"] for thread in THREADS).items() if n > 1] == []
    assert [t["key"] for t in all_threads()] == [t["key"] for t in THREADS]


@each_thread
def test_a_thread_is_well_formed(thread: Table) -> None:
    assert thread.keys() <= THREAD_KEYS
    assert thread["kind"] in {"question", "discussion", "war_story"}
    assert 1 <= thread["days_ago"] <= 730
    assert 1 <= len(thread["tags"]) <= 5
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+#.-]*", tag) for tag in thread["tags"])
    fields = BODIES.get(thread["kind"], ("body",))
    assert all(thread[field].strip() for field in fields)
    assert not {"body", "happened", "cost", "differently"} - set(fields) & thread.keys()
    assert may_read(PEOPLE[thread["author"]], BOARDS[thread["board"]]["audience"])
    assert 8 <= len(thread["title"]) <= 140


@each_thread
def test_posts_follow_each_other_in_time_and_in_kind(thread: Table) -> None:
    hours = [0.0, *(post["after_hours"] for post in thread.get("post", []))]
    assert all(earlier < later for earlier, later in pairwise(hours))
    assert hours[-1] < thread["days_ago"] * 24
    number = 1
    for post in thread.get("post", []):
        assert post.keys() <= POST_KEYS
        assert may_read(PEOPLE[post["author"]], BOARDS[thread["board"]]["audience"])
        if post["kind"] == "comment":
            assert 1 <= post["on"] <= number
            assert not {"accepted", "quote_of", "votes"} & post.keys()
            continue
        assert "on" not in post
        assert 1 <= post.get("quote_of", 1) <= number
        number += 1
        by_another = post["author"] != thread["author"]
        assert post["kind"] == ("answer" if thread["kind"] == "question" and by_another else "reply")


@each_thread
def test_votes_and_acceptances_are_possible(thread: Table) -> None:
    readers = sum(may_read(p, BOARDS[thread["board"]]["audience"]) for p in PEOPLE.values())
    for post in numbered(thread)[1:]:
        assert 0 <= post.get("votes", 0) <= min(60, readers - 1)
    accepted = [post for post in thread.get("post", []) if post.get("accepted")]
    assert len(accepted) <= (1 if thread["kind"] == "question" else 0)
    assert all(post["kind"] == "answer" and post["author"] != thread["author"] for post in accepted)


@each_thread
def test_markers_name_moderators_and_rules(thread: Table) -> None:
    for item in (thread, *thread.get("post", [])):
        for flag in item.get("flagged", []):
            assert flag["by"] in PEOPLE
            assert flag["by"] != item["author"]
            assert flag["reason"] in RULES
        if hidden := item.get("hidden"):
            assert hidden["by"] in MODERATORS
            assert hidden["by"] != item["author"]
            assert hidden["rule"] in RULES
            assert hidden["reason"]
        assert ("moderation" in item) == ("moderation_reason" in item)
        if state := item.get("moderation"):
            assert item["moderation_reason"]
            assert not MODERATION[state] or MODERATION[state] in item
    if closed := thread.get("closed"):
        assert closed["by"] in MODERATORS
        assert closed["reason"]


@each_thread
def test_the_tone_is_professional(thread: Table) -> None:
    for text in texts(thread):
        prose = re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.DOTALL)
        assert not re.search(r"\w!(?!\w)", prose), "no exclamation marks"
        assert not re.search(r"\blorem\b|\bTODO\b", prose, re.IGNORECASE)
        assert not REAL_VENDORS.search(prose), "rivals are invented"


def test_no_long_sentence_occurs_in_two_places() -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for thread in THREADS:
        for text in texts(thread):
            for sentence in sentences(text):
                where[sentence].add(thread["key"])
    for ask in ASKS:
        for text in ask_texts(ask):
            for sentence in sentences(text):
                where[sentence].add(ask["key"])
    for number, (key, text) in enumerate(conversation_texts()):
        for sentence in sentences(text):
            where[sentence].add(f"{key} {number}")
    assert {sentence: keys for sentence, keys in where.items() if len(keys) > 1} == {}


def test_a_conversation_is_between_people_who_may_have_one() -> None:
    keys = [one["key"] for one in CONVERSATIONS]
    assert len(keys) == len(set(keys)) >= 14
    for one in CONVERSATIONS:
        asker, member = PEOPLE[one["asker"]], PEOPLE[one["member"]]
        assert asker["status"] in ("prospect", "customer", "former")
        assert member["status"] in ("customer", "former")
        assert asker["company"] != member["company"]
        afters = [step["after"] for step in one.get("step", [])]
        assert afters == sorted(afters)
        assert all(after <= one["days_ago"] * 24 for after in afters), "nothing happens in the future"
        for step in one.get("step", []):
            if step["do"] in ("read", "decide"):  # of what was disclosed to moderators
                assert step["by"] in MODERATORS
            else:
                assert PEOPLE[step["by"]]["status"] != "vendor", "nobody from the vendor is in the room"


def test_conversations_show_every_state() -> None:
    done = {step["do"] for one in CONVERSATIONS for step in one.get("step", [])}
    assert done == {
        "accept", "decline", "withdraw", "say", "take_back", "times", "agree", "call_off", "missed", "link",
        "rate", "thank", "leave", "block", "propose", "invite", "bring", "report", "read", "decide",
    }  # fmt: skip
    assert any(one.get("book") for one in CONVERSATIONS), "a time that was open was booked"
    assert any(one.get("at_night") for one in CONVERSATIONS), "one waits until it is day"
    reported = [step for one in CONVERSATIONS for step in one.get("step", []) if step["do"] == "report"]
    assert {"note" in step for step in reported} == {True, False}, "a note was reported, and messages were"
    assert any(one["days_ago"] < 1 and not one.get("step") for one in CONVERSATIONS), "one was just requested"
    assert any(one["days_ago"] > 7 and not one.get("step") for one in CONVERSATIONS), "one was never answered"


def test_an_ask_is_asked_and_answered_by_people_who_may() -> None:
    keys = [one["key"] for one in ASKS]
    assert len(keys) == len(set(keys))
    for one in ASKS:
        assert PEOPLE[one["author"]]["status"] == "prospect"
        assert all(PEOPLE[name]["status"] in {"customer", "former"} for name in one.get("asked", []))
        afters = [step["after"] for step in one.get("step", [])]
        assert afters == sorted(afters)
        assert all(after <= one["hours_ago"] for after in afters), "nothing happens in the future"


def test_invites_show_what_can_become_of_one() -> None:
    """Open, over, withdrawn, used with and without a report: the sender reads each of them."""
    by_sales = [one for one in INVITES if one["from"] == "gareth-pryce"]
    assert "sales" in PEOPLE["gareth-pryce"]["duties"]
    assert any(one["days_ago"] > 14 and "used_by" not in one for one in by_sales), "one is over"
    assert any("withdrawn_after" in one for one in by_sales)
    assert {one["report"] for one in by_sales if "used_by" in one} == {True, False}
    assert any(one["days_ago"] < 14 and not {"used_by", "withdrawn_after"} & one.keys() for one in by_sales)
    for one in INVITES:
        if "used_by" in one:
            assert PEOPLE[one["used_by"]]["days_here"] < one["days_ago"], "they joined by it"


def test_the_tone_of_conversations_is_professional() -> None:
    for _key, text in [
        *conversation_texts(),
        *((one["key"], text) for one in ASKS for text in ask_texts(one)),
    ]:
        assert not re.search(r"\w!(?!\w)", text), "no exclamation marks"
        assert not REAL_VENDORS.search(text), "rivals are invented"


def test_the_whole_is_a_community_of_two_years() -> None:
    assert {thread["board"] for thread in THREADS} == BOARDS.keys()
    assert max(thread["days_ago"] for thread in THREADS) > 600
    recent = sum(thread["days_ago"] <= 365 for thread in THREADS)
    assert recent > len(THREADS) / 2, "the community grew"
    authors = Counter(post["author"] for t in THREADS for post in t.get("post", []))
    vendor = sum(n for author, n in authors.items() if PEOPLE[author]["status"] == "vendor")
    assert vendor <= 0.2 * authors.total(), "customers help each other here"
    assert sum(not thread.get("post") for thread in THREADS) >= 12


def test_there_are_as_many_threads_as_the_demo_promises() -> None:
    assert len(THREADS) >= MIN_THREADS
