"""Times and sizes of conversations, and who may take part."""

from datetime import timedelta

from portal.kernel.access import Permission, Viewer

ANSWER_DAYS = 2  # working days in which a request is answered
AT_ONCE = 2  # members approached at once for one origin
LONGEST_NOTE = 2000
LONGEST_MESSAGE = 20_000
LONGEST_THANKS = 600
MOST_TIMES = 5
LENGTHS = (15, 20, 30, 45, 60)
MOST_PEOPLE = 8
PAGE = 60  # messages on a page
REPORTABLE = timedelta(days=30)  # how long a deleted message can still be reported by who received it
REQUESTS_KEPT = timedelta(days=90)  # requests that came to nothing
MOST_REPORTED = 40
BLOCKS_FOR_A_CASE = 3
REQUESTS_A_DAY = "20 per day"
MESSAGES_AN_HOUR = "120 per hour"


def may_converse(viewer: Viewer) -> bool:
    """Prospects, customers and former ones. No duty gives it, and an account of the vendor never has it."""
    return viewer.may(Permission.CONVERSE) and not viewer.is_staff
