"""A registry: the published rules that a tool can cite, and what will be read of it.

`portal.wiring` fills it with moderation's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from flask_babel import gettext as _

from portal.kernel.errors import Invalid


@dataclass(frozen=True)
class HouseRule:
    """A rule in force. `label` is how it is cited: "Rule 4, no personal data of others"; `templates` are
    reasons to begin from."""

    number: int
    title: str
    label: str
    templates: tuple[str, ...] = ()


class WillRead(NamedTuple):
    """What somebody will read of a measure that is not taken yet. `quiet`: they read nothing, and why."""

    who: str
    text: str
    also: str = ""
    quiet: bool = False
    also_quiet: bool = False


class Foretelling(Protocol):
    """Says what is read of a tool ("closed", "moved", "split", "merged") by this rule for this reason."""

    def __call__(
        self, what: str, number: int | None, reason: str, *, own: bool, other: bool | None = None
    ) -> list[WillRead]: ...


_sources: list[Callable[[], list[HouseRule]]] = []
_foretold: list[Foretelling] = []
_taken_out: list[Callable[[int], int]] = []


def register(source: Callable[[], list[HouseRule]]) -> None:
    """Have `source` say which rules are in force."""
    if source not in _sources:
        _sources.append(source)


def register_taken_out(source: Callable[[int], int]) -> None:
    """Have `source` say, for a post, the version whose words a moderator took out last by a rule; 0: none."""
    if source not in _taken_out:
        _taken_out.append(source)


def register_foretold(source: Foretelling) -> None:
    """Have `source` say what will be read of a tool before it is used."""
    if source not in _foretold:
        _foretold.append(source)


def will_read(
    what: str, number: int | None, reason: str, *, own: bool, other: bool | None = None
) -> list[WillRead]:
    """What author and everybody will read of a tool; `own`: of whoever uses it on their own thread.

    `other`, of what concerns two: whether the second is one's own, too; None: both are of the same person.
    """
    return [line for source in _foretold for line in source(what, number, reason, own=own, other=other)]


def taken_out_up_to(post_id: int) -> int:
    """The last version of a post that holds words which a rule took out, as decisions stand; 0: none does."""
    return max((source(post_id) for source in _taken_out), default=0)


def in_force() -> list[HouseRule]:
    """The rules in force, by number."""
    return [rule for source in _sources for rule in source()]


def cited(number: int, field: str = "rule") -> HouseRule:
    """The rule with this number. Raises Invalid beside `field` for one that is not in force."""
    rule = next((rule for rule in in_force() if rule.number == number), None)
    if rule is None:
        raise Invalid(_("Choose one of the rules in force."), field)
    return rule
