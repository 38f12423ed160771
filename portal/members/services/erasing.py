"""The end of an account: its name goes from everywhere, its words stay without one or go too."""

from flask_babel import gettext as _
from sqlalchemy import delete, select

from portal.kernel import audit, clock, events, personal, preserving, site
from portal.kernel.access import Duty
from portal.kernel.crypto import password_matches
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.preserving import PostponedErasure
from portal.kernel.unit_of_work import unit_of_work
from portal.members import imported
from portal.members.events import MemberChanged, MemberErased
from portal.members.models import (
    JoinRequest,
    KeptForm,
    MailedLink,
    Member,
    MemberProduct,
    MemberState,
    Session,
)
from portal.members.services.confirming import is_another_admin
from portal.members.services.standing import count_company

NAME = "former member"
ERASED = "erase account"  # as it stands in the audit log
WORDS_LEFT, WORDS_DELETED = "words left", "words deleted"


def erase_own_account(member_id: int, *, password: str, keep_text: bool) -> str:
    """Erase one's own account; gives the file name of the picture that is to go, or "".

    With `keep_text` the posts stay, under no name. Raises Invalid beside `password`, and for the last admin.
    """
    member = db.session.get_one(Member, member_id)
    if not password_matches(member.password_hash, password):
        raise Invalid(_("This is not your password."), "password")
    with unit_of_work():
        return erase_account(member_id, keep_text=keep_text)


def erase_account(member_id: int, *, keep_text: bool, even_last_admin: bool = False) -> str:
    """Have every table forget the person. Inside a unit of work; gives the name of the picture file.

    Raises Invalid for the last admin, unless a restore has to erase them again.
    """
    member = db.session.get_one(Member, member_id)
    if Duty.ADMIN in member.duties and not is_another_admin(member_id) and not even_last_admin:
        raise Invalid(_("There would be no admin left. Name another one first."))
    if preserving.is_preserved(member_id):
        _postpone(member, keep_text)
        return ""
    picture, company_id = member.picture, member.company_id
    _name_no_longer(member.username)
    for one in personal.registered():
        one.erase(member_id, keep_text)
    count_company(company_id)
    words = WORDS_LEFT if keep_text else WORDS_DELETED
    audit.record(None, ERASED, "member", member_id, words, area="people")
    events.publish(MemberErased(member_id))
    return picture


def finish_postponed() -> int:
    """Erase accounts whose owners wanted it while an order held that has ended; gives how many."""
    done = 0
    for row in list(db.session.execute(select(PostponedErasure)).scalars()):
        with unit_of_work():
            if not preserving.is_preserved(row.member_id):
                erase_account(row.member_id, keep_text=row.keep_text)
                done += 1
    return done


def _postpone(member: Member, keep_text: bool) -> None:
    """A legal order holds: the account is closed and its name gone from the pages; the rest goes later."""
    if db.session.get(PostponedErasure, member.id) is None:
        db.session.add(
            PostponedErasure(
                member_id=member.id,
                keep_text=keep_text,
                name=member.name,
                username=member.username,
                wanted_at=clock.now(),
            )
        )
    _name_no_longer(member.username)
    member.name, member.state = NAME, MemberState.BANNED
    member.username, member.username_key = f"former-member-{member.id}", f"formermember{member.id}"
    member.version += 1
    db.session.execute(delete(Session).where(Session.member_id == member.id))
    events.publish(MemberChanged(member.id))


def _name_no_longer(username: str) -> None:
    """The user name is free from now on: what it was named for must not pass to whoever takes it next."""
    here = site.current()
    named = [name for name in ("appeal_second", "ask_responsible") if getattr(here, name) == username]
    if named:
        site.change(**dict.fromkeys(named, ""))
        audit.record(None, "change settings", "site", None, ", ".join(named), area="settings")


def blank_member(member_id: int, keep_text: bool) -> None:
    """Leave of a member's row what others' pages need, and nothing that says who it was."""
    member = db.session.get_one(Member, member_id)
    email = member.email
    known_again = None
    if member.import_source and member.external_id:
        known_again = imported.mark(member.import_source, member.external_id, keep_text=keep_text)
    values: dict[str, object] = {
        "name": NAME, "username": f"former-member-{member_id}", "username_key": f"formermember{member_id}",
        "email": None, "email_confirmed_at": None, "password_hash": None, "link_mails": [], "duties": [],
        "state": MemberState.ERASED, "suspended_until": None, "company_id": None, "company_claim": "",
        "verified_by": None, "title": "", "role_level": None, "region": "", "time_zone": "UTC",
        "languages": [], "use_cases": [], "replaced": "", "topics": [], "about_source": "", "about_html": "",
        "picture": "", "visibility": {}, "theme": "", "language": "", "last_seen_at": None,
        "external_id": known_again, "import_source": None,
    }  # fmt: skip
    for name, value in values.items():
        setattr(member, name, value)
    member.version += 1
    for table in (Session, MailedLink, KeptForm, MemberProduct):
        db.session.execute(delete(table).where(table.member_id == member_id))
    if email:
        db.session.execute(delete(JoinRequest).where(JoinRequest.email == email))


def own_rows(member_id: int) -> dict[str, object]:
    """The member's own row, without what is secret."""
    member = db.session.execute(select(Member).where(Member.id == member_id)).scalar_one()
    hidden = {"password_hash", "link_mails", "username_key", "sort_name"}
    return {
        column.key: getattr(member, column.key)
        for column in Member.__table__.columns
        if column.key not in hidden
    }
