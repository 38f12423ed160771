"""Joining: a request, a link to the address, and a member once the link is used."""

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from portal.kernel import clock, events, site
from portal.kernel.access import CUSTOMERS, Status
from portal.kernel.crypto import hash_password, password_matches, token_hash
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.members import names
from portal.members.addresses import clean_email
from portal.members.events import MailWanted, MemberJoined
from portal.members.models import JoinRequest, Member
from portal.members.passwords import check_new_password
from portal.members.services.standing import count_company, place_by_address

LINK_LASTS = timedelta(days=3)
MAILS_AN_HOUR = 3  # to one address, whoever asks


@dataclass(frozen=True)
class Joined:
    """A new member, and where the person was when asking to join."""

    member_id: int
    place: str
    has_company: bool
    is_customer: bool


def ask_to_join(*, email: str, name: str, password: str, place: str, browser: str) -> str:
    """Send a link to the address; gives the address as it is stored.

    What happens looks the same whether the address has an account or not; its owner is told in the mail.
    `browser` is a secret that this browser keeps. Raises Invalid beside name, email or password.
    """
    email = clean_email(email)
    name = names.clean_name(name)
    check_new_password(password, email=email, name=name)
    hashed = hash_password(password)
    token = clock.token()
    with unit_of_work():
        now = clock.now()
        request = JoinRequest(
            token_hash=token_hash(token),
            email=email,
            name=name,
            password_hash=hashed,
            place=place[:400],
            browser_hash=token_hash(browser),
            created_at=now,
            expires_at=now + LINK_LASTS,
        )
        _send_link(request, token)
        db.session.add(request)
    return email


def send_again(browser: str) -> None:
    """A new link for what this browser asked for last; nothing when it asked for nothing."""
    token = clock.token()
    with unit_of_work():
        request = db.session.execute(
            select(JoinRequest)
            .where(JoinRequest.browser_hash == token_hash(browser), JoinRequest.used_at.is_(None))
            .order_by(JoinRequest.id.desc())
            .limit(1)
        ).scalar_one_or_none()
        if request is None:
            return
        again = JoinRequest(
            token_hash=token_hash(token),
            email=request.email,
            name=request.name,
            password_hash=request.password_hash,
            place=request.place,
            browser_hash=request.browser_hash,
            created_at=clock.now(),
            expires_at=clock.now() + LINK_LASTS,
        )
        _send_link(again, token)
        db.session.add(again)


def find_request(token: str) -> JoinRequest:
    """The open request behind a link; looking at it uses nothing up. Raises NotFound."""
    request = db.session.execute(
        select(JoinRequest).where(
            JoinRequest.token_hash == token_hash(token),
            JoinRequest.used_at.is_(None),
            JoinRequest.expires_at > clock.now(),
        )
    ).scalar_one_or_none()
    if request is None:
        raise NotFound(_("This link was used or is too old."))
    return request


def is_from(request: JoinRequest, browser: str) -> bool:
    """Whether it was this browser that asked to join."""
    return bool(browser) and request.browser_hash == token_hash(browser)


def confirm(token: str, *, browser: str, password: str = "") -> Joined:
    """Make a member of the person who uses the link. Raises NotFound, Conflict, or Invalid beside password.

    In a browser other than the one that asked, the password chosen then is needed too.
    """
    request = find_request(token)
    if not is_from(request, browser) and not password_matches(request.password_hash, password):
        raise Invalid(_("This is not the password that was chosen when joining."), "password")
    try:
        return _become_member(token)
    except IntegrityError as error:
        if db.session.execute(select(Member.id).where(Member.email == request.email)).first():
            raise Conflict(_("This address has an account already. Sign in with it.")) from error
        return _become_member(token)  # another person of that name was faster


def forget_old_requests() -> int:
    """Remove requests that were used or are too old; gives how many."""
    with unit_of_work():
        result = db.session.execute(delete(JoinRequest).where(JoinRequest.expires_at < clock.now()))
    return result.rowcount  # type: ignore[attr-defined]


def make_username(name: str) -> str:
    """A free user name for this name that is not taken for another's. Inside a unit of work."""
    for candidate in names.candidates(name):
        taken = select(Member.id).where(
            (Member.username == candidate) | (Member.username_key == names.skeleton(candidate))
        )
        if candidate not in names.RESERVED and not db.session.execute(taken.limit(1)).first():
            return candidate
    raise AssertionError("there is always another number")


def _become_member(token: str) -> Joined:
    with unit_of_work():
        request = find_request(token)
        if db.session.execute(select(Member.id).where(Member.email == request.email)).first():
            raise Conflict(_("This address has an account already. Sign in with it."))
        # People of one name who join in the same moment come one after the other.
        one_at_a_time(f"name:{next(iter(names.candidates(request.name)))}")
        now = clock.now()
        request.used_at = now
        member = Member(
            username=make_username(request.name),
            name=request.name,
            email=request.email,
            email_confirmed_at=now,
            password_hash=request.password_hash,
            status=Status.PROSPECT,
            duties=[],
            created_at=now,
        )
        place_by_address(member)
        db.session.add(member)
        db.session.flush()  # gives the id
        count_company(member.company_id)
        events.publish(MemberJoined(member.id))
        is_customer = member.status in CUSTOMERS
        return Joined(member.id, request.place, member.company_id is not None, is_customer)


def _send_link(request: JoinRequest, token: str) -> None:
    known = db.session.execute(select(Member.id).where(Member.email == request.email)).first()
    recent = db.session.scalar(
        select(func.count())
        .select_from(JoinRequest)
        .where(JoinRequest.email == request.email, JoinRequest.created_at > clock.now() - timedelta(hours=1))
    )
    recipient = request.email if (recent or 0) < MAILS_AN_HOUR else ""
    name = site.current().name
    if known:
        request.used_at = request.created_at
        mail = MailWanted(
            recipient,
            _("You already have an account at %(name)s", name=name),
            (
                _(
                    "Somebody, probably you, asked to join %(name)s with this address. It has an account "
                    "already: sign in with it.",
                    name=name,
                ),
                _(
                    "If you no longer know the password, set a new one with the link below. If it was not "
                    "you, there is nothing to do; nothing has changed."
                ),
            ),
            (_("Set a new password"), "/password"),
        )
    else:
        mail = MailWanted(
            recipient,
            _("Confirm your address for %(name)s", name=name),
            (
                _(
                    "Somebody, probably you, asked to join %(name)s with this address. Open the link and "
                    "press the button there; it works once, for three days.",
                    name=name,
                ),
                _("If it was not you, there is nothing to do: without the link there will be no account."),
            ),
            (_("Confirm this address"), f"/join/confirm/{token}"),
        )
    events.publish(mail)
