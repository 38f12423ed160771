"""A real SMTP server on a random port that keeps what it is sent, and can misbehave on request."""

import email
import email.policy
import re
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.site import free_port


class MailServer:
    """Mails as they arrived. `answer` is what it says to each: "250 ok", "451 later", "550 no"."""

    def __init__(self, port: int = 0) -> None:
        self._arrived: list[EmailMessage] = []
        self._change = threading.Condition()
        self.answer = "250 ok"
        self.delay_seconds = 0.0
        self._controller = Controller(self, hostname="127.0.0.1", port=port or free_port())

    def start(self) -> "MailServer":
        self._controller.start()
        return self

    def stop(self) -> None:
        """Harmless when it is stopped already."""
        if self._controller.loop.is_running():
            self._controller.stop(no_assert=True)

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def url(self) -> str:
        """What MAIL_URL takes."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        with self._change:
            return list(self._arrived)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address.lower() in str(mail["To"]).lower()]

    def wait_for(self, address: str, subject: str = "", seconds: float = 20) -> EmailMessage:
        """The newest mail to `address` whose subject contains `subject`; AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        with self._change:
            while True:
                for mail in reversed(self._arrived):
                    if (
                        address.lower() in str(mail["To"]).lower()
                        and subject.lower() in str(mail["Subject"]).lower()
                    ):
                        return mail
                left = end - time.monotonic()
                if left <= 0:
                    got = [(str(mail["To"]), str(mail["Subject"])) for mail in self._arrived]
                    raise AssertionError(
                        f"no mail to {address} about {subject!r} in {seconds} s; there were {got}"
                    )
                self._change.wait(left)

    def forget(self) -> None:
        with self._change:
            self._arrived.clear()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        if self.answer.startswith("2"):
            content = envelope.original_content or b""
            mail = email.message_from_bytes(content, policy=email.policy.default)
            with self._change:
                self._arrived.append(mail)
                self._change.notify_all()
        return self.answer


def text_of(mail: EmailMessage) -> str:
    """The plain text part."""
    part = mail.get_body(("plain",))
    assert part is not None, "a mail has a plain text part"
    return part.get_content()


def links_in(mail: EmailMessage) -> list[str]:
    """Addresses in the plain text, in order."""
    return re.findall(r"https?://[^\s<>\"')]+", text_of(mail))


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()
