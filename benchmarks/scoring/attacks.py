"""Rings that want into the top 20, written beside a community in the importer's own form.

Every account answers others' questions at the mean pace of the five busiest members for 180 days, with
nothing worth reading. In a clique everybody upvotes and accepts everybody; in a star all thank one; a
spammer thanks nobody and is thanked by nobody.
"""

import itertools
import json
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.scoring.reading import Answer, Community

SPAN = 180  # days that an attack goes on
BEFORE = 540  # days of the community that are brought in: what is older counts 1/512 or less
CLIQUES = (3, 5, 10, 20)
CROWDED = (2, 3, 5)  # companies of a clique that has several people in each, so that a company's limit binds
PEOPLE = 5  # in each of those
UPVOTES = 5  # on each answer within a ring: more of them count nothing


@dataclass(frozen=True)
class Group:
    """One attack: its accounts, by the company they work for; in a star the first one gains."""

    name: str
    companies: tuple[tuple[str, ...], ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(itertools.chain.from_iterable(self.companies))

    @property
    def others(self) -> int:
        """Companies beside the gainer's own."""
        return len(self.companies) - 1


def groups() -> list[Group]:
    """All attacks of the protocol, and cliques of a few companies with several people in each."""
    found = [_group(f"clique of {size}, one company", 1, size) for size in CLIQUES]
    found += [_group(f"clique of {size}, as many companies", size, 1) for size in CLIQUES]
    found += [_group(f"clique of {PEOPLE} people in each of {n} companies", n, PEOPLE) for n in CROWDED]
    found.append(_group("star of 20", 21, 1))
    found.append(_group("spammer", 1, 1))
    return found


def _group(name: str, companies: int, people: int) -> Group:
    prefix = f"{name.split()[0]}-{companies}x{people}"
    return Group(name, tuple(tuple(f"{prefix}-{n}-{one}" for one in range(people)) for n in range(companies)))


def write(community: Community, day: int, folder: Path) -> list[Group]:
    """posts.jsonl, users.jsonl and votes.jsonl of the community before `day`, with every ring in it."""
    times = [answer.at for answer in community.answers]
    honest = community.answers[bisect_left(times, day - BEFORE) : bisect_left(times, day)]
    found = groups()
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(_rows(honest, found, day), key=lambda row: str(row[1]["created"]))
    for kind in ("posts", "votes"):
        lines = [json.dumps(row) + "\n" for of, row in rows if of == kind]
        (folder / f"{kind}.jsonl").write_text("".join(lines), encoding="utf-8")
    people = {str(row["author"]) for of, row in rows if of == "posts"}
    people |= {account for group in found for account in group.accounts}
    lines = [json.dumps({"id": one, "name": f"member {one}"}) + "\n" for one in sorted(people)]
    (folder / "users.jsonl").write_text("".join(lines), encoding="utf-8")
    return found


def pace(honest: list[Answer], day: int) -> int:
    """How many answers the five busiest wrote in the last 180 days, on average."""
    counts = Counter(answer.author for answer in honest if answer.at >= day - SPAN)
    busiest = [count for _author, count in counts.most_common(5)]
    return max(1, round(sum(busiest) / max(1, len(busiest))))


Row = tuple[str, dict[str, object]]


def _rows(honest: list[Answer], found: list[Group], day: int) -> Iterator[Row]:
    asked: dict[str, float] = {}
    for answer in honest:
        asked[answer.thread] = min(answer.at, asked.get(answer.thread, answer.at))
    askers = {answer.thread: answer.asker for answer in honest}
    for thread, at in asked.items():
        yield _post(f"q{thread}", f"q{thread}", "question", askers[thread], at - 0.001)
    taken: set[str] = set()
    for answer in honest:
        accepted = answer.accepted_at is not None and answer.accepted_at < day
        accepted = accepted and answer.thread not in taken
        yield _post(f"a{answer.id}", f"q{answer.thread}", "answer", answer.author, answer.at, accepted)
        if accepted:
            taken.add(answer.thread)
            yield _vote(f"a{answer.id}", "accept", answer.accepted_at or answer.at)
        for at in answer.ups:
            if at < day:
                yield _vote(f"a{answer.id}", "up", at)
    draw = random.Random(day)
    open_questions = sorted(thread for thread, at in asked.items() if at >= day - SPAN) or sorted(asked)
    numbers = itertools.count(1)
    speed = pace(honest, day)
    for group in found:
        yield from _ring(group, open_questions, speed, day, draw, numbers)


def _ring(
    group: Group,
    questions: list[str],
    speed: int,
    day: int,
    draw: random.Random,
    numbers: "itertools.count[int]",
) -> Iterator[Row]:
    star = group.name.startswith("star")
    answering = group.accounts[:1] if star else group.accounts
    for account in answering:
        others = [one for one in group.accounts if one != account]
        for n in range(speed):
            at = day - SPAN + SPAN * (n + draw.random()) / speed
            key = f"junk{next(numbers)}"
            yield _post(key, f"q{draw.choice(questions)}", "answer", account, at)
            for voter in draw.sample(others, min(UPVOTES, len(others))):
                yield _vote(key, "up", min(at + draw.random(), day - 0.001), voter)
        for other in others:  # each asks the gainer something and accepts the answer, just in time
            asked = day - draw.random() * 3 - 0.1
            key = f"ask{next(numbers)}"
            yield _post(key, key, "question", other, asked)
            yield _post(f"{key}-a", key, "answer", account, asked + 0.01, True)
            yield _vote(f"{key}-a", "accept", asked + 0.02)


def _post(key: str, thread: str, kind: str, author: str, at: float, accepted: bool = False) -> Row:
    opening = kind == "question"
    row: dict[str, object] = {
        "id": key,
        "thread": thread,
        "kind": kind,
        "author": author,
        "created": _moment(at),
        "title": f"Question {key}" if opening else None,
        "body": None,
    }
    if not opening:
        row |= {"parent": thread, "accepted": accepted}
    return "posts", row


def _vote(post: str, kind: str, at: float, voter: str | None = None) -> Row:
    row: dict[str, object] = {"post": post, "kind": kind, "created": _moment(at)}
    if voter is not None:
        row["voter"] = voter
    return "votes", row


def _moment(days: float) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)).isoformat()


def by_group(found: list[Group], scores: dict[str, float]) -> dict[str, list[tuple[str, float]]]:
    """Accounts of each group, highest first."""
    ranked: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for group in found:
        ranked[group.name] = sorted(
            ((one, scores.get(one, 0.0)) for one in group.accounts), key=lambda pair: -pair[1]
        )
    return ranked
