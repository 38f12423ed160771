"""A form that could not be taken (the session was over, its token too old), so that it can be sent again."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_KEPT = 80 * 1024  # characters of a form that survive an expired session: a whole post and its title

_SECRET = re.compile("csrf_token|password|token|current|secret", re.IGNORECASE)
_LINES = {"body", "happened", "cost", "differently", "about", "comment", "reason", "text", "description"}
_WORDS = {"title", "name", "tags", "use_cases", "topics", "replaced", "company"}


@dataclass(frozen=True)
class KeptField:
    """A field of a form that could not be taken. kind: lines, words (both to be edited) or hidden."""

    name: str
    value: str
    kind: str


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
    if name in _LINES or "\n" in value or len(value) > 120:
        return "lines"
    if name in _WORDS or " " in value:
        return "words"
    return "hidden"
