"""Reads a Stack Exchange dump: Posts, Users, Comments, Votes, Tags and Badges, each .xml or .xml.gz."""

import re
import xml.sax.handler
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from portal.exchange import reading
from portal.exchange.records import (
    Community,
    Damaged,
    PostRecord,
    Report,
    UserRecord,
    VoteRecord,
    check_references,
    end_of_day,
    moment,
)

# The other types are no opinion on a post: bookmarks, flags, closings, bounties.
VOTES = {"1": "accept", "2": "up", "3": "down"}
KINDS = {"1": "question", "2": "answer"}
Row = dict[str, str]


def read(folder: Path, report: Report, *, source: str, site: str = "") -> Community:
    """The whole dump, checked. Raises Damaged with file and line before anything is written."""
    if not folder.is_dir():
        raise Damaged(str(folder.name or folder), None, "no such folder")
    site = site or _site(folder)
    community = Community(
        source=source, base_url=f"https://{site}/", file="Posts.xml", votes_file="Votes.xml"
    )
    for row, line in _rows(folder, "Users.xml"):
        _user(row, line, community, report)
    accepted: list[tuple[str, int]] = []
    for row, line in _rows(folder, "Posts.xml"):
        _post(row, line, community, report, site)
        if "AcceptedAnswerId" in row:
            accepted.append((row["AcceptedAnswerId"], line))
    for answer, line in accepted:
        if answer in community.posts:
            community.posts[answer].accepted = True
        else:
            report.skip("Posts.xml", line, f"the accepted answer {answer} is not there")
    for row, line in _rows(folder, "Comments.xml", optional=True):
        _comment(row, line, community, report, site)
    seen: set[str] = set()
    for row, line in _rows(folder, "Votes.xml", optional=True):
        _vote(row, line, community, report, seen)
    for name in ("Tags.xml", "Badges.xml"):
        for _row, _line in _rows(folder, name, optional=True):
            report.count(name.removesuffix(".xml").lower())
    check_references(community, report, "Posts.xml")
    return community


def _site(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9.-]", "", folder.resolve().name.lower().removeprefix("stackexchange-"))
    return name if "." in name else f"{name}.stackexchange.com"


def _user(row: Row, line: int, community: Community, report: Report) -> None:
    report.count("users")
    key = _id(row, "Users.xml", line)
    if key in community.users:
        raise Damaged("Users.xml", line, f"the user {key} is there twice")
    name = row.get("DisplayName", "").strip() or f"user{key}"
    community.users[key] = UserRecord(key, name, _moment(row, "CreationDate", "Users.xml", line), line)


def _post(row: Row, line: int, community: Community, report: Report, site: str) -> None:
    key = _id(row, "Posts.xml", line)
    kind = KINDS.get(_need(row, "PostTypeId", "Posts.xml", line))
    if kind is None:
        report.ignore(f"posts of type {row['PostTypeId']}")
        return
    report.count(f"{kind}s")
    if key in community.posts:
        raise Damaged("Posts.xml", line, f"the post {key} is there twice")
    thread = key if kind == "question" else _need(row, "ParentId", "Posts.xml", line)
    community.posts[key] = PostRecord(
        id=key,
        thread=thread,
        parent=None if kind == "question" else thread,
        kind=kind,
        author=row.get("OwnerUserId"),
        author_name=row.get("OwnerDisplayName", ""),
        created=_moment(row, "CreationDate", "Posts.xml", line),
        score=_whole(row, "Score", "Posts.xml", line),
        accepted=False,  # said by the question, see read()
        title=row.get("Title", ""),
        tags=re.findall(r"[^<>|]+", row.get("Tags", "")),
        body=row.get("Body", ""),
        body_format="html",
        line=line,
        url=f"https://{site}/{'q' if kind == 'question' else 'a'}/{key}",
        closed=_moment(row, "ClosedDate", "Posts.xml", line) if "ClosedDate" in row else None,
        edited=_moment(row, "LastEditDate", "Posts.xml", line) if "LastEditDate" in row else None,
        views=_whole(row, "ViewCount", "Posts.xml", line),
    )


def _comment(row: Row, line: int, community: Community, report: Report, site: str) -> None:
    report.count("comments")
    key = _id(row, "Comments.xml", line)
    parent = _need(row, "PostId", "Comments.xml", line)
    if f"c{key}" in community.posts:
        raise Damaged("Comments.xml", line, f"the comment {key} is there twice")
    under = community.posts.get(parent)
    if under is None:
        report.skip("Comments.xml", line, f"the post {parent} it stands under is not there")
        return
    community.posts[f"c{key}"] = PostRecord(
        id=f"c{key}",
        thread=under.thread,
        parent=parent,
        kind="comment",
        author=row.get("UserId"),
        author_name=row.get("UserDisplayName", ""),
        created=_moment(row, "CreationDate", "Comments.xml", line),
        score=_whole(row, "Score", "Comments.xml", line),
        accepted=False,
        title="",
        tags=[],
        body=row.get("Text", ""),
        body_format="markdown",
        line=line,
        url=f"https://{site}/posts/comments/{key}",
        file="Comments.xml",
    )


def _vote(row: Row, line: int, community: Community, report: Report, seen: set[str]) -> None:
    report.count("votes")
    kind = VOTES.get(_need(row, "VoteTypeId", "Votes.xml", line))
    if kind is None:
        report.ignore(f"votes of type {row['VoteTypeId']}")
        return
    post = _need(row, "PostId", "Votes.xml", line)
    if post not in community.posts:
        report.ignore("votes on posts that are not in the dump")
        return
    created = _moment(row, "CreationDate", "Votes.xml", line)
    if (created.hour, created.minute, created.second, created.microsecond) == (0, 0, 0, 0):
        created = end_of_day(created)  # the dump gives votes by the day
    key = _id(row, "Votes.xml", line)
    if key in seen:
        raise Damaged("Votes.xml", line, f"the vote {key} is there twice")
    seen.add(key)
    community.votes.append(VoteRecord(key, post, kind, row.get("UserId"), created, line))


def _id(row: Row, file: str, line: int) -> str:
    key = _need(row, "Id", file, line)
    if not re.fullmatch(r"-?\d{1,18}", key):
        raise Damaged(file, line, f"Id is {key[:40]!r}, not a number")
    return key


def _need(row: Row, name: str, file: str, line: int) -> str:
    if not row.get(name):
        raise Damaged(file, line, f"a row without {name}")
    return row[name]


def _whole(row: Row, name: str, file: str, line: int) -> int:
    try:
        number = int(row.get(name) or 0)
        if abs(number) >= 2**31:
            raise ValueError("out of range")
        return number
    except ValueError as error:
        raise Damaged(file, line, f"{name} is {row[name]!r}, not a whole number") from error


def _moment(row: Row, name: str, file: str, line: int) -> datetime:
    try:
        return moment(_need(row, name, file, line))
    except ValueError as error:
        raise Damaged(file, line, f"{name} is {row[name]!r}, not a time") from error


class _Handler(xml.sax.handler.ContentHandler):
    def __init__(self, take: Callable[[Row], None]) -> None:
        super().__init__()
        self.take = take

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        if name == "row":
            self.take(dict(attrs.items()))


def _rows(folder: Path, name: str, *, optional: bool = False) -> Iterator[tuple[Row, int]]:
    path = reading.find(folder, name)
    if path is None:
        if optional:
            return
        raise Damaged(name, None, "the dump has no such file")
    found: list[tuple[Row, int]] = []
    parser: Any = create_parser()
    parser.setContentHandler(_Handler(lambda row: found.append((row, parser.getLineNumber()))))
    try:
        for piece in reading.pieces(path):
            parser.feed(piece)
            yield from found
            found.clear()
        parser.close()
    except Damaged as damaged:
        raise damaged.at(parser.getLineNumber()) from damaged
    except SAXParseException as error:
        raise Damaged(path.name, error.getLineNumber(), error.getMessage()) from error
    except (SAXException, DefusedXmlException) as error:
        raise Damaged(path.name, None, f"not a plain XML file ({error})") from error
    yield from found
