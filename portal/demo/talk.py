"""The demo's threads as rows: openings, answers, comments, votes, acceptances, follows, read marks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import insert

from portal.demo import content
from portal.demo.cast import SOURCE
from portal.demo.pictures import Album
from portal.discussions.models import (
    Audience,
    Follow,
    Post,
    PostKind,
    PostRevision,
    PostState,
    Tag,
    Thread,
    ThreadKind,
    ThreadTag,
    Vote,
)
from portal.discussions.policy import statuses_reading
from portal.discussions.services.text import war_story_source
from portal.kernel import markup
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.slugs import slugify

NEW_DAYS, FOUND_DAYS = 2, 75  # how long a post waits for an upvote, on average


@dataclass
class Written:
    """Where things stand after the threads were added: ids by thread key and post number."""

    threads: dict[str, int] = field(default_factory=dict)
    posts: dict[tuple[str, int], int] = field(
        default_factory=dict
    )  # (thread key, place in the file, 0 = opening)
    marked: list[tuple[content.Table, int, int]] = field(default_factory=list)  # (table, thread id, post id)


def moments(thread: content.Table, now: datetime) -> tuple[datetime, list[datetime]]:
    """When the opening and the posts of a thread were written, if the demo is loaded at `now`."""
    opened = now - timedelta(days=thread["days_ago"])
    return opened, [opened + timedelta(hours=post["after_hours"]) for post in thread.get("post", [])]


def first_seen(now: datetime) -> dict[str, datetime]:
    """When each person wrote for the first time."""
    seen: dict[str, datetime] = {}
    for thread in content.threads():
        opened, later = moments(thread, now)
        pairs = [
            (thread["author"], opened),
            *zip((p["author"] for p in thread.get("post", [])), later, strict=True),
        ]
        for author, moment in pairs:
            seen[author] = min(moment, seen.get(author, moment))
    return seen


class Writer:
    """Adds threads one after another; what is drawn depends on the seed alone."""

    def __init__(
        self,
        people: dict[str, int],
        boards: dict[str, int],
        joined: dict[int, datetime],
        draw: Random,
        now: datetime,
        album: Album,
    ) -> None:
        self.album = album
        self.people, self.boards, self.joined, self.draw, self.now = people, boards, joined, draw, now
        self.written = Written()
        self.tags: dict[str, int] = {}
        self.vendor = {
            people[person["username"]] for person in content.people() if person["status"] == Status.VENDOR
        }
        self.status = {people[person["username"]]: Status(person["status"]) for person in content.people()}
        self.audience = {row["slug"]: Audience(row["audience"]) for row in content.boards()}
        self.mentionable = {
            person["username"]: f"/members/{person['username']}" for person in content.people()
        }
        self.votes: list[dict[str, object]] = []
        self.follows: list[dict[str, object]] = []

    def write_all(self) -> Written:
        """Add every thread; counters are made afterwards by the recount."""
        for thread in content.threads():
            self._write(thread)
        db.session.execute(insert(Vote), self.votes)
        db.session.execute(insert(Follow), self.follows)
        return self.written

    def _write(self, table: content.Table) -> None:
        opened, later = moments(table, self.now)
        kind = ThreadKind(table["kind"])
        author = self.people[table["author"]]
        thread = Thread(
            board_id=self.boards[table["board"]],
            kind=kind,
            title=table["title"],
            slug=slugify(table["title"]),
            author_id=author,
            created_at=opened,
            last_activity_at=opened,
            last_author_id=author,
            tags=list(table.get("tags", [])),
            views_count=int(self.draw.lognormvariate(3.6, 0.9)) + 4 * len(later),
            import_source=SOURCE,
            external_id=table["key"],
            pinned_at=opened + timedelta(hours=2) if table.get("pinned") else None,
            closed_at=max([opened, *later]) + timedelta(days=1) if table.get("closed") else None,
            closed_reason=table["closed"]["reason"] if table.get("closed") else "",
        )
        db.session.add(thread)
        db.session.flush()
        self.written.threads[table["key"]] = thread.id
        self._tag(thread)
        sections = None
        body = table.get("body", "")
        if kind is ThreadKind.WAR_STORY:
            sections = {name: table[name].strip() for name in ("happened", "cost", "differently")}
            body = war_story_source(sections)
        opening = self._post(table, thread, PostKind.OPENING, body, author, opened, number=1)
        if sections is not None:
            opening.sections = sections
            opening.excerpt = markup.render(sections["happened"]).excerpt
        self._remember(table, table, 0, thread, opening)
        self._posts(table, thread, opening, later)

    def _posts(self, table: content.Table, thread: Thread, opening: Post, later: list[datetime]) -> None:
        by_number = {1: opening}
        participants = {thread.author_id}
        for place, (row, moment) in enumerate(zip(table.get("post", []), later, strict=True), start=1):
            kind = PostKind(row["kind"])
            author = self.people[row["author"]]
            body = row["body"]
            if row.get("quote_of"):
                quoted = by_number[row["quote_of"]]
                name = next(u for u, member_id in self.people.items() if member_id == quoted.author_id)
                if self.status[quoted.author_id] is Status.PROSPECT:
                    name = ""  # as the composer quotes guests
                body = markup.quote_source(name, row["quote_of"], quoted.id, quoted.source) + "\n\n" + body
            if kind is PostKind.COMMENT:
                post = self._post(row, thread, kind, body, author, moment, parent_id=by_number[row["on"]].id)
            else:
                number = max(by_number) + 1
                post = self._post(row, thread, kind, body, author, moment, number=number)
                by_number[number] = post
                participants.add(author)
                thread.vendor_replied = thread.vendor_replied or author in self.vendor
                if post.state is PostState.VISIBLE:
                    thread.last_activity_at, thread.last_post_id, thread.last_author_id = (
                        moment,
                        post.id,
                        author,
                    )
                if row.get("accepted"):
                    self._accept(thread, post, moment)
            self._remember(table, row, place, thread, post)
        thread.last_number = max(by_number)
        thread.last_post_id = thread.last_post_id or opening.id
        readers = self._readers(self.audience[table["board"]], thread.author_id, thread.created_at)
        followers = participants | set(self.draw.sample(readers, min(len(readers), self.draw.randint(0, 6))))
        self.follows += [
            {"member_id": member, "thread_id": thread.id, "created_at": thread.created_at}
            for member in sorted(followers)
        ]

    def _post(
        self,
        row: content.Table,
        thread: Thread,
        kind: PostKind,
        body: str,
        author: int,
        moment: datetime,
        *,
        number: int | None = None,
        parent_id: int | None = None,
    ) -> Post:
        source = self.album.in_text(body.strip())
        rendered = markup.render(source, known_members=self.mentionable)
        post = Post(
            thread_id=thread.id,
            number=number,
            parent_id=parent_id,
            kind=kind,
            author_id=author,
            source=source,
            source_format="markdown",
            html=rendered.html,
            excerpt=rendered.excerpt,
            renderer_version=markup.RENDERER_VERSION,
            created_at=moment,
            by_vendor=author in self.vendor,
            mentions=sorted({self.people[name] for name in rendered.mentions if name in self.people}),
            state=PostState.VISIBLE,
        )
        db.session.add(post)
        db.session.flush()
        self.album.attach(body, post, moment)
        if row.get("edited_reason"):
            self._edit(post, row["edited_reason"])
        if kind is not PostKind.COMMENT:
            self._vote(post, row.get("votes", 0), thread)
        return post

    def _edit(self, post: Post, reason: str) -> None:
        former = (
            post.source.rsplit("\n\n", 1)[0]
            if "\n\n" in post.source
            else post.source.rsplit(". ", 1)[0] + "."
        )
        moment = min(post.created_at + timedelta(hours=2), self.now)
        db.session.add(
            PostRevision(
                post_id=post.id,
                version=1,
                source=former,
                editor_id=post.author_id,
                reason=reason,
                created_at=moment,
            )
        )
        post.edited_at, post.version, post.revisions_count = moment, 2, 1

    def _vote(self, post: Post, wanted: int, thread: Thread) -> None:
        slug = next(slug for slug, board_id in self.boards.items() if board_id == thread.board_id)
        readers = self._readers(self.audience[slug], post.author_id, self.now)
        for member in self.draw.sample(readers, min(wanted, len(readers))):
            # Half of them read it while it is new, the others find it by searching in the months after.
            mean_days = NEW_DAYS if self.draw.random() < 0.5 else FOUND_DAYS
            delay = timedelta(days=self.draw.expovariate(1 / mean_days))
            moment = max(post.created_at, self.joined[member]) + delay
            if moment < self.now:  # the others have not come by yet
                self.votes.append({"post_id": post.id, "member_id": member, "value": 1, "created_at": moment})

    def _accept(self, thread: Thread, answer: Post, moment: datetime) -> None:
        thread.accepted_post_id = answer.id
        thread.accepted_at = min(moment + timedelta(hours=self.draw.uniform(0.5, 60)), self.now)

    def _readers(self, audience: Audience, but: int, joined_by: datetime) -> list[int]:
        statuses = set(statuses_reading(audience))
        return [
            member
            for member, status in self.status.items()
            if status in statuses and member != but and self.joined[member] <= joined_by
        ]

    def _tag(self, thread: Thread) -> None:
        for name in thread.tags:
            if name not in self.tags:
                tag = db.session.execute(db.select(Tag).where(Tag.name == name)).scalar_one_or_none()
                if tag is None:
                    tag = Tag(name=name)
                    db.session.add(tag)
                    db.session.flush()
                self.tags[name] = tag.id
            db.session.add(ThreadTag(tag_id=self.tags[name], thread_id=thread.id))

    def _remember(
        self, table: content.Table, row: content.Table, place: int, thread: Thread, post: Post
    ) -> None:
        self.written.posts[(table["key"], place)] = post.id
        if row.keys() & {"flagged", "hidden", "moderation"}:
            self.written.marked.append((row, thread.id, post.id))
