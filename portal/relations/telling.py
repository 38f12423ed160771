"""The kinds of notice: a hold that one placed ends soon, or has ended by itself."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.template_helpers import short_date
from portal.members.models import Company
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice
from portal.relations.models import Hold
from portal.relations.queries.known import last_day_of
from portal.relations.queries.predicates import is_known
from portal.relations.services.reminding import ENDED, ENDS_SOON


def resolve(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """What became of the hold; nothing for one that somebody ended, or whose reader has no such duty now."""
    if not viewer.may(Permission.RELATIONS):
        return {}
    rows = db.session.execute(
        select(Hold, Company.name, Company.slug)
        .join(Company, Company.id == Hold.company_id)
        .where(
            Hold.id.in_([notice.data.get("hold") for notice in notices]), Hold.ended_at.is_(None), is_known()
        )
    )
    found = {row.Hold.id: row for row in rows}
    lines = {}
    for notice in notices:
        row = found.get(notice.data.get("hold"))
        if row is None or (notice.kind == ENDS_SOON and row.Hold.expires_at <= clock.now()):
            continue
        day = short_date(last_day_of(row.Hold.expires_at))
        lines[notice.id] = Line(
            sentence=_("Your hold of %(company)s ended by itself", company=row.name)
            if notice.kind == ENDED
            else _("Your hold of %(company)s ends after %(day)s", company=row.name, day=day),
            title=row.name,
            url=f"/console/relations/{row.slug}#holds",
            excerpt=_("Your colleagues can ask them again.")
            if notice.kind == ENDED
            else _("Where the reason still stands then, place a new one; it is counted."),
        )
    return lines


KINDS = (
    Kind(ENDS_SOON, "a hold of mine ends within a week", resolve, order=96),
    Kind(ENDED, "a hold of mine has ended by itself", resolve, order=97),
)
