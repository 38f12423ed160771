"""The score on a large community: 50,000 members, 400,000 posts, a million entries.

The rows are stored by bulk SQL, without words: what is measured reads facts and sums, no text. Few answer
much and many little, as everywhere; votes come from anybody. Ledger and sums are then made by the product's
own `portal score rebuild`, which is one of the measurements.
"""

import json
import random
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text

from benchmarks import data
from benchmarks.servers import Place, inside, made, place_of, portal
from portal.advocacy.models import Candidate, Entry, MemberNote, Rule, Stage
from portal.advocacy.services import noting, scoping
from portal.consents.models import Activity, Consent
from portal.discussions.models import (
    Audience,
    Board,
    Post,
    PostKind,
    Tag,
    Thread,
    ThreadKind,
    ThreadTag,
    Vote,
)
from portal.kernel import clock
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability, Kind, Reservation
from portal.members.models import Company, CompanyKind, Member, MemberProduct, Product, VerifiedBy

VERSION = 1  # of what is made here
ROWS = 5_000
INDUSTRIES = ("31-33", "42", "48-49", "51", "52", "62", "92")
SIZES = ("1-49", "50-199", "200-499", "500-999", "1000-4999", "5000+")
COUNTRIES = ("DE", "FR", "GB", "PL", "US", "NL", "SE", "IT")
TAGS, PRODUCTS = 300, 6
EVENTS = 300  # that are folded in, one by one
WARMING = 20  # before them
LEAST_REQUESTS = 40


@dataclass(frozen=True)
class Crowd:
    """How much of everything."""

    name: str
    members: int
    threads: int
    answers: int
    votes: int


LARGE = Crowd("console", 50_000, 100_000, 300_000, 760_000)
SMALL = Crowd("console-small", 1_000, 1_500, 4_500, 11_000)


def score(*, quick: bool, database: str) -> dict[str, Any]:
    """Seconds of a rebuild from nothing, and milliseconds of folding in one event."""
    crowd, place = built(quick, database)
    with inside(place), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for table in ("score_scopes", "score_members", "score_companies", "score_givers", "score_entries"):
            connection.execute(text(f"DELETE FROM {table}"))
    first = portal(place, "score", "rebuild", "--json")
    report = json.loads(first.output.splitlines()[-1])
    with inside(place):
        with db.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
        folded = _fold_votes()
        busiest = _fold_votes(busiest=True)
        scoping_ms = _renew()
    return {
        "ledger": crowd.name,
        "database": database,
        "entries": report["entries"],
        "members": report["members"],
        "seconds": round(first.seconds, 1),
        "cpu_seconds": round(first.cpu_seconds, 1),
        "peak_mb": round(first.peak_mb),
        "fold": folded,
        "fold_busiest": busiest,
        "scopes_ms": scoping_ms,
    }


def report(result: dict[str, Any]) -> str:
    """The figures as lines."""
    lines = [
        f"score, {result['database']}: {result['entries']:,} entries of {result['members']:,} members "
        f"rebuilt in {result['seconds']} s ({result['cpu_seconds']} s of processors, {result['peak_mb']} MB)"
    ]
    for name, what in (("fold", "a vote folded in"), ("fold_busiest", "a vote for the busiest")):
        row = result[name]
        busy = f"of processors {row['cpu_p50_ms']} ms"
        lines.append(f"  {what}: {row['p50_ms']} ms, p95 {row['p95_ms']} ms, {busy}")
    lines.append(f"  products and tags counted again, each member: {result['scopes_ms']} ms")
    return "\n".join(lines)


def _fold_votes(*, busiest: bool = False) -> dict[str, float]:
    """What a vote costs beside its own row: ledger and sums, in the transaction of the event."""
    draw = random.Random(data.SEED + busiest)
    posts = select(Post.id, Post.author_id).where(Post.kind == PostKind.ANSWER)
    if busiest:
        most = select(Entry.receiver_id).group_by(Entry.receiver_id).order_by(func.count().desc()).limit(5)
        ids = list(db.session.execute(most).scalars())
        posts = posts.where(Post.author_id.in_(ids))
    answers = db.session.execute(posts.order_by(Post.id.desc()).limit(50_000)).all()
    members = db.session.execute(select(func.max(Member.id))).scalar_one() - 1
    taken: list[tuple[float, float]] = []
    warmed = 0
    while len(taken) < EVENTS:
        post, author = draw.choice(answers)
        voter = draw.randint(1, members)
        known = select(Vote.id).where(Vote.post_id == post, Vote.member_id == voter)
        if voter == author or db.session.execute(known).first() is not None:
            continue
        with unit_of_work():
            db.session.add(Vote(post_id=post, member_id=voter, created_at=clock.now()))
            db.session.flush()
            begin, busy = time.perf_counter(), time.thread_time()
            noting.note_votes([post], [author])
            db.session.flush()
            took = (time.perf_counter() - begin) * 1000, (time.thread_time() - busy) * 1000
        if warmed < WARMING:
            warmed += 1
        else:
            taken.append(took)
    return {**_times([one[0] for one in taken]), "cpu_p50_ms": _times([one[1] for one in taken])["p50_ms"]}


def _renew() -> float:
    """Milliseconds a member of counting again what was marked."""
    due = db.session.execute(
        select(func.count(Entry.receiver_id.distinct())).where(
            Entry.rule == Rule.VOTE, Entry.at > clock.now() - timedelta(minutes=30)
        )
    ).scalar_one()
    begin = time.perf_counter()
    while scoping.renew_due():
        pass
    return round((time.perf_counter() - begin) * 1000 / max(1, due), 1)


def _times(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
        "max_ms": round(ordered[-1], 2),
        "events": len(ordered),
    }


def built(quick: bool, database: str) -> tuple[Crowd, Place]:
    """The community of this size, made unless it is there."""
    crowd = SMALL if quick else LARGE
    place = place_of(crowd.name, database)
    made(place, VERSION, lambda: fill(crowd))
    return crowd, place


def fill(crowd: Crowd) -> None:
    """Store it in the database of the running application, which has every table and no row."""
    draw, now = random.Random(data.SEED), clock.now()
    start = now - timedelta(days=data.DAYS)
    seconds = data.DAYS * 86_400
    companies = crowd.members // 20
    threads = [
        {
            "id": number,
            "board_id": number % 4 + 1,
            "kind": ThreadKind.QUESTION,
            "title": f"Question {number}",
            "slug": f"question-{number}",
            "author_id": draw.randint(1, crowd.members),
            "created_at": (at := start + timedelta(seconds=draw.random() * seconds)),
            "last_activity_at": at,
            "last_number": 1,
            "tags": [],
        }
        for number in range(1, crowd.threads + 1)
    ]
    posts = [_post(thread["id"], thread, 1, thread["author_id"], thread["created_at"]) for thread in threads]
    answers = []
    for number in range(crowd.threads + 1, crowd.threads + crowd.answers + 1):
        thread = draw.choice(threads)
        thread["last_number"] += 1
        author = 1 + int(crowd.members * draw.random() ** 3)
        at = min(now, thread["created_at"] + timedelta(hours=draw.expovariate(1 / 30)))
        post = _post(number, thread, thread["last_number"], author, at)
        answers.append(post)
        if "accepted_post_id" not in thread and draw.random() < 0.15 and author != thread["author_id"]:
            thread |= {"accepted_post_id": number, "accepted_at": min(now, at + timedelta(days=1))}
    for thread in threads:
        thread.setdefault("accepted_post_id", None)
        thread.setdefault("accepted_at", None)
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for model, rows in (
            (Company, _companies(companies, draw, now)),
            (Member, _members(crowd, companies, draw, now)),
            (
                Product,
                ({"id": n, "name": f"Product {n}", "tags": f"tag-{n}"} for n in range(1, PRODUCTS + 1)),
            ),
            (MemberProduct, _uses(crowd, draw)),
            (Availability, _choices(crowd, draw)),
            (Reservation, _reservations(crowd, draw, now)),
            (Board, _boards(now)),
            (Tag, ({"id": n, "name": f"tag-{n}"} for n in range(1, TAGS + 1))),
            (Thread, threads),
            (Post, [*posts, *answers]),
            (ThreadTag, _tags(threads, draw)),
            (Vote, _votes(crowd, answers, draw, now)),
            (Candidate, _candidates(crowd, draw, now)),
            (MemberNote, _notes(crowd, draw, now)),
            (Consent, _consents(crowd, draw, now)),
        ):
            _insert(connection, model, rows)
        if connection.dialect.name == "postgresql":
            for table in ("companies", "members", "boards", "tags", "products", "threads", "posts"):
                last = f"(SELECT max(id) FROM {table})"
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})"))


def _insert(connection: Any, model: Any, rows: Iterable[dict[str, Any]]) -> None:
    left = iter(rows)
    while batch := list(islice(left, ROWS)):
        connection.execute(insert(model.__table__), batch)


def _post(number: int, thread: dict[str, Any], place: int, author: int, at: Any) -> dict[str, Any]:
    return {
        "id": number,
        "thread_id": thread["id"],
        "number": place,
        "kind": PostKind.OPENING if place == 1 else PostKind.ANSWER,
        "author_id": author,
        "source": "What we did.",
        "html": "<p>What we did.</p>",
        "excerpt": "What we did.",
        "renderer_version": 1_000,
        "created_at": at,
    }


def _companies(count: int, draw: random.Random, now: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "slug": f"company-{number}",
            "name": f"Company {number}",
            "kind": CompanyKind.CUSTOMER,
            "industry": draw.choice(INDUSTRIES),
            "size_band": draw.choice(SIZES),
            "region": draw.choice(COUNTRIES),
            "created_at": now,
        }


def _members(crowd: Crowd, companies: int, draw: random.Random, now: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, crowd.members + 2):
        moderator = number > crowd.members
        name = "Lorem Moderator" if moderator else data.name(draw)
        yield {
            "id": number,
            "username": f"member-{number}",
            "name": name,
            "sort_name": name.lower(),
            "email": f"m{number}@company.example",
            "email_confirmed_at": now,
            "status": Status.VENDOR if moderator else Status.CUSTOMER,
            "duties": [Duty.MODERATOR.value] if moderator else [],
            "verified_by": VerifiedBy.MAIL,
            "company_id": None if moderator else draw.randint(1, companies),
            "title": "Operations lead",
            "last_seen_at": now - timedelta(days=draw.expovariate(1 / 60)),
            "created_at": now - timedelta(days=draw.uniform(1, data.DAYS)),
        }


def _products() -> Iterator[dict[str, Any]]:
    for number in range(1, PRODUCTS + 1):
        yield {"id": number, "name": f"Product {number}", "tags": f"tag-{number}"}


def _uses(crowd: Crowd, draw: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(1, crowd.members + 1):
        for product in draw.sample(range(1, PRODUCTS + 1), 2):
            yield {"member_id": number, "product_id": product}


def _choices(crowd: Crowd, draw: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(1, crowd.members + 1, 4):
        yield {"member_id": number, "limit_per_quarter": draw.randint(0, 5)}


def _reservations(crowd: Crowd, draw: random.Random, now: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, crowd.members + 1, 5):
        at = now - timedelta(days=draw.uniform(3, 200))
        yield {
            "member_id": number,
            "kind": Kind.CONVERSATION,
            "purpose": f"benchmark:{number}",
            "reserved_at": at,
            "held_at": at + timedelta(hours=1),
        }


def _boards(now: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, 5):
        yield {
            "id": number,
            "slug": f"board-{number}",
            "name": f"Board {number}",
            "description": "What was written for measurements.",
            "audience": Audience.PUBLIC,
            "position": number,
            "created_at": now - timedelta(days=data.DAYS + 1),
        }


def _tags(threads: list[dict[str, Any]], draw: random.Random) -> Iterator[dict[str, Any]]:
    for thread in threads:
        for tag in {1 + int(TAGS * draw.random() ** 2) for _n in range(2)}:
            yield {"tag_id": tag, "thread_id": thread["id"]}


def _votes(
    crowd: Crowd, answers: list[dict[str, Any]], draw: random.Random, now: Any
) -> Iterator[dict[str, Any]]:
    seen = set()
    while len(seen) < crowd.votes:
        post, voter = draw.choice(answers), draw.randint(1, crowd.members)
        if (post["id"], voter) in seen or voter == post["author_id"]:
            continue
        seen.add((post["id"], voter))
        at = min(now, post["created_at"] + timedelta(days=draw.expovariate(1 / 20)))
        yield {"post_id": post["id"], "member_id": voter, "value": 1, "created_at": at}


def _candidates(crowd: Crowd, draw: random.Random, now: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, crowd.members // 100 + 1):
        at = now - timedelta(days=draw.uniform(1, 300))
        yield {
            "member_id": number,
            "stage": draw.choice(list(Stage)),
            "stage_at": at,
            "reviewed_at": at,
            "created_at": at,
        }


def _notes(crowd: Crowd, draw: random.Random, now: Any) -> Iterator[dict[str, Any]]:
    for _number in range(crowd.members // 50):
        yield {
            "member_id": draw.randint(1, crowd.members // 100),
            "by_id": crowd.members + 1,
            "text": "Helped at the meeting.",
            "at": now - timedelta(days=draw.uniform(1, 300)),
        }


def _consents(crowd: Crowd, draw: random.Random, now: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, crowd.members // 200 + 1):
        given = now - timedelta(days=draw.uniform(1, 200))
        yield {
            "member_id": number,
            "activity": draw.choice(list(Activity)),
            "text": "As agreed.",
            "text_hash": "0" * 64,
            "channel": "benchmark",
            "given_at": given,
            "expires_at": given + timedelta(days=365),
        }
