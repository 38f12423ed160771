"""The web worker: gunicorn keeps the processes, waitress the connections.

gunicorn's own threads read requests themselves, so as many clients as there are threads, each sending its
headers or its form byte by byte, stop a site. waitress gathers the requests of all connections in one loop
and hands a thread only what has arrived; answers wait in its buffers for who reads slowly.
"""

import logging
import os
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

HEAD_SECONDS = 10
"""Within which the line and the headers of a request have to arrive."""
BODY_SECONDS = 20
SLOWEST = 4096
"""Bytes a second that a body has to keep up with, beside `BODY_SECONDS`."""
IDLE_SECONDS = 30
"""How long a connection stays open on which nothing moves."""
LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 64 * 2**20
"""More than the application takes: up to here it can say so on a page of its own."""
MOST_IN_MEMORY = 32 * 1024
"""Bytes of a body; the rest waits in a file."""
LINGER_SECONDS = 1
"""A worker that stops still waits so long for a request that a client may just be sending."""


class DatedRequest(HTTPRequestParser):
    """A request that knows since when it arrives."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.begun = time.monotonic()

    @property
    def deadline(self) -> float:
        """When it has to be complete."""
        if not self.headers_finished:
            return self.begun + HEAD_SECONDS
        return self.begun + HEAD_SECONDS + BODY_SECONDS + self.body_bytes_received / SLOWEST


class Connection(HTTPChannel):
    """A client's connection, which is not held open by sending a byte now and then."""

    parser_class = DatedRequest

    def is_busy(self) -> bool:
        """Whether something is still to be read, answered or sent."""
        return bool(self.requests or self.request or self.total_outbufs_len)

    def is_too_slow(self, now: float) -> bool:
        return not self.requests and self.request is not None and now > self.request.deadline


class WaitressWorker(Worker):
    """gunicorn's worker process around a waitress server. `worker_connections` is its most at once."""

    next_look = 0.0

    def run(self) -> None:
        """Serve until told to stop; then finish what is in hand, within gunicorn's `graceful_timeout`."""
        # That a request waits a moment for a thread is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        everything: dict[int, Any] = {}
        server = create_server(
            self.wsgi,
            map=everything,
            sockets=[listening.sock for listening in self.sockets],
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            connection_limit=self.cfg.worker_connections,
            asyncore_use_poll=True,  # select() ends at 1,024 files
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=5,
            max_request_header_size=LONGEST_HEAD,
            max_request_body_size=LONGEST_BODY,
            inbuf_overflow=MOST_IN_MEMORY,
            clear_untrusted_proxy_headers=False,  # the application trusts as many proxies as are configured
            log_socket_errors=False,
            ident=None,
        )
        server.channel_class = Connection
        while self.alive and self.ppid == os.getppid():
            self._turn(server, everything)
        server.accepting = False
        stopped = time.monotonic()
        while time.monotonic() < stopped + self.cfg.graceful_timeout and any(
            connection.is_busy() or time.monotonic() < stopped + LINGER_SECONDS
            for connection in server.active_channels.values()
        ):
            self._turn(server, everything)
        server.task_dispatcher.shutdown()

    def _turn(self, server: Any, everything: dict[int, Any]) -> None:
        """Take in and send out what can be, waiting a second at most; look once a second who is too slow."""
        self.notify()
        wasyncore.loop(timeout=1, use_poll=True, map=everything, count=1)
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + 1
        for connection in list(server.active_channels.values()):
            if connection.is_too_slow(now):
                connection.will_close = True
