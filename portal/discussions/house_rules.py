"""A registry: the published rules that a tool can cite. `portal.wiring` fills it with moderation's."""

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.kernel.errors import Invalid


@dataclass(frozen=True)
class HouseRule:
    """A rule in force. `label` is how it is cited: "Rule 4, no personal data of others"."""

    number: int
    title: str
    label: str


_sources: list[Callable[[], list[HouseRule]]] = []
_taken_out: list[Callable[[int], int]] = []


def register(source: Callable[[], list[HouseRule]]) -> None:
    """Have `source` say which rules are in force."""
    if source not in _sources:
        _sources.append(source)


def register_taken_out(source: Callable[[int], int]) -> None:
    """Have `source` say, for a post, the version whose words a moderator took out last by a rule; 0: none."""
    if source not in _taken_out:
        _taken_out.append(source)


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
