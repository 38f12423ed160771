"""A community of a given size, stored by bulk SQL within minutes, in SQLite or PostgreSQL.

Texts are drawn from a pool that the product itself rendered, so that a page is as heavy as a real one. The
counters are made by the product's `recount`, the index by `portal search rebuild`.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import insert, text

from benchmarks import data
from benchmarks.servers import Place, made
from portal.discussions.models import (
    Audience,
    Board,
    Follow,
    Post,
    PostKind,
    ReadMark,
    Tag,
    Thread,
    ThreadKind,
    ThreadTag,
)
from portal.kernel import clock, markup
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.slugs import slugify
from portal.members.models import Company, CompanyKind, Member, VerifiedBy

VERSION = 1  # of what is made here: another one makes it anew
BATCH = 5_000
POOL = 1_500
BOARDS = ("measurements", "integrations", "billing", "reports", "ideas")
MAIN_SHARE = 0.4  # of the threads stand on the first board
TAGS = ("sync", "export", "roles", "price", "upgrade")
READER = 1  # the member who looks at the pages, and replies
LONG_THREAD = 1
REPLIES_TO = 3
FOLLOWED, MARKED = 40, 300  # threads that the reader follows, and has read to some point


class _Text(NamedTuple):
    source: str
    html: str
    excerpt: str


def build(size: data.Size, place: Place) -> None:
    """Make the community at this place unless it is there. Raises RuntimeError when a command fails."""
    made(place, VERSION, lambda: fill(size), ("search", "rebuild"))


def fill(size: data.Size, pool: int = POOL) -> None:
    """Store it in the database of the running application, which has every table and no row."""
    draw = random.Random(data.SEED)
    now = clock.now()
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for model, rows in (
            (Company, _companies(size, now)),
            (Member, _members(size, draw, now)),
            (Board, _boards(now)),
            (Tag, ({"id": number, "name": name} for number, name in enumerate(TAGS, 1))),
        ):
            _insert(connection, model, rows)
        threads = _threads(size, draw)
        posts = _posts(size, draw, threads, now, pool)
        # A thread's own row says what its posts came to: they are drawn first, and stored after it.
        stored = list(posts)
        _insert(connection, Thread, (thread.row() for thread in threads))
        _insert(connection, Post, iter(stored))
        _insert(
            connection,
            ThreadTag,
            ({"tag_id": tag, "thread_id": thread.id} for thread in threads for tag in thread.tags),
        )
        _insert(connection, Follow, _follows(threads, now))
        _insert(connection, ReadMark, _marks(threads, draw, now))
        if connection.dialect.name == "postgresql":
            for table in ("companies", "members", "boards", "tags", "threads", "posts"):
                last = f"(SELECT max(id) FROM {table})"
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})"))


def _insert(connection: Any, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, BATCH)):
        connection.execute(insert(model.__table__), batch)


def _companies(size: data.Size, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(1, size.users // 20 + 1):
        yield {
            "id": number,
            "slug": f"company-{number}",
            "name": f"Company {number}",
            "kind": CompanyKind.CUSTOMER,
            "industry": "31-33",
            "region": "DE",
            "created_at": now,
        }


def _members(size: data.Size, draw: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(1, size.users + 1):
        name = data.name(draw)
        yield {
            "id": number,
            "username": f"{slugify(name)}-{number}",
            "name": name,
            "email": f"m{number}@company.example",
            "email_confirmed_at": now,
            "status": Status.CUSTOMER,
            "verified_by": VerifiedBy.MAIL,
            "company_id": number % (size.users // 20) + 1,
            "title": "Operations lead",
            "created_at": now - timedelta(days=data.DAYS + 1),
        }


def _boards(now: datetime) -> Iterator[dict[str, Any]]:
    for number, slug in enumerate(BOARDS, 1):
        yield {
            "id": number,
            "slug": slug,
            "name": slug.capitalize(),
            "description": "What was written for measurements.",
            "audience": Audience.PUBLIC,
            "position": number,
            "created_at": now - timedelta(days=data.DAYS + 1),
        }


class _Thread:
    """A thread while its posts are drawn."""

    def __init__(self, number: int, draw: random.Random, words: list[str]) -> None:
        self.id = number
        self.board = 1 if draw.random() < MAIN_SHARE or number <= REPLIES_TO else draw.randint(2, len(BOARDS))
        self.kind = ThreadKind.QUESTION if draw.random() < 0.7 else ThreadKind.DISCUSSION
        self.title = " ".join(draw.choices(words, k=6)).capitalize()
        self.author = 0
        self.tags = sorted(draw.sample(range(1, len(TAGS) + 1), k=2))
        self.accepts = self.kind is ThreadKind.QUESTION and draw.random() < 0.3
        self.number = 0
        self.first_at = self.last_at = data.NOW
        self.last_post = self.last_author = 0
        self.accepted: int | None = None

    def row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "board_id": self.board,
            "kind": self.kind,
            "title": self.title,
            "slug": slugify(self.title),
            "author_id": self.author,
            "created_at": self.first_at,
            "last_activity_at": self.last_at,
            "last_post_id": self.last_post,
            "last_author_id": self.last_author,
            "last_number": self.number,
            "accepted_post_id": self.accepted,
            "accepted_at": self.last_at if self.accepted else None,
            "tags": [TAGS[tag - 1] for tag in self.tags],
        }


def _threads(size: data.Size, draw: random.Random) -> list[_Thread]:
    words = data.vocabulary(draw)
    return [_Thread(number, draw, words) for number in range(1, size.threads + 1)]


def _posts(
    size: data.Size, draw: random.Random, threads: list[_Thread], now: datetime, pool: int
) -> Iterator[dict[str, Any]]:
    """The rows in order of time; those of one thread lie scattered."""
    plain, common, rare = (
        _pool(draw, [], pool),
        _pool(draw, [data.COMMON_WORD], 60),
        _pool(draw, [data.RARE_WORD], 20),
    )
    long_thread = min(data.LONG_THREAD_POSTS, size.posts // 3)
    rest = [threads[0]] * (long_thread - 1)
    rest += draw.choices(threads[1:], k=size.posts - size.threads - len(rest))
    draw.shuffle(rest)
    seldom = set(draw.sample(range(size.posts), 20))
    step = timedelta(days=data.DAYS) / size.posts
    for index, thread in enumerate([*threads, *rest]):
        texts = rare if index in seldom else common if index % 100 == 7 else plain
        chosen = draw.choice(texts)
        author = draw.randint(2, size.users)
        at = now - timedelta(days=data.DAYS) + step * index
        thread.number += 1
        kind = PostKind.ANSWER if thread.kind is ThreadKind.QUESTION else PostKind.REPLY
        if thread.number == 1:
            kind, thread.author, thread.first_at = PostKind.OPENING, author, at
        elif thread.accepts and thread.number == 2:
            thread.accepted = index + 1
        thread.last_post, thread.last_author, thread.last_at = index + 1, author, at
        yield {
            "id": index + 1,
            "thread_id": thread.id,
            "number": thread.number,
            "kind": kind,
            "author_id": author,
            "source": chosen.source,
            "html": chosen.html,
            "excerpt": chosen.excerpt,
            "renderer_version": markup.RENDERER_VERSION,
            "base_score": draw.choice([0, 0, 0, 1, 1, 2, 5]),
            "created_at": at,
        }


def _pool(draw: random.Random, extra: list[str], number: int) -> list[_Text]:
    words, weights = data.weighted(draw)
    made = []
    for _ in range(number):
        source = data.body(draw, words, weights, extra)
        rendered = markup.render(source)
        made.append(_Text(source, rendered.html, rendered.excerpt))
    return made


def _follows(threads: list[_Thread], now: datetime) -> Iterator[dict[str, Any]]:
    for thread in threads[:FOLLOWED]:
        yield {"member_id": READER, "thread_id": thread.id, "created_at": now}


def _marks(threads: list[_Thread], draw: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    """The liveliest threads, most read to the end."""
    for thread in sorted(threads, key=lambda thread: thread.last_at, reverse=True)[:MARKED]:
        read = thread.number if draw.random() < 0.7 else draw.randint(1, thread.number)
        yield {"member_id": READER, "thread_id": thread.id, "last_number": read, "read_at": now}
