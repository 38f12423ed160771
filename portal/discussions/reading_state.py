"""Who has read how far, and how often threads are opened: gathered in the process, written in batches.

A page view writes nothing. What is gathered is at most two seconds old when it is written, and is written at
shutdown. One's own page shows the newer of buffer and row (`newer`).
"""

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from portal.discussions.models import ReadMark, Thread
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member

log = structlog.get_logger("candor.reading")

LATEST_SECONDS = 2.0
_MOST_KEPT = 50_000  # when the database cannot be written, the oldest marks give way

_lock = threading.Lock()
_marks: dict[tuple[int, int], tuple[int, datetime]] = {}
_views: dict[int, int] = {}
_since: list[float] = []  # when the oldest entry came; empty when there is none
_flusher: list[Callable[[], None]] = []


def note_read(member_id: int, thread_id: int, number: int) -> None:
    """The member has seen the thread up to this number; a lower one than before changes nothing."""
    key = (member_id, thread_id)
    with _lock:
        known = _marks.get(key)
        if known is None or number >= known[0]:
            _marks[key] = (number, clock.now())
        _note_age()
    _start()


def note_view(thread_id: int) -> None:
    """Somebody opened the thread."""
    with _lock:
        _views[thread_id] = _views.get(thread_id, 0) + 1
        _note_age()
    _start()


def newer(
    member_id: int | None, thread_id: int, number: int | None, at: datetime | None
) -> tuple[int, datetime | None]:
    """(number, when) up to which the member has read: from the row given or the buffer; (0, None): never."""
    known = _marks.get((member_id, thread_id)) if member_id is not None else None
    if known is not None and known[0] >= (number or 0):
        return known
    return number or 0, at


def gathered_of(member_id: int) -> dict[int, int]:
    """Up to which number the member has read threads, where that is not written yet; by the thread's id."""
    with _lock:
        return {thread: number for (member, thread), (number, _at) in _marks.items() if member == member_id}


def is_due() -> bool:
    """Whether something has waited for its time to be written."""
    return bool(_since) and time.monotonic() - _since[0] >= LATEST_SECONDS / 2


def flush() -> int:
    """Write what was gathered, in one unit of work; gives how many rows. Needs an application context."""
    with _lock:
        marks, views = dict(_marks), dict(_views)
        _views.clear()
        _since.clear()
    if not marks and not views:
        return 0
    try:
        with unit_of_work():
            _write_marks(marks)
            for thread_id, count in sorted(views.items()):
                more = Thread.views_count + count
                db.session.execute(update(Thread).where(Thread.id == thread_id).values(views_count=more))
    except SQLAlchemyError as error:
        log.warning("read marks wait: the database cannot be written", error=str(error)[:200])
        with _lock:
            for thread_id, count in views.items():
                _views[thread_id] = _views.get(thread_id, 0) + count
            while len(_marks) > _MOST_KEPT:
                del _marks[next(iter(_marks))]
            _note_age()
        return 0
    with _lock:
        for key, value in marks.items():
            if _marks.get(key) == value:
                del _marks[key]
    return len(marks) + len(views)


def reset() -> None:
    """Forget what was gathered: for a new application in the same process."""
    with _lock:
        _marks.clear()
        _views.clear()
        _since.clear()


def flush_with(context: Callable[[], AbstractContextManager[Any]]) -> None:
    """Have a thread of this process write what is gathered, inside `context()`; and once more at its end."""

    def write() -> None:
        with context():
            try:
                flush()
            finally:
                db.session.remove()

    _flusher[:] = [write]


def _start() -> None:
    if _flusher and not _running():
        thread = threading.Thread(target=_work, name="read marks", daemon=True)
        _threads[:] = [thread]
        thread.start()


_threads: list[threading.Thread] = []


def _running() -> bool:
    return bool(_threads) and _threads[0].is_alive()


def _work() -> None:
    """Write every so often; ends when there was nothing to write for a while (and after a fork)."""
    idle = 0
    while _flusher and idle < 30:
        time.sleep(LATEST_SECONDS / 2)
        if _since:
            idle = 0
            _flusher[0]()
        else:
            idle += 1


@atexit.register
def _at_end() -> None:
    if _flusher and _since:
        _flusher[0]()


def _note_age() -> None:
    if not _since:
        _since.append(time.monotonic())


def _write_marks(marks: dict[tuple[int, int], tuple[int, datetime]]) -> None:
    if not marks:
        return
    members = {member_id for member_id, _thread in marks}
    threads = {thread_id for _member, thread_id in marks}
    members = set(db.session.execute(select(Member.id).where(Member.id.in_(members))).scalars())
    threads = set(db.session.execute(select(Thread.id).where(Thread.id.in_(threads))).scalars())
    rows = [
        {"member_id": member_id, "thread_id": thread_id, "last_number": number, "read_at": at}
        for (member_id, thread_id), (number, at) in sorted(marks.items())
        if member_id in members and thread_id in threads
    ]
    if not rows:
        return
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(ReadMark)
    further = insert.excluded.last_number >= ReadMark.last_number
    upsert = insert.on_conflict_do_update(
        index_elements=["member_id", "thread_id"],
        set_={
            "last_number": case((further, insert.excluded.last_number), else_=ReadMark.last_number),
            "read_at": case((further, insert.excluded.read_at), else_=ReadMark.read_at),
        },
    )
    db.session.execute(upsert, rows)
