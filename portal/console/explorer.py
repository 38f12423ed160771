"""Members over all facts: narrowed, counted by facet, sorted; a bounded number of statements at any size."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, func, literal, or_, select

from portal.advocacy.models import MemberScore, ScopeScore
from portal.advocacy.queries import scopes, standing, weights
from portal.advocacy.queries.standing import Standing
from portal.consents.models import Activity, Consent
from portal.consents.queries import is_in_force
from portal.kernel import clock, page_cache
from portal.kernel.access import CUSTOMERS, Status
from portal.kernel.db import db, rows_of
from portal.matching.models import Availability
from portal.matching.queries.loads import conversations_by_week, limit_in_force, loads_by_week
from portal.members.models import Company, Member, MemberProduct, MemberState, Product, VerifiedBy
from portal.members.names import sort_key
from portal.members.queries import console as console_queries
from portal.relations.queries import companies, is_known

ROWS = 50
MOST_PAGES = 50
MOST_EXPORTED = 100_000
SEEN = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=90),
}
SEEN_BUCKETS = (*SEEN, "longer", "never")
RELATIONS = ("held", "red", "amber", "green", "unknown", "escalated", "free")
LOADS = ("full", "taken", "idle", "paused")
STANDINGS = (standing.RANKED, standing.RISING, standing.TOO_EARLY)
SORTS = ("joined", "name", "seen", "helpful", "load", "answers", "accepted")


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; every value comes from the address, "" is everybody."""

    words: str = ""
    show: str = ""
    industry: str = ""
    size: str = ""
    region: str = ""
    product: str = ""
    status: str = ""
    standing: str = ""
    load: str = ""
    seen: str = ""
    agreed: str = ""  # an activity, to which their consent is in force
    value: str = ""  # what they said they value
    relation: str = ""  # one of RELATIONS, which holds for their company
    scope: str = ""  # a scope: who helped with this product, or in threads with this tag
    sort: str = "joined"
    page: int = 1

    def but(self, **changes: Any) -> "Wanted":
        return replace(self, **changes)

    @property
    def is_narrowed(self) -> bool:
        return self.but(sort="joined", page=1) != Wanted()


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A member as a row: facts only, each with where it comes from known to the page."""

    id: int
    username: str
    name: str
    title: str
    status: Status
    duties: tuple[str, ...]
    state: MemberState
    suspended_until: datetime | None
    company: str
    company_slug: str
    claim: str
    verified_by: str
    confirmed: bool
    imported: bool
    industry: str
    size: str
    region: str
    load: int
    limit: int
    paused_until: datetime | None
    answers: int
    accepted: int
    seen_at: datetime | None
    joined_at: datetime
    standing: Standing | None  # None for the vendor's people, and for those who opted out
    not_approached: bool = False  # as they chose
    within: float | None = None  # helpfulness within the scope that the list is narrowed to


@dataclass(frozen=True)
class Facets:
    """How many there are of each, under all the other words; by the code in the address."""

    total: int = 0
    industry: Counter[str] = field(default_factory=Counter)
    size: Counter[str] = field(default_factory=Counter)
    region: Counter[str] = field(default_factory=Counter)
    status: Counter[str] = field(default_factory=Counter)
    standing: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    products: list[tuple[int, str, int]] = field(default_factory=list)  # id, name, how many use it
    counted_at: datetime | None = None


def members(wanted: Wanted) -> list[MemberLine]:
    """A page of those who fit, and one row more where there is another page."""
    offset = (min(wanted.page, MOST_PAGES) - 1) * ROWS
    return _lines(_ids(wanted, ROWS + 1, offset), wanted.scope)


def everybody(wanted: Wanted) -> Iterable[MemberLine]:
    """All who fit, for a file."""
    ids = _ids(wanted, MOST_EXPORTED)
    for start in range(0, len(ids), 500):
        yield from _lines(ids[start : start + 500], wanted.scope)


_kept: page_cache.Dear[Facets] = page_cache.Dear(100, least=0.05)


def keep_ready() -> None:
    """Have everybody counted before somebody looks."""
    _kept.renew(Wanted(), lambda: _count(Wanted()))


def facets(wanted: Wanted) -> Facets:
    """How many there are of each; in a large community the counts may be some minutes old."""
    wanted = wanted.but(sort="joined", page=1)
    return _kept.get(wanted, lambda: _count(wanted))


def _count(wanted: Wanted) -> Facets:
    """One statement counts every combination; each facet is then added up without its own word.

    Standing and products are counted in their own: they would be looked up for everybody otherwise.
    """
    now = clock.now()
    parts = {
        "industry": func.coalesce(Company.industry, ""),
        "size": func.coalesce(Company.size_band, ""),
        "region": func.coalesce(Company.region, ""),
        "status": Member.status,
        "seen": _seen_bucket(now),
    }
    chosen = [getattr(wanted, name) for name in parts]
    loose = wanted.but(**dict.fromkeys(parts, ""))
    load = _load(now) if wanted.load else None
    columns: list[Any] = [part.label(name) for name, part in parts.items()]
    query = _narrowed(_people(select(*columns, func.count()), load), loose, now, load)
    found = Facets(products=_products(wanted, now))
    total = 0
    for *codes, people in rows_of(query.group_by(*columns)).all():
        unlike = [place for place, value in enumerate(chosen) if value and codes[place] != value]
        if not unlike:
            total += people
        for place, name in enumerate(parts):
            if not unlike or unlike == [place]:
                getattr(found, name)[codes[place]] += people
    found.standing.update(_standings(wanted, now))
    return replace(found, total=total, counted_at=now)


def _standings(wanted: Wanted, now: datetime) -> dict[str, int]:
    """How many are ranked, how many rise (some of them are both), and of how many it is too early to say.

    For the first two only members with a score are looked at; the third are all the others.
    """
    load, wanted = _load(now) if wanted.load else None, wanted.but(standing="")
    ranked, rising = standing.is_ranked(now), standing.is_rising(weights.current(), now)
    is_ranked, rises = (case((which, 1), else_=0) for which in (ranked, rising))
    scored: Select[Any] = select(
        is_ranked.label("ranked"), rises.label("rising"), func.count().label("people")
    )
    scored = scored.select_from(MemberScore).join(Member, Member.id == MemberScore.receiver_id)
    scored = _narrowed(_beside(scored, load).where(_counts(), or_(ranked, rising)), wanted, now, load)
    of_no_label: list[Any] = [literal(0), literal(0), func.count()]
    everybody = _narrowed(_people(select(*of_no_label), load).where(_counts()), wanted, now, load)
    both = scored.group_by(is_ranked, rises).union_all(everybody)
    rows = db.session.execute(both).all()
    labelled = [row for row in rows if row.ranked or row.rising]
    of_all = sum(row.people for row in rows) - sum(row.people for row in labelled)
    found = {
        standing.RANKED: sum(row.people for row in labelled if row.ranked),
        standing.RISING: sum(row.people for row in labelled if row.rising),
        standing.TOO_EARLY: of_all - sum(row.people for row in labelled),
    }
    return {name: people for name, people in found.items() if people}


def _products(wanted: Wanted, now: datetime) -> list[tuple[int, str, int]]:
    load = _load(now) if wanted.load else None
    fitting = _narrowed(_people(select(Member.id), load), wanted.but(product=""), now, load)
    counts = (
        select(MemberProduct.product_id, func.count().label("people"))
        .where(MemberProduct.member_id.in_(fitting))
        .group_by(MemberProduct.product_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Product.id, Product.name, func.coalesce(counts.c.people, 0))
        .outerjoin(counts, counts.c.product_id == Product.id)
        .where(~Product.retired)
        .order_by(Product.position, Product.name)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _load(now: datetime) -> Any:
    return conversations_by_week(now)


def _people(query: Select[Any], load: Any) -> Select[Any]:
    return _beside(query.select_from(Member), load)


def _beside(query: Select[Any], load: Any) -> Select[Any]:
    query = query.outerjoin(Company, Company.id == Member.company_id)
    if load is not None:
        query = query.outerjoin(Availability, Availability.member_id == Member.id).outerjoin(
            load, load.c.member_id == Member.id
        )
    return query


def _ids(wanted: Wanted, most: int, offset: int = 0) -> list[int]:
    """Who fits, in the order that is wanted: nothing else, so that only those on the page are read whole."""
    now = clock.now()
    load = _load(now) if wanted.load or wanted.sort == "load" else None
    query = _narrowed(_people(select(Member.id), load), wanted, now, load)
    return list(rows_of(_sorted(query, wanted, now, load).limit(most).offset(offset)).scalars())


def _narrowed(query: Select[Any], wanted: Wanted, now: datetime, load: Any) -> Select[Any]:
    where: list[ColumnElement[bool]] = [
        Member.state != MemberState.ERASED,
        *console_queries.shown(wanted.show),
    ]
    if wanted.words:
        key = sort_key(wanted.words)[:60]
        lowered = wanted.words.lower()
        where.append(
            or_(
                Member.sort_name.contains(key, autoescape=True),
                Member.email.contains(lowered[:120], autoescape=True),
                func.lower(Company.name).contains(lowered[:60], autoescape=True),
                func.lower(Member.company_claim).contains(lowered[:60], autoescape=True),
            )
        )
    for value, column in (
        (wanted.industry, Company.industry),
        (wanted.size, Company.size_band),
        (wanted.region, Company.region),
        (wanted.status, Member.status),
    ):
        if value:
            where.append(column == value)
    if wanted.product:
        uses = exists().where(
            MemberProduct.member_id == Member.id, MemberProduct.product_id == int(wanted.product)
        )
        where.append(uses)
    if wanted.agreed:
        which = and_(is_in_force(now), Consent.activity == Activity(wanted.agreed))
        where.append(Member.id.in_(select(Consent.member_id).where(which)))
    if wanted.value:
        named = cast(Availability.values, String).contains(f'"{wanted.value}"', autoescape=True)
        where.append(Member.id.in_(select(Availability.member_id).where(named)))
    if wanted.relation:
        which = and_(is_known(), *companies.shown(wanted.relation))
        where.append(Member.company_id.in_(select(Company.id).where(which)))
    if wanted.scope:
        where.append(_helped_with(wanted.scope))
    if wanted.seen:
        where.append(_seen_bucket(now) == wanted.seen)
    if wanted.standing:
        where.append(_has_standing(wanted.standing, now))
    if wanted.load and load is not None:
        where.append(_has_load(wanted.load, load, now))
    return query.where(*where)


def _seen_bucket(now: datetime) -> ColumnElement[str]:
    whens = [(Member.last_seen_at >= now - span, literal(name)) for name, span in SEEN.items()]
    return case((Member.last_seen_at.is_(None), literal("never")), *whens, else_=literal("longer"))


def _counts() -> ColumnElement[bool]:
    """Whether somebody's standing is shown: a customer's who did not opt out. About Member."""
    return and_(Member.status.in_(CUSTOMERS), standing.shown_members())


def _has_standing(name: str, now: datetime) -> ColumnElement[bool]:
    ranked, rising = standing.is_ranked(now), standing.is_rising(weights.current(), now)
    labelled = {standing.RANKED: ranked, standing.RISING: rising}.get(name, or_(ranked, rising))
    of_member = and_(MemberScore.receiver_id == Member.id, labelled)
    has = exists().where(of_member).correlate(Member)
    return and_(_counts(), ~has if name == standing.TOO_EARLY else has)


def _helped_with(scope: str) -> ColumnElement[bool]:
    has = or_(ScopeScore.fixed > 0, ScopeScore.falling > 0, ScopeScore.unknown > 0, ScopeScore.given > 0)
    there = exists().where(ScopeScore.receiver_id == Member.id, ScopeScore.scope == scope, has)
    can_be_asked = Member.status.in_(CUSTOMERS)
    return and_(standing.shown_members(), can_be_asked, there.correlate(Member))


def _has_load(name: str, load: Any, now: datetime) -> ColumnElement[bool]:
    taken = func.coalesce(load.c.load, 0)
    can_be_asked = Member.status.in_(CUSTOMERS)
    paused = and_(Availability.paused_until.is_not(None), Availability.paused_until > now)
    conditions: dict[str, ColumnElement[bool]] = {
        "full": taken >= limit_in_force(),
        "taken": and_(load.c.load > 0, load.c.load < limit_in_force()),  # so nobody else need be looked at
        "idle": and_(taken == 0, limit_in_force() > 0),
        "paused": paused,
    }
    return and_(can_be_asked, conditions[name])


def _sorted(query: Select[Any], wanted: Wanted, now: datetime, load: Any) -> Select[Any]:
    sort = wanted.sort
    if sort == "helpful" and wanted.scope:
        number = standing.number_now(weights.current(), now, of=ScopeScore)
        of_scope = and_(ScopeScore.receiver_id == Member.id, ScopeScore.scope == wanted.scope)
        return query.join(ScopeScore, of_scope).order_by(number.desc(), Member.id)
    if sort == "helpful":
        number = standing.number_now(weights.current(), now)
        query = query.outerjoin(MemberScore, MemberScore.receiver_id == Member.id)
        shown = case((standing.shown_members(), func.coalesce(number, 0.0)), else_=0.0)  # as in candidates
        return query.order_by(shown.desc(), Member.id)
    orders: dict[str, list[Any]] = {
        "joined": [Member.created_at.desc(), Member.id.desc()],
        "name": [Member.sort_name, Member.id],
        "seen": [Member.last_seen_at.is_(None), Member.last_seen_at.desc(), Member.id],
        "load": [] if load is None else [func.coalesce(load.c.load, 0).desc(), Member.id],
        "answers": [Member.answers_count.desc(), Member.id],
        "accepted": [Member.accepted_count.desc(), Member.id],
    }
    return query.order_by(*orders[sort])


_COLUMNS = (
    Member.id,
    Member.username,
    Member.name,
    Member.title,
    Member.status,
    Member.duties,
    Member.state,
    Member.suspended_until,
    Member.company_claim,
    Member.verified_by,
    Member.email_confirmed_at,
    Member.import_source,
    Member.answers_count,
    Member.accepted_count,
    Member.last_seen_at,
    Member.created_at,
    Company.name.label("company"),
    Company.slug.label("company_slug"),
    Company.industry,
    Company.size_band,
    Company.region,
    Availability.paused_until,
)


def _read(ids: Sequence[int]) -> list[Any]:
    query: Any = select(*_COLUMNS, (~standing.may_be_approached()).label("not_approached"))
    query = query.outerjoin(Company, Company.id == Member.company_id)
    query = query.outerjoin(Availability, Availability.member_id == Member.id)
    found = {row.id: row for row in db.session.execute(query.where(Member.id.in_(ids)))}
    return [found[id_] for id_ in ids if id_ in found]


def _lines(ids: Sequence[int], scope: str = "") -> list[MemberLine]:
    rows, now = _read(ids), clock.now()
    loads = loads_by_week(ids, now)
    scored = [row.id for row in rows if row.status is not Status.VENDOR]
    known = standing.standings(scored)
    within = scopes.values_now(scope, scored) if scope else {}
    return [
        MemberLine(
            id=row.id,
            username=row.username,
            name=row.name,
            title=row.title,
            status=row.status,
            duties=tuple(row.duties),
            state=row.state,
            suspended_until=row.suspended_until,
            company=row.company or "",
            company_slug=row.company_slug or "",
            claim=row.company_claim,
            verified_by=VerifiedBy(row.verified_by).value if row.verified_by else "",
            confirmed=row.email_confirmed_at is not None,
            imported=row.import_source is not None,
            industry=row.industry or "",
            size=row.size_band or "",
            region=row.region or "",
            load=loads[row.id].taken,
            limit=loads[row.id].limit,
            paused_until=row.paused_until if row.paused_until and row.paused_until > now else None,
            answers=row.answers_count,
            accepted=row.accepted_count,
            seen_at=row.last_seen_at,
            joined_at=row.created_at,
            standing=known.get(row.id),
            not_approached=row.not_approached,
            within=within[row.id].helpfulness if row.id in within else None,
        )
        for row in rows
    ]
