"""Pages of conversations. All of them are for participants; none of them is kept anywhere."""

from portal.conversations.views import afterwards, pages, reporting, requests, talking, times
from portal.conversations.views.blueprint import blueprint

__all__ = ["afterwards", "blueprint", "pages", "reporting", "requests", "talking", "times"]
