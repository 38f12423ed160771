"""Writes some threads of an import with everything under them, rows of one kind together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from portal.discussions.models import (
    Post,
    PostKind,
    PostState,
    Tag,
    Thread,
    ThreadKind,
    ThreadTag,
    Vote,
)
from portal.discussions.services.tagging import LONGEST, MOST
from portal.exchange.records import Community, PostRecord, Report, VoteRecord, chunks
from portal.exchange.rendering import Body
from portal.kernel import markup
from portal.kernel.db import db
from portal.kernel.slugs import slugify

NOBODY = ""  # no user has this id
CLOSED_ELSEWHERE = "Closed where it comes from."
_LOOKED_UP = 500  # ids asked for at once

Votes = dict[str, list[VoteRecord]]


@dataclass(slots=True)
class _State:
    """What a thread's own row says, as it will be after the import."""

    posts: list[PostRecord]
    last_activity_at: datetime
    last_author_id: int
    new: bool
    id: int = 0
    last_number: int = 0
    last_post_id: int | None = None
    last_post: PostRecord | None = None
    accepted_post_id: int | None = None
    accepted_at: datetime | None = None
    is_ours: bool = False  # merged away, or its asker has taken the account over: what solved it is said here
    changed: bool = False
    accepts: bool = False

    @property
    def opening(self) -> PostRecord:
        return self.posts[0]

    def values(self) -> dict[str, Any]:
        """For the row, when the posts have their ids."""
        return {
            "of": self.id,
            "new_last_number": self.last_number,
            "new_last_activity_at": self.last_activity_at,
            "new_last_author_id": self.last_author_id,
            "new_last_post_id": self.last_post_id,
        }

    def acceptance(self) -> dict[str, Any]:
        """For the row, where an answer is accepted now."""
        return {
            "of": self.id,
            "new_accepted_post_id": self.accepted_post_id,
            "new_accepted_at": self.accepted_at,
        }


class ThreadWriter:
    """Writes whole threads in the running unit of work. `wrote`: whether anything was new.

    `known` and `known_votes` (ids by external id) are extended by what is written. `independent` are the
    users who decide here what they think of what stands here: they have taken their account over, or were
    erased.
    """

    def __init__(
        self,
        community: Community,
        report: Report,
        board_of: Callable[[str, str], int],
        members: dict[str, int],
        known: dict[str, int],
        known_votes: dict[str, int],
        independent: set[str],
    ) -> None:
        self.community, self.report, self.board_of = community, report, board_of
        self.independent = independent
        self.members, self.known, self.known_votes = members, known, known_votes
        self.wrote = False

    def write(self, threads: list[list[PostRecord]], votes: Votes, bodies: list[Body]) -> None:
        """The threads, each in order: opening, numbered posts, comments; `bodies` of the new ones in turn."""
        ready = iter(bodies)
        fresh = {post.id: next(ready) for thread in threads for post in thread if post.id not in self.known}
        states = self._states(threads)
        cast = {
            post.id: self._new_votes(post, votes.get(post.id, [])) for thread in threads for post in thread
        }
        self._insert_threads([state for state in states.values() if state.new], cast)
        self._insert_posts(threads, states, fresh, cast, comments=False)
        self._insert_posts(threads, states, fresh, cast, comments=True)
        self._insert_votes(threads, fresh, cast, votes)
        self._accept(threads, states, fresh, votes)
        self._finish(states)

    def _states(self, threads: list[list[PostRecord]]) -> dict[str, _State]:
        states = {
            thread[0].id: _State(thread, thread[0].created, self._author(thread[0]), new=True)
            for thread in threads
        }
        there = {
            self.known[thread[0].id]: states[thread[0].id] for thread in threads if thread[0].id in self.known
        }
        for ids in chunks(list(there), _LOOKED_UP):
            rows = db.session.execute(
                select(
                    Post.id.label("opening_id"),
                    Thread.id,
                    Thread.last_number,
                    Thread.last_activity_at,
                    Thread.last_author_id,
                    Thread.last_post_id,
                    Thread.accepted_post_id,
                    Thread.accepted_at,
                    Post.kind,
                )
                .join(Thread, Thread.id == Post.thread_id)
                .where(Post.id.in_(ids))
            )
            for row in rows:
                state = there[row.opening_id]
                state.new = False
                state.id, state.last_number, state.last_post_id = row.id, row.last_number, row.last_post_id
                state.last_activity_at = row.last_activity_at
                state.last_author_id = row.last_author_id or state.last_author_id
                state.accepted_post_id, state.accepted_at = row.accepted_post_id, row.accepted_at
                merged = row.kind is not PostKind.OPENING
                state.is_ours = merged or state.opening.author in self.independent
        return states

    def _insert_threads(self, states: list[_State], cast: Votes) -> None:
        rows = []
        tags: dict[str, list[str]] = {}
        for state in states:
            record = state.opening
            title = " ".join(record.title.replace("\x00", "").split())[:200] or "Without a title"
            tags[record.id] = _tags(record.tags)
            rows.append(
                {
                    "board_id": self.board_of(record.board, record.audience),
                    "kind": ThreadKind(record.kind),
                    "title": title,
                    "slug": slugify(title),
                    "author_id": self._author(record),
                    "created_at": record.created,
                    "last_activity_at": record.created,
                    "posts_count": sum(post.kind != "comment" for post in state.posts),
                    "answers_count": sum(post.kind == "answer" for post in state.posts),
                    "comments_count": sum(post.kind == "comment" for post in state.posts),
                    "score": _base_score(record, cast[record.id]) + _sum(cast[record.id]),
                    "views_count": record.views,
                    "closed_at": record.closed,
                    "closed_reason": (record.closed_reason or CLOSED_ELSEWHERE) if record.closed else "",
                    "tags": tags[record.id],
                    "import_source": self.community.source,
                    "external_id": record.id,
                }
            )
        self._insert(Thread, rows)
        ids = self._ids(Thread, [state.opening.id for state in states])
        for state in states:
            state.id = ids[state.opening.id]
        tag_ids = self._tag_ids({name for names in tags.values() for name in names})
        self._insert(
            ThreadTag,
            [
                {"tag_id": tag_ids[name], "thread_id": ids[key]}
                for key, names in tags.items()
                for name in names
            ],
        )
        self.report.make("threads", len(rows))

    def _insert_posts(
        self,
        threads: list[list[PostRecord]],
        states: dict[str, _State],
        fresh: dict[str, Body],
        cast: Votes,
        *,
        comments: bool,
    ) -> None:
        rows = []
        for thread in threads:
            state = states[thread[0].id]
            for record in thread:
                if record.id in fresh and (record.kind == "comment") == comments:
                    rows.append(self._row(record, state, fresh[record.id], cast[record.id]))
        self._insert(Post, rows)
        self.known |= self._ids(Post, [row["external_id"] for row in rows])
        self.report.make("comments" if comments else "posts", len(rows))

    def _row(self, record: PostRecord, state: _State, body: Body, cast: list[VoteRecord]) -> dict[str, Any]:
        kind = PostKind(record.kind) if record.parent is not None else PostKind.OPENING
        number = None
        if kind is not PostKind.COMMENT:
            state.changed = True
            state.last_number += 1
            number = state.last_number
            if record.created >= state.last_activity_at:
                state.last_activity_at, state.last_author_id = record.created, self._author(record)
                state.last_post = record
        if body.note:
            self.report.skip(self.community.file, record.line, body.note, lost=False)
        base = _base_score(record, cast)
        return {
            "thread_id": state.id,
            "number": number,
            "parent_id": self._parent(record) if kind is PostKind.COMMENT else None,
            "kind": kind,
            "author_id": self._author(record),
            "source": body.source,
            "source_format": body.source_format,
            "sections": record.sections,
            "html": body.html,
            "excerpt": record.excerpt or body.excerpt[:240],
            "renderer_version": markup.RENDERER_VERSION,
            "state": PostState.VISIBLE,
            "base_score": base,
            "score": base + _sum(cast),
            "votes_count": sum(vote.kind == "up" and vote.voter in self.members for vote in cast),
            "created_at": record.created,
            "edited_at": record.edited,
            "source_url": record.url,
            "import_source": self.community.source,
            "external_id": record.id,
        }

    def _parent(self, record: PostRecord) -> int:
        """The numbered post a comment stands under: comments on comments stand under the same one."""
        parent = self.community.posts[record.parent or ""]
        while parent.kind == "comment" and parent.parent is not None:
            parent = self.community.posts[parent.parent]
        return self.known[parent.id]

    def _new_votes(self, record: PostRecord, votes: list[VoteRecord]) -> list[VoteRecord]:
        """The votes on the post that are not stored yet; one person has one.

        A known post gets none by people who vote here themselves: they may have taken it back.
        """
        voters: set[str] = set()
        new = []
        for vote in votes:
            if vote.kind == "accept":
                continue
            if vote.voter is not None and vote.voter in self.members:
                if vote.voter in voters:
                    if vote.id not in self.known_votes:
                        self.report.skip(
                            self.community.votes_file, vote.line, "the same person voted for this post before"
                        )
                    continue
                voters.add(vote.voter)
                if record.id in self.known and vote.voter in self.independent:
                    continue
            if vote.id not in self.known_votes:
                new.append(vote)
        return new

    def _insert_votes(
        self, threads: list[list[PostRecord]], fresh: dict[str, Body], cast: Votes, votes: Votes
    ) -> None:
        rows = []
        based = []
        for thread in threads:
            for record in thread:
                new = cast[record.id]
                rows += [
                    {
                        "post_id": self.known[record.id],
                        "member_id": self.members.get(vote.voter) if vote.voter is not None else None,
                        "value": _value(vote),
                        "created_at": vote.created or record.created,
                        "import_source": self.community.source,
                        "external_id": vote.id,
                    }
                    for vote in new
                ]
                if new and record.id not in fresh:  # its score came before its votes
                    every = [vote for vote in votes[record.id] if vote.kind != "accept"]
                    based.append({"of": self.known[record.id], "right": _base_score(record, every)})
        self._insert(Vote, rows)
        if based:
            table: Any = Post.__table__
            db.session.connection().execute(
                update(table).where(table.c.id == bindparam("of")).values(base_score=bindparam("right")),
                based,
            )
        self.known_votes |= {vote.id: 0 for votes_of in cast.values() for vote in votes_of}
        self.report.make("votes", len(rows))

    def _accept(
        self,
        threads: list[list[PostRecord]],
        states: dict[str, _State],
        fresh: dict[str, Body],
        votes: Votes,
    ) -> None:
        """Mark what was accepted elsewhere; never again what was withdrawn, taken out or merged here."""
        wanted = [
            record
            for thread in threads
            for record in thread
            if record.accepted and states[thread[0].id].accepted_post_id is None
        ]
        stands = self._where_shown([record for record in wanted if record.id not in fresh])
        for thread in threads:
            state = states[thread[0].id]
            for record in thread:
                if not record.accepted or state.accepted_post_id is not None or state.is_ours:
                    continue
                if record.id not in fresh and stands.get(self.known[record.id]) != state.id:
                    continue
                dated = [
                    vote.created
                    for vote in votes.get(record.id, [])
                    if vote.kind == "accept" and vote.created is not None
                ]
                state.accepted_post_id = self.known[record.id]
                state.accepted_at = min(dated) if dated else None
                state.accepts = True
                self.report.make("accepted answers")

    def _where_shown(self, records: list[PostRecord]) -> dict[int, int]:
        """The threads of these known posts, of those that are shown."""
        found: dict[int, int] = {}
        for ids in chunks([self.known[record.id] for record in records], _LOOKED_UP):
            rows = db.session.execute(
                select(Post.id, Post.thread_id).where(Post.id.in_(ids), Post.state == PostState.VISIBLE)
            )
            found |= {row.id: row.thread_id for row in rows}
        return found

    def _finish(self, states: dict[str, _State]) -> None:
        for state in states.values():
            if state.last_post is not None:
                state.last_post_id = self.known[state.last_post.id]
        self._update([state.values() for state in states.values() if state.changed])
        self._update([state.acceptance() for state in states.values() if state.accepts])

    def _update(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self.wrote = True
        table: Any = Thread.__table__
        names = [name.removeprefix("new_") for name in rows[0] if name != "of"]
        db.session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("of"))
            .values({name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}),
            rows,
        )

    def _author(self, record: PostRecord) -> int:
        return self.members[record.author or NOBODY]

    def _insert(self, model: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.wrote = True
            db.session.connection().execute(insert(model.__table__), rows)

    def _ids(self, model: Any, keys: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in chunks(keys, _LOOKED_UP):
            rows = db.session.execute(
                select(model.external_id, model.id).where(
                    model.import_source == self.community.source, model.external_id.in_(some)
                )
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    def _tag_ids(self, names: set[str]) -> dict[str, int]:
        def found() -> dict[str, int]:
            return {
                row.name: row.id
                for some in chunks(sorted(names), _LOOKED_UP)
                for row in db.session.execute(select(Tag.name, Tag.id).where(Tag.name.in_(some)))
            }

        missing = sorted(names - found().keys())
        self._insert(Tag, [{"name": name} for name in missing])
        return found()


def _value(vote: VoteRecord) -> int:
    return 1 if vote.kind == "up" else -1


def _sum(votes: list[VoteRecord]) -> int:
    return sum(_value(vote) for vote in votes)


def _base_score(record: PostRecord, votes: list[VoteRecord]) -> int:
    """The part of the score that came without its votes; none where no score was given."""
    return 0 if record.score is None else record.score - _sum(votes)


def _tags(names: list[str]) -> list[str]:
    plain = ("-".join(name.lower().replace("\x00", "").split())[:LONGEST] for name in names)
    return list(dict.fromkeys(name for name in plain if name))[:MOST]
