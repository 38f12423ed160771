"""Where threads, posts and comments stand: the one place that knows how a thread is cut into pages."""

from dataclasses import dataclass

POSTS_A_PAGE = 20  # numbers a page: where posts were moved away it holds fewer


def page_of(number: int) -> int:
    """The page, from 1, on which the post with this number stands."""
    return max(number - 1, 0) // POSTS_A_PAGE + 1


def numbers_on(page: int) -> tuple[int, int]:
    """The first and the last number of a page."""
    return (page - 1) * POSTS_A_PAGE + 1, page * POSTS_A_PAGE


def thread_address(thread_id: int, slug: str, page: int = 1) -> str:
    """A page of a thread; without the slug where its title is not to be read."""
    return f"/threads/{thread_id}" + (f"/{slug}" if slug else "") + (f"?page={page}" if page > 1 else "")


def post_address(thread_id: int, slug: str, number: int) -> str:
    """The place of a numbered post on its page."""
    return f"{thread_address(thread_id, slug, page_of(number))}#p{number}"


def unread_address(thread_id: int, slug: str, number: int) -> str:
    """Where the unread posts begin, the first of which has this number."""
    return f"{thread_address(thread_id, slug, page_of(number))}#new"


def comment_address(thread_id: int, slug: str, parent_number: int, comment_id: int) -> str:
    """The place of a comment under its post."""
    return f"{thread_address(thread_id, slug, page_of(parent_number))}#c{comment_id}"


@dataclass(frozen=True)
class Pages:
    """The pages of a thread and the one that is shown."""

    page: int
    last: int

    @property
    def around(self) -> list[int | None]:
        """Page numbers to offer: the first, the last, those around this one; None for a gap."""
        near = {1, self.last, *range(self.page - 2, self.page + 3)}
        offered: list[int | None] = []
        for number in sorted(one for one in near if 1 <= one <= self.last):
            if offered and offered[-1] is not None and number - offered[-1] > 1:
                offered.append(number - 1 if number - offered[-1] == 2 else None)
            offered.append(number)
        return offered
