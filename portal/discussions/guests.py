"""Prospects are guests: sales and service read no name of theirs in what others wrote either.

For these readers, and for nobody else, names are taken out when a text is shown: mentions, quotations'
sources and links to a profile; the whole name, the mail address and the user name with a sign in it of any
prospect; and, of those who are close to a text, each part of the name and the company's name typed as plain
words ("Thanks Paula", "Best, Paula"). Close to a text are the prospects, and whoever appears as a role, among
the authors of its thread, those whom the text names or calls, and those whose thread or post it links to. See
`discussions.masking`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Integer, and_, func, literal, null, or_, select, union_all

from portal.discussions.masking import Mask, Named, runs_of, whole_names_in
from portal.discussions.models import Post, ShownAs, Thread
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.slugs import slugify
from portal.members.display import Reader
from portal.members.models import Company, Member, MemberState
from portal.members.names import sort_key

A_GUEST = "a prospect"
A_ROLE = "a member"
MOST_CALLED = 400
_REASONS = ("closed_reason", "state_reason")  # a moderator's words that stand beside a title
_CALLED = re.compile(r"@([\w.-]+)|/members/([\w.-]+)|(?<![\w@/.-])([a-z]+[\d._-][\w.-]*)", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_LINK = re.compile(r"/(threads|posts)/(\d{1,9})\b")

Row = TypeVar("Row")


class Veil(Protocol):
    """Gives a text of a thread as this reader may read it."""

    def __call__(self, text: str, thread: int = 0) -> str: ...


def unveiled(text: str, thread: int = 0) -> str:
    """The veil of everybody else: texts stay as they are."""
    return text


def veil_over(reader: Reader, texts: Iterable[str | None], threads: Iterable[int | None] = ()) -> Veil:
    """What takes prospects' names out of these texts, HTML, Markdown or titles, for this reader.

    One statement for sales and service, however many texts and threads there are; none for others.
    """
    if reader is not Reader.SELLER:
        return unveiled
    written = [text for text in texts if text]
    known = {thread for thread in threads if thread}
    if not written:
        return unveiled
    linked = _linked_in(*written)
    rows = db.session.execute(_guests(_Wanted.in_texts(written), known, linked)).all()
    if not rows:
        return unveiled
    named: list[_Hidden] = []
    close: dict[tuple[str, int], list[_Hidden]] = {}
    for row in rows:
        hidden = _Hidden.of(row)
        if row.place == "named":
            named.append(hidden)
        else:
            close.setdefault((row.place, row.number), []).append(hidden)
    named_by = [(hidden, Mask("", [hidden.who])) for hidden in named]
    masks: dict[frozenset[_Hidden], list[Mask]] = {}

    def veiled(text: str, thread: int = 0) -> str:
        # Whom a page of one thread names, or links to, somewhere is close to all of its texts.
        one_thread = known == {thread}
        near = set(close.get(("wrote", thread), ()))
        for place in linked if one_thread else _linked_in(text):
            near.update(close.get(place, ()))
        near.update(hidden for hidden, mask in named_by if one_thread or mask.finds(text))
        key = frozenset(near)
        if key not in masks:
            masks[key] = _masks(named, near)
        for mask in masks[key]:
            text = mask(text)
        return text

    return veiled


def veil_titles(reader: Reader, rows: Iterable[Row], thread: str = "id", title: str = "title") -> list[Row]:
    """The same for rows with a title, and the slug that was made of it: one statement, none for others."""
    rows = list(rows)
    if reader is not Reader.SELLER or not rows:
        return rows
    texts = [getattr(row, name, None) for row in rows for name in (title, *_REASONS)]
    veil = veil_over(reader, texts, [getattr(row, thread) for row in rows])
    return [with_title(veil, row, thread, title) for row in rows]


def with_title(veil: Veil, row: Row, thread: str = "id", title: str = "title") -> Row:
    """The row with its title, the slug made of it and reasons, as far as the reader may read them."""
    if veil is unveiled:
        return row
    instead: dict[str, str] = {}
    for name in (title, *_REASONS):
        written = getattr(row, name, None)
        if not written:
            continue
        shown = veil(written, getattr(row, thread))
        if shown != written:
            instead[name] = shown
            if name == title:
                instead[title.replace("title", "slug")] = slugify(shown)
    return _Veiled(row, instead) if instead else row  # type: ignore[return-value]


def without_guests(reader: Reader, query: str) -> str:
    """What sales or service look for, without whole names and user names of prospects."""
    words = query.replace('"', " ").split()[:16]
    if reader is not Reader.SELLER or not words:
        return query
    plain = [word.strip("@.,;:").lower() for word in words]
    wanted = _Wanted(called=set(plain), names=runs_of(words), addresses=set(_ADDRESS.findall(query.lower())))
    rows = db.session.execute(_guests(wanted, set(), set())).all()
    if not rows:
        return query
    found = [_Hidden.of(row).who for row in rows]
    keys = {one.username for one in found} | {sort_key(one.name) for one in found}
    masked = Mask("", found)(query)
    return " ".join(word for word in masked.split() if sort_key(word.strip("@.,;:")) not in keys)


class _Veiled:
    """A row with other words in some places. Reads like the row otherwise."""

    def __init__(self, row: Any, instead: dict[str, str]) -> None:
        self._row = row
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        instead = self.__dict__["_instead"]
        return instead[name] if name in instead else getattr(self.__dict__["_row"], name)

    def __iter__(self) -> Any:
        return iter(self._row)

    def __getitem__(self, at: int) -> Any:
        return self._row[at]


@dataclass(frozen=True)
class _Wanted:
    """What may be a prospect in some texts: user names, whole names as `sort_key` has them, addresses."""

    called: set[str]
    names: set[str]
    addresses: set[str]

    @classmethod
    def in_texts(cls, texts: list[str]) -> "_Wanted":
        called: set[str] = set()
        addresses: set[str] = set()
        for text in texts:
            for calls, pages, signs in _CALLED.findall(text):
                if not signs or len(called) < MOST_CALLED:
                    called.add((calls or pages or signs).rstrip(".-_").lower())
            if "@" in text:
                addresses.update(one.lower() for one in _ADDRESS.findall(text)[:MOST_CALLED])
        return cls(called, whole_names_in(texts), addresses)


@dataclass(frozen=True)
class _Hidden:
    """Somebody without a name, and as what they appear."""

    who: Named
    instead: str

    @classmethod
    def of(cls, row: Any) -> "_Hidden":
        who = Named(row.username, row.name, row.email or "", row.company or "")
        return cls(who, A_GUEST if row.status is Status.PROSPECT else A_ROLE)


def _masks(named: Iterable[_Hidden], near: Iterable[_Hidden]) -> list[Mask]:
    masks = []
    for instead in (A_GUEST, A_ROLE):
        whole = [one.who for one in named if one.instead == instead]
        parts = [one.who for one in near if one.instead == instead]
        if whole or parts:
            masks.append(Mask(instead, whole, parts))
    return masks


def _linked_in(*texts: str) -> set[tuple[str, int]]:
    """The threads and posts that texts link to, by kind and number."""
    return {(kind, int(number)) for text in texts for kind, number in _LINK.findall(text)}


def _guests(wanted: _Wanted, threads: set[int], linked: set[tuple[str, int]]) -> Any:
    """SQL: who has no name to sales and service, and what they are close to.

    `place` is "named" (called or named in a text, prospects only), "wrote" (in the thread `number`),
    "threads" or "posts" (opened the thread, wrote the post with this number).
    """
    is_guest = Member.status == Status.PROSPECT

    def people(place: str, number: Any) -> Any:
        company = func.coalesce(Company.name, Member.company_claim).label("company")
        return (
            select(
                Member.username,
                Member.name,
                Member.email,
                Member.status,
                company,
                literal(place).label("place"),
                number.label("number"),
            )
            .outerjoin(Company, Company.id == Member.company_id)
            .where(Member.state != MemberState.ERASED)
        )

    # With its state first, since the index of names begins with it.
    by_name = and_(Member.state.in_(list(MemberState)), Member.sort_name.in_(sorted(wanted.names)))
    parts = [
        people("named", null().cast(Integer)).where(is_guest, condition)
        for condition in (
            Member.username.in_(sorted(wanted.called)),
            by_name,
            Member.email.in_(sorted(wanted.addresses)),
        )
    ]
    near: list[tuple[str, Any, Any, set[int]]] = [("wrote", Post.thread_id, Post, threads)]
    near.append(("threads", Thread.id, Thread, {number for kind, number in linked if kind == "threads"}))
    near.append(("posts", Post.id, Post, {number for kind, number in linked if kind == "posts"}))
    for place, number, what, numbers in near:
        if numbers:
            as_role = and_(what.author_shown_as == ShownAs.ROLE, Member.status != Status.VENDOR)
            parts.append(
                people(place, number)
                .join(what, what.author_id == Member.id)
                .where(number.in_(sorted(numbers)), or_(is_guest, as_role))
                .distinct()
            )
    return union_all(*parts)
