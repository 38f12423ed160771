"""What other packages tell: each puts a row into the outbox, in the same transaction.

Which events these are is said in `portal.wiring`; here only the ids they carry matter.
"""

from typing import Protocol

from portal.search import services


class AboutPost(Protocol):
    """An event that carries the id of a post."""

    @property
    def post_id(self) -> int: ...


class AboutThread(Protocol):
    """An event that carries the id of a thread."""

    @property
    def thread_id(self) -> int: ...


def queue_post(event: AboutPost) -> None:
    """The post was written or edited, is shown or no longer shown, or is thought of differently."""
    services.queue_posts([event.post_id])


def queue_thread(event: AboutThread) -> None:
    """Every post of the thread has to be looked at: its title, tags or state changed."""
    services.queue_threads([event.thread_id])
