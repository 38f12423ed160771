"""Which answers stop the clock, who may do what with an ask, and how long things last."""

from datetime import timedelta

from portal.asks.models import Ask, AskMode, AskState
from portal.kernel.access import CUSTOMERS, Permission, Status, Viewer

WAVE = 5  # customers asked at once
HALF = 0.5  # of the promised time, after which more are asked
SILENCE = timedelta(days=14)  # after an answer, an ask that nobody speaks up about is settled
FIGURES = timedelta(days=90)
FEWEST_FOR_SHARES = 10  # under so many asks there are counts alone
CONNECT_HOURS = 24  # working hours within which a moderator connects, once an ask is due
APPROACHES = 2  # at once
PROPOSED = 3
COUNTS_MORE = 3  # times the weight of what the asker says matters most
WEIGHINGS = 3  # for one ask: more would be trying until a certain person is proposed
ASKS_A_DAY = 5
INVITE_LASTS = timedelta(days=14)
COLLEAGUES_A_DAY = 5
GUESTS_A_DAY = 30
TO_ONE_ADDRESS_A_WEEK = 2
KEPT_ASK_LASTS = timedelta(days=7)
LONGEST_SUMMARY = 4000


def stops_the_clock(
    *,
    author_status: Status,
    by_vendor: bool,
    author_id: int,
    author_company_id: int | None,
    asker_id: int,
    asker_company_id: int | None,
) -> bool:
    """Whether an answer by this person is a customer's answer in the sense of the promise.

    A customer or former customer counts; the vendor, prospects, the asker and the asker's company do not.
    """
    if by_vendor or author_id == asker_id or author_status not in CUSTOMERS:
        return False
    return author_company_id is None or author_company_id != asker_company_id


def may_doubt(viewer: Viewer, ask: Ask) -> bool:
    """Whether the viewer may say "this does not answer me": the asker, once, while an answer is in force."""
    return (
        viewer.member_id == ask.asker_id
        and viewer.may(Permission.ASK)
        and ask.mode is AskMode.OPEN
        and ask.state is AskState.ANSWERED
        and ask.doubted_post_id is None
    )


def may_settle(viewer: Viewer, ask: Ask) -> bool:
    """Whether the viewer may say that the ask is settled."""
    is_over = ask.state in (AskState.SETTLED, AskState.GONE, AskState.HELD)
    return not is_over and (viewer.member_id == ask.asker_id or viewer.may(Permission.MODERATE))


def may_summarise(viewer: Viewer, ask: Ask) -> bool:
    """Whether the viewer may write the closing summary of a settled ask."""
    if ask.mode is not AskMode.OPEN or ask.state is not AskState.SETTLED:
        return False
    return viewer.member_id == ask.asker_id or viewer.may(Permission.MODERATE)


def may_connect(viewer: Viewer, ask: Ask) -> bool:
    """Whether the viewer may look for a conversation from this ask: its asker, as long as it is there."""
    return viewer.member_id == ask.asker_id and ask.state not in (AskState.GONE, AskState.HELD)
