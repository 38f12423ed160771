"""Stores what an importer read: people first, then whole threads, each batch one transaction.

Everything is found again by (import_source, external_id): a second run changes nothing, and an interrupted
one goes on where it stopped. No event is published; counters and index are made afterwards.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from portal.discussions.models import (
    Audience,
    Board,
    Post,
    PostKind,
    PostState,
    Tag,
    Thread,
    ThreadKind,
    ThreadTag,
    Vote,
)
from portal.discussions.services.recount import recount
from portal.discussions.services.tagging import LONGEST, MOST
from portal.exchange.records import Community, PostRecord, Report, VoteRecord, chunks
from portal.exchange.rendering import Body, Raw, make_all
from portal.kernel import clock, markup, site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, VerifiedBy

BATCH = 2_000  # posts in one transaction, more or less
Progress = Callable[[str, int, int], None]
NOBODY = "nobody"


def store(
    community: Community,
    report: Report,
    *,
    board_slug: str,
    board_name: str,
    audience: Audience,
    progress: Progress = lambda _what, _done, _of: None,
) -> None:
    """Store the community; `report.made` says what is new. Boards named by the posts themselves win."""
    boards = _Boards(audience, board_slug, board_name)
    members = _store_users(community, report, progress)
    _store_threads(community, report, boards, members, progress)
    with unit_of_work():
        recount()
        site.touch()


class _Boards:
    """Boards by slug, made when first needed."""

    def __init__(self, audience: Audience, slug: str, name: str) -> None:
        self.audience, self.slug, self.name = audience, slug, name
        self.ids: dict[str, int] = {}

    def id_of(self, slug: str) -> int:
        """Inside a unit of work."""
        slug = slugify(slug or self.slug, 60, "imported")
        if slug not in self.ids:
            found = db.session.execute(select(Board.id).where(Board.slug == slug)).scalar_one_or_none()
            self.ids[slug] = found if found is not None else self._make(slug)
        return self.ids[slug]

    def _make(self, slug: str) -> int:
        last = db.session.execute(select(db.func.max(Board.position))).scalar() or 0
        board = Board(
            slug=slug,
            name=self.name
            if slug == slugify(self.slug, 60, "imported")
            else slug.replace("-", " ").capitalize(),
            description="",
            audience=self.audience,
            position=last + 1,
            created_at=clock.now(),
        )
        db.session.add(board)
        db.session.flush()
        return board.id


def _store_users(community: Community, report: Report, progress: Progress) -> dict[str, int]:
    """Ids of the members by the ids of the users; NOBODY stands for posts without an author."""
    members = _known(Member, community.source)
    taken = set(db.session.execute(select(Member.username)).scalars())
    wanted = dict(community.users)
    named = {post.author: post.author_name for post in community.posts.values() if post.author is not None}
    new: list[dict[str, Any]] = []
    now = clock.now()

    def add(key: str, name: str, joined: datetime | None) -> None:
        if key not in members:
            new.append(
                {
                    "username": _username(name, taken),
                    "name": name[:80],
                    "status": Status.CUSTOMER if key != NOBODY else Status.FORMER,
                    "verified_by": VerifiedBy.IMPORTED if key != NOBODY else None,
                    "created_at": joined or now,
                    "import_source": community.source,
                    "external_id": key,
                }
            )

    first_posts = _first_posts(community)
    for key, user in wanted.items():
        add(key, _clean_name(user.name), user.joined or first_posts.get(key))
    for key, name in named.items():
        if key not in wanted:
            add(key, _clean_name(name) or f"member {key}", first_posts.get(key))
    if any(post.author is None for post in community.posts.values()):
        add(NOBODY, "former member", None)
    done = 0
    for rows in chunks(new, BATCH):
        with unit_of_work():
            db.session.execute(insert(Member), rows)
        done += len(rows)
        progress("people", done, len(new))
    report.make("members", len(new))
    return _known(Member, community.source) if new else members


def _store_threads(
    community: Community, report: Report, boards: _Boards, members: dict[str, int], progress: Progress
) -> None:
    known = _known(Post, community.source)
    by_thread: dict[str, list[PostRecord]] = defaultdict(list)
    for post in community.posts.values():
        by_thread[post.thread].append(post)
    votes: dict[str, list[VoteRecord]] = defaultdict(list)
    for vote in community.votes:
        votes[vote.post].append(vote)
    known_votes = _known(Vote, community.source)
    order = sorted(by_thread, key=lambda key: (community.posts[key].created, key))
    fresh = [post for key in order for post in _in_order(by_thread[key]) if post.id not in known]
    bodies = make_all([Raw(post.body, post.body_format, post.source, community.base_url) for post in fresh])
    batch: list[str] = []
    size = done = 0
    for key in [*order, None]:
        if key is not None:
            batch.append(key)
            size += len(by_thread[key])
        if batch and (key is None or size >= BATCH):
            with unit_of_work():
                writer = _ThreadWriter(community, report, boards, members, known, known_votes)
                for thread in batch:
                    writer.write(_in_order(by_thread[thread]), votes, bodies)
                writer.finish()
            done += size
            progress("posts", done, len(community.posts))
            batch, size = [], 0


class _ThreadWriter:
    """Writes some threads in the running unit of work; rows of one kind go in together."""

    def __init__(
        self,
        community: Community,
        report: Report,
        boards: _Boards,
        members: dict[str, int],
        known: dict[str, int],
        known_votes: dict[str, int],
    ) -> None:
        self.community, self.report, self.boards = community, report, boards
        self.members, self.known, self.known_votes = members, known, known_votes
        self.tags: dict[str, int] = {}
        self.votes: list[dict[str, Any]] = []
        self.thread_tags: list[dict[str, int]] = []

    def write(
        self, posts: list[PostRecord], votes: dict[str, list[VoteRecord]], bodies: Iterable[Body]
    ) -> None:
        """One thread: the opening first, numbered posts by time, comments last."""
        opening = posts[0]
        ready = iter(bodies)
        thread = self._thread(opening)
        for record in posts:
            if record.id not in self.known:
                self._post(record, thread, next(ready), votes.get(record.id, []))
            self._votes(record, votes.get(record.id, []))
            if record.accepted:
                self._accept(record, thread, votes.get(record.id, []))
        db.session.flush()

    def finish(self) -> None:
        """Write what was gathered."""
        db.session.flush()
        if self.thread_tags:
            db.session.execute(insert(ThreadTag), self.thread_tags)
        if self.votes:
            db.session.execute(insert(Vote), self.votes)

    def _thread(self, record: PostRecord) -> Thread:
        if record.id in self.known:
            thread_id = db.session.execute(
                select(Post.thread_id).where(Post.id == self.known[record.id])
            ).scalar_one()
            return db.session.get_one(Thread, thread_id)
        title = " ".join(record.title.split())[:200] or "Without a title"
        author = self.members[record.author or NOBODY]
        thread = Thread(
            board_id=self.boards.id_of(record.board),
            kind=ThreadKind(record.kind),
            title=title,
            slug=slugify(title),
            author_id=author,
            state=PostState.VISIBLE,
            created_at=record.created,
            last_activity_at=record.created,
            last_author_id=author,
            last_number=0,
            views_count=record.views,
            closed_at=record.closed,
            closed_reason="Closed where it comes from." if record.closed else "",
            tags=_tags(record.tags),
            import_source=self.community.source,
            external_id=record.id,
        )
        db.session.add(thread)
        db.session.flush()
        self.thread_tags += [{"tag_id": self._tag(name), "thread_id": thread.id} for name in thread.tags]
        self.report.make("threads")
        return thread

    def _post(self, record: PostRecord, thread: Thread, body: Body, votes: list[VoteRecord]) -> None:
        kind = PostKind(record.kind) if record.parent is not None else PostKind.OPENING
        number = None
        if kind is not PostKind.COMMENT:
            thread.last_number += 1
            number = thread.last_number
        cast = sum(1 if vote.kind == "up" else -1 for vote in votes if vote.kind != "accept")
        author = self.members[record.author or NOBODY]
        post = Post(
            thread_id=thread.id,
            number=number,
            parent_id=self._parent(record) if kind is PostKind.COMMENT else None,
            kind=kind,
            author_id=author,
            source=body.source,
            source_format=body.source_format,
            html=body.html,
            excerpt=body.excerpt[:240],
            renderer_version=markup.RENDERER_VERSION,
            state=PostState.VISIBLE,
            base_score=record.score - cast,
            created_at=record.created,
            edited_at=record.edited,
            source_url=record.url,
            mentions=[],
            import_source=self.community.source,
            external_id=record.id,
        )
        db.session.add(post)
        db.session.flush()
        self.known[record.id] = post.id
        if number is not None and record.created >= thread.last_activity_at:
            thread.last_activity_at, thread.last_author_id = record.created, author
            thread.last_post_id = post.id
        if body.note:
            self.report.skip("bodies", record.line, body.note, lost=False)
        self.report.make("comments" if kind is PostKind.COMMENT else "posts")

    def _parent(self, record: PostRecord) -> int:
        """The numbered post a comment stands under: comments on comments stand under the same one."""
        parent = self.community.posts[record.parent or ""]
        while parent.kind == "comment" and parent.parent is not None:
            parent = self.community.posts[parent.parent]
        return self.known[parent.id]

    def _votes(self, record: PostRecord, votes: list[VoteRecord]) -> None:
        voters = set()
        for vote in votes:
            if vote.kind == "accept" or vote.id in self.known_votes:
                continue
            voter = self.members.get(vote.voter) if vote.voter is not None else None
            if voter is not None and voter in voters:
                self.report.skip("votes", vote.line, "the same person voted for this post before")
                continue
            voters.add(voter)
            self.known_votes[vote.id] = 0
            self.votes.append(
                {
                    "post_id": self.known[record.id],
                    "member_id": voter,
                    "value": 1 if vote.kind == "up" else -1,
                    "created_at": vote.created or record.created,
                    "import_source": self.community.source,
                    "external_id": vote.id,
                }
            )
            self.report.make("votes")

    def _accept(self, record: PostRecord, thread: Thread, votes: list[VoteRecord]) -> None:
        post_id = self.known[record.id]
        if thread.accepted_post_id == post_id:
            return
        dated = [vote.created for vote in votes if vote.kind == "accept" and vote.created is not None]
        thread.accepted_post_id = post_id
        thread.accepted_at = min(dated) if dated else None
        self.report.make("accepted answers")

    def _tag(self, name: str) -> int:
        if name not in self.tags:
            found = db.session.execute(select(Tag.id).where(Tag.name == name)).scalar_one_or_none()
            if found is None:
                tag = Tag(name=name)
                db.session.add(tag)
                db.session.flush()
                found = tag.id
            self.tags[name] = found
        return self.tags[name]


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


def _tags(names: list[str]) -> list[str]:
    plain = ("-".join(name.lower().split())[:LONGEST] for name in names)
    return list(dict.fromkeys(name for name in plain if name))[:MOST]


def _clean_name(name: str) -> str:
    return " ".join("".join(sign for sign in name if sign.isprintable()).split())


def _username(name: str, taken: set[str]) -> str:
    base = slugify(name, 32, "member")
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    taken.add(candidate)
    return candidate
