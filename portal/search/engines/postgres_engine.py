"""The engine for PostgreSQL: its full text search over our own terms, so that both engines find alike.

The vectors are made here from `analysis` and only stored there: PostgreSQL neither parses nor stems. The
tables stand in a schema of their own, are no part of the product's data, and are made anew by a rebuild.
Writers take turns by an advisory lock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portal.search import spelling
from portal.search.analysis import digest, stem
from portal.search.engines import base
from portal.search.engines.base import Document, Hit, Hits, IndexBusy, IndexUnavailable
from portal.search.query import Query, Unit

FORMAT = 1
SCHEMA = "portal_search"
LOCK = 0x73656172  # "sear"
BATCH = 500
CANDIDATES = 4000
"""Posts that are ranked at most: of a word in more of them only the newest."""
MAX_PLACE = 16_000
GAP = 50
"""Places between title, tags and text, so that no phrase reaches across."""
WEIGHTS = "{0.35, 0.5, 0.7, 1.0}"
"""What a term counts in the text, in tags, in the title of another's thread, in one's own title."""
RARE = 3
RARE_SHARE = 2_000
DOUBTFUL = 50

_TABLES = """
CREATE TABLE portal_search.posts{new} (
    id bigint PRIMARY KEY, esteem real NOT NULL, vector tsvector NOT NULL, words text[] NOT NULL
);
CREATE TABLE portal_search.terms{new} (term text PRIMARY KEY, found integer NOT NULL);
CREATE TABLE portal_search.words{new} (word text PRIMARY KEY, found integer NOT NULL);
"""
_INDEXES = """
CREATE INDEX posts_vector{new} ON portal_search.posts{new} USING gin (vector) WITH (fastupdate = off);
CREATE INDEX words_length{new} ON portal_search.words{new} (left(word, 1), length(word));
"""
_INSERT = text(
    "INSERT INTO portal_search.posts (id, esteem, vector, words)"
    " VALUES (:id, :esteem, CAST(:vector AS tsvector), :words)"
)


class PostgresEngine:
    """`base.Engine` in the product's own database. `connect` gives its SQLAlchemy engine."""

    def __init__(self, connect: Callable[[], Engine]) -> None:
        self._connect = connect

    # --- writing ---

    def update(self, documents: Iterable[Document], gone: Iterable[int] = ()) -> None:
        """Adds, replaces and forgets in one transaction, see `base.Engine.update`."""
        latest = {document.id: document for document in documents}
        stale = sorted(latest.keys() | set(gone))
        if not stale:
            return
        with self._writing() as connection:
            self._check_format(connection)
            _count(connection, stale, -1)
            connection.execute(text("DELETE FROM portal_search.posts WHERE id = ANY(:ids)"), {"ids": stale})
            if latest:
                connection.execute(_INSERT, [_row(document) for document in latest.values()])
                _count(connection, sorted(latest), 1)

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> int:
        """New tables beside the old ones, which serve until the new ones take their names."""
        count = 0
        insert = text(str(_INSERT).replace("portal_search.posts ", "portal_search.posts_new "))
        with self._writing() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS portal_search"))
            connection.execute(
                text(
                    "DROP TABLE IF EXISTS"
                    " portal_search.posts_new, portal_search.terms_new, portal_search.words_new"
                )
            )
            connection.execute(text(_TABLES.format(new="_new")))
            rest = iter(documents)
            while rows := [_row(document) for document in islice(rest, BATCH)]:
                connection.execute(insert, rows)
                count += len(rows)
                if progress:
                    progress(count)
            connection.execute(
                text(
                    "INSERT INTO portal_search.terms_new SELECT word, ndoc"
                    " FROM ts_stat('SELECT vector FROM portal_search.posts_new');"
                    " INSERT INTO portal_search.words_new SELECT word, count(*)"
                    " FROM portal_search.posts_new, unnest(words) AS word GROUP BY word"
                )
            )
            connection.execute(text(_INDEXES.format(new="_new")))
            for table in ("posts", "terms", "words"):
                connection.execute(text(f"DROP TABLE IF EXISTS portal_search.{table}"))
                connection.execute(text(f"ALTER TABLE portal_search.{table}_new RENAME TO {table}"))
                connection.execute(text(f"ALTER INDEX portal_search.{table}_new_pkey RENAME TO {table}_pkey"))
            for index in ("posts_vector", "words_length"):
                connection.execute(text(f"ALTER INDEX portal_search.{index}_new RENAME TO {index}"))
            connection.execute(text(f"COMMENT ON TABLE portal_search.posts IS 'format {FORMAT}'"))
            connection.execute(text("ANALYZE portal_search.posts"))
        if progress:
            progress(count)
        return count

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._damage(), self._connect().begin() as connection:
            free = connection.execute(
                text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}
            ).scalar_one()
            if not free:
                raise IndexBusy("the search index is being written by another process")
            yield connection

    @contextmanager
    def _damage(self) -> Iterator[None]:
        """Whatever the database refuses becomes `IndexUnavailable`."""
        try:
            yield
        except IndexUnavailable:
            raise
        except SQLAlchemyError as error:
            reason = str(error.orig).splitlines()[0] if isinstance(error, DBAPIError) else str(error)
            raise IndexUnavailable(f"the search index cannot be used: {reason[:200]}") from error

    # --- checking ---

    def ready(self) -> int:
        """How many documents the index holds, about."""
        with self._damage(), self._connect().connect() as connection:
            self._check_format(connection)
            return int(
                connection.execute(
                    text(
                        "SELECT CASE WHEN reltuples < 10000"
                        " THEN (SELECT count(*) FROM portal_search.posts) ELSE reltuples END"
                        " FROM pg_class WHERE oid = 'portal_search.posts'::regclass"
                    )
                ).scalar_one()
            )

    def check(self) -> int:
        """Reads every row; how many documents the index holds."""
        with self._damage(), self._connect().connect() as connection:
            self._check_format(connection)
            return int(
                connection.execute(
                    text("SELECT count(*) FROM portal_search.posts WHERE length(vector) >= 0")
                ).scalar_one()
            )

    def _check_format(self, connection: Connection) -> None:
        note, terms, words = connection.execute(
            text(
                "SELECT obj_description(to_regclass(:posts), 'pg_class'),"
                " to_regclass(:terms), to_regclass(:words)"
            ),
            {table: f"portal_search.{table}" for table in ("posts", "terms", "words")},
        ).one()
        if note != f"format {FORMAT}" or terms is None or words is None:
            raise IndexUnavailable("there is no search index, or it is of another version")

    # --- answering ---

    def search(self, query: Query, fill: bool = False) -> Hits:
        """The posts that answer the query, see `base.Hits` and `base.Engine.search`."""
        if not query:
            return Hits()
        with self._damage(), self._connect().connect() as connection:
            self._check_format(connection)
            return _Answer(connection, query).hits(fill)


def _row(document: Document) -> dict[str, Any]:
    """A document as a row: its vector written out, since PostgreSQL must not parse our terms."""
    own_title = document.kind == "opening"
    places: OrderedDict[str, list[str]] = OrderedDict()
    start = 1
    for part, weight in (
        (document.title, "A" if own_title else "B"),
        (" ".join(document.tags), "C"),
        (document.body, "D"),
    ):
        found = digest(part)
        ordered = found.places.split()
        for place, term in enumerate(ordered, start):
            if len(places.setdefault(term, [])) < 100:
                places[term].append(f"{min(place, MAX_PLACE)}{weight}")
        for term in found.counts.keys() - set(ordered):
            places.setdefault(term, []).append(f"{min(start + len(ordered) + 1, MAX_PLACE)}{weight}")
        start += len(ordered) + GAP
    return {
        "id": document.id,
        "esteem": base.esteem(document),
        "vector": " ".join(f"{_quoted(term)}:{','.join(spots)}" for term, spots in places.items()),
        "words": sorted(digest(f"{document.title} {document.body}").words),
    }


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _count(connection: Connection, ids: list[int], by: int) -> None:
    """Adds the terms and words of these posts to the counts, or takes them away."""
    for table, column, source in (
        ("terms", "term", "unnest(tsvector_to_array(vector))"),
        ("words", "word", "unnest(words)"),
    ):
        connection.execute(
            text(
                f"INSERT INTO portal_search.{table} AS kept ({column}, found)"  # noqa: S608 - names of ours
                f" SELECT item, count(*) * :by FROM portal_search.posts, {source} AS item"
                " WHERE id = ANY(:ids) GROUP BY item"
                f" ON CONFLICT ({column}) DO UPDATE SET found = kept.found + excluded.found"
            ),
            {"ids": ids, "by": by},
        )
        if by < 0:
            connection.execute(text(f"DELETE FROM portal_search.{table} WHERE found <= 0"))  # noqa: S608 - a name of ours


class _Answer:
    """One query on one connection."""

    def __init__(self, connection: Connection, query: Query) -> None:
        self._connection = connection
        self._query = query
        self._total = max(1, self._estimate())
        self._found = self._counts(_all_terms(query))
        self._better: dict[str, str] = {}
        self._ways = [self._plan(unit) for unit in query.units]

    def hits(self, fill: bool) -> Hits:
        """Complete hits first, then those with some of it."""
        typed = " & ".join(f"({way.typed})" for way in self._ways)
        complete = self._ranked(typed, limit=base.MAX_HITS, leave_out=[]) if typed else []
        others: list[Hit] = []
        room = base.MAX_HITS - len(complete)
        anything = " | ".join(f"({way.any})" for way in self._ways)
        if room and (fill or len(complete) < base.ENOUGH) and anything != typed:
            others = self._ranked(anything, limit=room, leave_out=[hit.id for hit in complete], shares=True)
        suggestion = base.respell(self._query.text, self._better) if self._better else None
        return Hits((*complete, *others), len(complete), suggestion)

    def _estimate(self) -> int:
        return int(
            self._connection.execute(
                text("SELECT greatest(reltuples, 100) FROM pg_class WHERE oid = to_regclass(:table)"),
                {"table": "portal_search.posts"},
            ).scalar_one()
        )

    def _counts(self, terms: Iterable[str]) -> dict[str, int]:
        rows = self._connection.execute(
            text("SELECT term, found FROM portal_search.terms WHERE term = ANY(:terms)"),
            {"terms": sorted(terms)},
        )
        return {str(term): int(found) for term, found in rows}

    def _rarity(self, terms: Iterable[str]) -> float:
        return max(base.rarity(self._found.get(term, 0), self._total) for term in terms)

    def _plan(self, unit: Unit) -> _Way:
        terms = unit.terms
        found = min(self._found.get(term, 0) for term in terms)
        whole = self._found.get(unit.whole, 0) if unit.whole else 0
        if not found and not whole and unit.instead:
            terms = unit.instead
        loose = " & ".join(map(_quoted, terms))
        typed = loose
        if unit.phrase:
            typed = f"({loose}) & ({' <-> '.join(map(_quoted, unit.phrase))})"
        if unit.whole and whole:
            typed = loose = f"({loose}) | {_quoted(unit.whole)}"
        weight = self._rarity([*terms, *([unit.whole] if whole and unit.whole else [])])
        guessed = self._guess(unit, found + whole)
        if guessed:
            if not found and not whole:
                weight = self._rarity(guessed)
            loose = f"({loose}) | " + " | ".join(map(_quoted, guessed))
        return _Way(typed, loose, weight)

    def _guess(self, unit: Unit, found: int) -> list[str]:
        """Terms of likelier spellings; notes the best one."""
        word = unit.spelled
        if not word or found > max(RARE, self._total // RARE_SHARE) or not spelling.allowed_edits(word):
            return []
        edits = spelling.allowed_edits(word)
        rows = self._connection.execute(
            text(
                "SELECT word, found FROM portal_search.words"
                " WHERE left(word, 1) = ANY(:firsts) AND length(word) BETWEEN :low AND :high"
                " AND found >= :least"
            ),
            {
                "firsts": sorted(set(word[:2])),
                "low": len(word) - edits,
                "high": len(word) + edits,
                "least": max(1, DOUBTFUL * found),
            },
        )
        vocabulary = spelling.Vocabulary.of({str(other): int(number) for other, number in rows})
        guesses = [near for near in spelling.neighbours(word, [vocabulary]) if stem(near.word) != stem(word)]
        if not guesses:
            return []
        self._better[unit.typed] = guesses[0].word
        terms = [stem(guess.word) for guess in guesses]
        self._found |= self._counts(terms)
        return terms

    def _ranked(self, condition: str, *, limit: int, leave_out: list[int], shares: bool = False) -> list[Hit]:
        """The best of the newest posts that meet a condition: per unit its weight times PostgreSQL's rank,
        with `shares` times the share of the query that is met; times the post's esteem."""
        values: dict[str, Any] = {
            "condition": condition,
            "candidates": CANDIDATES,
            "limit": limit,
            "leave_out": leave_out,
            "whole": sum(way.weight for way in self._ways),
        }
        scores, met = [], []
        for number, way in enumerate(self._ways):
            values[f"unit{number}"] = way.any
            values[f"weight{number}"] = way.weight
            unit = f"CAST(:unit{number} AS tsquery)"
            scores.append(f":weight{number} * ts_rank('{WEIGHTS}', vector, {unit}, 1)")
            met.append(f"CASE WHEN vector @@ {unit} THEN :weight{number} ELSE 0 END")
        share = f" * power(({' + '.join(met)}) / :whole, 2)" if shares else ""
        close = self._closeness(values)
        rows = self._connection.execute(
            text(
                f"SELECT id, ({' + '.join(scores)}){share} * esteem{close} AS rank"  # noqa: S608 - bound
                " FROM (SELECT id, vector, esteem FROM portal_search.posts"
                " WHERE vector @@ CAST(:condition AS tsquery)"
                " AND NOT (id = ANY(CAST(:leave_out AS bigint[])))"
                " ORDER BY id DESC LIMIT :candidates) AS likely"
                " ORDER BY rank DESC, id DESC LIMIT :limit"
            ),
            values,
        )
        return [Hit(int(id), float(rank)) for id, rank in rows]

    def _closeness(self, values: dict[str, Any]) -> str:
        """A factor for the query's neighbouring words being neighbours in the post too."""
        pairs = base.neighbouring(self._query.order)[:8]
        if not pairs:
            return ""
        parts = []
        for number, (one, other) in enumerate(pairs):
            values[f"pair{number}"] = f"{_quoted(one)} <-> {_quoted(other)}"
            parts.append(f"CASE WHEN vector @@ CAST(:pair{number} AS tsquery) THEN 1 ELSE 0 END")
        return f" * (1 + {base.CLOSENESS} * ({' + '.join(parts)}) / {len(pairs)}.0)"


class _Way:
    """A unit as two conditions: as it was typed, and with whatever else may stand for it."""

    def __init__(self, typed: str, any: str, weight: float) -> None:
        self.typed = typed
        self.any = any
        self.weight = weight


def _all_terms(query: Query) -> set[str]:
    terms: set[str] = set()
    for unit in query.units:
        terms.update(unit.terms, unit.instead, unit.phrase, [unit.whole] if unit.whole else [])
    return terms
