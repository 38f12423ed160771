"""Forbidden effects: a test reaches no other machine, and sends mail only to a server it asked for."""

import ipaddress
import smtplib
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class ForbiddenEffect(AssertionError):
    """A test tried to reach outside."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = address[0]
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:
        if not _is_here(address):
            raise ForbiddenEffect(f"a connection to {address} was tried")
        return connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_here(address):
            raise ForbiddenEffect(f"a connection to {address} was tried")
        return connect_ex(self, address)

    def checked_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_here((name,)):
            raise ForbiddenEffect(f"a look-up of the name {name!r} was tried")
        return look_up(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", checked_connect)
    patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
    patch.setattr(socket, "getaddrinfo", checked_look_up)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _mail_only_to_the_test_server(request: pytest.FixtureRequest) -> Iterator[None]:
    if {"mail_server", "site"} & set(request.fixturenames):
        yield
        return
    patch = pytest.MonkeyPatch()

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise ForbiddenEffect("mail was about to be sent without a `mail_server` in the test")

    patch.setattr(smtplib.SMTP, "connect", refuse)
    yield
    patch.undo()
