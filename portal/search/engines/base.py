"""What every engine takes and gives, and the ranking they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from portal.search.analysis import Digest, digest
from portal.search.query import Query

MAX_HITS = 1000
"""Ids that an answer holds at most."""
ENOUGH = 100
"""So many hits with everything asked for need no others with some of it, unless the caller insists."""


class IndexUnavailable(Exception):
    """The index is missing, damaged or busy: search has to say so or do without it."""


class IndexBusy(IndexUnavailable):
    """Another process is writing the index; it is whole, only later."""


@dataclass(frozen=True, slots=True)
class Document:
    """One post as it is searched. `kind` is opening, answer, reply or comment; `title` and `tags` are
    its thread's, `body` is plain text, `votes` its score (may be negative)."""

    id: int
    thread_id: int
    kind: str
    title: str
    body: str
    tags: Sequence[str] = ()
    accepted: bool = False
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A post and its rank: a number that only compares within one answer, higher is better."""

    id: int
    rank: float


@dataclass(frozen=True, slots=True)
class Hits:
    """An engine's answer, best first, at most 1,000 posts.

    The first `complete` have all that was asked for; the others have some of it. The caller shows
    the others only if fewer than five of the first are visible to the reader (and asks again with
    `fill` where there are none), so that what a reader may not see cannot decide what they see.
    `suggestion` is the query with likelier spellings.
    """

    hits: tuple[Hit, ...] = ()
    complete: int = 0
    suggestion: str | None = None


class Engine(Protocol):
    """An index of posts. Every method raises `IndexUnavailable` where the index cannot serve; writing
    raises `IndexBusy` while another process writes."""

    def update(self, documents: Iterable[Document], gone: Iterable[int] = ()) -> None:
        """Adds or replaces documents and forgets the posts that are `gone`, in one step. Of two documents
        with one id the later one stays; unknown ids are no error."""

    def ready(self) -> int:
        """How many documents the index holds, by a quick look at whether it can serve."""

    def search(self, query: Query, fill: bool = False) -> Hits:
        """The posts that answer the query. Those that have only some of it follow where few have all of
        it, or always with `fill`."""

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> int:
        """A new index of exactly these documents, served once it is whole; how many."""

    def check(self) -> int:
        """How many documents the index holds, after reading every byte of it again."""


# --- Ranking: BM25F with the parts of a post as fields, times what the community thinks of the post ---

TITLE_WEIGHT = {"opening": 4.0, "answer": 1.6, "reply": 1.0, "comment": 0.5}
TAG_WEIGHT = {"opening": 2.0, "answer": 0.8, "reply": 0.5, "comment": 0.2}
K1 = 1.4
B = 0.55
USUAL_LENGTH = 90
"""Terms of a middling post. Fixed, so that an index built bit by bit equals one built at once."""

CLOSENESS = 0.35
"""How much a hit gains, at most, by having the query's words side by side."""
ACCEPTED = 1.12
COMMENT = 0.85
PER_DOUBLING_OF_VOTES = 0.035
CORRECTED = 0.6
"""What a term counts for that stands in for a misspelled one."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A document ready for an index: what each term adds to its rank (before rarity), its places in
    order (title, tags and body apart), its words for spelling."""

    impacts: dict[str, float]
    places: str
    words: set[str]


def weigh(document: Document) -> Weighed:
    """The document's terms with their weights.

    BM25F: frequencies of title, tags and body are added with weights before saturation, the body's
    divided by its length. Robertson, Zaragoza, Taylor: Simple BM25 Extension to Multiple Weighted
    Fields (2004). Accepted answers and votes then raise all terms alike, by a little.
    """
    title, tags, body = digest(document.title), digest(" ".join(document.tags)), digest(document.body)
    frequency: dict[str, float] = {}
    length = sum(body.counts.values())
    _add(frequency, body, 1 / (1 - B + B * length / USUAL_LENGTH))
    _add(frequency, title, TITLE_WEIGHT.get(document.kind, 1.0))
    _add(frequency, tags, TAG_WEIGHT.get(document.kind, 0.5))
    regard = esteem(document)
    impacts = {term: regard * f * (K1 + 1) / (f + K1) for term, f in frequency.items()}
    return Weighed(impacts, f"{title.places}|{tags.places}|{body.places}", title.words | body.words)


def _add(frequency: dict[str, float], part: Digest, weight: float) -> None:
    for term, number in part.counts.items():
        frequency[term] = frequency.get(term, 0.0) + weight * number


def esteem(document: Document) -> float:
    """What acceptance and votes make of a post's rank: a factor around 1."""
    factor = ACCEPTED if document.accepted else 1.0
    if document.kind == "comment":
        factor *= COMMENT
    if document.votes > 0:
        factor *= 1 + PER_DOUBLING_OF_VOTES * math.log2(1 + min(document.votes, 255))
    elif document.votes < 0:
        factor *= max(0.8, 1 + 0.05 * document.votes)
    return factor


def rarity(found: int, total: int) -> float:
    """How much a term tells that occurs in `found` of `total` documents (BM25's idf, above 0)."""
    return math.log(1 + (max(total, found) - found + 0.5) / (found + 0.5))


def neighbouring(order: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of neighbouring terms of a query, each once."""
    return list(dict.fromkeys(pairwise(order)))


def closeness(places: str, order: Sequence[str]) -> float:
    """The share of the query's neighbouring words that are neighbours in the document too, 0 to 1."""
    pairs = neighbouring(order)
    if not pairs:
        return 0.0
    return sum(f" {a} {b} " in places for a, b in pairs) / len(pairs)


def respell(text: str, better: Mapping[str, str]) -> str | None:
    """The query with likelier spellings in place of what was typed; None where nothing changed."""
    words = text.split()
    changed = [better.get(word.strip("?!.,;:()").lower(), word) for word in words]
    return " ".join(changed) if changed != words else None
