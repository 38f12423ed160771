"""Communities of a given size as JSONL, the same at each run."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

SEED = 20261122
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 800
LONG_THREAD_POSTS = 2_000
COMMON_WORD = "quokka"  # in 1 % of posts
RARE_WORD = "axolotl"  # in 20 posts
WORDS_A_POST = 62

_SYLLABLES = [
    "ba",
    "con",
    "del",
    "fer",
    "gra",
    "lo",
    "min",
    "nor",
    "pa",
    "qui",
    "re",
    "sol",
    "ta",
    "ver",
    "zi",
]


@dataclass(frozen=True)
class Size:
    """How much: people, threads and posts (openings included)."""

    name: str
    users: int
    threads: int
    posts: int


TINY = Size("tiny", 100, 100, 3_000)
S = Size("S", 1_000, 2_000, 20_000)
L = Size("L", 5_000, 20_000, 200_000)
SIZES = {size.name: size for size in (TINY, S, L)}


def vocabulary(draw: random.Random) -> list[str]:
    """Some thousand words that no language has."""
    words = {"".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(6_000)}
    return sorted(words)


def weighted(draw: random.Random) -> tuple[list[str], list[float]]:
    """Words with cumulated weights: as in a language few are frequent."""
    words = vocabulary(draw)
    return words, list(accumulate(1 / rank for rank in range(1, len(words) + 1)))


def name(draw: random.Random) -> str:
    """A person's name."""
    return " ".join("".join(draw.choices(_SYLLABLES, k=3)).capitalize() for _ in range(2))


def body(draw: random.Random, words: list[str], weights: list[float], extra: list[str]) -> str:
    """A post in Markdown, with the words of `extra` somewhere in it."""
    text = draw.choices(words, cum_weights=weights, k=WORDS_A_POST)
    for word in extra:
        text[draw.randrange(len(text))] = word
    text[5], text[9] = f"**{text[5]}**", f"`{text[9]}`"
    text[20] = f"[{text[20]}](https://docs.example/{text[21]})"
    paragraphs = [" ".join(text[:25]) + ".", " ".join(text[25:]) + "."]
    shape = draw.random()
    if shape < 0.15:
        paragraphs.insert(1, "\n".join(f"- {' '.join(draw.choices(words, k=4))}" for _ in range(3)))
    elif shape < 0.25:
        paragraphs.insert(1, "> " + " ".join(text[10:24]))
    elif shape < 0.35:
        paragraphs.insert(1, "```python\nfor row in rows:\n    print(row.name, row.total)\n```")
    return "\n\n".join(paragraphs)


def posts(size: Size) -> Iterator[dict[str, Any]]:
    """Posts in the importer's form; those of one thread lie scattered in time. Thread 1 has 2,000 posts."""
    draw = random.Random(SEED)
    words, weights = weighted(draw)
    rare = set(draw.sample(range(size.posts), 20))
    long_thread = min(LONG_THREAD_POSTS, size.posts // 3)
    threads = list(range(1, size.threads + 1))
    rest = [1] * (long_thread - 1) + draw.choices(threads[1:], k=size.posts - size.threads - long_thread + 1)
    draw.shuffle(rest)
    order = threads + rest
    step = timedelta(days=DAYS) / len(order)
    opened: set[int] = set()
    for index, thread in enumerate(order):
        extra = [COMMON_WORD] if index % 100 == 7 else []
        if index in rare:
            extra.append(RARE_WORD)
        first = thread not in opened
        opened.add(thread)
        yield {
            "id": f"t{thread}" if first else f"p{index + 1}",  # a thread is named by its opening post
            "thread": f"t{thread}",
            "parent": None,
            "kind": "question" if first else "answer",
            "author": f"u{draw.randint(1, size.users)}",
            "created": (NOW - timedelta(days=DAYS) + step * index).isoformat(),
            "score": draw.choice([0, 0, 0, 1, 1, 2, 5]),
            "accepted": False,
            "title": " ".join(draw.choices(words, k=6)).capitalize() if first else None,
            "tags": draw.sample(["sync", "export", "roles", "price", "upgrade"], k=2) if first else [],
            "body": body(draw, words, weights, extra),
        }


def users(size: Size) -> Iterator[dict[str, Any]]:
    draw = random.Random(SEED + 1)
    for number in range(1, size.users + 1):
        yield {"id": f"u{number}", "name": name(draw), "joined": (NOW - timedelta(days=DAYS + 1)).isoformat()}


def write(size: Size, folder: Path) -> tuple[Path, Path]:
    """posts.jsonl.gz and users.jsonl.gz of this size; kept from an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, rows in (("posts", posts), ("users", users)):
        path = folder / f"{name}.jsonl.gz"
        if not path.exists():
            part = path.with_suffix(".part")
            with gzip.open(part, "wt", compresslevel=1, encoding="utf-8") as out:
                for row in rows(size):
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
            part.replace(path)
        made.append(path)
    return made[0], made[1]


def repeated(source: Path, target: Path, wanted: int) -> Path:
    """`wanted` posts made of a JSONL file's, again and again with new ids; kept from an earlier run."""
    if target.exists():
        return target
    part = target.with_suffix(".part")
    count = 0
    with gzip.open(part, "wt", compresslevel=1, encoding="utf-8") as out:
        for copy in range(10_000):
            with gzip.open(source, "rt", encoding="utf-8") as rows:
                for line in rows:
                    row = json.loads(line)
                    for key in ("id", "thread", "parent", "accepted"):
                        if isinstance(row.get(key), str):
                            row[key] = f"{copy}-{row[key]}"
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                    count += 1
                    if count == wanted:
                        break
            if count == wanted:
                break
    part.replace(target)
    return target
