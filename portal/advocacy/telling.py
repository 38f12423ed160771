"""The kinds of notice of advocacy: one is asked something; what one did was written down; an entry of one's
score was looked at.
"""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from portal.advocacy.models import Asking, Engagement
from portal.advocacy.services import telling
from portal.advocacy.services.candidates import ASKED
from portal.consents.services import vendor_name
from portal.consents.texts import NAMES
from portal.kernel.access import CUSTOMERS, Viewer
from portal.kernel.dates import day_in_words
from portal.kernel.db import db
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice


def resolve_askings(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """What is asked still; an answered or withdrawn question is no notice any more."""
    ids = [notice.data.get("asking") for notice in notices]
    rows = db.session.execute(
        select(Asking).where(
            Asking.id.in_(ids),
            Asking.member_id == viewer.member_id,
            Asking.answered_at.is_(None),
            Asking.withdrawn_at.is_(None),
        )
    ).scalars()
    found = {row.id: row for row in rows}
    return {
        notice.id: Line(
            sentence=_("%(vendor)s asks you something", vendor=vendor_name()),
            title=found[notice.data["asking"]].words[:200],
            url="/me/consents",
            excerpt=_("You decide on each thing by itself, and can say no without a reason."),
        )
        for notice in notices
        if notice.data.get("asking") in found
    }


def resolve_scores(_viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """A line each; the words stand on one's own page only."""
    return {
        notice.id: Line(
            sentence=_("Your question about an entry was answered")
            if notice.kind == telling.ANSWERED
            else _("A moderator corrected an entry of yours"),
            title=_("How your help counts"),
            url="/me/score#contests" if notice.kind == telling.ANSWERED else "/me/score#not-counted",
        )
        for notice in notices
    }


def resolve_engagements(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """What stands written down; of what was taken back there is no notice any more."""
    if viewer.status not in CUSTOMERS:
        return {}
    ids = [notice.data.get("engagement") for notice in notices]
    rows = db.session.execute(
        select(Engagement.id, Engagement.activity, Engagement.done_on, Engagement.words).where(
            Engagement.id.in_(ids),
            Engagement.member_id == viewer.member_id,
            Engagement.withdrawn_at.is_(None),
        )
    )
    found = {row.id: row for row in rows}
    return {
        notice.id: Line(
            sentence=_(
                "You took part: %(what)s, %(day)s",
                what=str(NAMES[row.activity]).lower(),
                day=day_in_words(row.done_on),
            ),
            title=row.words,
            url="/me/score#not-counted",
            excerpt=_(
                "A moderator wrote it down. It stands on the page of your score, and never counts. "
                "If it is not right, ask there for a second look."
            ),
        )
        for notice in notices
        if (row := found.get(notice.data.get("engagement"))) is not None
    }


KINDS = (
    Kind(ASKED, "the vendor would like to ask you for something", resolve_askings, order=30),
    Kind(
        telling.ENGAGED, "a moderator writes down what you did for the vendor", resolve_engagements, order=63
    ),
    Kind(telling.ANSWERED, "a question of yours about your score is answered", resolve_scores, order=64),
    Kind(
        telling.CORRECTED, "a moderator corrects an entry of yours", resolve_scores, required=True, order=65
    ),
)
