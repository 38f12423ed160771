"""Entries that members contest: what waits, and one's own with their answers."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.advocacy.models import Act, Contest, Counts, Damped, Entry, Rule, ScoreChoice
from portal.advocacy.policy import ANSWERED_WITHIN, LOOKS
from portal.advocacy.queries.engagements import Told, told
from portal.advocacy.queries.entries import is_last
from portal.advocacy.queries.places import places
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.models import Company, Member
from portal.members.names import sort_key
from portal.moderation.queries.evidence import moderators

SHOWN = 100
ROWS = 50
SHOWS = ("answered", "all")  # beside those that wait
SORTS = ("oldest", "newest", "name", "company")  # beside the order that goes with what is shown


@dataclass(frozen=True, slots=True)
class ContestLine:
    """One contested entry with what it is about. `stands`: whether the entry is in force."""

    id: int
    member_id: int
    name: str
    username: str
    company: str
    words: str
    made_at: datetime
    answer: str
    answered_at: datetime | None
    entry_id: int | None
    rule: Rule | None
    counts: Counts | None
    damped: Damped | None
    occurred_at: datetime | None
    stands: bool
    may_be_restored: bool
    title: str
    address: str
    first: "FirstLook | None" = None  # what was answered before, where it is contested again
    may_be_asked_again: bool = False
    engagement: Told | None = None

    @property
    def called(self) -> str:
        """What it is about: a thread, or what the member did; "" for what this viewer does not read."""
        return str(self.engagement) if self.engagement else self.title

    @property
    def day(self) -> date | datetime | None:
        return self.engagement.done_on if self.engagement else self.occurred_at

    @property
    def is_second(self) -> bool:
        return self.first is not None

    @property
    def due_at(self) -> datetime:
        """Until when the member was told that an answer comes."""
        return self.made_at + ANSWERED_WITHIN

    @property
    def is_overdue(self) -> bool:
        return self.answered_at is None and self.due_at < clock.now()


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was asked and answered about the same entry before, and by whom."""

    words: str
    answer: str
    by_id: int | None
    by: str


def waiting(viewer: Viewer, limit: int | None = SHOWN) -> list[ContestLine]:
    """What nobody has answered yet, oldest first."""
    query = select(Contest).where(Contest.answered_at.is_(None))
    return _lines(query.order_by(Contest.id).limit(limit), viewer)


def listed(
    viewer: Viewer, show: str, page: int, *, words: str = "", sort: str = "", rows: int = ROWS
) -> list[ContestLine]:
    """A page of those that wait (""), that were "answered", or of "all"; one more where there is another.

    With `words` only of members whose name, or whose company's, has them in it. Unless `sort` says
    otherwise (one of `SORTS`) what waits longest, was answered last or is newest comes first.
    """
    query = (
        select(Contest)
        .join(Member, Member.id == Contest.member_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(_is_shown())
    )
    if words:
        query = query.where(
            or_(
                Member.sort_name.contains(sort_key(words)[:60], autoescape=True),
                func.lower(Company.name).contains(words.lower()[:60], autoescape=True),
            )
        )
    if show == "":
        query = query.where(Contest.answered_at.is_(None))
    elif show == "answered":
        query = query.where(Contest.answered_at.is_not(None))
    usual: dict[str, list[Any]] = {
        "": [Contest.id],
        "answered": [Contest.answered_at.desc(), Contest.id.desc()],
        "all": [Contest.id.desc()],
    }
    orders: dict[str, list[Any]] = {
        "oldest": [Contest.id],
        "newest": [Contest.id.desc()],
        "name": [Member.sort_name, Contest.id],
        "company": [Company.name.is_(None), func.lower(Company.name), Member.sort_name, Contest.id],
    }
    query = query.order_by(*orders.get(sort, usual[show]))
    return _lines(query.limit(rows + 1).offset((page - 1) * rows), viewer)


def _is_shown() -> ColumnElement[bool]:
    """SQL about Contest: what waits, and what was answered to those who did not opt out since."""
    left_out = exists().where(ScoreChoice.member_id == Contest.member_id, ScoreChoice.not_scored.is_(True))
    return or_(Contest.answered_at.is_(None), ~left_out)


def waiting_count() -> int:
    """How many wait."""
    return db.session.execute(
        select(func.count()).select_from(Contest).where(Contest.answered_at.is_(None))
    ).scalar_one()


def own(member: Viewer) -> list[ContestLine]:
    """What this member contested, newest first."""
    query = select(Contest).where(Contest.member_id == member.member_id)
    return _lines(query.order_by(Contest.id.desc()).limit(20), member)


def find(viewer: Viewer, contest_id: int) -> ContestLine:
    """One of them. Raises NotFound."""
    found = _lines(select(Contest).where(Contest.id == contest_id, _is_shown()), viewer)
    if not found:
        raise NotFound("no such question")
    return found[0]


def is_for_others(line: ContestLine, moderator: Viewer) -> bool:
    """Whether this moderator answered the first time, and there is somebody else who can look now."""
    if line.first is None or line.first.by_id != moderator.member_id:
        return False
    return bool(set(moderators(leave_out=[moderator.member_id or 0])) - set(moderators(peers_only=True)))


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry as its owner reads it: what, when, where."""

    id: int
    rule: Rule
    occurred_at: datetime
    title: str
    address: str
    engagement: Told | None = None

    @property
    def day(self) -> date | datetime:
        return self.engagement.done_on if self.engagement else self.occurred_at


def own_entry(viewer: Viewer, member_id: int, entry_id: int) -> EntryLine:
    """An entry of this member, its title as far as the viewer reads it.

    Raises NotFound for anybody else's, and for those of conversations: ids lie in the order of time, so that
    one by one they would tell the day, and who thanked each other.
    """
    row = db.session.execute(
        select(Entry.id, Entry.rule, Entry.occurred_at, Entry.post_id, Entry.source).where(
            Entry.id == entry_id, Entry.receiver_id == member_id, Entry.rule != Rule.CONVERSATION
        )
    ).one_or_none()
    if row is None:
        raise NotFound("no such entry")
    title, address = places([row.post_id], viewer).get(row.post_id, ("", ""))
    return EntryLine(row.id, row.rule, row.occurred_at, title, address, told([row]).get(row.id))


@dataclass(frozen=True, slots=True)
class EntryState:
    """An entry for those who may correct it."""

    line: EntryLine
    username: str
    stands: bool
    may_be_restored: bool


def state_of(viewer: Viewer, entry_id: int) -> EntryState:
    """Whether an entry stands now, and whether it may be put back. NotFound for those of conversations."""
    entry = db.session.execute(
        select(
            Entry.id,
            Entry.receiver_id,
            Member.username,
        )
        .join(Member, Member.id == Entry.receiver_id)
        .where(Entry.id == entry_id, Entry.rule != Rule.CONVERSATION)
    ).one_or_none()
    if entry is None:
        raise NotFound("no such entry")
    act, by_id = _last([entry.id])[entry.id]
    line = own_entry(viewer, entry.receiver_id, entry_id)
    return EntryState(
        line,
        entry.username,
        act is not Act.REVERSED,
        _may_be_restored(act, by_id, line.engagement),
    )


def _may_be_restored(act: Act | None, by_id: int | None, done: Told | None) -> bool:
    """Whether a moderator took it out, and what it came from is there still."""
    return act is Act.REVERSED and by_id is not None and not (done is not None and done.is_withdrawn)


def _lines(query: Any, viewer: Viewer) -> list[ContestLine]:
    rows = db.session.execute(query).scalars().all()
    if not rows:
        return []
    names = _people([row.member_id for row in rows])
    entries = _by_id(
        [row.entry_id for row in rows if row.entry_id],
        Entry.id, Entry.rule, Entry.counts, Entry.damped, Entry.occurred_at, Entry.post_id, Entry.source,
    )  # fmt: skip
    last = _last(entries)
    looks = _looks(entries)
    titled = places((entry.post_id for entry in entries.values()), viewer)
    done = told(entries.values())
    found = []
    for row in rows:
        entry = entries.get(row.entry_id or 0)
        act, by_id = last.get(row.entry_id or 0, (None, None))
        title, address = titled.get(entry.post_id, ("", "")) if entry else ("", "")
        of_entry = looks.get((row.member_id, row.entry_id), [])
        before = [one for one in of_entry if one.id < row.id and one.answered_at is not None]
        found.append(
            ContestLine(
                row.id,
                row.member_id,
                names[row.member_id].name,
                names[row.member_id].username,
                names[row.member_id].company or "",
                row.words,
                row.made_at,
                row.answer,
                row.answered_at,
                row.entry_id,
                entry.rule if entry else None,
                entry.counts if entry else None,
                entry.damped if entry else None,
                entry.occurred_at if entry else None,
                act is not None and act is not Act.REVERSED,
                _may_be_restored(act, by_id, done.get(row.entry_id or 0)),
                title,
                address,
                FirstLook(before[-1].words, before[-1].answer, before[-1].answered_by_id, before[-1].by or "")
                if before
                else None,
                row.answered_at is not None and len(of_entry) < LOOKS and entry is not None,
                done.get(row.entry_id or 0),
            )
        )
    return found


def _looks(entry_ids: Collection[int]) -> dict[tuple[int, int | None], list[Any]]:
    """Every contest of these entries, oldest first, by member and entry."""
    rows = db.session.execute(
        select(
            Contest.id,
            Contest.member_id,
            Contest.entry_id,
            Contest.words,
            Contest.answer,
            Contest.answered_at,
            Contest.answered_by_id,
            Member.name.label("by"),
        )
        .outerjoin(Member, Member.id == Contest.answered_by_id)
        .where(Contest.entry_id.in_(sorted(set(entry_ids))))
        .order_by(Contest.id)
    )
    found: dict[tuple[int, int | None], list[Any]] = defaultdict(list)
    for row in rows:
        found[row.member_id, row.entry_id].append(row)
    return found


def _last(entry_ids: Collection[int]) -> dict[int, tuple[Act, int | None]]:
    """How the sources of these entries stand now: act and, for a moderator's correction, whose, by entry."""
    named = aliased(Entry)
    rows = db.session.execute(
        select(named.id, Entry.act, Entry.by_id)
        .join(Entry, and_(Entry.rule == named.rule, Entry.source == named.source))
        .where(named.id.in_(sorted(set(entry_ids))), is_last())
    )
    return {row.id: (row.act, row.by_id) for row in rows}


def _people(ids: Sequence[int]) -> dict[int, Any]:
    rows = db.session.execute(
        select(Member.id, Member.name, Member.username, Company.name.label("company"))
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id.in_(sorted(set(ids))))
    )
    return {row.id: row for row in rows}


def _by_id(ids: Sequence[int], key: Any, *columns: Any) -> dict[int, Any]:
    rows = db.session.execute(select(key, *columns).where(key.in_(sorted(set(ids)))))
    return {row[0]: row for row in rows}
