"""A form that could not be taken (the session was over, its token too old), so that it can be sent again."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

MAX_KEPT = 80 * 1024  # characters of a form that survive an expired session: a whole post and its title

_SECRET = re.compile("csrf_token|password|token|current|secret", re.IGNORECASE)
_LINES = {"body", "happened", "cost", "differently", "about", "comment", "reason", "text", "description"}
_WORDS = {"title", "name", "tags", "use_cases", "topics", "replaced", "company"}


_LABELS = {
    "about": _l("About you"),
    "body": _l("Your text"),
    "comment": _l("Comment"),
    "company": _l("Company"),
    "cost": _l("What it cost"),
    "description": _l("Description"),
    "differently": _l("What we would do differently"),
    "happened": _l("What happened"),
    "name": _l("Name"),
    "note": _l("Note"),
    "q": _l("Words"),
    "reason": _l("Reason"),
    "replaced": _l("What it replaced"),
    "tags": _l("Tags"),
    "title": _l("Title"),
    "topics": _l("What others may ask you about"),
    "use_cases": _l("What you use it for"),
}


@dataclass(frozen=True)
class KeptField:
    """A field of a form that could not be taken. kind: lines, words (both to be edited) or hidden."""

    name: str
    value: str
    kind: str

    @property
    def label(self) -> str:
        """What its form calls it, where that is known, else its name."""
        known = _LABELS.get(self.name)
        return str(known) if known else self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Kept:
    """A form that could not be taken, ready to be sent once more to `action` (a path of this site)."""

    action: str
    fields: list[KeptField]

    @property
    def has_text(self) -> bool:
        return any(field.kind != "hidden" and field.value.strip() for field in self.fields)

    @property
    def packed(self) -> str:
        """As the sign-in form carries it."""
        return json.dumps({"action": self.action, "fields": [[f.name, f.value] for f in self.fields]})


def kept_form(action: str, fields: Iterable[tuple[str, str]]) -> Kept:
    """The fields of a form, without secrets, each with the way in which it is shown again."""
    return Kept(
        action,
        [KeptField(name, value, _kind_of(name, value)) for name, value in fields if not is_secret(name)],
    )


def is_secret(name: str) -> bool:
    """Whether a field of this name is never shown again."""
    return bool(_SECRET.search(name))


def _kind_of(name: str, value: str) -> str:
    if not value.strip():
        return "hidden"  # a field of another kind of thread, or left empty: there is nothing to save of it
    if name in _LINES or "\n" in value or len(value) > 120:
        return "lines"
    if name in _WORDS or " " in value:
        return "words"
    return "hidden"
