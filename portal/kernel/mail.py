"""Mail transport: a real SMTP server, or a folder of .eml files when none is set."""

import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit


class MailRefused(Exception):
    """The server says no for good (5xx): trying again is of no use."""


class MailDelayed(Exception):
    """It did not work this time: try again later."""


class Transport(Protocol):
    """Delivers one message to its one recipient, or raises MailRefused or MailDelayed."""

    def send(self, message: EmailMessage) -> None: ...


@dataclass(frozen=True)
class Folder:
    """Keeps each mail as an .eml file, named by its Message-ID: sending twice leaves one file."""

    path: Path

    def send(self, message: EmailMessage) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9.-]", "_", str(message["Message-ID"]).strip("<>"))[:120]
        target = self.path / f"{name}.eml"
        temporary = target.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_bytes(message.as_bytes(policy=SMTP))
        temporary.replace(target)


@dataclass(frozen=True)
class Smtp:
    """One connection a mail; `url` is smtp://, smtps:// or smtp+starttls:// with user and password."""

    url: str
    timeout_seconds: float = 15

    def send(self, message: EmailMessage) -> None:
        parts = urlsplit(self.url)
        try:
            with self._connect(parts.scheme, parts.hostname or "localhost", parts.port) as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise (MailRefused if code >= 500 else MailDelayed)(str(error)) from error
        except smtplib.SMTPResponseException as error:
            raise (MailRefused if error.smtp_code in (550, 551, 552, 553, 554) else MailDelayed)(
                str(error)
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailDelayed(str(error)) from error

    def _connect(self, scheme: str, host: str, port: int | None) -> smtplib.SMTP:
        if scheme == "smtps":
            return smtplib.SMTP_SSL(
                host, port or 465, timeout=self.timeout_seconds, context=ssl.create_default_context()
            )
        server = smtplib.SMTP(
            host, port or (587 if scheme == "smtp+starttls" else 25), timeout=self.timeout_seconds
        )
        if scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        return server


def transport(mail_url: str, outbox: Path) -> Transport:
    """SMTP when an address is set, else the folder."""
    return Smtp(mail_url) if mail_url else Folder(outbox)
