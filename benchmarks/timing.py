"""How long a request takes, one after the other."""

import statistics
import time
from dataclasses import dataclass

from tests.support.http import Client


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one request, and how many a second one client got."""

    p50: float
    p95: float
    per_second: float
    kilobytes: float
    count: int


def get_again_and_again(client: Client, path: str, *, seconds: float) -> Timing:
    """GET `path` for so long; RuntimeError when an answer is not 200."""
    message = client.message("GET", path, None)
    for _ in range(10):
        client.exchange(message)
    taken: list[float] = []
    size = 0
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        answer = client.exchange(message)
        taken.append(time.perf_counter() - begin)
        if answer.status != 200:
            raise RuntimeError(f"{path} gave {answer.status}")
        size = len(answer.body)
    return timing(taken, size)


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
    ordered = sorted(taken)
    return Timing(
        p50=statistics.median(ordered) * 1000,
        p95=ordered[int(len(ordered) * 0.95)] * 1000,
        per_second=len(ordered) / sum(ordered),
        kilobytes=size / 1024,
        count=len(ordered),
    )
