"""What every write about a member begins with."""

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden
from portal.members.models import Member


def alone(member_id: int) -> None:
    """Let nobody else change what is known of this candidate until the unit of work ends.

    By the row of the member, which whoever agrees to something or takes it back locks first, too.
    """
    db.session.execute(select(Member.id).where(Member.id == member_id).with_for_update(key_share=True))


def check(actor: Viewer) -> None:
    """Raises Forbidden for all but the vendor's moderators."""
    if not actor.may(Permission.ADVOCACY):
        raise Forbidden(_("Only the vendor's moderators do this."))
