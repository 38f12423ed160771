"""The list of holds, and how much a company was held: so that hoarding can be seen."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Company, Member
from portal.relations.models import Hold, PlacedAs
from portal.relations.queries.known import last_day_of
from portal.relations.queries.predicates import is_known, is_open

IN_A_ROW = timedelta(days=14)  # a hold that begins no later after the end of the last one follows it
YEAR = timedelta(days=365)
MOST = 2_000
OPEN, ENDED, ALL = "", "ended", "all"
SHOWS = (OPEN, ENDED, ALL)


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A hold with who placed and who ended it, and how its company was held within a year."""

    id: int
    company: str
    slug: str
    reason: str
    placed_as: PlacedAs
    by: str
    by_username: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None  # before its time
    ended_by: str
    ended_because: str
    version: int
    in_a_row: int  # which one in a row this is; 1 where none came before
    days_held: int  # days of the last 365 on which the company was held, begun ones too

    @property
    def is_open(self) -> bool:
        return self.ended_at is None and self.expires_at > clock.now()

    @property
    def last_day(self) -> date:
        """The last day it holds, or would have held."""
        return last_day_of(self.expires_at)

    @property
    def over_at(self) -> datetime:
        """When it ended, or will end."""
        return self.ended_at or self.expires_at


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a company was, or will be, held by one hold."""

    hold_id: int
    begins: datetime
    ends: datetime


_ORDERS: dict[str, Any] = {
    "": lambda one: (one.over_at, one.id),
    "newest": lambda one: (-one.created_at.timestamp(), -one.id),
    "held": lambda one: (-one.days_held, one.over_at, one.id),
    "company": lambda one: (one.company.lower(), one.id),
}
SORTS = tuple(_ORDERS)


def holds(
    *, show: str = OPEN, words: str = "", placed_as: PlacedAs | None = None, sort: str = ""
) -> list[HoldLine]:
    """The holds that fit, at most 2,000: two statements. Those that are over: the latest first."""
    lines = _lines(
        *_shown(show),
        *([func.lower(Company.name).contains(words.lower()[:60], autoescape=True)] if words else []),
        *([Hold.placed_as == placed_as] if placed_as else []),
    )
    if not sort and show != OPEN:
        return sorted(lines, key=lambda one: (not one.is_open, -one.over_at.timestamp(), one.id))
    return sorted(lines, key=_ORDERS[sort])


def holds_of(company_id: int) -> list[HoldLine]:
    """Every hold of a company, the newest first."""
    return sorted(_lines(Hold.company_id == company_id), key=_ORDERS["newest"])


def hold_by_id(hold_id: int) -> HoldLine | None:
    return next(iter(_lines(Hold.id == hold_id)), None)


def _shown(show: str) -> list[Any]:
    return {OPEN: [is_open()], ENDED: [~is_open()]}.get(show, [])


def _lines(*conditions: Any) -> list[HoldLine]:
    placer, ender = aliased(Member), aliased(Member)
    rows = db.session.execute(
        select(Hold, Company.name, Company.slug, placer.name, placer.username, ender.name)
        .join(Company, Company.id == Hold.company_id)
        .outerjoin(placer, placer.id == Hold.placed_by_id)
        .outerjoin(ender, ender.id == Hold.ended_by_id)
        .where(is_known(), *conditions)
        .order_by(Hold.id.desc())
        .limit(MOST)
    ).all()
    spans = spans_of({row[0].company_id for row in rows})
    row_of = {company_id: places_in_a_row(found) for company_id, found in spans.items()}
    days = {company_id: days_held(found) for company_id, found in spans.items()}
    return [
        HoldLine(
            id=hold.id,
            company=company,
            slug=slug,
            reason=hold.reason,
            placed_as=hold.placed_as,
            by=by or "",
            by_username=by_username or "",
            created_at=hold.created_at,
            expires_at=hold.expires_at,
            ended_at=hold.ended_at,
            ended_by=ended_by or "",
            ended_because=hold.ended_because,
            version=hold.version,
            in_a_row=row_of[hold.company_id][hold.id],
            days_held=days[hold.company_id],
        )
        for hold, company, slug, by, by_username, ended_by in rows
    ]


def spans_of(company_ids: Iterable[int]) -> dict[int, list[Span]]:
    """By company: from when to when it was held, in the order in which the holds were placed."""
    rows = db.session.execute(
        select(Hold.company_id, Hold.id, Hold.created_at, func.coalesce(Hold.ended_at, Hold.expires_at))
        .where(Hold.company_id.in_(set(company_ids)))
        .order_by(Hold.created_at, Hold.id)
    )
    found: dict[int, list[Span]] = defaultdict(list)
    for company_id, hold_id, begins, ends in rows:
        found[company_id].append(Span(hold_id, begins, ends))
    return found


def places_in_a_row(spans: Iterable[Span]) -> dict[int, int]:
    """By hold: which one in a row it is. `spans` in the order in which they began."""
    places: dict[int, int] = {}
    place, until = 0, datetime.min.replace(tzinfo=UTC)
    for span in spans:
        follows = place > 0 and span.begins <= until + IN_A_ROW
        place = place + 1 if follows else 1
        until = max(until, span.ends) if follows else span.ends
        places[span.hold_id] = place
    return places


def days_held(spans: Iterable[Span], at: datetime | None = None) -> int:
    """Days of the last 365 on which one hold or more was in force, 0 to 365; a begun day is one."""
    now = at or clock.now()
    since, held = now - YEAR, timedelta()
    reached = since
    for span in spans:
        begins, ends = max(span.begins, reached), min(span.ends, now)
        if ends > begins:
            held += ends - begins
            reached = ends
    return ceil(held / timedelta(days=1))
