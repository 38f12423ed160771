"""Prospects are guests: sales and service read no name of theirs in what others wrote either.

For these readers, and for nobody else, names are taken out when a text is shown: mentions, quotations'
sources and links to a profile; the whole name of any prospect; and, in a thread where a prospect wrote, the
user name and each part of the name typed as plain words ("Thanks Paula"). See `discussions.masking`.
"""

import re
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from sqlalchemy import and_, null, select, union_all

from portal.discussions.masking import Mask, Named, runs_of, whole_names_in
from portal.discussions.models import Post
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.slugs import slugify
from portal.members.display import Reader
from portal.members.models import Member, MemberState
from portal.members.names import sort_key

A_GUEST = "a prospect"
MOST_POSTS = 5_000
"""Posts of the threads of a page that are looked through for the prospects among their authors."""
_CALLED = re.compile(r"@([\w.-]+)|/members/([\w.-]+)")

Row = TypeVar("Row")


class Veil(Protocol):
    """Gives a text of a thread as this reader may read it."""

    def __call__(self, text: str, thread: int = 0) -> str: ...


def unveiled(text: str, thread: int = 0) -> str:
    """The veil of everybody else: texts stay as they are."""
    return text


def veil_over(reader: Reader, texts: Iterable[str | None], threads: Iterable[int | None] = ()) -> Veil:
    """What takes prospects' names out of these texts, HTML, Markdown or titles, for this reader.

    One statement for sales and service, however many texts and threads there are; none for others. Of
    threads with very many posts on one page not every author may be known (`MOST_POSTS`).
    """
    if reader is not Reader.SELLER:
        return unveiled
    written = [text for text in texts if text]
    known = {thread for thread in threads if thread}
    if not written:
        return unveiled
    called = {
        name.rstrip(".-_").lower()
        for text in written
        for pair in _CALLED.findall(text)
        for name in pair
        if name
    }
    rows = db.session.execute(_guests(called, whole_names_in(written), known)).all()
    whole = [Named(row.username, row.name) for row in rows if row.thread_id is None]
    parts: dict[int, list[Named]] = {}
    for row in rows:
        if row.thread_id is not None:
            parts.setdefault(row.thread_id, []).append(Named(row.username, row.name))
    if not rows:
        return unveiled
    masks: dict[int, Mask] = {}

    def veiled(text: str, thread: int = 0) -> str:
        mask = masks.get(thread)
        if mask is None:
            mask = masks[thread] = Mask(A_GUEST, whole, parts.get(thread, ()))
        return mask(text)

    return veiled


def veil_titles(reader: Reader, rows: Iterable[Row], thread: str = "id", title: str = "title") -> list[Row]:
    """The same for rows with a title, and the slug that was made of it: one statement, none for others."""
    rows = list(rows)
    if reader is not Reader.SELLER or not rows:
        return rows
    veil = veil_over(reader, [getattr(row, title) for row in rows], [getattr(row, thread) for row in rows])
    return [with_title(veil, row, thread, title) for row in rows]


def with_title(veil: Veil, row: Row, thread: str = "id", title: str = "title") -> Row:
    """The row with its title, and the slug made of it, as far as the reader may read them."""
    if veil is unveiled:
        return row
    written = getattr(row, title)
    shown = veil(written, getattr(row, thread)) if written else written
    return row if shown == written else _Veiled(row, title, shown)  # type: ignore[return-value]


def without_guests(reader: Reader, query: str) -> str:
    """What sales or service look for, without whole names and user names of prospects."""
    words = query.replace('"', " ").split()[:16]
    if reader is not Reader.SELLER or not words:
        return query
    called = {word.strip("@.,;:").lower() for word in words}
    rows = db.session.execute(_guests(called, runs_of(words), set())).all()
    if not rows:
        return query
    found = [Named(row.username, row.name) for row in rows]
    keys = {one.username for one in found} | {sort_key(one.name) for one in found}
    masked = Mask("", found)(query)
    return " ".join(word for word in masked.split() if sort_key(word.strip("@.,;:")) not in keys)


class _Veiled:
    """A row with another title. Reads like the row otherwise."""

    def __init__(self, row: Any, title: str, shown: str) -> None:
        self._row = row
        self._instead = {title: shown, title.replace("title", "slug"): slugify(shown)}

    def __getattr__(self, name: str) -> Any:
        instead = self.__dict__["_instead"]
        return instead[name] if name in instead else getattr(self.__dict__["_row"], name)

    def __iter__(self) -> Any:
        return iter(self._row)

    def __getitem__(self, at: int) -> Any:
        return self._row[at]


def _guests(called: set[str], names: set[str], threads: set[int]) -> Any:
    """SQL: username, name, and the thread in which they wrote (null: called or named in a text)."""
    is_guest = and_(Member.status == Status.PROSPECT, Member.state != MemberState.ERASED)
    any_thread = null().cast(db.Integer).label("thread_id")
    # With its state first, since the index of names begins with it.
    by_name = and_(Member.state.in_(list(MemberState)), Member.sort_name.in_(sorted(names)))
    parts = [
        select(Member.username, Member.name, any_thread).where(is_guest, Member.username.in_(sorted(called))),
        select(Member.username, Member.name, any_thread).where(is_guest, by_name),
    ]
    if threads:
        some = select(Post.author_id, Post.thread_id).where(Post.thread_id.in_(sorted(threads)))
        wrote = some.limit(MOST_POSTS).subquery()
        parts.append(
            select(Member.username, Member.name, wrote.c.thread_id)
            .join(wrote, wrote.c.author_id == Member.id)
            .where(is_guest)
            .distinct()
        )
    return union_all(*parts)
