"""Writing down what matters about a member, knowing that the member will read it."""

from flask_babel import gettext as _

from portal.advocacy.models import MemberNote
from portal.kernel import audit, clock
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState

LONGEST = 4000


def add_note(actor: Viewer, member_id: int, text: str) -> int:
    """Keep a note about a member; gives its id. Raises Invalid for an empty or overlong one."""
    _check(actor)
    text = text.strip()
    if not text:
        raise Invalid(_("Write the note first."), "text")
    if len(text) > LONGEST:
        raise Invalid(_("At most %(most)s characters.", most=LONGEST), "text")
    with unit_of_work():
        member = db.session.get(Member, member_id)
        if member is None or member.state is MemberState.ERASED:
            raise NotFound("no such member")
        if member.status is Status.VENDOR:
            raise Invalid(_("Notes are about members, not about the vendor's own people."), "text")
        note = MemberNote(member_id=member_id, by_id=actor.member_id, text=text, at=clock.now())
        db.session.add(note)
        db.session.flush()  # the answer leads to it
        return note.id


def delete_note(actor: Viewer, member_id: int, note_id: int) -> None:
    """Take a note about this member away: one's own, or any as an admin. Raises NotFound."""
    _check(actor)
    with unit_of_work():
        note = db.session.get(MemberNote, note_id)
        if (
            note is None
            or note.member_id != member_id
            or (note.by_id != actor.member_id and not actor.may(Permission.ADMINISTER))
        ):
            raise NotFound("no such note")
        audit.record(actor, "delete note", "member", note.member_id, area="people")
        db.session.delete(note)


def _check(actor: Viewer) -> None:
    if not actor.may(Permission.ADVOCACY):
        raise Forbidden(_("Only the vendor's moderators keep notes about members."))
