"""Invites: a colleague who knows better, and guests whom somebody brings in with a reference of their own.

A link works once, for the address it was sent to (a colleague) or for one guest who lets it be reported; it
opens nothing by itself, and a confirmed address is needed all the same. A guest who chose "report nothing"
leaves no trace in the row, so to the sender it reads like "not joined".
"""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select, update

from portal.asks import policy
from portal.asks.models import AnswerRequest, Invite, InviteKind
from portal.kernel import clock, events, form_keys, preserving, site
from portal.kernel.access import Permission, Viewer
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound, TooMany
from portal.kernel.unit_of_work import unit_of_work
from portal.members.addresses import clean_email, domain_of, with_parents
from portal.members.events import MailWanted
from portal.members.models import CompanyDomain, Member

LONGEST_REFERENCE = 120


def invite_colleague(member: Viewer, email: str, request: AnswerRequest | None = None) -> None:
    """Mail a link to a colleague, to a request where one is passed on. Inside a unit of work.

    The same happens whether the address has an account or not. Raises Forbidden, TooMany; Invalid beside
    email.
    """
    if not member.may(Permission.CONVERSE):
        raise Forbidden(_("This account cannot invite anybody."))
    address = clean_email(email)
    own = db.session.execute(select(Member.email).where(Member.id == member.member_id)).scalar_one()
    if address == own:
        raise Invalid(_("This is your own address."), "email")
    domains = select(CompanyDomain.domain).where(CompanyDomain.company_id == member.company_id)
    known = set(db.session.execute(domains).scalars()) if member.company_id is not None else set()
    if not known & set(with_parents(domain_of(address))):
        raise Invalid(_("Only an address of your own company can be given here."), "email")
    _check_number(member, InviteKind.COLLEAGUE, policy.COLLEAGUES_A_DAY)
    week = clock.now() - timedelta(days=7)
    to_them = db.session.execute(
        select(func.count()).select_from(Invite).where(Invite.email == address, Invite.created_at > week)
    ).scalar_one()
    token = _add(member, InviteKind.COLLEAGUE, email=address, request_id=request.id if request else None)
    if to_them >= policy.TO_ONE_ADDRESS_A_WEEK:
        return  # they have had enough mails; the sender is told nothing of others'
    events.publish(_mail_to_colleague(member, address, token, passes_on=request is not None))


def _mail_to_colleague(member: Viewer, address: str, token: str, *, passes_on: bool) -> MailWanted:
    name, days = site.current().name, policy.INVITE_LASTS.days
    how = _(
        "You join with this address, which takes a minute; the link works once, for %(days)s days. "
        "If you do not want to, do nothing.",
        days=days,
    )
    if passes_on:
        return MailWanted(
            address,
            _("%(name)s thinks you know the answer", name=member.display_name),
            (
                _(
                    "%(name)s, your colleague, was asked a question by somebody who is deciding "
                    "about a product that you use, and thinks that you know better. It waits at %(site)s.",
                    name=member.display_name,
                    site=name,
                ),
                how,
            ),
            (_("Read the question"), f"/invite/{token}"),
        )
    return MailWanted(
        address,
        _("%(name)s invites you to %(site)s", name=member.display_name, site=name),
        (
            _(
                "%(name)s, your colleague, thinks that %(site)s is of use to you: customers help "
                "each other there and answer those who are deciding.",
                name=member.display_name,
                site=name,
            ),
            how,
        ),
        (_("Look at it"), f"/invite/{token}"),
    )


def invite_guest(sender: Viewer, reference: str) -> tuple[Invite, str]:
    """A link to hand to somebody; gives (invite, token). The guest reads the reference too.

    Raises Forbidden; Invalid beside reference; TooMany.
    """
    if not sender.may(Permission.INVITE):
        raise Forbidden(_("This account cannot invite anybody."))
    reference = " ".join(reference.replace("\x00", "").split())
    if len(reference) > LONGEST_REFERENCE:
        raise Invalid(_("At most %(most)s characters fit here.", most=LONGEST_REFERENCE), "reference")
    with unit_of_work():
        _check_number(sender, InviteKind.GUEST, policy.GUESTS_A_DAY)
        token = _add(sender, InviteKind.GUEST, reference=reference)
        invite = _by_token(token)
    assert invite is not None
    return invite, token


def withdraw(sender: Viewer, invite_id: int) -> None:
    """The link works no longer. Raises NotFound."""
    with unit_of_work():
        invite = db.session.execute(
            select(Invite).where(Invite.id == invite_id, Invite.from_id == sender.member_id).with_for_update()
        ).scalar_one_or_none()
        if invite is None:
            raise NotFound("no such invite")
        invite.withdrawn_at = invite.withdrawn_at or clock.now()
        _forget_address(invite)


def find_open(token: str) -> Invite:
    """The invite behind a link that still works; looking at it uses nothing up. Raises NotFound."""
    invite = _by_token(token)
    now = clock.now()
    if (
        invite is None
        or invite.withdrawn_at is not None
        or invite.expires_at <= now
        or invite.used_by_id is not None
    ):
        raise NotFound(_("This link was used or is too old."))
    return invite


def accept_as_colleague(member: Viewer, token: str) -> AnswerRequest | None:
    """The link has done its work; gives the request that was passed on, where there was one. Inside a unit of
    work.

    Raises NotFound for a link that is used, expired or another's.
    """
    invite = _locked(token)
    own = db.session.execute(
        select(Member.email, Member.email_confirmed_at).where(Member.id == member.member_id)
    ).one()
    fits = own.email == invite.email and own.email_confirmed_at is not None
    if invite.kind is not InviteKind.COLLEAGUE or not fits:
        raise NotFound(_("This link was used or is too old."))
    invite.used_by_id, invite.used_at = member.member_id, clock.now()
    _forget_address(invite)
    return db.session.get(AnswerRequest, invite.request_id) if invite.request_id else None


def accept_as_guest(member: Viewer, token: str, *, report: bool) -> None:
    """Let what was announced be reported to the sender, or nothing: then nothing is kept of it.

    Raises NotFound for a link that is used or expired, and for one's own.
    """
    with unit_of_work():
        invite = _locked(token)
        if invite.kind is not InviteKind.GUEST or invite.from_id == member.member_id:
            raise NotFound(_("This link was used or is too old."))
        if not member.may(Permission.ASK):
            raise Forbidden(_("This account is no guest."))
        if report:
            invite.used_by_id, invite.used_at = member.member_id, clock.now()


def report_nothing_more(member: Viewer, invite_id: int) -> None:
    """A guest changed their mind: to the sender it reads like "not joined" from now on. Raises NotFound."""
    with unit_of_work():
        invite = db.session.execute(
            select(Invite)
            .where(Invite.id == invite_id, Invite.used_by_id == member.member_id)
            .with_for_update()
        ).scalar_one_or_none()
        if invite is None:
            raise NotFound("no such invite")
        invite.used_by_id, invite.used_at, invite.spoke = None, None, False


def note_spoke(member_id: int, *, spoke: bool = True) -> None:
    """A conversation of this guest took place, or did not after all: the last thing reported.

    Inside a unit of work.
    """
    db.session.execute(
        update(Invite)
        .where(Invite.used_by_id == member_id, Invite.kind == InviteKind.GUEST)
        .values(spoke=spoke)
        .execution_options(synchronize_session="fetch")
    )


def forget_addresses() -> int:
    """Addresses of colleagues who never came are not kept beyond the life of the link. Gives how many."""
    with unit_of_work():
        result = db.session.execute(
            update(Invite)
            .where(
                Invite.email != "",
                Invite.expires_at < clock.now(),
                Invite.from_id.not_in(preserving.preserved_ids()),
            )
            .values(email="")
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _forget_address(invite: Invite) -> None:
    if invite.email and preserving.is_preserved(invite.from_id):
        preserving.keep(invite.from_id, f"invite {invite.id}", {"email": invite.email})
    invite.email = ""


def _add(sender: Viewer, kind: InviteKind, **fields: object) -> str:
    token = clock.token(24)
    now = clock.now()
    db.session.add(
        Invite(
            token_hash=token_hash(token),
            kind=kind,
            from_id=sender.member_id or 0,
            created_at=now,
            expires_at=now + policy.INVITE_LASTS,
            spoke=False,
            **fields,
        )
    )
    db.session.flush()
    return token


def _check_number(sender: Viewer, kind: InviteKind, most: int) -> None:
    since = clock.now() - timedelta(days=1)
    made = db.session.execute(
        select(func.count())
        .select_from(Invite)
        .where(Invite.from_id == sender.member_id, Invite.kind == kind, Invite.created_at > since)
    ).scalar_one()
    if made >= most:
        raise TooMany(
            _("You sent %(most)s invites within a day. Try again tomorrow.", most=most), retry_after=6 * 3600
        )


def _by_token(token: str) -> Invite | None:
    return db.session.execute(
        select(Invite).where(Invite.token_hash == token_hash(token))
    ).scalar_one_or_none()


def _locked(token: str) -> Invite:
    find_open(token)
    invite = db.session.execute(
        select(Invite)
        .where(Invite.token_hash == token_hash(token))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    find_open(token)  # again, under the lock
    return invite


def send_to_colleague(member: Viewer, email: str, *, form_key: str = "") -> None:
    """Invite a colleague without a particular question. Raises Forbidden, Invalid, TooMany, Repeated."""
    with form_keys.once(form_key, member.member_id or 0) as outcome:
        outcome.place = "/invites"
        invite_colleague(member, email)


def is_for(member: Viewer, invite: Invite) -> bool:
    """Whether a colleague's invite was sent to this member's confirmed address."""
    own = db.session.execute(
        select(Member.email).where(Member.id == member.member_id, Member.email_confirmed_at.is_not(None))
    ).scalar_one_or_none()
    return own is not None and own == invite.email
