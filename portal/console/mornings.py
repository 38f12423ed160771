"""The mail of the morning: the same as Today, at 08:00 in the moderator's zone, off with one click.

Peer moderators have their part of Today, cases alone, and get the mail with that part.

On a morning on which nothing waits and after a day of which there is nothing to tell, none is sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext as _n
from sqlalchemy import select

from portal.console import desk, gladly
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer, zone_of
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.queries import viewer_of
from portal.moderation.queries.evidence import moderators
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice
from portal.notifications.services.notifying import notify

MORNING = "morning"
JOB = "mail of the morning"
HOUR, LATEST = 8, 12  # a worker that was away does not send it in the evening
SHOWN = 12


def send_due() -> int:
    """Have the mail made for every moderator whose morning it is; gives how many. Safe to repeat."""
    made = 0
    for member_id in moderators():
        viewer = viewer_of(member_id)
        if not viewer.may(Permission.MODERATE):
            continue
        local = clock.now().astimezone(zone_of(viewer))
        if not HOUR <= local.hour < LATEST or _told(member_id, local):
            continue
        if desk.waiting(viewer, size=1).total or _is_glad(_glad_of(viewer)):
            with unit_of_work():
                made += notify(MORNING, [member_id], source_key=_key(local), data={})
    return made


def resolve(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """What waits now: a mail that goes out late speaks of the present."""
    if not viewer.may(Permission.MODERATE):
        return {}
    today = clock.now() - timedelta(hours=20)
    fresh = [notice for notice in notices if notice.created_at > today]
    if not fresh:
        return {}
    found, glad = desk.waiting(viewer, size=SHOWN), _glad_of(viewer)
    rows = found.rows
    if not rows and not _is_glad(glad):
        return {}
    line = Line(
        sentence=_n("%(num)d thing waits", "%(num)d things wait", found.total)
        if rows
        else _("Nothing waits"),
        title=rows[0].title if rows else _("How yesterday went"),
        url="/console/",
        excerpt=_("Most urgent first.") if rows else "",
        sections=[
            *(
                {"title": f"{row.why}: {row.title}", "url": row.url, "facts": f"{row.where}. {row.action}."}
                for row in rows
            ),
            *_rest(found.more),
            *gladly.as_sections(glad),
        ],
    )
    return {notice.id: line for notice in fresh}


KIND = Kind(
    MORNING,
    "something waits in the console or went well, at 08:00",
    resolve,
    in_app=False,
    listed=False,
    order=95,
)


def _rest(more: int) -> list[dict[str, Any]]:
    """What the mail does not show, counted, where it stands."""
    if not more:
        return []
    title = _n("%(num)d more thing waits", "%(num)d more things wait", more)
    return [{"title": title, "url": "/console/?whose=anyone", "facts": _("All of it stands in the console.")}]


def _glad_of(viewer: Viewer) -> gladly.Glad:
    """The good side of yesterday, which is for the vendor's moderators."""
    return gladly.of_yesterday(viewer) if viewer.may(Permission.ADVOCACY) else gladly.Glad()


def _is_glad(glad: gladly.Glad) -> bool:
    """Whether there is something to tell of yesterday: who rises and what is missing is not of a day."""
    return bool(glad.helped or glad.well)


def _key(local: datetime) -> str:
    return f"morning-{local:%Y-%m-%d}"


def _told(member_id: int, local: datetime) -> bool:
    told = select(Notice.id).where(Notice.member_id == member_id, Notice.source_key == _key(local))
    return db.session.execute(told.limit(1)).first() is not None
