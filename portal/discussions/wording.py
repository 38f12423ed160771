"""What the pages call things: kinds of threads, and who reads a board."""

from flask_babel import gettext as _

from portal.discussions.models import Audience, ThreadKind
from portal.kernel import site


def audience_sentence(audience: Audience) -> str:
    """Who reads what is written on a board of this audience, for the people who are about to write."""
    vendor = site.current().vendor_name or site.current().name
    return {
        Audience.PUBLIC: _("Everyone can read this board, search engines too"),
        Audience.PROSPECTS: _("Everybody who has joined can read this board, prospects too"),
        Audience.CUSTOMERS: _("Customers read this board, and the people of %(vendor)s", vendor=vendor),
        Audience.STAFF: _("Only the people of %(vendor)s can read this board", vendor=vendor),
    }[audience]


def audience_group(audience: Audience) -> str:
    """The same as the title of a group of boards."""
    vendor = site.current().vendor_name or site.current().name
    return {
        Audience.PUBLIC: _("Everyone can read, search engines too"),
        Audience.PROSPECTS: _("Everybody who has joined can read"),
        Audience.CUSTOMERS: _("Customers and the people of %(vendor)s can read", vendor=vendor),
        Audience.STAFF: _("Only the people of %(vendor)s can read", vendor=vendor),
    }[audience]


def kind_label(kind: ThreadKind) -> str:
    """What one calls a thread of this kind."""
    return {
        ThreadKind.QUESTION: _("Question"),
        ThreadKind.DISCUSSION: _("Discussion"),
        ThreadKind.WAR_STORY: _("War story"),
    }[kind]


def kind_explanation(kind: ThreadKind) -> str:
    """One line on what this kind is for."""
    return {
        ThreadKind.QUESTION: _(
            "You need to know something. One answer can be accepted as the one that helped."
        ),
        ThreadKind.DISCUSSION: _("You want to hear what others think. There is no single right answer."),
        ThreadKind.WAR_STORY: _(
            "Something went wrong, and others can learn what it cost and how to avoid it."
        ),
    }[kind]


def why_split() -> list[str]:
    """Reasons to begin from where posts become a thread of their own."""
    return [
        _("It asks something of its own. Under its own title others find it."),
        _("It leads away from what was asked. Both go on better apart."),
    ]


def why_merged() -> list[str]:
    """Reasons to begin from where a thread goes into another."""
    return [
        _("The same is asked there. In one place the answers stand together."),
        _("It goes on with what was begun there."),
    ]
