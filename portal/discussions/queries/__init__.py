"""Reads of boards, threads and posts. Whatever is found here is found through the visibility rules."""

from portal.discussions.queries.finding import (
    board_query,
    find_place,
    find_visible_board,
    find_visible_post,
    find_visible_thread,
    merged_into,
    numbered_place,
    thread_query,
)

__all__ = [
    "board_query",
    "find_place",
    "find_visible_board",
    "find_visible_post",
    "find_visible_thread",
    "merged_into",
    "numbered_place",
    "thread_query",
]
