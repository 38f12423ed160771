"""Reads a community as JSON, one object a line: posts, and beside them users and votes."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.discussions.models import Audience
from portal.exchange import reading
from portal.exchange.records import (
    Community,
    Damaged,
    PostRecord,
    Report,
    UserRecord,
    VoteRecord,
    check_references,
    moment,
)

POST_KEYS = {
    "id", "thread", "parent", "kind", "author", "author_name", "created", "score", "accepted", "title",
    "tags", "body", "source", "source_format", "url", "board", "audience", "closed", "closed_reason",
    "edited", "views", "sections", "excerpt",
}  # fmt: skip
USER_KEYS = {"id", "name", "joined", "username"}
VOTE_KEYS = {"post", "voter", "kind", "created"}
OPENINGS = {"question", "discussion", "war_story"}
REPLIES = {"answer", "reply", "comment"}
LONGEST_ID = 80
FORMATS = ("html", "markdown", "text")

Row = dict[str, Any]


def read(
    posts: Path, users: Path | None, votes: Path | None, report: Report, *, source: str, body_format: str
) -> Community:
    """The whole community, checked. Raises Damaged with file and line before anything is written."""
    community = Community(source=source, file=posts.name, votes_file=votes.name if votes else "")
    if users is not None:
        for row, line in _rows(users, USER_KEYS, report):
            _user(row, line, users.name, community, report)
    for row, line in _rows(posts, POST_KEYS, report):
        _post(row, line, posts.name, community, report, body_format)
    if votes is not None:
        counts: dict[tuple[str, str], int] = {}
        for row, line in _rows(votes, VOTE_KEYS, report):
            _vote(row, line, votes.name, community, report, counts)
    check_references(community, report, posts.name)
    return community


def _rows(path: Path, known: set[str], report: Report) -> Iterator[tuple[Row, int]]:
    for number, text in reading.lines(path):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
            if "\\ud" in text.lower():
                row = _whole_signs(row)
        except (ValueError, RecursionError) as error:
            raise Damaged(path.name, number, f"not a JSON object ({error})") from error
        if not isinstance(row, dict):
            raise Damaged(path.name, number, "not a JSON object")
        for key in row.keys() - known:
            report.ignore(f"key {key}")
        yield row, number


def _whole_signs(row: Any) -> Any:
    """Halves of signs, which JSON can say and no file or database can hold, become �."""
    text = json.dumps(row, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _user(row: Row, line: int, file: str, community: Community, report: Report) -> None:
    report.count("users")
    key = _key(row, "id", file, line)
    if key in community.users:
        raise Damaged(file, line, f"the user {key} is there twice")
    name = _text(row, "name", file, line).strip() or f"member {key}"
    community.users[key] = UserRecord(key, name, _moment(row, "joined", file, line), line, _username(row))


def _post(row: Row, line: int, file: str, community: Community, report: Report, body_format: str) -> None:
    key = _key(row, "id", file, line)
    kind = _text(row, "kind", file, line)
    if kind not in OPENINGS | REPLIES:
        raise Damaged(file, line, f"kind is {kind!r}, not one of {', '.join(sorted(OPENINGS | REPLIES))}")
    report.count({"war_story": "war stories", "reply": "replies"}.get(kind, f"{kind}s"))
    if key in community.posts:
        raise Damaged(file, line, f"the post {key} is there twice")
    created = _moment(row, "created", file, line)
    if created is None:
        raise Damaged(file, line, "created is missing")
    body = row.get("body")
    if body is not None and not isinstance(body, str):
        raise Damaged(file, line, "body is neither text nor null")
    tags = row.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Damaged(file, line, "tags is not a list of texts")
    opening = kind in OPENINGS
    thread = key if opening else _key(row, "thread", file, line)
    parent = None if opening else str(row.get("parent") or thread)
    author = row.get("author")
    source = row.get("source")
    community.posts[key] = PostRecord(
        id=key,
        thread=thread,
        parent=parent,
        kind=kind,
        author=None if author in (None, "") else str(author),
        author_name=str(row.get("author_name") or ""),
        created=created,
        score=None if row.get("score") is None else _whole(row, "score", file, line),
        accepted=row.get("accepted") is True and not opening,
        title=_text(row, "title", file, line) if opening else "",
        tags=tags,
        body=body,
        body_format="html" if isinstance(source, str) else body_format,
        line=line,
        source=source if isinstance(source, str) else None,
        url=str(row.get("url") or "")[:200],
        board=str(row.get("board") or ""),
        closed=_moment(row, "closed", file, line),
        edited=_moment(row, "edited", file, line),
        views=_whole(row, "views", file, line),
        closed_reason=_text(row, "closed_reason", file, line)[:400],
        audience=_choice(row, "audience", [audience.value for audience in Audience], file, line),
        source_format=_choice(row, "source_format", ["markdown", "html", "text"], file, line) or "markdown",
        sections=_sections(row, file, line),
        excerpt=_text(row, "excerpt", file, line)[:240],
    )


def _vote(
    row: Row, line: int, file: str, community: Community, report: Report, counts: dict[tuple[str, str], int]
) -> None:
    report.count("votes")
    post = _key(row, "post", file, line)
    kind = _text(row, "kind", file, line)
    if kind not in ("up", "down", "accept"):
        raise Damaged(file, line, f"kind is {kind!r}, not up, down or accept")
    if post not in community.posts:
        report.ignore("votes on posts that are not there")
        return
    voter = row.get("voter")
    # Votes have no id of their own. Somebody's vote on a post is known by the two, and of those without a
    # voter the n-th of its kind on its post is the same one in each run.
    if voter in (None, ""):
        place = counts[(post, kind)] = counts.get((post, kind), 0) + 1
        key = f"{post}:{kind}:{place}"
    else:
        key = f"{post}:by:{voter}"
    community.votes.append(
        VoteRecord(
            key if len(key) <= LONGEST_ID else hashlib.sha256(key.encode()).hexdigest(),
            post,
            kind,
            None if voter in (None, "") else str(voter),
            _moment(row, "created", file, line),
            line,
        )
    )


def _key(row: Row, name: str, file: str, line: int) -> str:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise Damaged(file, line, f"{name} is missing")
    if not str(value).isprintable():
        raise Damaged(file, line, f"{name} has signs that cannot be seen")
    if len(str(value)) > 76:
        raise Damaged(file, line, f"{name} is longer than 76 characters")
    return str(value)


def _text(row: Row, name: str, file: str, line: int) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Damaged(file, line, f"{name} is not a text")
    return value


def _choice(row: Row, name: str, choices: list[str], file: str, line: int) -> str:
    value = _text(row, name, file, line)
    if value and value not in choices:
        raise Damaged(file, line, f"{name} is {value[:40]!r}, not one of {', '.join(choices)}")
    return value


def _sections(row: Row, file: str, line: int) -> dict[str, str] | None:
    value = row.get("sections")
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Damaged(file, line, "sections is not an object of texts")
    return value


def _username(row: Row) -> str:
    value = row.get("username")
    return value if isinstance(value, str) and re.fullmatch(r"[a-z0-9-]{2,40}", value) else ""


def _whole(row: Row, name: str, file: str, line: int) -> int:
    value = row.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise Damaged(file, line, f"{name} is {value!r}, not a whole number")
    return value


def _moment(row: Row, name: str, file: str, line: int) -> datetime | None:
    value = row.get(name)
    if value is None:
        return None
    try:
        return moment(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise Damaged(file, line, f"{name} is {value!r}, not a time") from error
