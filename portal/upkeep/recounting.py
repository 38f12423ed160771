"""Every kept counter of the site, computed anew. Sums of scores have `portal score rebuild`."""

from portal.conversations.services import recount as conversations
from portal.discussions.services import recount as discussions
from portal.kernel.recounting import Difference
from portal.members.services import recount as members
from portal.moderation.services import recount as moderation
from portal.notifications.services import recount as notifications


def recount() -> list[Difference]:
    """Repair every counter; gives those that were wrong, with how many rows."""
    packages = (members, discussions, notifications, moderation, conversations)
    return [difference for package in packages for difference in package.recount()]
