"""Reads of boards, threads and posts. Whatever is found here is found through the visibility rules."""

from portal.discussions.queries.finding import (
    find_place,
    find_visible_board,
    find_visible_post,
    find_visible_thread,
    merged_into,
)

__all__ = [
    "find_place",
    "find_visible_board",
    "find_visible_post",
    "find_visible_thread",
    "merged_into",
]
