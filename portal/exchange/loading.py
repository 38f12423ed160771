"""Stores what an importer read: people first, then whole threads, each batch one transaction.

Everything is found again by (import_source, external_id): a second run changes nothing, also nothing that was
changed here since, and an interrupted one goes on where it stopped. No event is published; counters and index
are made afterwards, and a mark says that they still have to be, so that a run which died in between is
finished by the next.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from portal.discussions.models import Audience, Board, Post, Vote
from portal.discussions.services.erasing import GONE
from portal.discussions.services.recount import recount
from portal.exchange.records import Community, PostRecord, Report, VoteRecord, chunks
from portal.exchange.rendering import Raw, make_all
from portal.exchange.threads import NOBODY, ThreadWriter
from portal.kernel import clock, site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.progress import Progress, silent
from portal.kernel.site import SiteSetting
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work
from portal.members import imported
from portal.members.models import Member, MemberState, VerifiedBy
from portal.members.names import candidates

BATCH = 2_000  # posts in one transaction, more or less
FORMER_MEMBER = "former member"
UNFINISHED = "import_unfinished"


def store(
    community: Community,
    report: Report,
    *,
    board_slug: str,
    board_name: str,
    audience: Audience,
    progress: Progress = silent,
) -> bool:
    """Store the community; `report.made` says what is new. Boards named by the posts themselves win.

    Whether the index has to be made anew; call `finish` afterwards.
    """
    boards = _Boards(audience, board_slug, board_name)
    people = _store_users(community, report, progress)
    _empty_posts(community, people.emptied)
    _store_threads(community, report, boards, people, progress)
    if not _unfinished():
        return False
    with unit_of_work():
        recount()
        site.touch()
    return True


def finish() -> None:
    """Say that counters and index are made: the next run that brings nothing new has nothing to do."""
    with unit_of_work():
        db.session.execute(delete(SiteSetting).where(SiteSetting.name == UNFINISHED))


def _unfinished() -> bool:
    return (
        db.session.execute(select(SiteSetting.name).where(SiteSetting.name == UNFINISHED)).first() is not None
    )


def _begin(source: str) -> None:
    """Leave the mark. Inside the unit of work that writes the first rows."""
    if not _unfinished():
        db.session.execute(insert(SiteSetting).values(name=UNFINISHED, value=source))


class _Boards:
    """Boards by slug, made when first needed."""

    def __init__(self, audience: Audience, slug: str, name: str) -> None:
        self.audience, self.slug, self.name = audience, slug, name
        self.ids: dict[str, int] = {}

    def id_of(self, slug: str, audience: str = "") -> int:
        """Inside a unit of work. A board that has to be made is for the narrower of the two audiences."""
        slug = slugify(slug or self.slug, 60, "imported")
        if slug not in self.ids:
            found = db.session.execute(select(Board.id).where(Board.slug == slug)).scalar_one_or_none()
            self.ids[slug] = found if found is not None else self._make(slug, audience)
        return self.ids[slug]

    def _make(self, slug: str, audience: str) -> int:
        last = db.session.execute(select(db.func.max(Board.position))).scalar() or 0
        of_files = Audience(audience) if audience else self.audience
        own = slug == slugify(self.slug, 60, "imported")
        board = Board(
            slug=slug,
            name=self.name[:80] if own else slug.replace("-", " ").capitalize(),
            description="",
            audience=max(self.audience, of_files, key=list(Audience).index),
            position=last + 1,
            created_at=clock.now(),
        )
        db.session.add(board)
        db.session.flush()
        return board.id


@dataclass
class _People:
    """Members by the ids of the users; NOBODY stands for posts without an author.

    `independent`: who has taken the account over or was erased; `emptied`: who was erased with their words.
    """

    ids: dict[str, int]
    independent: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)


def _known_people(community: Community) -> _People:
    people = _People(_known(Member, community.source))
    taken_over = select(Member.external_id).where(
        Member.import_source == community.source, Member.email_confirmed_at.is_not(None)
    )
    people.independent.update(key or "" for key in db.session.execute(taken_over).scalars())
    erased = {
        row.external_id: row.id
        for row in db.session.execute(
            select(Member.external_id, Member.id).where(
                Member.state == MemberState.ERASED, Member.external_id.is_not(None)
            )
        )
    }
    authors = {post.author for post in community.posts.values() if post.author is not None}
    for key in sorted(authors | community.users.keys()) if erased else ():
        for keep_text in (True, False):
            marks = imported.marks(community.source, key, keep_text=keep_text)
            found = next((erased[one] for one in marks if one in erased), None)
            if found is not None:
                people.ids[key] = found
                people.independent.add(key)
                if not keep_text:
                    people.emptied.add(key)
    return people


def _empty_posts(community: Community, authors: set[str]) -> None:
    """Take the words out of what they wrote: they were erased with all of them."""
    for post in community.posts.values():
        if post.author in authors:
            post.body, post.body_format, post.source = GONE, "markdown", None
            post.sections, post.excerpt, post.url = None, "", ""


def _store_users(community: Community, report: Report, progress: Progress) -> _People:
    people = _known_people(community)
    members = people.ids
    usernames = _Usernames()
    new: list[dict[str, Any]] = []
    now = clock.now()

    def add(key: str, name: str, joined: datetime | None, username: str = "") -> None:
        if key not in members:
            new.append(
                {
                    "username": usernames.take(name, username),
                    "name": name[:80],
                    "status": Status.CUSTOMER if key != NOBODY else Status.FORMER,
                    "verified_by": VerifiedBy.IMPORTED if key != NOBODY else None,
                    "created_at": joined or now,
                    "import_source": community.source,
                    "external_id": key,
                }
            )

    first_posts = _first_posts(community)
    for key, user in community.users.items():
        add(
            key, _clean_name(user.name) or f"member {key}", user.joined or first_posts.get(key), user.username
        )
    names = {post.author: post.author_name for post in community.posts.values() if post.author is not None}
    for key, name in names.items():
        if key not in community.users:
            add(key, _clean_name(name) or f"member {key}", first_posts.get(key))
    if any(post.author is None for post in community.posts.values()):
        add(NOBODY, FORMER_MEMBER, None)
    done = 0
    for rows in chunks(new, BATCH):
        with unit_of_work():
            _begin(community.source)
            db.session.connection().execute(insert(Member.__table__), rows)  # type: ignore[arg-type]
        done += len(rows)
        progress("people", done, len(new))
    report.make("members", len(new))
    if new:
        members |= _known(Member, community.source)
    return people


def _store_threads(
    community: Community, report: Report, boards: _Boards, people: _People, progress: Progress
) -> None:
    known = _known(Post, community.source)
    known_votes = _known(Vote, community.source)
    by_thread: dict[str, list[PostRecord]] = defaultdict(list)
    for post in community.posts.values():
        by_thread[post.thread].append(post)
    votes: dict[str, list[VoteRecord]] = defaultdict(list)
    for vote in community.votes:
        votes[vote.post].append(vote)
    threads = [
        _in_order(by_thread[key])
        for key in sorted(by_thread, key=lambda key: (community.posts[key].created, key))
    ]
    bodies = make_all(
        Raw(post.body, post.body_format, post.source, community.base_url, post.source_format)
        for thread in threads
        for post in thread
        if post.id not in known
    )
    done = 0
    with closing(bodies):
        for batch in _batches(threads):
            ready = [next(bodies) for thread in batch for post in thread if post.id not in known]
            with unit_of_work():
                writer = ThreadWriter(
                    community, report, boards.id_of, people.ids, known, known_votes, people.independent
                )
                writer.write(batch, votes, ready)
                if writer.wrote:
                    _begin(community.source)
            done += sum(len(thread) for thread in batch)
            progress("posts", done, len(community.posts))


def _batches(threads: list[list[PostRecord]]) -> Iterator[list[list[PostRecord]]]:
    """Whole threads, about BATCH posts at a time."""
    batch: list[list[PostRecord]] = []
    size = 0
    for thread in threads:
        batch.append(thread)
        size += len(thread)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Usernames:
    """User names that nobody has yet."""

    def __init__(self) -> None:
        self.taken = set(db.session.execute(select(Member.username)).scalars())
        self.more: dict[str, Iterator[str]] = {}  # by the first choice, so that no number is tried twice

    def take(self, name: str, wished: str = "") -> str:
        """The wished one if it is free, else one made of the name."""
        if name == FORMER_MEMBER:
            wished = slugify(FORMER_MEMBER)
        if wished and wished not in self.taken:
            self.taken.add(wished)
            return wished
        names = candidates(name)
        first = next(names)
        names = self.more.setdefault(first, names)
        chosen = first if first not in self.taken else next(each for each in names if each not in self.taken)
        self.taken.add(chosen)
        return chosen


def _known(model: Any, source: str) -> dict[str, int]:
    rows = db.session.execute(select(model.external_id, model.id).where(model.import_source == source))
    return {row[0]: row[1] for row in rows}


def _in_order(posts: list[PostRecord]) -> list[PostRecord]:
    """The opening, then what has a number by time, then comments by time."""
    return sorted(
        posts, key=lambda post: (post.parent is not None, post.kind == "comment", post.created, post.line)
    )


def _first_posts(community: Community) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for post in community.posts.values():
        if post.author is not None and (post.author not in first or post.created < first[post.author]):
            first[post.author] = post.created
    return first


def _clean_name(name: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
