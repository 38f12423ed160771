"""A person at a browser and at a mailbox, as tests need them."""

import email
import email.policy
import re
from contextvars import Context
from email.message import EmailMessage
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.kernel import jobs
from portal.notifications.services.notifying import SEND_JOB

PASSWORD = "a calm river in spring"


def fields_of(page: TestResponse, action: str = "") -> dict[str, str]:
    """The hidden fields of the form with this action on the page (of the only one, when it has none)."""
    html = page.get_data(as_text=True)
    forms = re.findall(r'<form\b[^>]*method="post".*?</form>', html, re.DOTALL)
    chosen = [form for form in forms if f'action="{action}"' in unescape(form)] if action else forms
    assert chosen, f"no form to {action or 'send'} on the page:\n{html[:3000]}"
    found = {}
    for tag in re.findall(r"<input\b[^>]*>", chosen[0]):
        attributes = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            found[attributes["name"]] = unescape(attributes.get("value", ""))
    return found


def get(browser: FlaskClient, page: str) -> TestResponse:
    """The page, as the browser gets it also where the test itself is in an application context."""
    return Context().run(browser.get, page)


def submit(
    browser: FlaskClient, page: str, data: dict[str, Any], action: str = "", **options: Any
) -> TestResponse:
    """Fill in the form on `page` and send it, to `action` or to the page itself."""
    shown = browser.get(page)
    hidden = fields_of(shown, action)
    return browser.post(action or page, data={**hidden, **data}, **options)


def sent_mails(app: Flask) -> list[EmailMessage]:
    """Have the worker send what is due, and open the outbox: every mail so far, the newest last."""
    with app.app_context():
        jobs.registered()[SEND_JOB].run()
    outbox = app.config["SETTINGS"].outbox_path
    files = sorted(outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns) if outbox.exists() else []
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]


def mail_to(app: Flask, address: str) -> EmailMessage:
    """The newest mail to this address."""
    mails = [mail for mail in sent_mails(app) if str(mail["To"]) == address]
    assert mails, f"no mail to {address}"
    return mails[-1]


def path_in(mail: EmailMessage, start: str = "/") -> str:
    """The first address of this site in the mail, as a path that begins with `start`."""
    part = mail.get_body(("plain",))
    assert part is not None
    paths = re.findall(r"http://localhost:8000(/[^\s<>\"')]+)", part.get_content())
    found = [path for path in paths if path.startswith(start)]
    assert found, f"no address {start}… in the mail:\n{part.get_content()}"
    return found[0]
