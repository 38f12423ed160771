"""The web worker: no thread waits for a client, so slow ones cost a socket and nobody else's place.

gunicorn's threads read requests themselves, so as many clients as there are threads, each sending its headers
or its form byte by byte, stop a site. Here the main loop gathers whole requests from all connections at once
and gives a thread only what has arrived; what takes too long is closed. What is inside a request is left to
gunicorn.
"""

import contextlib
import re
import selectors
import socket
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10
"""Within which the line and the headers of a request have to arrive."""
BODY_SECONDS = 20
SLOWEST = 4096
"""Bytes a second that a body has to keep up with, beside `BODY_SECONDS`."""
LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 16 * 2**20
"""What is longer is not gathered: the application refuses it by its headers."""
MOST_GATHERED = 96 * 2**20
"""Bytes of unfinished requests that one worker holds."""
WRITE_SECONDS = 30
"""Within which a client has to take each piece of an answer."""
REFUSED_SECONDS = 2
LINGER_SECONDS = 2
MOST_LINGERED = 64 * 1024

LONGEST_LINE = 4096

_PIECE = 64 * 1024
_HEX = re.compile(rb"[0-9a-fA-F]{1,8}")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_MUCH = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n"
)
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


class Gathered:
    """What has arrived of a request."""

    __slots__ = ("at", "begun", "data", "head", "in_trailer", "is_odd", "needed")

    def __init__(self, data: bytes, now: float) -> None:
        self.data = bytearray(data)
        self.begun = now
        self.head = 0  # length of the headers, with the empty line; 0 while they are incomplete
        self.needed: int | None = None  # length of the whole; None while unknown
        self.at = 0  # where the next chunk begins
        self.in_trailer = False
        self.is_odd = False  # chunks that are none: gunicorn says so

    @property
    def deadline(self) -> float:
        if not self.head:
            return self.begun + HEAD_SECONDS
        return self.begun + HEAD_SECONDS + BODY_SECONDS + len(self.data) / SLOWEST

    def is_whole(self) -> bool:
        """Whether a thread can read the request, or refuse it, without waiting for the client."""
        if not self.head:
            self._find_head()
        if not self.head:
            return False
        if self.needed is None:
            self._follow_chunks()
        return self.is_refused or (self.needed is not None and len(self.data) >= self.needed)

    @property
    def is_refused(self) -> bool:
        """Whether its body is none, or longer than what is gathered: it is not waited for."""
        return self.is_odd or (self.needed or len(self.data)) - self.head > LONGEST_BODY

    def _find_head(self) -> None:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.data[: end + 2])
        self.head = end + 4
        length = _LENGTH.search(head)
        self.at = self.head
        if _CHUNKED.search(head) is None:
            self.needed = self.head + (int(length[1]) if length else 0)

    def _follow_chunks(self) -> None:
        """Walk over the chunks that have arrived, from where it stopped last."""
        while self.needed is None and not self.is_odd:
            end = self.data.find(b"\r\n", self.at, self.at + LONGEST_LINE)
            if end < 0:
                self.is_odd = len(self.data) - self.at >= LONGEST_LINE
                return
            if self.in_trailer:
                self.needed = end + 2 if end == self.at else None
                self.at = end + 2
                continue
            size = bytes(self.data[self.at : end]).partition(b";")[0].strip()
            if not _HEX.fullmatch(size):
                self.is_odd = True
            elif int(size, 16):
                after = end + 2 + int(size, 16) + 2
                if after > len(self.data):
                    self.is_odd = after - self.head > LONGEST_BODY
                    return
                self.at = after
            else:
                self.in_trailer, self.at = True, end + 2

    def go_on(self) -> bool:
        """Whether the client waits to be told to send its body; it is told once."""
        if not self.head:
            return False
        head, count = _EXPECT.subn(b"", bytes(self.data[: self.head]))
        if count:
            self.data[: self.head] = head
            shorter = self.head - len(head)
            self.head -= shorter
            self.at -= shorter
            if self.needed is not None:
                self.needed -= shorter
        return bool(count)


class GatheringWorker(ThreadWorker):
    """gunicorn's threaded worker, with requests gathered before a thread takes them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gathering: dict[TConn, Gathered] = {}  # oldest first
        self.held = 0  # bytes in them
        self.lingering: dict[TConn, tuple[float, int]] = {}
        self.refused: set[TConn] = set()
        self.next_look = 0.0

    def enqueue_req(self, conn: TConn) -> None:
        """A connection on which a request may arrive: gather it; a thread gets it when it is whole."""
        buffered = conn.parser.unreader.take_buffered() if conn.initialized else b""
        conn.sock.setblocking(False)
        self.gathering[conn] = Gathered(buffered, time.monotonic())
        self.held += len(buffered)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._arrives, conn))
        self._arrives(conn, conn.sock)
        if self.nr_conns >= self.worker_connections:
            self._make_place()

    def _arrives(self, conn: TConn, client: Any) -> None:
        gathered = self.gathering.get(conn)
        if gathered is None:
            return  # dropped for another since the loop saw that something arrived
        try:
            piece = client.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            piece = None
        except OSError:
            piece = b""
        if piece == b"" and not gathered.is_whole():  # who is only done with sending gets the answer
            self._drop(conn)
            return
        gathered.data += piece or b""
        self.held += len(piece or b"")
        if gathered.is_whole():
            self._hand_over(conn, gathered)
        elif not gathered.head and len(gathered.data) > LONGEST_HEAD:
            self._drop(conn, _TOO_LONG)
        elif self.held > MOST_GATHERED:
            self._drop(conn, _TOO_MUCH)
        elif gathered.go_on():
            with contextlib.suppress(OSError):
                client.send(_GO_ON)

    def _hand_over(self, conn: TConn, gathered: Gathered) -> None:
        self._forget(conn)
        conn.data_ready = True
        conn.init()
        conn.parser.unreader.unread(bytes(gathered.data))
        if gathered.is_refused:
            self.refused.add(conn)
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request. Runs in a thread, which waits for the client at most as long as is said here."""
        conn.sock.settimeout(REFUSED_SECONDS if conn in self.refused else WRITE_SECONDS)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            raise StopIteration from None  # as gunicorn ends a connection

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        # A body that was not gathered is not waited for.
        return bool(super()._keepalive_after(conn, keepalive and conn not in self.refused))

    def finish_request(self, conn: TConn, done: "Future[Any]") -> None:
        """After the answer: wait for the next request, or take leave without waiting for the client."""
        self.refused.discard(conn)
        if not done.cancelled() and done.exception() is None and done.result():
            super().finish_request(conn, done)
        else:
            self._linger(conn)

    def _linger(self, conn: TConn) -> None:
        """Close as `gunicorn.util.close_graceful` does, without holding up the loop for it."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._leaves, conn))
        except (OSError, ValueError):
            self._close(conn)
            return
        self.lingering[conn] = (time.monotonic() + LINGER_SECONDS, 0)

    def _leaves(self, conn: TConn, client: Any) -> None:
        if conn not in self.lingering:
            return
        try:
            piece = client.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            piece = b""
        deadline, taken = self.lingering[conn]
        taken += len(piece)
        self.lingering[conn] = (deadline, taken)
        if not piece or taken > MOST_LINGERED:
            self._end_lingering(conn)

    def _end_lingering(self, conn: TConn) -> None:
        del self.lingering[conn]
        self.poller.unregister(conn.sock)
        self._close(conn)

    def murder_pending(self) -> None:
        """Close what takes too long; looks once a second, however busy the loop is."""
        super().murder_pending()
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + 1
        for conn, gathered in list(self.gathering.items()):
            # A worker that stops waits for what a client may just be sending, not for an idle one.
            idle = not self.alive and not gathered.data and now > gathered.begun + LINGER_SECONDS
            if idle or now > gathered.deadline:
                self._drop(conn, _TOO_SLOW if gathered.data else b"")
        for conn, (deadline, _taken) in list(self.lingering.items()):
            if now > deadline:
                self._end_lingering(conn)

    def _make_place(self) -> None:
        """Every connection is taken: the one that has been sending longest goes."""
        for conn in self.gathering:
            self._drop(conn, _TOO_SLOW)
            return

    def _drop(self, conn: TConn, answer: bytes = b"") -> None:
        self._forget(conn)
        if answer:
            with contextlib.suppress(OSError):
                conn.sock.send(answer)
        self._close(conn)

    def _forget(self, conn: TConn) -> None:
        self.held -= len(self.gathering.pop(conn).data)
        self.poller.unregister(conn.sock)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()
