"""Members made by hand, from the command line."""

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, clock, events
from portal.kernel.access import Duty, Status
from portal.kernel.crypto import hash_password
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.addresses import clean_email
from portal.members.events import MemberJoined
from portal.members.models import Member, MemberState
from portal.members.names import clean_name
from portal.members.passwords import check_new_password
from portal.members.services.confirming import put_duties
from portal.members.services.credentials import make_claim_link
from portal.members.services.joining import make_username
from portal.members.services.standing import count_company, place_by_address


def add_member(*, email: str, name: str, duty: Duty | None = None, password: str | None = None) -> str:
    """A member whose address counts as confirmed; without a password, gives the path of a link to set one.

    Raises Invalid, also for an address that has an account and for a duty that it cannot have.
    """
    email, name = clean_email(email), clean_name(name)
    if password is not None:
        check_new_password(password, email=email, name=name)
    hashed = hash_password(password) if password is not None else None
    with unit_of_work():
        if db.session.execute(select(Member.id).where(Member.email == email)).first():
            raise Invalid(_("%(email)s has an account already.", email=email), "email")
        now = clock.now()
        member = Member(
            username=make_username(name),
            name=name,
            email=email,
            email_confirmed_at=now,
            password_hash=hashed,
            status=Status.PROSPECT,
            duties=[],
            created_at=now,
        )
        place_by_address(member)
        db.session.add(member)
        db.session.flush()  # gives the id
        count_company(member.company_id)
        if duty is not None:
            put_duties(member, frozenset({duty}))
        audit.record(None, "add member", "member", member.id, duty or "no duty", area="people")
        events.publish(MemberJoined(member.id))
        return "" if hashed else make_claim_link(member, email)


def grant(email: str, duty: Duty) -> list[str]:
    """Give the account of this address one more duty; gives all it has now. Raises NotFound, Invalid."""
    with unit_of_work():
        member = db.session.execute(
            select(Member).where(Member.email == clean_email(email), Member.state != MemberState.ERASED)
        ).scalar_one_or_none()
        if member is None:
            raise NotFound(_("Nobody has the address %(email)s.", email=email))
        put_duties(member, frozenset({*(Duty(one) for one in member.duties), duty}))
        audit.record(None, "set duties", "member", member.id, ", ".join(member.duties), area="people")
        return list(member.duties)


def link_for(email: str) -> str:
    """The path of a new link by which the holder of this address sets a password. Raises NotFound."""
    with unit_of_work():
        email = clean_email(email)
        member = db.session.execute(select(Member).where(Member.email == email)).scalar_one_or_none()
        if member is None:
            raise NotFound(_("Nobody has the address %(email)s.", email=email))
        audit.record(None, "make link", "member", member.id, area="people")
        return make_claim_link(member, email)
