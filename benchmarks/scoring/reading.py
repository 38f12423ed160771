"""A community as the protocol needs it, read from the files themselves and not from the product."""

import gzip
import json
import statistics
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

DAY = 86400.0


@dataclass(slots=True)
class Answer:
    """An answer to somebody else's question; times in days since 1970, UTC."""

    id: str
    author: str
    thread: str
    asker: str
    at: float
    accepted_at: float | None = None
    ups: list[float] = field(default_factory=list)
    downs: list[float] = field(default_factory=list)

    def helped_by(self, until: float) -> bool:
        """Whether it was accepted, or had two net upvotes, by then."""
        if self.accepted_at is not None and self.accepted_at <= until:
            return True
        return sum(at <= until for at in self.ups) - sum(at <= until for at in self.downs) >= 2


@dataclass
class Community:
    name: str
    answers: list[Answer]  # by time
    first_answer: float
    last_post: float


@dataclass(slots=True)
class _Post:
    id: str
    thread: str
    kind: str
    author: str | None
    at: float
    accepted: bool


def read(folder: Path, name: str = "") -> Community:
    """The community in a folder: posts.jsonl and votes.jsonl, or Posts.xml and Votes.xml, each .gz or not."""
    jsonl = find(folder, "posts.jsonl") is not None
    posts, votes = _from_jsonl(folder) if jsonl else _from_xml(folder)
    return _community(name or folder.resolve().name, posts, votes)


def _community(name: str, posts: list[_Post], votes: list[tuple[str, str, float]]) -> Community:
    questions = {post.id: post for post in posts if post.kind == "question"}
    answers: dict[str, Answer] = {}
    by_thread: dict[str, list[_Post]] = defaultdict(list)
    for post in posts:
        question = questions.get(post.thread)
        by_thread[post.thread].append(post)
        # A question without an author was asked by somebody of whom nothing else is known.
        if post.kind == "answer" and question is not None and post.author is not None:
            asker = question.author if question.author is not None else f"?{question.id}"
            if asker != post.author:
                answers[post.id] = Answer(post.id, post.author, post.thread, asker, post.at)
    dated: dict[str, float] = {}
    for post_id, kind, at in votes:
        if kind == "accept":
            dated[post_id] = min(at, dated.get(post_id, at))
        elif post_id in answers:
            (answers[post_id].ups if kind == "up" else answers[post_id].downs).append(at)
    _date_acceptances(posts, questions, answers, by_thread, dated)
    ordered = sorted(answers.values(), key=lambda one: (one.at, one.id))
    return Community(
        name,
        ordered,
        min(post.at for post in posts if post.kind == "answer"),
        max(post.at for post in posts),
    )


def _date_acceptances(
    posts: list[_Post],
    questions: dict[str, _Post],
    answers: dict[str, Answer],
    by_thread: dict[str, list[_Post]],
    dated: dict[str, float],
) -> None:
    accepted = [
        post for post in posts if post.accepted and post.kind == "answer" and post.thread in questions
    ]
    waits = [dated[post.id] - post.at for post in accepted if post.id in dated]
    if not waits:
        for post in accepted:
            asker = questions[post.thread].author
            later = [
                other.at
                for other in by_thread[post.thread]
                if asker is not None and other.author == asker and other.at > post.at
            ]
            if later:
                waits.append(min(later) - post.at)
    delay = statistics.median(waits) if waits else 0.0
    for post in accepted:
        if post.id in answers:
            answers[post.id].accepted_at = dated.get(post.id, post.at + delay)


def _from_jsonl(folder: Path) -> tuple[list[_Post], list[tuple[str, str, float]]]:
    posts = [
        _Post(
            str(row["id"]),
            str(row.get("thread") or row["id"]),
            row["kind"],
            None if row.get("author") in (None, "") else str(row["author"]),
            _days(row["created"]),
            row.get("accepted") is True,
        )
        for row in _rows(_need(folder, "posts.jsonl"))
    ]
    votes = []
    file = find(folder, "votes.jsonl")
    for row in _rows(file) if file else ():
        if row.get("created"):
            votes.append((str(row["post"]), row["kind"], _days(row["created"])))
    return posts, votes


def _from_xml(folder: Path) -> tuple[list[_Post], list[tuple[str, str, float]]]:
    rows = list(_xml(_need(folder, "Posts.xml")))
    chosen = {row["AcceptedAnswerId"] for row in rows if "AcceptedAnswerId" in row}
    posts = []
    for row in rows:
        kind = {"1": "question", "2": "answer"}.get(row["PostTypeId"])
        if kind:
            thread = row["Id"] if kind == "question" else row["ParentId"]
            at = _days(row["CreationDate"])
            posts.append(_Post(row["Id"], thread, kind, row.get("OwnerUserId"), at, row["Id"] in chosen))
    threads = {post.id: post.thread for post in posts}
    comments = find(folder, "Comments.xml")
    for row in _xml(comments) if comments else ():
        if row["PostId"] in threads:
            posts.append(
                _Post(
                    f"c{row['Id']}",
                    threads[row["PostId"]],
                    "comment",
                    row.get("UserId"),
                    _days(row["CreationDate"]),
                    False,
                )
            )
    kinds = {"1": "accept", "2": "up", "3": "down"}
    votes = []
    file = find(folder, "Votes.xml")
    for row in _xml(file) if file else ():
        if row["VoteTypeId"] in kinds:
            stamp = row["CreationDate"]
            stamp = stamp[:10] if stamp.endswith("T00:00:00.000") else stamp
            votes.append((row["PostId"], kinds[row["VoteTypeId"]], _days(stamp)))
    return posts, votes


def _days(text: str) -> float:
    """Days since 1970 of an ISO time; a day alone counts from its end."""
    text = text.strip()
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if len(text) == 10:
        moment += timedelta(days=1, microseconds=-1)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() / DAY


def find(folder: Path, name: str) -> Path | None:
    """The file of this name, or with .gz after it."""
    for place in (folder / name, folder / f"{name}.gz"):
        if place.is_file():
            return place
    return None


def _need(folder: Path, name: str) -> Path:
    found = find(folder, name)
    if found is None:
        raise SystemExit(f"{folder} has neither {name} nor {name}.gz")
    return found


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with _open(path) as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _xml(path: Path) -> Iterator[dict[str, str]]:
    with _open(path) as file:
        for _event, element in ET.iterparse(file):
            if element.tag == "row":
                yield dict(element.attrib)
                element.clear()
