"""Mails: queued in the transaction of their cause, made and sent by the worker, each once in the end."""

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path

from flask_babel import get_locale, gettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from sqlalchemy import ColumnElement, or_, select, update

from portal.kernel import clock, colours, jobs, site
from portal.kernel.db import db, end_reading
from portal.kernel.mail import MailDelayed, MailRefused, Transport
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.queries import viewer_of
from portal.notifications import kinds
from portal.notifications.models import Mail, Notice
from portal.notifications.services.notifying import SEND_JOB
from portal.notifications.services.preferences import is_mailed, unsubscribe_token

CLAIM = timedelta(minutes=5)
_TOGETHER = 10  # mails claimed in one transaction
# Waits after the 1st, 2nd … failure; after the last the mail is given up and shown to the admin.
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 480, 1440)]

_TAG = re.compile(r'<[a-z](?:[^>"]|"[^"]*")*>')

HELD = "held: this site was restored from a backup, and it may have gone out before"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates" / "mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _colour(scheme: str, part: str) -> str:
    """A part of the site's accent in a scheme, as an admin chose it."""
    now = site.current()
    return colours.as_hex(getattr(colours.accents(now.accent_light, now.accent_dark)[scheme], part))


_templates.globals.update(colour=_colour, locale_name=lambda: str(get_locale() or "en"), _=gettext)


@dataclass(frozen=True)
class Sender:
    """What every mail needs to know of the site, beside its name, which an admin may change at any time.

    `mail_from` may carry a name of its own; without one mails come under the name of the site.
    """

    public_url: str
    mail_from: str
    secret_key: str
    transport: Transport

    @property
    def host(self) -> str:
        return re.sub(r"^https?://", "", self.public_url).split("/")[0].split(":")[0]


def queue_account_mail(
    recipient: str,
    *,
    subject: str,
    paragraphs: list[str],
    button: tuple[str, str] | None = None,
    member_id: int | None = None,
) -> None:
    """Queue a mail about an account (confirm, reset …) to an address. `button` is a label and a URL or path.

    Inside or outside a unit of work. Such mails cannot be switched off.
    """
    now = clock.now()
    with unit_of_work():
        db.session.add(
            Mail(
                member_id=member_id,
                kind="account",
                message_id=f"account-{clock.token(12)}",
                recipient=recipient,
                subject=subject[:250],
                body={"paragraphs": paragraphs, "button": list(button) if button else None},
                created_at=now,
                due_at=now,
            )
        )
        jobs.wake(SEND_JOB)


def send_due(sender: Sender, limit: int = 200) -> int:
    """Send what is due, one by one; safe to repeat and by two workers at once. Gives how many left."""
    sent = 0
    while limit > 0 and (claimed := _claim(min(limit, _TOGETHER))):
        limit -= len(claimed)
        until = clock.now() + CLAIM / 2
        try:
            while claimed and clock.now() < until:
                sent += _send(claimed.pop(0), sender)
        finally:
            if claimed:  # the mail server takes its time: before anybody else may claim them
                _let_go(claimed)
    return sent


def retry_failed(mail_id: int) -> int:
    """Try a mail that was given up or is held once more, from the start; gives how many that were."""
    return _again(Mail.id == mail_id)


def release_held() -> int:
    """Send all that are held after a restore; gives how many."""
    return _again(Mail.error == HELD)


def _again(which: ColumnElement[bool]) -> int:
    with unit_of_work():
        result = db.session.execute(
            update(Mail)
            .where(which, Mail.failed_at.is_not(None))
            .values(failed_at=None, attempts=0, due_at=clock.now(), error="")
        )
        jobs.wake(SEND_JOB)
    return result.rowcount  # type: ignore[attr-defined]


def hold_unsent() -> int:
    """After a restore: put aside what the archive has as unsent, since it may have gone out since it was
    made. Held mails stand with those that were given up, each to be sent or left; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            update(Mail)
            .where(Mail.sent_at.is_(None), Mail.failed_at.is_(None))
            .values(failed_at=clock.now(), claimed_until=None, error=HELD)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _claim(most: int) -> list[int]:
    now = clock.now()
    due = (
        select(Mail.id)
        .where(
            Mail.sent_at.is_(None),
            Mail.failed_at.is_(None),
            Mail.due_at <= now,
            or_(Mail.claimed_until.is_(None), Mail.claimed_until < now),
        )
        .order_by(Mail.due_at, Mail.id)
        .limit(most)
    )
    if db.session.execute(due).first() is None:
        return []  # SQLite: writers are not held up to find nothing
    with unit_of_work():
        ids = list(db.session.execute(due.with_for_update(skip_locked=True)).scalars())
        db.session.execute(update(Mail).where(Mail.id.in_(ids)).values(claimed_until=now + CLAIM))
    return ids


def _let_go(mail_ids: list[int]) -> None:
    with unit_of_work():
        db.session.execute(update(Mail).where(Mail.id.in_(mail_ids)).values(claimed_until=None))


def _send(mail_id: int, sender: Sender) -> int:
    mail = db.session.get_one(Mail, mail_id, populate_existing=True)
    message = _notice_message(mail, sender) if mail.notice_id else _account_message(mail, sender)
    if message is None:
        _finish(mail_id, error="not sent: nothing to tell any more")
        return 0
    end_reading()  # no transaction is open while the mail server is spoken to
    try:
        sender.transport.send(message)
    except MailRefused as refused:
        _give_up(mail_id, str(refused))
        return 0
    except MailDelayed as delayed:
        _later(mail_id, str(delayed))
        return 0
    _finish(mail_id)
    return 1


def _finish(mail_id: int, error: str = "") -> None:
    with unit_of_work():
        db.session.execute(
            update(Mail)
            .where(Mail.id == mail_id)
            .values(sent_at=clock.now(), claimed_until=None, body={}, error=error)
        )


def _give_up(mail_id: int, error: str) -> None:
    with unit_of_work():
        db.session.execute(
            update(Mail)
            .where(Mail.id == mail_id)
            .values(failed_at=clock.now(), claimed_until=None, error=error[:400], attempts=Mail.attempts + 1)
        )


def _later(mail_id: int, error: str) -> None:
    with unit_of_work():
        mail = db.session.get_one(Mail, mail_id, with_for_update=True)
        mail.attempts += 1
        mail.claimed_until = None
        mail.error = error[:400]
        if mail.attempts > len(WAITS):
            mail.failed_at = clock.now()
        else:
            mail.due_at = clock.now() + WAITS[mail.attempts - 1]


def _notice_message(mail: Mail, sender: Sender) -> EmailMessage | None:
    notice = db.session.get(Notice, mail.notice_id)
    recipient = db.session.execute(
        select(Member.email, Member.name).where(
            Member.id == mail.member_id, Member.email_confirmed_at.is_not(None)
        )
    ).one_or_none()
    if notice is None or recipient is None or recipient.email is None:
        return None
    viewer = viewer_of(notice.member_id)
    line = kinds.resolve(viewer, [notice]).get(notice.id)
    if line is None:
        return None  # hidden, moved or withdrawn meanwhile
    kind = kinds.find(notice.kind)
    required = kind is not None and kind.required
    if not required and not is_mailed(notice.member_id, notice.kind):
        return None  # unsubscribed while it waited
    token = unsubscribe_token(sender.secret_key, notice.member_id, notice.kind)
    unsubscribe_url = "" if required else f"{sender.public_url}/unsubscribe/{token}"
    values = {
        "site_name": site.current().name,
        "sentence": line.sentence,
        "title": line.title,
        "url": sender.public_url + line.url,
        "excerpt": line.excerpt,
        "body_html": Markup(_absolute(line.html, sender.public_url)),  # noqa: S704 - cleaned when stored
        "sections": [{**section, "url": sender.public_url + section["url"]} for section in line.sections],
        "kind_label": kind.label if kind else "",
        "unsubscribe_url": unsubscribe_url,
        "preferences_url": f"{sender.public_url}/settings/notifications",
    }
    message = _message(
        mail, sender, recipient.email, f"{line.sentence}: {line.title}" if line.title else line.sentence
    )
    if line.thread_key:
        root = f"<{line.thread_key}@{sender.host}>"
        message["In-Reply-To"] = root
        message["References"] = root
    if unsubscribe_url:
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["List-Id"] = f"<{notice.kind.replace('_', '-')}.{sender.host}>"
    message.set_content(_templates.get_template("notice.txt").render(values))
    message.add_alternative(_templates.get_template("notice.html").render(values), subtype="html")
    return message


def _account_message(mail: Mail, sender: Sender) -> EmailMessage | None:
    if not mail.recipient or not mail.body:
        return None
    message = _message(mail, sender, mail.recipient, mail.subject)
    values = {
        "site_name": site.current().name,
        "public_url": sender.public_url,
        "subject": mail.subject,
        **mail.body,
        "button": _with_whole_address(mail.body.get("button"), sender.public_url),
    }
    message.set_content(_templates.get_template("account.txt").render(values))
    message.add_alternative(_templates.get_template("account.html").render(values), subtype="html")
    return message


def _with_whole_address(button: list[str] | None, public_url: str) -> list[str] | None:
    """A path within the site, as services write it, made whole."""
    if button and button[1].startswith("/"):
        return [button[0], public_url + button[1]]
    return button


def _message(mail: Mail, sender: Sender, recipient: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    name, address = parseaddr(sender.mail_from)
    user, _, domain = address.partition("@")
    message["From"] = Address(_plain(name or site.current().name), user, domain)
    message["To"] = recipient
    message["Subject"] = _plain(subject)[:200]
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.message_id}@{sender.host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _plain(text: str) -> str:
    """One line without control characters: a name cannot add a header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _absolute(fragment: str, public_url: str) -> str:
    """Addresses within the site made whole, so that they work in a mail; pictures become links.

    Only within tags: what reads like an address in a code sample is left as it was written.
    """

    def whole(tag: re.Match[str]) -> str:
        return re.sub(r'( (?:href|src)=")/', lambda start: f"{start[1]}{html.escape(public_url)}/", tag[0])

    fragment = _TAG.sub(whole, fragment)
    return re.sub(r'<img[^>]*? src="([^"]+)"[^>]*>', r'<a href="\1">\1</a>', fragment)
