"""A registry: who says that a moderator is no judge of a thread. `portal.wiring` fills it."""

from collections.abc import Callable

from portal.kernel.access import Viewer
from portal.kernel.errors import Forbidden

# Of a whole thread, or of one post in it: why this moderator leaves it to somebody else; "" for most.
Rule = Callable[[Viewer, int, int | None], str]

_rules: list[Rule] = []


def register(rule: Rule) -> None:
    """Have `rule` asked before a moderator uses a tool on a thread or changes somebody else's post."""
    if rule not in _rules:
        _rules.append(rule)


def reason_against(moderator: Viewer, thread_id: int, post_id: int | None = None) -> str:
    """Why this moderator leaves the thread, or the one post, to somebody else, as a sentence; "" for most."""
    return next((reason for rule in _rules if (reason := rule(moderator, thread_id, post_id))), "")


def check_impartial(moderator: Viewer, thread_id: int, post_id: int | None = None) -> None:
    """Raises Forbidden with the reason when somebody else has to do it."""
    if reason := reason_against(moderator, thread_id, post_id):
        raise Forbidden(reason)
