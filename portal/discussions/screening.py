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
Said = Callable[[str], str]

_screens: dict[Screen, Said] = {}


def register(screen: Screen, said: Said) -> None:
    """Have `screen` look at every post; it gives the reasons to hold it, none to let it pass.

    `said` takes reasons as they were kept and gives them in the reader's language.
    """
    _screens[screen] = said


def reasons_to_hold(submission: Submission) -> tuple[str, ...]:
    """Why a moderator should look first; empty for nearly every post."""
    return tuple(reason for screen in _screens for reason in screen(submission))


def said(reasons: str) -> str:
    """The reasons that a post was held for, in the reader's language; other words stay as they are."""
    for tell in _screens.values():
        reasons = tell(reasons)
    return reasons
