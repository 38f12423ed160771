"""What several pages of asks say."""

from flask_babel import gettext as _

from portal.asks.queries.boards import responsible


def responsible_name() -> str:
    """Who connects when nobody answers: a person by name, or the moderators."""
    person = responsible()
    return person.name if person is not None else _("a moderator")
