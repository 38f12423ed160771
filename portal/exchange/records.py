"""What every importer reads and the exporter writes, whatever the file looks like: plain records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from portal.kernel.errors import DomainError


class Damaged(DomainError):
    """A file cannot be read as what it should be; nothing was written."""

    def __init__(self, file: str, line: int | None, reason: str, *, began: bool = True) -> None:
        super().__init__(f"{file}, line {line}: {reason}" if line else f"{file}: {reason}")
        self.file, self.line, self.reason, self.began = file, line, reason, began

    def at(self, line: int) -> "Damaged":
        """The same, with the line where reading stopped; what could not be opened has none."""
        if self.line is not None or not self.began:
            return self
        return Damaged(self.file, line, self.reason)


@dataclass(slots=True)
class UserRecord:
    """A person. `joined` may be unknown."""

    id: str
    name: str
    joined: datetime | None
    line: int
    username: str = ""  # wished for


@dataclass(slots=True)
class PostRecord:
    """A question, discussion, war story, answer, reply or comment.

    `parent` is the post it stands under (None for an opening), `thread` the id of the opening. `body` is
    None for a title-only post. `accepted` is set on the answer.
    """

    id: str
    thread: str
    parent: str | None
    kind: str
    author: str | None
    created: datetime
    score: int | None  # None: as many as its votes
    accepted: bool
    title: str
    tags: list[str]
    body: str | None
    body_format: str
    line: int
    author_name: str = ""
    source: str | None = None  # Markdown as it was written here, in our own exports
    url: str = ""
    board: str = ""
    closed: datetime | None = None
    edited: datetime | None = None
    views: int = 0
    closed_reason: str = ""
    audience: str = ""  # of the board, where it has to be made
    source_format: str = "markdown"
    file: str = ""  # where it was read, when not with the others
    sections: dict[str, Any] | None = None  # of a war story
    excerpt: str = ""  # when it is not of the whole body


@dataclass(slots=True)
class VoteRecord:
    """A vote or an acceptance. `voter` is often unknown."""

    id: str
    post: str
    kind: str  # up, down, accept
    voter: str | None
    created: datetime | None
    line: int


@dataclass
class Community:
    """Everything that one import reads, checked, in memory."""

    source: str
    users: dict[str, UserRecord] = field(default_factory=dict)
    posts: dict[str, PostRecord] = field(default_factory=dict)
    votes: list[VoteRecord] = field(default_factory=list)
    base_url: str = ""
    file: str = ""  # names for the report
    votes_file: str = ""


@dataclass
class Report:
    """What an import or export read, made and left out. `lost` counts what should have been taken."""

    read: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    lost: int = 0

    def count(self, what: str, number: int = 1) -> None:
        self.read[what] = self.read.get(what, 0) + number

    def make(self, what: str, number: int = 1) -> None:
        if number:
            self.made[what] = self.made.get(what, 0) + number

    def ignore(self, what: str, number: int = 1) -> None:
        """Count something that is known and of no use here, such as a key or a kind of vote."""
        self.ignored[what] = self.ignored.get(what, 0) + number

    def skip(self, file: str, line: int | None, reason: str, *, lost: bool = True) -> None:
        """Note one record that was left out."""
        self.skipped.append({"file": file, "line": line, "reason": reason})
        self.lost += lost

    def as_json(self) -> dict[str, Any]:
        return {"read": self.read, "made": self.made, "skipped": self.skipped, "ignored": self.ignored}


def moment(text: str) -> datetime:
    """The moment in an ISO date or time, in UTC; a date alone counts from the end of that day.

    Raises ValueError.
    """
    text = text.strip()
    if len(text) == 10:
        return end_of_day(datetime.fromisoformat(text))
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error


def end_of_day(day: datetime) -> datetime:
    """The last microsecond of that day, UTC."""
    return datetime.combine(day.date(), time.max, UTC)


def source_name(kind: str, path: Path) -> str:
    """A name for where an import came from, the same for each run on the same folder."""
    return f"{kind}:{path.resolve().name}"[:80]


def check_references(community: Community, report: Report, posts_file: str) -> None:
    """Leave out posts whose thread or parent is not there, each with its reason."""
    while True:  # again: a comment may stand under a post that was just left out
        broken = [(post, reason) for post in community.posts.values() if (reason := _broken(post, community))]
        for post, reason in broken:
            del community.posts[post.id]
            report.skip(post.file or posts_file, post.line, reason)
        if not broken:
            break
    if report.lost:
        community.votes = [vote for vote in community.votes if vote.post in community.posts]


def _broken(post: PostRecord, community: Community) -> str:
    opening = community.posts.get(post.thread)
    if opening is None:
        return f"its thread {post.thread} is not there"
    if opening.parent is not None:
        return f"its thread {post.thread} is no opening"
    if post.parent is None:
        return ""
    parent = community.posts.get(post.parent)
    if parent is None:
        return f"the post {post.parent} it stands under is not there"
    if parent.thread != post.thread:
        return f"the post {post.parent} it stands under is in another thread"
    seen = {post.id}
    while parent.kind == "comment":
        if parent.id in seen:
            return "comments stand under one another in a circle"
        seen.add(parent.id)
        above = community.posts.get(parent.parent or "")
        if above is None:
            break
        parent = above
    return ""


def chunks(rows: list[Any], size: int) -> Iterator[list[Any]]:
    """Pieces of at most `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
