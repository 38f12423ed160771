"""A person's words, made ready to be stored: checked, rendered, with those they mention."""

from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import select, true

from portal.kernel import markup
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.members.display import not_masked, reader_of
from portal.members.models import Member, MemberState

SECTIONS = ("happened", "cost", "differently")
SECTION_TITLES = {
    "happened": "What happened",
    "cost": "What it cost",
    "differently": "What we would do differently",
}


@dataclass(frozen=True)
class Prepared:
    """Source, stored HTML, excerpt, plain text, and the ids of the members mentioned."""

    source: str
    html: str
    excerpt: str
    text: str
    mentions: list[int]


def prepare(source: str, field: str = "body", by: Viewer | None = None) -> Prepared:
    """Check and render Markdown. Raises Invalid beside `field` when it is empty or too large.

    `by` writes: sales and service mention no prospects, since they may not write to them unasked.
    Reads only; call it before the unit of work, since rendering takes milliseconds.
    """
    source = check_source(source, field)
    names = markup.find_mentions(source)
    members: dict[str, int] = {}
    if names:
        members = {
            row.username: row.id
            for row in db.session.execute(
                select(Member.username, Member.id).where(
                    Member.username.in_([name.lower() for name in names]),
                    Member.state == MemberState.ACTIVE,
                    not_masked(reader_of(by)) if by is not None else true(),
                )
            )
        }
    rendered = markup.render(source, known_members={name: f"/members/{name}" for name in members})
    return Prepared(source, rendered.html, rendered.excerpt, rendered.text, sorted(members.values()))


def prepare_war_story(sections: dict[str, str], by: Viewer | None = None) -> Prepared:
    """Check and render the three sections of a war story; the excerpt is of what happened. Raises Invalid."""
    whole = prepare(war_story_source(sections), by=by)
    return replace(whole, excerpt=prepare(sections["happened"], "happened", by).excerpt)


def check_source(source: str, field: str = "body", empty: str = "") -> str:
    """The Markdown with its line ends made one. Raises Invalid beside `field`: nothing there, or too much."""
    source = source.replace("\r\n", "\n").replace("\x00", "").strip()
    if not source:
        raise Invalid(empty or _("Write something first."), field)
    try:
        markup.check_limits(source)
    except markup.MarkupTooLarge as error:
        raise Invalid(str(error), field) from error
    return source


def sections_of(source: str) -> dict[str, str] | None:
    """The three sections of a war story's Markdown; None when it is not laid out as one."""
    found: dict[str, str] = {}
    rest = source
    for name in reversed(SECTIONS):
        rest, title, found[name] = rest.rpartition(f"## {SECTION_TITLES[name]}\n\n")
        if not title:
            return None
    return {name: found[name].strip() for name in SECTIONS}


def war_story_source(sections: dict[str, str]) -> str:
    """The Markdown of a war story: three sections under their titles. Raises Invalid for an empty one."""
    for name in SECTIONS:
        if not sections.get(name, "").strip():
            raise Invalid(_("“%(title)s” is empty.", title=SECTION_TITLES[name]), name)
    return "\n\n".join(f"## {SECTION_TITLES[name]}\n\n{sections[name].strip()}" for name in SECTIONS)
