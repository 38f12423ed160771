"""Lists of threads and boards, each through the visibility rules, each in one statement."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, String, and_, bindparam, false, func, select, text, tuple_

from portal.discussions import reading_state
from portal.discussions.addresses import thread_address, unread_address
from portal.discussions.authors import BY_POST, BY_THREAD
from portal.discussions.guests import veil_titles
from portal.discussions.models import (
    Board,
    Follow,
    Post,
    PostKind,
    PostState,
    Tag,
    Thread,
    ThreadKind,
    ThreadTag,
)
from portal.discussions.policy import (
    READABLE,
    board_is_visible,
    text_is_visible,
    thread_is_visible,
)
from portal.discussions.queries.finding import SITE_VERSION, join_read_mark, kind_of, read_mark
from portal.kernel import clock, paging
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import UTCDateTime, db, rows_of
from portal.kernel.paging import Page
from portal.members.display import PersonLine, Reader, person_line, reader_of, with_person

ROWS = 25
FRESH = timedelta(days=14)  # so long a thread that one has never opened is called new

COLUMNS = (
    Thread.id,
    Thread.slug,
    Thread.title,
    Thread.kind,
    Thread.state,
    Thread.author_id,
    Thread.created_at,
    Thread.last_activity_at,
    Thread.last_number,
    Thread.posts_count,
    Thread.answers_count,
    Thread.score,
    Thread.vendor_replied,
    Thread.accepted_post_id,
    Thread.pinned_at,
    Thread.closed_at,
    Thread.tags,
    Board.slug.label("board_slug"),
    Board.name.label("board_name"),
)
# Written out, not bound: only so SQLite can tell that the partial indexes hold these rows.
_UNANSWERED = text("threads.kind = 'question' AND threads.answers_count = 0 AND threads.state = 'visible'")
_WAITING = text("threads.kind = 'question' AND threads.answers_count = 0")
_IS_STORY = text("threads.kind = 'war_story'")
_PINNED = text("threads.pinned_at IS NOT NULL")
_NOT_PINNED = text("threads.pinned_at IS NULL")
# Values of the statements that are built once.
_BOARD_ID: Any = bindparam("board_id", type_=Integer)
_TAG: Any = bindparam("tag", type_=String)


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One row of a list of threads, as `components/threads.html` shows it."""

    id: int
    url: str  # of the first unread post, where there is one
    title: str
    kind: str
    author: PersonLine
    board_slug: str
    board_name: str
    created_at: datetime
    last_activity_at: datetime
    answers_count: int
    replies_count: int
    helpful: int
    answered: bool
    vendor_replied: bool
    unread: int  # posts since the viewer's last visit to it
    fresh: bool  # of late, by others, and never opened
    pinned: bool
    closed: bool
    held: bool
    tags: tuple[str, ...]
    excerpt: str = ""


@dataclass(frozen=True)
class Filter:
    """What a list of threads is narrowed to; every value comes from the address."""

    kind: ThreadKind | None = None
    unanswered: bool = False
    tag: str = ""
    newest: bool = False

    @property
    def by_creation(self) -> bool:
        """Whether the list goes by when threads were started: asked for, or what its index gives."""
        return self.newest or self.unanswered

    @property
    def kind_of_list(self) -> "Filter":
        """What the statement depends on: whether there is a tag, not which."""
        return replace(self, tag="tag") if self.tag else self

    @property
    def is_set(self) -> bool:
        return bool(self.kind or self.unanswered or self.tag)


def threads_of_board(
    viewer: Viewer, board_id: int, wanted: Filter, *, after: str = "", before: str = "", rows: int = ROWS
) -> Page:
    """A page of the visible threads of a board, pinned ones left out (`first_of_board`). ThreadLine rows.

    Raises NotFound for a cursor that was not made here.
    """
    return _page(viewer, board_id, wanted, after, before, rows)


def first_of_board(viewer: Viewer, board_id: int, wanted: Filter) -> list[ThreadLine]:
    """What stands above the list: pinned threads, then what waits for a moderator and this viewer may see."""
    statement = _first_statement(kind_of(viewer), wanted.kind_of_list)
    values = {"me": viewer.member_id, "board_id": board_id, "tag": wanted.tag}
    rows = rows_of(statement, values).all()
    # Sorted here: SQLite would take the index of the order.
    rows = sorted(rows, key=lambda row: (row.pinned_at or row.created_at, row.id), reverse=True)
    rows.sort(key=lambda row: row.state is PostState.VISIBLE)
    return thread_lines(viewer, rows)


@lru_cache(256)
def _first_statement(viewer: Viewer, wanted: Filter) -> Any:
    visible = func.coalesce(Thread.state == PostState.VISIBLE, false())
    pinned = select(Thread.id).where(Thread.board_id == _BOARD_ID, _PINNED, visible)
    ids: Any = pinned
    if viewer.member_id is not None:
        held = select(Thread.id).where(Thread.board_id == _BOARD_ID, Thread.state == PostState.HELD)
        if not viewer.may(Permission.MODERATE):
            held = held.where(Thread.author_id == viewer.member_id)
        ids = pinned.union_all(held)
    query = _lines(viewer).where(Thread.id.in_(ids))
    if wanted.kind:
        query = query.where(Thread.kind == wanted.kind)
    if wanted.unanswered:
        query = query.where(Thread.kind == ThreadKind.QUESTION, Thread.answers_count == 0)
    if wanted.tag:
        query = query.where(Thread.id.in_(_tagged(_TAG)))
    return query.limit(50)


def threads_with_tag(viewer: Viewer, name: str, *, after: str = "", before: str = "") -> Page:
    """A page of the threads under a tag on every board the viewer reads, newest first. Raises NotFound."""
    return _page(viewer, None, Filter(tag=name), after, before, ROWS)


def tag_exists(viewer: Viewer, name: str) -> bool:
    """Whether the viewer may read a thread under this tag."""
    query = (
        select(Thread.id)
        .join(Board, Board.id == Thread.board_id)
        .where(Thread.id.in_(_tagged(name)), Thread.state == PostState.VISIBLE, thread_is_visible(viewer))
        .limit(1)
    )
    return db.session.execute(query).first() is not None


def latest_threads(viewer: Viewer, limit: int = 10) -> list[ThreadLine]:
    """The threads in which something happened last, on all boards the viewer reads."""
    rows = rows_of(_latest_statement(kind_of(viewer), limit), {"me": viewer.member_id})
    return thread_lines(viewer, rows.all())


@lru_cache(64)
def _latest_statement(viewer: Viewer, limit: int) -> Any:
    query = _lines(viewer).where(Thread.state == PostState.VISIBLE)
    return query.order_by(Thread.last_activity_at.desc(), Thread.id.desc()).limit(limit)


def unanswered_threads(viewer: Viewer, limit: int = 5) -> list[ThreadLine]:
    """The newest open questions without an answer, on all boards the viewer reads."""
    rows = rows_of(_unanswered_statement(kind_of(viewer), limit), {"me": viewer.member_id})
    return thread_lines(viewer, rows.all())


@lru_cache(64)
def _unanswered_statement(viewer: Viewer, limit: int) -> Any:
    query = _lines(viewer).where(
        _WAITING,
        Thread.closed_at.is_(None),
        func.coalesce(and_(Thread.state == PostState.VISIBLE, Board.archived_at.is_(None)), false()),
    )
    return query.order_by(Thread.created_at.desc(), Thread.id.desc()).limit(limit)


def unread_followed(viewer: Viewer, limit: int = 8) -> list[ThreadLine]:
    """Followed threads with posts that the member has not read, the liveliest first."""
    if viewer.member_id is None:
        return []
    rows = rows_of(_unread_statement(kind_of(viewer), limit), {"me": viewer.member_id})
    return [line for line in thread_lines(viewer, rows.all()) if line.unread]


@lru_cache(64)
def _unread_statement(viewer: Viewer, limit: int) -> Any:
    number, _at = read_mark(viewer)
    followed = select(Follow.thread_id).where(
        Follow.member_id == viewer.member_id, Follow.thread_id.is_not(None)
    )
    return (
        _lines(viewer)
        .where(
            Thread.id.in_(followed),
            func.coalesce(Thread.state == PostState.VISIBLE, false()),
            Thread.last_number > func.coalesce(number.element, 0),
            Thread.last_author_id != viewer.member_id,
        )
        .order_by(Thread.last_activity_at.desc(), Thread.id.desc())
        .limit(limit)
    )


def threads_by_id(viewer: Viewer, ids: list[int]) -> list[ThreadLine]:
    """The visible ones of these threads, in the order of `ids`."""
    if not ids:
        return []
    query = _lines(viewer).where(Thread.id.in_(ids), Thread.state == PostState.VISIBLE)
    found = {line.id: line for line in thread_lines(viewer, db.session.execute(query).all())}
    return [found[thread_id] for thread_id in ids if thread_id in found]


def related_ids(thread_id: int, limit: int = 12) -> list[int]:
    """Ids of threads that share the most tags with this one, the newer first; not yet checked for any viewer.

    Looks at the newest 200 threads under each tag, so it costs the same on a large site.
    """
    tag_ids = list(
        db.session.execute(select(ThreadTag.tag_id).where(ThreadTag.thread_id == thread_id)).scalars()
    )
    shared: dict[int, int] = {}
    for tag_id in tag_ids:
        newest = select(ThreadTag.thread_id).where(ThreadTag.tag_id == tag_id)
        newest = newest.order_by(ThreadTag.thread_id.desc()).limit(200)
        for other in db.session.execute(newest).scalars():
            if other != thread_id:
                shared[other] = shared.get(other, 0) + 1
    return sorted(shared, key=lambda other: (-shared[other], -other))[:limit]


def tags_of_board(board_id: int, limit: int = 12) -> list[str]:
    """The tags that the newest 300 visible threads of a board carry most."""
    newest = select(Thread.id).where(Thread.board_id == board_id, Thread.state == PostState.VISIBLE)
    newest = newest.order_by(Thread.created_at.desc(), Thread.id.desc()).limit(300)
    rows = db.session.execute(
        select(Tag.name, func.count().label("uses"))
        .join(ThreadTag, ThreadTag.tag_id == Tag.id)
        .where(ThreadTag.thread_id.in_(newest.subquery().select()))
        .group_by(Tag.name)
        .order_by(func.count().desc(), Tag.name)
        .limit(limit)
    )
    return [row.name for row in rows]


@dataclass(frozen=True)
class WeekOfQuestions:
    """How many questions were asked in the last seven days, and how many of them still wait."""

    asked: int
    waiting: int


def questions_of_the_week(viewer: Viewer) -> WeekOfQuestions:
    """Over all boards the viewer reads; counted up to 1,000."""
    since = clock.now() - timedelta(days=7)
    row = rows_of(_week_statement(kind_of(viewer)), {"since": since}).one()
    return WeekOfQuestions(row[0], row[1])


@lru_cache(64)
def _week_statement(viewer: Viewer) -> Any:
    recent = (
        select(Thread.answers_count)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(
            Thread.created_at >= bindparam("since", type_=UTCDateTime()),
            func.coalesce(
                and_(
                    Thread.kind == ThreadKind.QUESTION,
                    Thread.state == PostState.VISIBLE,
                    board_is_visible(viewer),
                ),
                false(),
            ),
        )
        .limit(1000)
        .subquery()
    )
    waiting = func.count().filter(recent.c.answers_count == 0)
    return select(func.count(), waiting).select_from(recent)


def story_of_the_week(viewer: Viewer) -> Any | None:
    """The newest war story that the viewer may read: id, slug, title, excerpt and its author."""
    statement = _story_statement(kind_of(viewer))
    return rows_of(statement, {"me": viewer.member_id}).one_or_none()


@lru_cache(64)
def _story_statement(viewer: Viewer) -> Any:
    newest = (
        select(Thread.id)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(
            _IS_STORY,
            func.coalesce(and_(Thread.state == PostState.VISIBLE, board_is_visible(viewer)), false()),
        )
        .order_by(Thread.created_at.desc(), Thread.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Thread.id, Thread.slug, Thread.title, Post.excerpt, Post.sections, *BY_POST)
        .join(Post, and_(Post.thread_id == Thread.id, Post.kind == PostKind.OPENING))
        .join(Board, Board.id == Thread.board_id)
    )
    return with_person(query, Post.author_id).where(Thread.id == newest, text_is_visible(viewer)).limit(1)


PUBLIC_VERSION = select(
    func.coalesce(func.sum(Board.content_version), 0), func.coalesce(func.max(Board.id), 0), SITE_VERSION
).where(Board.audience.in_(sorted(READABLE[Status.VISITOR])))


def version_of_what_is_public() -> tuple[Any, ...]:
    """Changes with every change of a public board's list, and with every change of site or boards."""
    return tuple(rows_of(PUBLIC_VERSION).one())


def thread_lines(viewer: Viewer, rows: Any) -> list[ThreadLine]:
    """Rows of `_lines` as lines for this viewer, with what the buffer of read marks knows."""
    reader = reader_of(viewer)
    return [_line(row, viewer, reader) for row in veil_titles(reader, rows)]


def _line(row: Any, viewer: Viewer, reader: Reader) -> ThreadLine:
    read, _at = reading_state.newer(viewer.member_id, row.id, row.read_number, None)
    unread = max(row.last_number - read, 0) if read else 0
    return ThreadLine(
        id=row.id,
        url=unread_address(row.id, row.slug, row.last_number - unread + 1)
        if unread
        else thread_address(row.id, row.slug),
        title=row.title,
        kind=row.kind.value,
        author=person_line(row, reader),
        board_slug=row.board_slug,
        board_name=row.board_name,
        created_at=row.created_at,
        last_activity_at=row.last_activity_at,
        answers_count=row.answers_count,
        replies_count=max(row.posts_count - 1, 0),
        helpful=max(row.score, 0),
        answered=row.accepted_post_id is not None,
        vendor_replied=row.vendor_replied,
        unread=unread,
        fresh=_is_fresh(row, viewer) if not read else False,
        pinned=row.pinned_at is not None,
        closed=row.closed_at is not None,
        held=row.state is PostState.HELD,
        tags=tuple(row.tags) if row.state is PostState.VISIBLE else (),  # no page lists it under them yet
    )


def _is_fresh(row: Any, viewer: Viewer) -> bool:
    if viewer.member_id is None or row.author_id == viewer.member_id:
        return False
    return row.last_activity_at > clock.now() - FRESH and row.state is PostState.VISIBLE


def visible_threads(viewer: Viewer) -> Select[Any]:
    """SQL of the threads this viewer may read, with all that `thread_lines` needs; to be narrowed."""
    return _lines(viewer)


def _lines(viewer: Viewer) -> Select[Any]:
    """Visible threads. The outer join and the coalesce keep SQLite from beginning with the boards: then it
    would sort all threads of a board where the index has them in order.
    """
    query = select(*COLUMNS, *BY_THREAD, *read_mark(viewer)).outerjoin(Board, Board.id == Thread.board_id)
    visible = func.coalesce(thread_is_visible(viewer), false())
    return join_read_mark(with_person(query, Thread.author_id), viewer).where(visible)


def _tagged(name: Any) -> Select[Any]:
    tag = select(Tag.id).where(Tag.name == name).scalar_subquery()
    return select(ThreadTag.thread_id).where(ThreadTag.tag_id == tag)


def _narrowed(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.unanswered:
        query = query.where(_UNANSWERED)
    else:
        query = query.where(Thread.state == PostState.VISIBLE)
        if wanted.kind:
            query = query.where(Thread.kind == wanted.kind)
    if wanted.tag:
        tag = select(Tag.id).where(Tag.name == _TAG).scalar_subquery()
        query = query.join(ThreadTag, and_(ThreadTag.thread_id == Thread.id, ThreadTag.tag_id == tag))
    return query


def _page(viewer: Viewer, board_id: int | None, wanted: Filter, after: str, before: str, rows: int) -> Page:
    """One page by key, of a board or of all. Under a tag the key is the thread's id alone, as in the tag's
    index.
    """
    kinds: tuple[type, ...] = (int,) if wanted.tag else (datetime, int)
    back = paging.decode(before, *kinds)
    forth = paging.decode(after, *kinds)
    direction = "back" if back is not None else "forth" if forth is not None else "first"
    statement = _page_statement(kind_of(viewer), board_id is None, wanted.kind_of_list, direction, rows + 1)
    *moment, number = back or forth or (None, None)
    values = {"me": viewer.member_id, "board_id": board_id, "tag": wanted.tag}
    values |= {"moment": moment[0] if moment else None, "number": number}
    found = list(rows_of(statement, values).all())
    more = len(found) > rows
    found = found[:rows]
    if back is not None:
        found.reverse()
    has_previous = (more if back is not None else forth is not None) and bool(found)
    has_next = (back is not None or more) and bool(found)
    return Page(
        rows=thread_lines(viewer, found),
        next=_cursor(found[-1], wanted) if has_next else "",
        previous=_cursor(found[0], wanted) if has_previous else "",
    )


def _cursor(row: Any, wanted: Filter) -> str:
    if wanted.tag:
        return paging.encode(row.id)
    return paging.encode(row.created_at if wanted.by_creation else row.last_activity_at, row.id)


@lru_cache(512)
def _page_statement(viewer: Viewer, all_boards: bool, wanted: Filter, direction: str, limit: int) -> Any:
    query = _lines(viewer)
    if all_boards:
        query = query.where(Thread.state == PostState.VISIBLE)
    else:
        query = query.where(Thread.board_id == _BOARD_ID, _NOT_PINNED)
    query = _narrowed(query, wanted)
    keys: tuple[Any, ...]
    if wanted.tag:
        keys = (ThreadTag.thread_id,)
    else:
        keys = (Thread.created_at if wanted.by_creation else Thread.last_activity_at, Thread.id)
    if direction == "back":
        return query.where(_beyond(keys, newer=True)).order_by(*(key.asc() for key in keys)).limit(limit)
    if direction == "forth":
        query = query.where(_beyond(keys, newer=False))
    return query.order_by(*(key.desc() for key in keys)).limit(limit)


def _beyond(keys: tuple[Any, ...], *, newer: bool) -> Any:
    """keys > values or keys < values, as a row comparison that an index serves."""
    number = bindparam("number", type_=Integer)
    if len(keys) == 1:
        return keys[0] > number if newer else keys[0] < number
    place = tuple_(*keys)
    values = tuple_(bindparam("moment", type_=UTCDateTime()), number)
    return place > values if newer else place < values
