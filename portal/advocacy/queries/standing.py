"""Who helps, as numbers and standing: of some members, the ranking, and who is rising."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, exists, func, literal, or_, select, true

from portal.advocacy.formula import HIGH_CONFIDENCE, MEDIUM_CONFIDENCE, YEAR_DAYS, Weights, company_piece
from portal.advocacy.models import CompanySum, Entry, GiverSum, MemberScore, ScoreChoice
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import Value, rows_by_receiver, values_at
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Status
from portal.kernel.db import db, rows_of
from portal.kernel.page_cache import Dear
from portal.members.models import Member, MemberState

RANKED, RISING, TOO_EARLY = "ranked", "rising", "too early"
HIGH, MEDIUM = "high", "medium"
DAY, YEAR = timedelta(days=1), timedelta(days=YEAR_DAYS)
DOUBLING = timedelta(days=60)
_LOOKED_AT = 200  # members whose number of 60 days ago is looked up for those who are rising
_ASKED_AT_ONCE = 500
_TIMES_AS_MANY = 3
_near: Dear[Sequence[int]] = Dear(most=8, least=0.02)


@dataclass(frozen=True, slots=True)
class Standing:
    """One member's facts at a moment. For members themselves and vendor moderators, never for others.

    `companies`: other companies that thanked within 365 days, counted to 20. `label`: ranked, rising or too
    early; `confidence`: high, medium or too early. `was`: helpfulness 60 days before, where it was looked up.
    """

    member_id: int
    helpfulness: float = 0.0
    thanks: float = 0.0
    participation: float = 0.0
    companies: int = 0
    label: str = TOO_EARLY
    confidence: str = TOO_EARLY
    was: float | None = None

    @property
    def doubled(self) -> bool:
        """Whether the score doubled within 60 days."""
        return self.was is not None and self.helpfulness > 0 and self.helpfulness >= 2 * self.was

    @property
    def rises(self) -> bool:
        """Whether they rise: not ranked and thanked within a year, or the score doubled within 60 days.

        Whoever doubled can be ranked beside that. `is_rising` says the same in SQL.
        """
        return self.label == RISING or self.doubled


def standings(member_ids: Collection[int], at: datetime | None = None) -> dict[int, Standing]:
    """The standing of each of these members; whoever has no entries has zeros. Opted out: left out.

    For a moment in the past it is worked out from the ledger alone. `was` is there for those near the top, of
    whom it is remembered.
    """
    now = clock.now()
    ids = sorted(set(member_ids) - opted_out(member_ids))
    if at is not None and at < now:
        return {one: _past(one, value, at) for one, value in _values_of(ids, at).items()}
    weights = weights_queries.current()
    found, thens = {one: Standing(one) for one in ids}, _thens(now)
    for start in range(0, len(ids), _ASKED_AT_ONCE):
        some = ids[start : start + _ASKED_AT_ONCE]
        rows = db.session.execute(select(MemberScore).where(MemberScore.receiver_id.in_(some))).scalars()
        for row in rows:
            known = _standing(row, weights, now)
            if row.before is not None and row.before_at in thens:
                known = _with_was(known, row.before)
            found[row.receiver_id] = known
    return found


def standing_of(member_id: int, at: datetime | None = None) -> Standing:
    """The same of one member, whatever they chose to show to others."""
    if at is not None and at < clock.now():
        return _past(member_id, _values_of([member_id], at)[member_id], at)
    row = db.session.execute(
        select(MemberScore).where(MemberScore.receiver_id == member_id)
    ).scalar_one_or_none()
    return _standing(row, weights_queries.current(), clock.now()) if row else Standing(member_id)


def ranking(limit: int, at: datetime | None = None, *, offset: int = 0) -> list[Standing]:
    """The highest among those who are ranked; ties by id. Vendor staff and who opted out do not rank."""
    if at is not None and at < clock.now():
        everybody = [one for one in _all_past(at) if one.label == RANKED]
        return _highest_first(everybody)[offset : offset + limit]
    return _now(limit, offset, ranked=True)


def rising(limit: int, at: datetime | None = None, *, approachable: bool = True) -> list[Standing]:
    """Customers not ranked yet, or whose score doubled within 60 days, highest first, with `was`.

    Former customers count as customers. Guests do not rise: nobody asks them for anything; nor, unless
    `approachable` is off, does whoever chose that the vendor leaves them alone. What somebody's
    number was is that of the first moment of this day 60 days ago, which `services.remembering` keeps; in the
    first minutes of a day, until it has, that of the day before.
    """
    moment = at if at is not None and at < clock.now() else None
    if moment:
        then = moment - DOUBLING
        past = (one for one in _all_past(moment, *_rising(approachable)) if one.helpfulness > 0)
        everybody = _highest_first(past)[:_LOOKED_AT]
        new = [one for one in everybody if one.label == RISING]
        risen = [one for one in everybody if one.label == RANKED]
    else:
        then = compared_with(clock.now())
        new, risen, kept = _near_the_top(*_thens(clock.now()), approachable=approachable)
    ids = [one.member_id for one in [*new, *risen]]
    before = {} if moment else kept
    before |= helpfulness_at([one for one in ids if one not in before], then)
    looked = [_with_was(one, before[one.member_id]) for one in [*new, *risen]]
    found = [one for one in looked if one.rises]
    return _highest_first(found)[:limit]


def compared_with(now: datetime) -> datetime:
    """The moment of the past with which today's helpfulness is compared: the same the whole day (UTC)."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - DOUBLING


def _thens(now: datetime) -> tuple[datetime, datetime]:
    """The moments of which a remembered number is good enough: that of today, for some minutes the last."""
    then = compared_with(now)
    return then, then - DAY


def to_remember(then: datetime) -> list[int]:
    """Members near the top of whom nothing says yet what their helpfulness was then."""
    new, risen, kept = _near_the_top(then)
    return [one.member_id for one in [*new, *risen] if one.member_id not in kept]


def helpfulness_at(member_ids: Sequence[int], at: datetime) -> dict[int, float]:
    """From the ledger, whatever they chose to show; 0 for whoever had no entries then."""
    return {one: value.helpfulness for one, value in _values_of(member_ids, at).items()}


def _rising(approachable: bool) -> tuple[ColumnElement[bool], ...]:
    """SQL about Member: who may rise at all."""
    customers = Member.status.in_(CUSTOMERS)
    return (customers, may_be_approached()) if approachable else (customers,)


def _near_the_top(
    *thens: datetime, approachable: bool = True
) -> tuple[list[Standing], list[Standing], dict[int, float]]:
    """The highest customers who are not ranked, those who are, and what is kept of their numbers then."""
    weights, now = weights_queries.current(), clock.now()
    kept: dict[int, float] = {}
    found = []
    for ranked in (False, True):
        rows = _highest(weights, now, _LOOKED_AT, 0, *_rising(approachable), ranked=ranked)
        kept |= {
            row.receiver_id: row.before for row in rows if row.before is not None and row.before_at in thens
        }
        found.append(_standings_of(rows, weights, now, ranked=ranked))
    return found[0], found[1], kept


def label_of(companies: int, thanks: float, weights: Weights) -> str:
    """Ranked, rising or too early."""
    if companies >= weights.companies_to_rank:
        return RANKED
    return RISING if thanks > 0 and companies else TOO_EARLY


def is_ranked(now: datetime) -> ColumnElement[bool]:
    """SQL about MemberScore: ranked now; never NULL."""
    return and_(MemberScore.ranked_until.is_not(None), MemberScore.ranked_until > now)


def is_rising(weights: Weights, now: datetime) -> ColumnElement[bool]:
    """SQL about MemberScore: what `Standing.rises` says, by what is remembered of 60 days ago."""
    number = number_now(weights, now)
    thanked = and_(
        or_(MemberScore.fixed > 0, MemberScore.falling > 0, MemberScore.unknown > 0),
        MemberScore.recent[0].as_string() > (now - YEAR).isoformat(),
    )
    remembered = and_(MemberScore.before.is_not(None), MemberScore.before_at.in_(_thens(now)))
    doubled = and_(remembered, number > 0, number >= 2 * MemberScore.before)
    return or_(and_(~is_ranked(now), thanked), doubled)


def confidence_of(companies: int) -> str:
    if companies >= HIGH_CONFIDENCE:
        return HIGH
    return MEDIUM if companies >= MEDIUM_CONFIDENCE else TOO_EARLY


def shown_members() -> ColumnElement[bool]:
    """Members who may appear in a list of helpers: about Member."""
    return (
        (Member.state == MemberState.ACTIVE)
        & (Member.status != Status.VENDOR)
        & or_(Member.import_source.is_(None), Member.external_id != "")
        & ~exists().where(ScoreChoice.member_id == Member.id, ScoreChoice.not_scored.is_(True))
    )


def may_be_approached() -> ColumnElement[bool]:
    """Members who did not choose that the vendor leaves them alone: about Member."""
    return ~exists().where(ScoreChoice.member_id == Member.id, ScoreChoice.not_approached.is_(True))


def number_now(weights: Weights, now: datetime, of: Any = MemberScore) -> ColumnElement[float]:
    """SQL: helpfulness, but for limits that stopped to bind since the sums were renewed.

    About MemberScore, or another table `of` the same sums.
    """
    decay = literal(weights.decay(now), Float(53))
    given = decay * weights.answer_points * of.given
    participation = case((given < weights.answer_limit, given), else_=weights.answer_limit)
    number: ColumnElement[float] = of.fixed + (of.falling + of.unknown) * decay + participation
    return number


def _now(limit: int, offset: int, *, ranked: bool) -> list[Standing]:
    weights, now = weights_queries.current(), clock.now()
    rows = _highest(weights, now, limit, offset, ranked=ranked)
    return _standings_of(rows, weights, now, ranked=ranked)


def _highest(
    weights: Weights, now: datetime, limit: int, offset: int, *where: ColumnElement[bool], ranked: bool
) -> Sequence[MemberScore]:
    """The highest by the sums alone, several times as many as are wanted, and of those whoever may be shown:
    so the database looks up some hundred members and not all.

    Where there are many to compare, who stands near the top may be some minutes old, their numbers never. Who
    opts out is rare; where so many of the highest did that too few remain, everybody is looked at.
    """
    standing, in_order = _in_order(weights, now, ranked=ranked)
    enough = _TIMES_AS_MANY * (limit + offset)
    ids = _near.get((ranked, enough, weights), partial(_ids_near, weights, enough, ranked=ranked))
    query = (
        select(MemberScore)
        .join(Member, Member.id == MemberScore.receiver_id)
        .where(shown_members(), *where, *standing)
        .order_by(*in_order)
        .limit(limit)
        .offset(offset)
    )
    rows = db.session.execute(query.where(MemberScore.receiver_id.in_(ids))).scalars().all()
    if len(rows) < limit and len(ids) == enough:
        rows = db.session.execute(query).scalars().all()
    return rows


def _in_order(weights: Weights, now: datetime, *, ranked: bool) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """SQL about MemberScore: who is ranked, or who has a score and is not; and the highest first."""
    number = number_now(weights, now)
    is_ranked = MemberScore.ranked_until > now
    standing = (is_ranked,) if ranked else (or_(MemberScore.ranked_until.is_(None), ~is_ranked), number > 0)
    return standing, (number.desc(), MemberScore.receiver_id)


def _ids_near(weights: Weights, most: int, *, ranked: bool) -> Sequence[int]:
    standing, in_order = _in_order(weights, clock.now(), ranked=ranked)
    near = select(MemberScore.receiver_id).where(*standing).order_by(*in_order).limit(most)
    return [row[0] for row in rows_of(near)]


def keep_ready() -> None:
    """Have those found among whom `rising` looks, before somebody asks."""
    weights, enough = weights_queries.current(), _TIMES_AS_MANY * _LOOKED_AT
    for ranked in (False, True):
        _near.renew((ranked, enough, weights), partial(_ids_near, weights, enough, ranked=ranked))


def _standings_of(
    rows: Iterable[MemberScore], weights: Weights, now: datetime, *, ranked: bool
) -> list[Standing]:
    found = [_standing(row, weights, now) for row in rows]
    if not ranked:
        found = [one for one in found if one.label != TOO_EARLY]
    return _highest_first(found)


def _standing(row: MemberScore, weights: Weights, now: datetime) -> Standing:
    decay = weights.decay(now)
    fixed, falling = row.fixed, row.falling
    if row.changes_at is not None and row.changes_at <= now:  # a limit has stopped to bind meanwhile
        fixed, falling = _renewed(row.receiver_id, weights, now)
    thanks = fixed + (falling + row.unknown) * decay
    participation = weights.participation(row.given, decay)
    companies = companies_since(row.recent, now - YEAR)
    return _of(row.receiver_id, Value(thanks, participation, companies), weights)


def companies_since(recent: Sequence[str], since: datetime) -> int:
    """How many of the moments of a row of sums, the newest first, are later than this one."""
    return bisect_left(recent, True, key=lambda one: datetime.fromisoformat(one) <= since)


def _renewed(receiver_id: int, weights: Weights, now: datetime) -> tuple[float, float]:
    """`fixed` and `falling`, worked out anew from persons where a company's limit has stopped to bind."""
    mine = CompanySum.receiver_id == receiver_id
    is_due = and_(CompanySum.changes_at.is_not(None), CompanySum.changes_at <= now)
    sums = (
        select(
            func.coalesce(func.sum(CompanySum.fixed), 0.0).label("fixed"),
            func.coalesce(func.sum(CompanySum.falling), 0.0).label("falling"),
        )
        .where(mine, ~is_due)
        .subquery()
    )
    of_company = and_(GiverSum.receiver_id == CompanySum.receiver_id, GiverSum.company == CompanySum.company)
    due = select(GiverSum.company, GiverSum.total).join(CompanySum, of_company).where(mine, is_due).subquery()
    # One statement, so that nothing is folded in between two reads.
    rows = db.session.execute(
        select(sums.c.fixed, sums.c.falling, due.c.company, due.c.total).outerjoin_from(sums, due, true())
    ).all()
    totals: dict[str, list[float]] = {}
    for row in rows:
        if row.company is not None:
            totals.setdefault(row.company, []).append(row.total)
    pieces = [company_piece(weights, of, now) for of in totals.values()]
    fixed = rows[0].fixed + sum(piece.fixed for piece in pieces)
    return fixed, rows[0].falling + sum(piece.falling for piece in pieces)


def _of(member_id: int, value: Value, weights: Weights) -> Standing:
    return Standing(
        member_id,
        value.helpfulness,
        value.thanks,
        value.participation,
        value.companies,
        label_of(value.companies, value.thanks, weights),
        confidence_of(value.companies),
    )


def _past(member_id: int, value: Value, at: datetime) -> Standing:
    return _of(member_id, value, weights_queries.in_force()(at))


def _with_was(one: Standing, was: float) -> Standing:
    return Standing(
        one.member_id,
        one.helpfulness,
        one.thanks,
        one.participation,
        one.companies,
        one.label,
        one.confidence,
        was,
    )


def _values_of(ids: Sequence[int], at: datetime) -> dict[int, Value]:
    weights_at = weights_queries.in_force()
    found = {one: Value() for one in ids}
    for start in range(0, len(ids), _ASKED_AT_ONCE):
        some = ids[start : start + _ASKED_AT_ONCE]
        for receiver_id, rows in rows_by_receiver(Entry.receiver_id.in_(some), before=at):
            found[receiver_id] = values_at(receiver_id, rows, [at], weights_at)[0]
    return found


def _all_past(at: datetime, *where: ColumnElement[bool]) -> list[Standing]:
    weights_at = weights_queries.in_force()
    weights = weights_at(at)
    shown = select(Member.id).where(shown_members(), *where)
    return [
        _of(receiver_id, values_at(receiver_id, rows, [at], weights_at)[0], weights)
        for receiver_id, rows in rows_by_receiver(Entry.receiver_id.in_(shown), before=at)
    ]


def _highest_first(found: Iterable[Standing]) -> list[Standing]:
    return sorted(found, key=lambda one: (-one.helpfulness, one.member_id))


def is_left_out(member_id: int) -> bool:
    """Whether a member chose to be left out: what was counted is theirs alone to read."""
    return bool(opted_out([member_id]))


def opted_out(member_ids: Collection[int]) -> set[int]:
    """Who of these chose to be left out."""
    return all_opted_out() & set(member_ids)


def all_opted_out() -> set[int]:
    """Everybody who chose to be left out."""
    query = select(ScoreChoice.member_id).where(ScoreChoice.not_scored.is_(True))
    return set(db.session.execute(query).scalars())
