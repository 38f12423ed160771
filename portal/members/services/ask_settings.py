"""How asks work on this site: the promise, the boards, and who is responsible."""

from dataclasses import asdict, dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, site
from portal.kernel.access import Duty, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState

SHORTEST, LONGEST = 4, 120  # hours of the promise


@dataclass(frozen=True)
class AskValues:
    """What an admin can set; an empty board is the first that fits, nobody responsible the moderators."""

    ask_hours: int
    ask_board: str = ""
    ask_public_board: str = ""
    ask_responsible: str = ""


def change_asks(admin: Viewer, values: AskValues) -> None:
    """Put the settings in force for asks from now on; a clock that runs keeps its due time.

    Raises Forbidden; Invalid beside a field.
    """
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change the settings."))
    if not SHORTEST <= values.ask_hours <= LONGEST:
        raise Invalid(_("Choose %(least)s to %(most)s hours.", least=SHORTEST, most=LONGEST), "ask_hours")
    _check_responsible(values.ask_responsible)
    with unit_of_work():
        before = site.current()
        changed = sorted(name for name, value in asdict(values).items() if getattr(before, name) != value)
        if changed:
            site.change(**{name: getattr(values, name) for name in changed})
            audit.record(admin, "change settings", "site", None, ", ".join(changed), area="settings")


def _check_responsible(username: str) -> None:
    if not username:
        return
    row = db.session.execute(
        select(Member.duties, Member.state).where(Member.username == username)
    ).one_or_none()
    moderates = row is not None and {Duty.MODERATOR.value, Duty.ADMIN.value} & set(row.duties)
    if row is None or row.state is not MemberState.ACTIVE or not moderates:
        raise Invalid(_("Nobody of this user name moderates here."), "ask_responsible")
