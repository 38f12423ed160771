"""A registry: who looks at a post before it is stored. `portal.wiring` fills it with moderation's screen."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.kernel.access import Viewer


@dataclass(frozen=True)
class Submission:
    """What is about to be stored. `text` is plain; `post_id` is the post that an edit would change."""

    author: Viewer
    title: str
    text: str
    html: str
    post_id: int | None = None


Screen = Callable[[Submission], tuple[str, ...]]

_screens: list[Screen] = []


def register(screen: Screen) -> None:
    """Have `screen` look at every post; it gives the reasons to hold it, none to let it pass."""
    if screen not in _screens:
        _screens.append(screen)


def reasons_to_hold(submission: Submission) -> tuple[str, ...]:
    """Why a moderator should look first; empty for nearly every post."""
    return tuple(reason for screen in _screens for reason in screen(submission))
