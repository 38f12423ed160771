"""What is mailed about asks, as it leaves the house."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask

from portal.kernel.mail import Folder
from portal.notifications.services.mailing import Sender, send_due
from tests.asks.scenes import TUESDAY, ask, board, make_customers, make_prospect, work


def test_the_request_says_why_and_leads_to_buttons(
    in_app: Flask, at: Callable[[datetime], None], tmp_path: Path
):
    at(TUESDAY)
    board()
    make_customers(1)
    ask(make_prospect())
    work()
    folder = tmp_path / "out"
    sender = Sender("https://flow.example", "flow@flow.example", "k" * 32, Folder(folder))
    assert send_due(sender) == 1
    [mail] = [path.read_text(encoding="utf-8") for path in folder.rglob("*.eml")]
    for words in ("Why you: same industry", "I would rather talk", "/requests/", "List-Unsubscribe"):
        assert words in mail
