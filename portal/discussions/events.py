"""What happens to threads and posts, told to whoever stands above. Ids only; all in the past tense."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ThreadOpened:
    """A thread became visible (with its opening post). A PostPublished for the opening follows."""

    thread_id: int
    post_id: int
    author_id: int


@dataclass(frozen=True)
class PostPublished:
    """A post of any kind became visible: when written, or when a held one was released."""

    post_id: int
    thread_id: int
    author_id: int


@dataclass(frozen=True)
class PostHeld:
    """Screening kept a post back; `reasons` are shown to the author and the moderators."""

    post_id: int
    thread_id: int
    author_id: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PostEdited:
    post_id: int
    thread_id: int
    editor_id: int
    new_mentions: tuple[int, ...] = ()


@dataclass(frozen=True)
class PostRemoved:
    """A post is no longer shown: hidden by a decision, deleted by its author, or held after an edit."""

    post_id: int
    thread_id: int
    author_id: int


@dataclass(frozen=True)
class PostRestored:
    post_id: int
    thread_id: int
    author_id: int


@dataclass(frozen=True)
class PostVoted:
    post_id: int
    author_id: int
    voter_id: int


@dataclass(frozen=True)
class VoteWithdrawn:
    post_id: int
    author_id: int
    voter_id: int


@dataclass(frozen=True)
class AnswerAccepted:
    thread_id: int
    post_id: int
    by_id: int


@dataclass(frozen=True)
class AcceptanceWithdrawn:
    thread_id: int
    post_id: int
    by_id: int


@dataclass(frozen=True)
class ThreadChanged:
    """Title, board, tags, closing or pinning changed: lists and the index need a look."""

    thread_id: int
    by_id: int
    what: str  # retitled, moved, closed, reopened, pinned, unpinned, retagged, merged, split
    reason: str = ""


@dataclass(frozen=True)
class BoardChanged:
    """A board's audience or archive changed: everything filed under it needs a look."""

    board_id: int


@dataclass(frozen=True)
class ToolUsed:
    """A moderator closed, reopened, moved, split, merged or edited what somebody else wrote, by no case; or
    moved or merged what they wrote themselves to where fewer people read it.

    `post_id` is the post of whoever is concerned, `thread_id` where it stands now. `version`: the text that
    an edit replaced. `board_id`: the board it left, when it was moved or merged away; else None. `from_id`:
    the thread that was merged away.
    """

    thread_id: int
    post_id: int
    by_id: int
    what: str
    reason: str = ""
    rule: int | None = None
    version: int = 0
    board_id: int | None = None
    from_id: int | None = None
