"""Password and address: changed by their owner, or through a link to the address, which signs in too."""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, select

from portal.kernel import clock, events, preserving, site, vault
from portal.kernel.crypto import hash_password, password_matches, token_hash
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.kept import MAX_KEPT
from portal.kernel.unit_of_work import unit_of_work
from portal.members.addresses import clean_email
from portal.members.events import MailWanted, MemberChanged
from portal.members.models import LinkPurpose, MailedLink, Member, MemberState
from portal.members.passwords import check_new_password
from portal.members.services.sessions import end_all_sessions
from portal.members.services.signing_in import normal
from portal.members.services.standing import count_company, place_by_address

LASTS = {
    LinkPurpose.PASSWORD: timedelta(hours=2),
    LinkPurpose.EMAIL: timedelta(days=1),
    LinkPurpose.CLAIM: timedelta(days=14),
    LinkPurpose.SIGN_IN: timedelta(minutes=20),
}
MAILS_AN_HOUR = 3

_KEPT = "kept with a sign-in link"


def ask_for_new_password(email: str) -> None:
    """Send a link for a new password, if the address has an account. The caller cannot tell."""
    email = normal(email)
    token = clock.token()
    with unit_of_work():
        member = _who_is_mailed(email)
        if member is not None:
            _make_link(member, LinkPurpose.PASSWORD, email, token)
        events.publish(
            MailWanted(
                email if member else "",
                _("A new password for %(name)s", name=site.current().name),
                (
                    _(
                        "Somebody, probably you, asked for a new password. Open the link and choose one; it "
                        "works once, for two hours, and only the newest link works."
                    ),
                    _("If it was not you, there is nothing to do: the old password stays."),
                ),
                (_("Choose a new password"), f"/password/{token}"),
                member.id if member else None,
            )
        )


def ask_for_sign_in_link(email: str, *, place: str = "/", kept: str = "", browser: str = "") -> None:
    """Send a link that signs in, if the address has an account; works without a password too.

    The caller cannot tell. `place` is where the person wanted to go. `kept`, what they were sending when the
    session had ended, is given back to the `browser` (a secret in it) that asked, and to no other.
    """
    email = normal(email)
    token = clock.token()
    with unit_of_work():
        member = _who_is_mailed(email)
        if member is not None:
            link = _make_link(member, LinkPurpose.SIGN_IN, email, token)
            link.place = place[:400]
            if kept and browser and len(kept) <= 2 * MAX_KEPT:
                link.kept_box = vault.seal_by(browser, kept, purpose=_KEPT)
        events.publish(
            MailWanted(
                email if member else "",
                _("Sign in to %(name)s", name=site.current().name),
                (
                    _(
                        "Somebody, probably you, wants to sign in with this address. Open the link and "
                        "press the button there; it works once, for 20 minutes, and only the newest link "
                        "works."
                    ),
                    _("If it was not you, there is nothing to do: without the link nobody gets in."),
                ),
                (_("Sign in"), f"/login/link/{token}"),
                member.id if member else None,
            )
        )


def _who_is_mailed(email: str) -> Member | None:
    """Whose address it is, unless they had a few such mails within the hour."""
    member = db.session.execute(
        select(Member).where(
            Member.email == email, Member.state.in_([MemberState.ACTIVE, MemberState.SUSPENDED])
        )
    ).scalar_one_or_none()
    return member if member is not None and not _was_mailed_often(member.id) else None


def use_sign_in_link(token: str, *, browser: str = "") -> tuple[int, str, str]:
    """The link has done its work: gives the member's id, where they wanted to go, what they were sending.

    Of two who use it at once one gets in. It proves the address: an account that waits for that is confirmed.
    Raises NotFound.
    """
    with unit_of_work():
        link = find_link(token, LinkPurpose.SIGN_IN)
        member = db.session.get(Member, link.member_id)
        used = db.session.execute(delete(MailedLink).where(MailedLink.id == link.id))
        if used.rowcount != 1:  # type: ignore[attr-defined]
            raise _used_up()
        if (
            member is None
            or member.email != link.email
            or member.state not in (MemberState.ACTIVE, MemberState.SUSPENDED)
        ):
            raise _used_up()
        _confirm_address(member)
        return member.id, link.place, _kept_by(link, browser)


def find_link(token: str, *purposes: LinkPurpose) -> MailedLink:
    """What a link is for; looking at it uses nothing up. Raises NotFound."""
    link = db.session.execute(
        select(MailedLink).where(
            MailedLink.token_hash == token_hash(token),
            MailedLink.purpose.in_(purposes),
            MailedLink.expires_at > clock.now(),
        )
    ).scalar_one_or_none()
    if link is None:
        raise _used_up()
    return link


def set_password_by_link(token: str, password: str) -> int:
    """Set a new password and end every session; gives the member's id. Raises NotFound, Invalid.

    Using the link proves the address: an account that waited for that is confirmed.
    """
    purposes = (LinkPurpose.PASSWORD, LinkPurpose.CLAIM)
    email = find_link(token, *purposes).email
    check_new_password(password, email=email)
    hashed = hash_password(password)
    with unit_of_work():
        link = find_link(token, *purposes)
        member = db.session.get(Member, link.member_id)
        if member is None or member.email != link.email:
            raise _used_up()
        member.password_hash = hashed
        _confirm_address(member)
        _end_links(member.id)
        end_all_sessions(member.id)
        _tell_of_password(member)
        return member.id


def change_password(member_id: int, *, current: str, new: str, session_id: int | None) -> None:
    """Change one's own password; every other session ends. Raises Invalid beside `current` or `new`."""
    member = db.session.get_one(Member, member_id)
    if not password_matches(member.password_hash, current):
        raise Invalid(_("This is not your password."), "current")
    check_new_password(new, email=member.email or "", name=member.name, field="new")
    hashed = hash_password(new)
    with unit_of_work():
        member = db.session.get_one(Member, member_id)
        member.password_hash = hashed
        _end_links(member.id)
        end_all_sessions(member.id, except_session_id=session_id)
        _tell_of_password(member)


def ask_for_new_email(member_id: int, *, password: str, email: str) -> str:
    """Send a link to the new address; until it is used the old one stays. Gives the address as stored.

    Raises Invalid beside `password` or `email`. An address that has an account gets a mail that says so.
    After a few mails within the hour none goes out, and the link of the last one still works.
    """
    email = clean_email(email)
    member = db.session.get_one(Member, member_id)
    if not password_matches(member.password_hash, password):
        raise Invalid(_("This is not your password."), "password")
    if member.email == email:
        raise Invalid(_("This is your address already."), "email")
    token = clock.token()
    with unit_of_work():
        member = db.session.get_one(Member, member_id)
        wanted = not _was_mailed_often(member.id)
        taken = db.session.execute(select(Member.id).where(Member.email == email)).first()
        if wanted:
            _make_link(member, LinkPurpose.EMAIL, email, token)
        to = email if wanted else ""
        name = site.current().name
        if taken:
            mail = MailWanted(
                to,
                _("You already have an account at %(name)s", name=name),
                (
                    _(
                        "Somebody asked to use this address for another account at %(name)s. It has one "
                        "already, so nothing was changed.",
                        name=name,
                    ),
                ),
            )
        else:
            mail = MailWanted(
                to,
                _("Confirm your new address for %(name)s", name=name),
                (
                    _(
                        "Open the link and press the button there, and mails will come to this address. The "
                        "link works once, for a day."
                    ),
                    _("If you did not ask for this, there is nothing to do."),
                ),
                (_("Confirm this address"), f"/settings/account/email/{token}"),
            )
        events.publish(mail)
    return email


def change_email_by_link(token: str) -> int:
    """Put the confirmed address in force; the old one is told. Gives the member's id.

    Links sent before stop working; company and status follow the new address. Raises NotFound, Conflict.
    """
    with unit_of_work():
        link = find_link(token, LinkPurpose.EMAIL)
        member = db.session.get_one(Member, link.member_id)
        if db.session.execute(select(Member.id).where(Member.email == link.email)).first():
            raise Conflict(_("This address has an account already."))
        old, member.email = member.email, link.email
        member.email_confirmed_at = clock.now()
        member.version += 1
        before = member.company_id
        _end_links(member.id)
        place_by_address(member)
        count_company(before)
        count_company(member.company_id)
        events.publish(MemberChanged(member.id))
        if old:
            contact = site.current().contact_email
            events.publish(
                MailWanted(
                    old,
                    _("Your address at %(name)s was changed", name=site.current().name),
                    (
                        _(
                            "Your account has another mail address from now on; this one can no longer sign "
                            "in."
                        ),
                        _(
                            "If it was not you, tell us at once at %(contact)s: we can see when it happened "
                            "and undo it.",
                            contact=contact,
                        )
                        if contact
                        else _(
                            "If it was not you, tell us at once: we can see when it happened and undo it."
                        ),
                    ),
                    None,
                    member.id,
                )
            )
        return member.id


def forget_old_links() -> int:
    """Remove links that are too old; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(MailedLink)
            .where(
                MailedLink.expires_at < clock.now(),
                MailedLink.member_id.not_in(preserving.preserved_ids()),
            )
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def make_claim_link(member: Member, email: str) -> str:
    """A link by which the holder of the address takes over the account and sets a password.

    Inside a unit of work; gives its path.
    """
    token = clock.token()
    _make_link(member, LinkPurpose.CLAIM, email, token)
    return f"/password/{token}"


def _confirm_address(member: Member) -> None:
    """A link to it was used, so the address is theirs."""
    if member.email_confirmed_at is None:
        member.email_confirmed_at = clock.now()
        before = member.company_id
        place_by_address(member)
        count_company(before)
        count_company(member.company_id)


def _kept_by(link: MailedLink, browser: str) -> str:
    if not link.kept_box or not browser:
        return ""
    try:
        return vault.open_by(browser, link.kept_box, purpose=_KEPT)
    except vault.CannotOpen:
        return ""  # another browser asked for the link


def _make_link(member: Member, purpose: LinkPurpose, email: str, token: str) -> MailedLink:
    now = clock.now()
    db.session.execute(
        delete(MailedLink).where(MailedLink.member_id == member.id, MailedLink.purpose == purpose)
    )
    link = MailedLink(
        token_hash=token_hash(token),
        member_id=member.id,
        purpose=purpose,
        email=email,
        place="",
        kept_box="",
        created_at=now,
        expires_at=now + LASTS[purpose],
    )
    db.session.add(link)
    return link


def _end_links(member_id: int) -> None:
    db.session.execute(delete(MailedLink).where(MailedLink.member_id == member_id))


def _was_mailed_often(member_id: int) -> bool:
    """Counted by the member's own row, so that the cap holds for every sender together."""
    member = db.session.get_one(
        Member, member_id, with_for_update={"key_share": True}, populate_existing=True
    )
    hour = clock.now() - timedelta(hours=1)
    recent = [moment for moment in member.link_mails or [] if moment > hour.timestamp()]
    if len(recent) >= MAILS_AN_HOUR:
        return True
    member.link_mails = [*recent, clock.now().timestamp()]
    return False


def _tell_of_password(member: Member) -> None:
    if member.email:
        events.publish(
            MailWanted(
                member.email,
                _("Your password at %(name)s was changed", name=site.current().name),
                (
                    _("A new password is in force, and every other open session was ended."),
                    _("If it was not you, set a new one at once with the link below."),
                ),
                (_("Set a new password"), "/password"),
                member.id,
            )
        )


def _used_up() -> NotFound:
    return NotFound(_("This link was used, replaced by a newer one, or is too old."))
