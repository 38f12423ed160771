"""What a browser keeps of us: the session cookie, and the mark of one that has signed in before."""

import re
from ipaddress import ip_address

from flask import Response, current_app, request, session

from portal.kernel import clock
from portal.kernel.crypto import keyed_hash, sign, unsign
from portal.members.services import sessions

KNOWN_COOKIE = "candor_known"
KNOWN_DAYS = 180
_KNOWN_ACCOUNTS = 5
_PURPOSE = "known browser"


def start(member_id: int, *, remembered: bool) -> None:
    """Sign the member in on this browser under a new session id; whatever was planted before is dropped."""
    token = sessions.start_session(
        member_id, remembered=remembered, device=device_name(), address=client_address()
    )
    session.clear()
    session["_user_id"] = token
    session["_fresh"] = True
    session.permanent = remembered


def end() -> None:
    """Forget the session on this browser. Its row is ended by the caller."""
    session.clear()


def client_address() -> str:
    """The address the request came from; an IPv6 network of 64 bits counts as one."""
    address = request.remote_addr or ""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:45]
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ip_address(int(parsed) >> 64 << 64)) + "/64"
    return str(parsed.ipv4_mapped or parsed) if parsed.version == 6 else str(parsed)


def device_name() -> str:
    """ "Firefox on Linux": what the list of sessions shows."""
    agent = request.headers.get("User-Agent", "")
    browsers = [
        ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("SamsungBrowser", "Samsung Internet"),
        ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ]  # fmt: skip
    systems = [
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
        ("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
    ]  # fmt: skip
    browser = next((name for mark, name in browsers if mark in agent), "")
    system = next((name for mark, name in systems if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or re.sub(r"[^\w ./-]", "", agent)[:40]


def known_mark(email: str) -> str:
    """The mark that this browser got when this address signed in here before, or ""."""
    return _marks().get(_account(email), "")


def remember_known(response: Response, email: str) -> None:
    """Give the browser a mark for this address, so that wrong tries by others never keep its owner out."""
    marks = _marks()
    marks.setdefault(_account(email), clock.token(9))
    newest = dict(list(marks.items())[-_KNOWN_ACCOUNTS:])
    response.set_cookie(
        KNOWN_COOKIE,
        sign(_key(), _PURPOSE, newest),
        max_age=KNOWN_DAYS * 86400,
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        samesite="Lax",
        path="/",
    )


def _marks() -> dict[str, str]:
    found = unsign(_key(), _PURPOSE, request.cookies.get(KNOWN_COOKIE, ""), KNOWN_DAYS * 86400)
    return dict(found) if isinstance(found, dict) else {}


def _account(email: str) -> str:
    return keyed_hash(_key(), email)[:16]


def _key() -> str:
    return current_app.config["SETTINGS"].SECRET_KEY
