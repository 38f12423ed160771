"""How long a request takes: one after the other, or on several connections at once."""

import multiprocessing
import socket
import statistics
import time
from dataclasses import dataclass

from tests.support.http import Client

WARM = 30  # requests before the clock starts: every worker has then seen the page
CONNECTIONS = 4


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one request."""

    p50: float
    p95: float
    kilobytes: float
    count: int


def get_again_and_again(client: Client, path: str, *, seconds: float) -> Timing:
    """GET `path` for so long, one after the other; RuntimeError when an answer is not 200."""
    message = client.message("GET", path, None)
    for _ in range(WARM):
        _exchange(client.port, message, path)
    taken: list[float] = []
    size = 0
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        size = _exchange(client.port, message, path)
        taken.append(time.perf_counter() - begin)
    return timing(taken, size)


def requests_a_second(client: Client, path: str, *, seconds: float) -> float:
    """How many a second four connections get together; RuntimeError when an answer is not 200."""
    message = client.message("GET", path, None)
    with multiprocessing.Pool(CONNECTIONS) as pool:
        begin = time.perf_counter()
        counts = pool.starmap(_count, [(client.port, message, path, seconds)] * CONNECTIONS)
        return sum(counts) / (time.perf_counter() - begin)


def submit_once(client: Client, page: str, action: str, fields: dict[str, str]) -> float:
    """Seconds that the POST took, fetching the form not counted; RuntimeError when it was not accepted."""
    form = {**client.hidden_fields(page, action), **fields}
    begin = time.perf_counter()
    answer = client.request("POST", action, form)
    taken = time.perf_counter() - begin
    if answer.status != 303:
        raise RuntimeError(f"POST {action} gave {answer.status}")
    return taken


def timing(taken: list[float], size: int) -> Timing:
    """What the seconds of single requests come to."""
    ordered = sorted(taken)
    return Timing(
        p50=statistics.median(ordered) * 1000,
        p95=ordered[int(len(ordered) * 0.95)] * 1000,
        kilobytes=size / 1024,
        count=len(ordered),
    )


def _count(port: int, message: bytes, path: str, seconds: float) -> int:
    count = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        _exchange(port, message, path)
        count += 1
    return count


def _exchange(port: int, message: bytes, path: str) -> int:
    """Bytes of the answer. A connection for each request, as without keep-alive between proxy and site."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(message)
        first = connection.recv(262_144)
        size = len(first)
        while part := connection.recv(262_144):
            size += len(part)
    if not first.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{path} gave {first[:40]!r}")
    return size
