"""Clients that send or read byte by byte, far more of them than the site has threads: others are served."""

import contextlib
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.support.site import Site

pytestmark = pytest.mark.drill

WORKERS, THREADS = 2, 4
SLOW = 5 * WORKERS * THREADS  # of each kind
HEAD_SECONDS = 10  # as portal.gunicorn_worker allows for the headers of a request

HEAD = b"Host: localhost\r\nUser-Agent: slow\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
# What each sends at once; from then on it sends the drip, a byte now and then, or nothing.
KINDS = {
    "silent": (b"", b""),
    "headers": (b"GET / HTTP/1.1\r\n" + HEAD + b"X-Slow: ", b"y"),
    "form": (b"POST /login HTTP/1.1\r\n" + HEAD + FORM + b"Content-Length: 5000\r\n\r\n", b"z"),
    "chunks": (b"POST /login HTTP/1.1\r\n" + HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\n", b"z"),
    "no end in a chunk": (
        b"POST /login HTTP/1.1\r\n" + HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n8\r\n0\r\n\r\n",
        b"",
    ),
    "too long a form": (
        b"POST /login HTTP/1.1\r\n" + HEAD + FORM + b"Content-Length: 900000000\r\n\r\n",
        b"z",
    ),
    "second request": (b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\nGET / HTTP/1.1\r\n" + HEAD, b"y"),
    "never reads": (b"GET /static/css/tokens.css HTTP/1.1\r\n" + HEAD + b"\r\n" * 1, b""),
    "never leaves": (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n", b""),
}


@contextlib.contextmanager
def slow_clients(port: int, first: bytes, drip: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which goes on sending its drip."""
    clients = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(SLOW)]
    enough = threading.Event()

    def go_on() -> None:
        while not enough.wait(0.2):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(drip)

    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.sendall(first)
    dripping = threading.Thread(target=go_on, daemon=True)
    if drip:
        dripping.start()
    try:
        yield clients
    finally:
        enough.set()
        if drip:
            dripping.join(5)
        for client in clients:
            client.close()


def seconds_for(url: str) -> float:
    begin = time.monotonic()
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
        answer.read()
    return time.monotonic() - begin


def test_slow_clients_hold_up_nobody_else(
    make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_site(workers=WORKERS, WEB_THREADS=str(THREADS)).start()
    for _ in range(10):
        seconds_for(f"{site.url}/rules")
    alone = max(seconds_for(f"{site.url}/rules") for _ in range(20))
    allowed = max(1.0, 5 * alone)
    slowest = {}
    for kind, (first, drip) in KINDS.items():
        with slow_clients(site.port, first, drip):
            time.sleep(0.5)
            slowest[kind] = max(seconds_for(f"{site.url}/rules") for _ in range(15))
    with capsys.disabled():
        print(
            f"\n{SLOW} slow clients on {WORKERS * THREADS} threads: alone {alone:.2f} s at most, beside "
            + ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in slowest.items())
        )
    assert {kind for kind, seconds in slowest.items() if seconds > allowed} == set()


def test_who_takes_too_long_is_closed_and_who_is_only_slow_is_answered(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(workers=1, WEB_THREADS="2").start()
    first, drip = KINDS["headers"]
    with slow_clients(site.port, first, drip) as clients:
        phone = socket.create_connection(("127.0.0.1", site.port), timeout=10)
        request = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
        for place in range(0, len(request), 20):
            phone.sendall(request[place : place + 20])
            time.sleep(0.1)
        assert phone.recv(64).startswith(b"HTTP/1.1 200")
        phone.close()
        begin = time.monotonic()
        clients[0].settimeout(HEAD_SECONDS + 5)
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = clients[0].recv(200)
        assert answer[:12] in (b"HTTP/1.1 408", b"")
        assert time.monotonic() - begin < HEAD_SECONDS + 5


def test_a_body_in_pieces_and_in_chunks_arrives_whole(make_site: Callable[..., Site]) -> None:
    site = make_site(workers=1, WEB_THREADS="2").start()
    body = b"email=nobody%40mail.example&password=" + b"x" * 300
    head = b"POST /login HTTP/1.1\r\n" + HEAD + FORM + b"Connection: close\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:50], body[50:])) + b"0\r\n\r\n"
    plain = head + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
    answers = []
    for start, rest in ((plain, body), (head + b"Transfer-Encoding: chunked\r\n\r\n", chunks)):
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
            client.sendall(start)
            if b"Expect" in start:
                assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            for place in range(0, len(rest), 40):
                client.sendall(rest[place : place + 40])
                time.sleep(0.01)
            answer = client.recv(100)
            answers.append(answer.split(b"\r\n")[0])
    # No token in the form: the application read it and says so.
    assert answers == [b"HTTP/1.1 400 BAD REQUEST"] * 2


def test_requests_on_one_connection_are_answered_in_turn(make_site: Callable[..., Site]) -> None:
    site = make_site(workers=1, WEB_THREADS="2").start()
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        one = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"
        client.sendall(one * 3 + one[:20])
        time.sleep(0.5)
        client.sendall(one[20:])
        read = b""
        while read.count(b"HTTP/1.1 200") < 4:
            piece = client.recv(65536)
            assert piece, read
            read += piece
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        client.sendall(one * 3)
        client.shutdown(socket.SHUT_WR)
        read = b""
        while piece := client.recv(65536):
            read += piece
        assert read.count(b"HTTP/1.1 200") == 3
