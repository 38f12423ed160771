"""Who may know what of a private conversation: the table that is published and tested.

Each cell is one of `Knows`, so that what is printed and what is checked cannot go apart
(tests/house/test_who_knows.py).
"""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _


class Who(StrEnum):
    """The columns: how somebody stands to a conversation."""

    PARTICIPANTS = "participants"
    PEERS = "peers"
    VENDOR = "vendor"
    SELLERS = "sellers"
    OPERATOR = "operator"


class What(StrEnum):
    """The rows: what there is to know."""

    PAIR = "pair"
    WORDS = "words"
    WHEN = "when"
    RATING = "rating"
    INVITE = "invite"


class Knows(StrEnum):
    """What stands in a cell."""

    YES = "yes"
    NO = "no"
    INTRODUCED = "introduced"
    INTRODUCED_UNLESS_PEERS = "introduced, unless peers"
    REPORTED = "reported"
    REPORTED_UNLESS_PEERS = "reported, unless peers"
    WHEN_REPORTED = "when, reported"
    LOAD_AND_MONTH = "load and month"
    OWN_AND_SHARED = "own and shared"
    COUNTS = "counts"
    ANNOUNCED = "announced"
    OWN_INVITES = "own invites"
    AS_NUMBERS = "as numbers"
    NOT_WITHOUT_KEY = "not without the key"


@dataclass(frozen=True)
class Row:
    """One thing to know, and what each knows of it."""

    what: What
    cells: dict[Who, Knows]


_PARTIES = tuple(Who)
ROWS = [
    Row(what, dict(zip(_PARTIES, cells, strict=True)))
    for what, cells in (
        (
            What.PAIR,
            (Knows.YES, Knows.INTRODUCED, Knows.INTRODUCED_UNLESS_PEERS, Knows.NO, Knows.AS_NUMBERS),
        ),
        (
            What.WORDS,
            (Knows.YES, Knows.REPORTED, Knows.REPORTED_UNLESS_PEERS, Knows.NO, Knows.NOT_WITHOUT_KEY),
        ),
        (What.WHEN, (Knows.YES, Knows.WHEN_REPORTED, Knows.LOAD_AND_MONTH, Knows.NO, Knows.YES)),
        (What.RATING, (Knows.OWN_AND_SHARED, Knows.NO, Knows.COUNTS, Knows.NO, Knows.YES)),
        (
            What.INVITE,
            (Knows.ANNOUNCED, Knows.OWN_INVITES, Knows.OWN_INVITES, Knows.OWN_INVITES, Knows.YES),
        ),
    )
]


def printed() -> tuple[list[str], list[list[str]]]:
    """(heads, rows of cells) as they stand on the page; the first of each row says what it is about."""
    heads = {
        Who.PARTICIPANTS: _("Those who take part"),
        Who.PEERS: _("Peer moderators"),
        Who.VENDOR: _("The vendor’s moderators and admins"),
        Who.SELLERS: _("Sales and service"),
        Who.OPERATOR: _("Who operates the server"),
    }
    things = {
        What.PAIR: _("That it exists, and with whom"),
        What.WORDS: _("Words, titles, names of files"),
        What.WHEN: _("When"),
        What.RATING: _("How it was rated"),
        What.INVITE: _("What an invite reports"),
    }
    said = {
        Knows.YES: _("yes"),
        Knows.NO: _("no"),
        Knows.INTRODUCED: _(
            "introductions they made themselves; of what was reported, while the case is open"
        ),
        Knows.INTRODUCED_UNLESS_PEERS: _("likewise; of what was reported, unless you chose peers"),
        Knows.REPORTED: _("only what was reported, while the case is open"),
        Knows.REPORTED_UNLESS_PEERS: _("likewise, unless you chose peers"),
        Knows.WHEN_REPORTED: _("of what was reported, while the case is open"),
        Knows.LOAD_AND_MONTH: _(
            "likewise, unless you chose peers; how many places of a member are taken in 90 days, as a number "
            "of the beginning of the week; in scores the month"
        ),
        Knows.OWN_AND_SHARED: _("one’s own; the other’s if shared"),
        Knows.COUNTS: _("counts of a member, from five on"),
        Knows.ANNOUNCED: _("what was announced before joining"),
        Knows.OWN_INVITES: _("of their own invites: joined, asked, was answered, spoke; or nothing"),
        Knows.AS_NUMBERS: _("as numbers, yes"),
        Knows.NOT_WITHOUT_KEY: _("not without the key kept apart"),
    }
    return list(heads.values()), [
        [things[row.what], *(said[row.cells[who]] for who in heads)] for row in ROWS
    ]
