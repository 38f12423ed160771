"""The good side of a day: whom to thank, who rises, one gap and who may fill it, what went well."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext as _n
from sqlalchemy import and_, case, exists, func, select

from portal.advocacy.queries import standing
from portal.advocacy.queries import yesterday as days
from portal.advocacy.queries.declines import declines, has_not_declined
from portal.advocacy.queries.standing import Standing
from portal.advocacy.queries.yesterday import Helped, helped_between, helped_on, thanks_of
from portal.asks.models import Ask, AskMode
from portal.consents.models import Activity
from portal.consents.queries import has_consent
from portal.conversations.policy import LONGEST_THANKS
from portal.discussions.authors import named_in_post
from portal.discussions.models import Audience, Board, Post, PostKind, Thread
from portal.discussions.policy import text_is_visible
from portal.discussions.queries import vitals
from portal.discussions.queries.deeds import Deed, deeds_of
from portal.kernel import clock, site
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.lines import line_of
from portal.kernel.page_cache import Dear
from portal.kernel.template_helpers import duration
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members.models import Company, CompanyKind, Member, MemberState
from portal.moderation.queries import queue as queues
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice
from portal.notifications.services.notifying import notify

THANKED = "thanked"  # the kind of notice
GAP_DAYS = timedelta(days=90)
FILLERS = 3
LOOKED_AT = 50  # who rise, until one is found who may be approached
_risers: Dear[list[int]] = Dear(most=1, least=0.03, sure=0.03)


@dataclass(frozen=True)
class Riser:
    """Somebody who rises, with the proof."""

    name: str
    username: str
    company: str
    standing: Standing
    companies_in_30_days: int
    deeds: list[Deed]


@dataclass(frozen=True)
class Gap:
    """An industry that asks, and in which nobody has agreed to a call, with who may fill it."""

    industry: str
    asks: int
    agreed: int
    customers: int
    fillers: list[tuple[str, str, float]]  # name, user name, helpfulness


@dataclass(frozen=True)
class Glad:
    """All of it about yesterday, by the calendar of the site."""

    helped: list[Helped] = field(default_factory=list)
    thanked: frozenset[int] = frozenset()
    staff_share: float = 0.0  # percent of the answers, where staff write most: then nobody is said to rise
    riser: Riser | None = None
    gap: Gap | None = None
    well: list[str] = field(default_factory=list)


def of_yesterday(viewer: Viewer) -> Glad:
    """The good side of the last whole day."""
    since, until = yesterday()
    helped = helped_on(since, until)
    keys = {_key(one.member_id, since): one.member_id for one in helped}
    rows = db.session.execute(select(Notice.source_key).where(Notice.source_key.in_(keys))).scalars()
    staff_share = vitals.staff_share()
    staff_write_most = staff_share > vitals.MOST_BY_STAFF
    return Glad(
        helped=helped,
        thanked=frozenset(keys[key] for key in rows),
        staff_share=staff_share if staff_write_most else 0.0,
        riser=None if staff_write_most else _riser(viewer),
        gap=_gap(),
        well=_well(viewer, since, until),
    )


def keep_ready() -> None:
    """Have yesterday added up, and found who rise, before somebody looks."""
    days.keep_ready(*yesterday())
    _risers.renew("all", _who_rise)


def yesterday() -> tuple[datetime, datetime]:
    """The last whole day, in the zone of the site's calendar."""
    zone = ZoneInfo(site.current().calendar_zone)
    today = datetime.combine(clock.now().astimezone(zone).date(), time(), zone)
    return today - timedelta(days=1), today


def thank(actor: Viewer, username: str, words: str | None = None) -> str:
    """Thank who helped yesterday, in the moderator's name, once a day. Gives the name of whom.

    Without `words` the fixed ones are read, each in its reader's language. Raises Invalid for words that are
    none or too many, and for those of whoever comes second: they would be read by nobody.
    """
    if not actor.may(Permission.ADVOCACY):
        raise Forbidden(_("Only the vendor's moderators thank from here."))
    since, until = yesterday()
    if words is not None:
        words = line_of(words, "words", _("Write a few words."), LONGEST_THANKS)
    with unit_of_work():
        one = next((one for one in helped_between(since, until, 50) if one.username == username), None)
        if one is None:
            raise Invalid(_("They did not help anybody yesterday."))
        data = {
            "companies": one.companies,
            "accepted": one.accepted,
            "answered": one.answered,
            "by": actor.display_name,
        }
        if words is not None and words != _what_for(data):
            if _is_thanked(one.member_id, since):
                raise Invalid(_("A colleague thanked them meanwhile; once a day is enough."), "words")
            data["words"] = words
        notify(
            THANKED,
            [one.member_id],
            source_key=_key(one.member_id, since),
            actor_id=actor.member_id,
            data=data,
        )
        return one.name


def fixed_words(one: Helped) -> str:
    """What is read unless a moderator writes something else."""
    return _what_for(asdict(one))


def _is_thanked(member_id: int, since: datetime) -> bool:
    return bool(db.session.scalar(select(exists().where(Notice.source_key == _key(member_id, since)))))


def _key(member_id: int, since: datetime) -> str:
    return f"thanks-{member_id}-{since:%Y-%m-%d}"


def _riser(viewer: Viewer) -> Riser | None:
    """The first of who rise. Who they are may be some minutes old; their numbers and choices never are."""
    ids = _risers.get("all", _who_rise)
    if not ids:
        return None
    people = {
        row.id: row
        for row in db.session.execute(
            select(Member.id, Member.name, Member.username, Company.name.label("company"))
            .outerjoin(Company, Company.id == Member.company_id)
            .where(Member.id.in_(ids), standing.shown_members(), standing.may_be_approached())
        )
    }
    known = standing.standings(list(people))
    first = next((known[one] for one in ids if one in known and known[one].rises), None)
    if first is None:
        return None
    row = people[first.member_id]
    lately = thanks_of([first.member_id], clock.now() - timedelta(days=30))
    return Riser(
        name=row.name,
        username=row.username,
        company=row.company or "",
        standing=first,
        companies_in_30_days=lately.get(first.member_id, 0),
        deeds=deeds_of(viewer, first.member_id, 2),
    )


def _who_rise() -> list[int]:
    """Of those near the top, the highest first."""
    return [one.member_id for one in standing.rising(LOOKED_AT)]


def _gap() -> Gap | None:
    """Where asks come from and nobody has agreed to a call: the industry with the most asks for each yes."""
    rows = db.session.execute(
        select(Ask.industry, func.count())
        .where(Ask.mode == AskMode.OPEN, Ask.industry != "", Ask.asked_at > clock.now() - GAP_DAYS)
        .group_by(Ask.industry)
    )
    asked: dict[str, int] = {row[0]: row[1] for row in rows}
    if not asked:
        return None
    agreed = case((has_consent(Activity.CALL), 1), else_=0)
    customers_of = db.session.execute(
        select(Company.industry, func.count(), func.sum(agreed))
        .select_from(Member)
        .join(Company, and_(Company.id == Member.company_id, Company.kind == CompanyKind.CUSTOMER))
        .where(
            Member.status == Status.CUSTOMER,
            Member.state == MemberState.ACTIVE,
            Company.industry.in_(asked),
        )
        .group_by(Company.industry)
    ).all()
    with_customers = [(row[0], row[1], int(row[2] or 0)) for row in customers_of]
    if not with_customers:
        return None
    industry, customers, yes = min(
        with_customers, key=lambda row: (row[2] / asked[row[0]], -asked[row[0]], row[0])
    )
    return Gap(
        industry=lists.label(lists.INDUSTRIES, industry),
        asks=asked[industry],
        agreed=yes,
        customers=customers,
        fillers=_fillers(industry),
    )


def _fillers(industry: str) -> list[tuple[str, str, float]]:
    rows: Sequence[Any] = db.session.execute(
        select(Member.id, Member.name, Member.username)
        .join(Company, Company.id == Member.company_id)
        .where(
            Company.industry == industry,
            Company.kind == CompanyKind.CUSTOMER,
            standing.shown_members(),
            standing.may_be_approached(),
            has_not_declined(),
            ~has_consent(Activity.CALL),
        )
        .order_by(Member.accepted_count.desc(), Member.answers_count.desc(), Member.id)
        .limit(50)
    ).all()
    said_no = declines([row.id for row in rows])
    rows = [row for row in rows if Activity.CALL not in said_no.get(row.id, {})]
    known = standing.standings([row.id for row in rows])
    best = sorted(rows, key=lambda row: (-known[row.id].helpfulness if row.id in known else 0.0, row.id))
    return [
        (row.name, row.username, known[row.id].helpfulness if row.id in known else 0.0)
        for row in best[:FILLERS]
    ]


def _well(viewer: Viewer, since: datetime, until: datetime) -> list[str]:
    """What went well, in sentences; nothing is said where there is nothing."""
    lines = []
    asks = db.session.execute(
        select(Ask.asked_at, Ask.answered_at, Ask.in_time).where(
            Ask.mode == AskMode.OPEN, Ask.answered_at >= since, Ask.answered_at < until
        )
    ).all()
    in_time = [row for row in asks if row.in_time]
    if asks:
        slowest = max((row.answered_at - row.asked_at for row in asks), default=timedelta())
        lines.append(
            _n(
                "%(num)d ask had a customer’s answer, %(in_time)s in time, the slowest after %(time)s.",
                "%(num)d asks had a customer’s answer, %(in_time)s in time, the slowest after %(time)s.",
                len(asks),
                in_time=len(in_time),
                time=duration(slowest),
            )
        )
    counts = db.session.execute(
        select(Post.by_vendor, func.count())
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.created_at >= since,
            Post.created_at < until,
            Post.kind == PostKind.ANSWER,
            text_is_visible(viewer),
            Board.audience != Audience.STAFF,
        )
        .group_by(Post.by_vendor)
    )
    by = {bool(row[0]): row[1] for row in counts}
    customers, staff = by.get(False, 0), by.get(True, 0)
    if customers and not staff:
        lines.append(
            _n(
                "The one answer came from a customer.",
                "All %(num)d answers came from customers.",
                customers,
            )
        )
    elif customers > staff:
        lines.append(
            _(
                "%(customers)s of %(all)s answers came from customers, %(staff)s from us.",
                customers=customers,
                all=customers + staff,
                staff=staff,
            )
        )
    first = (
        select(func.min(Thread.accepted_at))
        .join(Post, and_(Post.id == Thread.accepted_post_id, Post.thread_id == Thread.id))
        .where(Post.author_id == Member.id)
        .correlate(Member)
        .scalar_subquery()
    )
    accepted = db.session.execute(
        select(Member.name)
        .join(Post, Post.author_id == Member.id)
        .join(Thread, Thread.accepted_post_id == Post.id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            text_is_visible(viewer),
            named_in_post(),
            Thread.accepted_at >= since,
            Thread.accepted_at < until,
            Member.status != Status.VENDOR,
            first >= since,
        )
        .order_by(Thread.accepted_at)
        .limit(3)
    ).scalars()
    lines += [_("First accepted answer ever by %(name)s.", name=name) for name in dict.fromkeys(accepted)]
    decided = queues.yesterday()
    if decided.decided:
        lines.append(
            _n(
                "%(num)d case was decided, after %(time)s.",
                "%(num)d cases were decided, half of them within %(time)s.",
                decided.decided,
                time=duration(decided.median_seconds),
            )
        )
    return lines


def as_sections(glad: Glad) -> list[dict[str, str]]:
    """The same for a mail: title, path and facts of each."""
    sections = [
        {
            "title": _("Helped yesterday: %(name)s", name=one.name),
            "url": f"/console/members/{one.username}",
            "facts": _("Thanked already.") if one.member_id in glad.thanked else f"{helped_words(one)}.",
        }
        for one in glad.helped
    ]
    if glad.riser:
        one = glad.riser
        facts = [one.company]
        if one.companies_in_30_days:
            facts.append(
                _n(
                    "%(num)d company thanked them in 30 days.",
                    "%(num)d companies thanked them in 30 days.",
                    one.companies_in_30_days,
                )
            )
        facts += [deed.title for deed in one.deeds]
        title = _("Rising: %(name)s", name=one.name)
        path = f"/console/candidates/{one.username}"
        sections.append({"title": title, "url": path, "facts": " · ".join(filter(None, facts))})
    if glad.gap:
        asks = _n("%(num)d ask", "%(num)d asks", glad.gap.asks)
        agreed = _n(
            "%(num)d customer has agreed to calls", "%(num)d customers have agreed to calls", glad.gap.agreed
        )
        facts = [f"{asks}, {agreed}."]
        if glad.gap.fillers:
            facts.append(_("Who could fill it:") + " " + ", ".join(name for name, *_rest in glad.gap.fillers))
        title = _("One gap: %(industry)s", industry=glad.gap.industry)
        sections.append({"title": title, "url": "/console/#gap", "facts": " ".join(facts)})
    if glad.well:
        told = " ".join(glad.well)
        sections.append({"title": _("What went well yesterday"), "url": "/console/#well", "facts": told})
    return sections


def helped_words(one: Helped) -> str:
    """By how many somebody was thanked yesterday, and for what."""
    return _helped(one.companies, one.accepted, one.answered)


def _helped(companies: int, accepted: int, answered: int) -> str:
    told = []
    if companies:
        told.append(_n("thanked by %(num)d company", "thanked by %(num)d companies", companies))
    if accepted:
        told.append(_n("%(num)d answer accepted", "%(num)d answers accepted", accepted))
    if answered:
        told.append(_n("answered %(num)d question", "answered %(num)d questions", answered))
    return ", ".join(told)


def _what_for(data: dict[str, Any]) -> str:
    told = _helped(*(int(data.get(name, 0)) for name in ("companies", "accepted", "answered")))
    return _("That day: %(what)s", what=told) if told else _("For your help that day")


def resolve(_viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """The thanks of a moderator, for what one did on a day."""
    return {
        notice.id: Line(
            sentence=_("%(name)s thanks you", name=notice.data.get("by", "")),
            title=notice.data.get("words") or _what_for(notice.data),
            url="/me/contributions",
        )
        for notice in notices
    }


KIND = Kind(THANKED, "a moderator thanks you for your help", resolve, by_mail=False, order=35)
