"""What moderation does when a post was held, or taken back while it waited."""

from portal.discussions.events import PostHeld, PostRemoved
from portal.moderation.services import cases


def open_case_of_held_post(event: PostHeld) -> None:
    """Every held post is a case in the queue."""
    cases.open_held_case(event.post_id, event.reasons)


def withdraw_case_of_deleted_post(event: PostRemoved) -> None:
    """Its author deleted it, so nobody has to look any more."""
    cases.withdraw_held_case(event.post_id)
