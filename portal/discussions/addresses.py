"""Where threads, posts and comments stand: the one place that knows how a thread is cut into pages."""

POSTS_A_PAGE = 20


def page_of(number: int) -> int:
    """The page, from 1, on which the post with this number stands."""
    return max(number - 1, 0) // POSTS_A_PAGE + 1


def thread_address(thread_id: int, slug: str, page: int = 1) -> str:
    """A page of a thread."""
    return f"/threads/{thread_id}/{slug}" + (f"?page={page}" if page > 1 else "")


def post_address(thread_id: int, slug: str, number: int) -> str:
    """The place of a numbered post on its page."""
    return f"{thread_address(thread_id, slug, page_of(number))}#p{number}"


def comment_address(thread_id: int, slug: str, parent_number: int, comment_id: int) -> str:
    """The place of a comment under its post."""
    return f"{thread_address(thread_id, slug, page_of(parent_number))}#c{comment_id}"
