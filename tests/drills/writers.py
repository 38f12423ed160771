"""Clients that post without pause and keep a log of what they meant and what they were told.

Afterwards each post is acknowledged and present, acknowledged and lost (must be 0), unknown and present at
most once, or there twice (must be 0).
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from portal.discussions.models import Post
from portal.kernel.db import db
from tests.support.http import Client
from tests.support.site import Site


@dataclass
class Log:
    """What happened, by the unique token of each post."""

    meant: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0  # connections that ended before an answer
    refused: int = 0  # connections that were not taken at all
    slowest_seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Balance:
    """The outcome of a drill, counted in the database."""

    acknowledged: int
    lost: int
    duplicated: int
    unknown_present: int
    unknown_absent: int

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.lost} of them lost, {self.duplicated} there twice, "
            f"{self.unknown_present} unknown and present, {self.unknown_absent} unknown and absent"
        )


class Writers:
    """`with Writers(...)`: each of the clients posts to its thread again and again until the block ends."""

    def __init__(self, clients: Sequence[tuple[Client, int]], seed: int, pause_seconds: float = 0.05) -> None:
        self.log = Log()
        self._clients = clients
        self._seed = seed
        self._pause = pause_seconds
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Writers":
        for number, (client, thread_id) in enumerate(self._clients):
            thread = threading.Thread(target=self._write, args=(number, client, thread_id), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_problem: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more: int, seconds: float = 90) -> None:
        """Until so many more posts were acknowledged; AssertionError after `seconds`."""
        wanted = len(self.log.acknowledged) + more
        end = time.monotonic() + seconds
        while len(self.log.acknowledged) < wanted:
            assert time.monotonic() < end, f"no {more} posts were taken in {seconds} s: {self.log.answers}"
            time.sleep(0.05)

    def _write(self, number: int, client: Client, thread_id: int) -> None:
        draw = random.Random(f"{self._seed}-{number}")
        count = 0
        while not self._stop.is_set():
            count += 1
            self._post(client, thread_id, f"token-{self._seed}-{number}-{count}-{draw.randrange(10**9)}")
            self._stop.wait(self._pause)

    def _post(self, client: Client, thread_id: int, token: str) -> None:
        """Fetch the form, send it; where no answer came, send the same form again, as a person would."""
        form: dict[str, str] | None = None
        for _ in range(200):
            if self._stop.is_set() and form is None:
                return
            try:
                if form is None:
                    hidden = client.hidden_fields(
                        f"/threads/{thread_id}/posts", f"/threads/{thread_id}/posts"
                    )
                    if "csrf_token" not in hidden:
                        time.sleep(0.05)
                        continue
                    form = {**hidden, "body": f"Another reply to see that it stays: {token}"}
                    with self.log.lock:
                        self.log.meant.append(token)
                begin = time.monotonic()
                answer = client.request("POST", f"/threads/{thread_id}/posts", form)
            except ConnectionRefusedError:
                with self.log.lock:
                    self.log.refused += 1
                time.sleep(0.05)
                continue
            except (OSError, ValueError, IndexError):
                with self.log.lock:
                    self.log.broken += 1
                time.sleep(0.05)
                continue
            with self.log.lock:
                self.log.answers[answer.status] += 1
                self.log.slowest_seconds = max(self.log.slowest_seconds, time.monotonic() - begin)
                if answer.status == 303:
                    self.log.acknowledged.append(token)
            if answer.status in (303, 422):
                return
            time.sleep(0.1)


def balance(site: Site, log: Log) -> Balance:
    """Count every token in the database."""
    with site.inside():
        sources = db.session.scalars(select(Post.source).where(Post.source.contains("token-"))).all()
    there = Counter(source.rsplit(" ", 1)[1] for source in sources)
    acknowledged = set(log.acknowledged)
    unknown = set(log.meant) - acknowledged
    return Balance(
        acknowledged=len(acknowledged),
        lost=sum(1 for token in acknowledged if not there[token]),
        duplicated=sum(1 for times in there.values() if times > 1),
        unknown_present=sum(1 for token in unknown if there[token]),
        unknown_absent=sum(1 for token in unknown if not there[token]),
    )


def posts_there(site: Site) -> int:
    with site.inside():
        return db.session.scalar(select(func.count()).select_from(Post)) or 0
