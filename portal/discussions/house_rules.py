"""A registry: the published rules that a tool can cite. `portal.wiring` fills it with moderation's."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.kernel.errors import Invalid


@dataclass(frozen=True)
class HouseRule:
    """A rule in force. `label` is how it is cited: "Rule 4, no personal data of others"."""

    number: int
    title: str
    label: str


_sources: list[Callable[[], list[HouseRule]]] = []


def register(source: Callable[[], list[HouseRule]]) -> None:
    """Have `source` say which rules are in force."""
    if source not in _sources:
        _sources.append(source)


def in_force() -> list[HouseRule]:
    """The rules in force, by number."""
    return [rule for source in _sources for rule in source()]


def cited(number: int) -> HouseRule:
    """The rule with this number. Raises Invalid for one that is not in force."""
    rule = next((rule for rule in in_force() if rule.number == number), None)
    if rule is None:
        raise Invalid("Choose one of the rules in force.", "rule")
    return rule
