"""The clockwork beside the web server: calls the registered jobs on time, and soon after a commit.

Rows are the queue; huey only says when to look. A lost signal costs at most a minute, a doubled one nothing.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey, crontab

from portal.kernel import heartbeat, jobs
from portal.kernel.db import db
from portal.settings import Settings

log = structlog.get_logger("candor.worker")

WAKE_DELAY_SECONDS = 1.0
LESS_URGENT = 5
"""By how much the worker is nicer than the web processes: a third of a processor where both want it. No more,
since it holds the write lock for a moment at times."""


def build(settings: Settings) -> Huey:
    """The clockwork for this site: Redis where there is one, else the database's kind."""
    if settings.REDIS_URL:
        return RedisHuey("candor", url=settings.REDIS_URL, results=False)
    if settings.is_sqlite:
        # A signal lost in a power cut costs at most a minute: no request waits for the disk to send one.
        file = str(settings.INSTANCE_PATH / "jobs.sqlite")
        return SqliteHuey("candor", filename=file, results=False, fsync=False)
    dsn = settings.DATABASE_URL.replace("postgresql+psycopg://", "postgresql://", 1)
    return PostgresHuey("candor", dsn=dsn, results=False)


def install(app: Flask, settings: Settings) -> Huey:
    """Register every job with the clockwork and have commits wake it. Gives the clockwork."""
    huey = build(settings)
    tasks = {name: _register(huey, app, job) for name, job in jobs.registered().items()}
    quiet_until: dict[str, float] = {}
    lock = threading.Lock()

    def wake(name: str) -> None:
        # One signal a second for each job; it arrives after everything committed until then.
        with lock:
            if time.monotonic() < quiet_until.get(name, 0.0):
                return
            quiet_until[name] = time.monotonic() + WAKE_DELAY_SECONDS * 0.8
        try:
            tasks[name].schedule(delay=WAKE_DELAY_SECONDS)
        except Exception:
            log.warning("could not wake the worker", job=name, exc_info=True)

    jobs.set_waker(wake)
    return huey


def run(app: Flask, huey: Huey) -> None:
    """Work until told to stop (SIGINT, SIGTERM); the job at hand is finished first.

    Where processors are short, requests go before mails and the index.
    """
    os.nice(LESS_URGENT)
    with app.app_context():
        heartbeat.beat("worker")
        db.session.remove()
    consumer = huey.create_consumer(workers=1, worker_type="thread", periodic=True, max_delay=1.0)
    consumer.run()


def _register(huey: Huey, app: Flask, job: jobs.Job) -> Any:
    def call() -> None:
        run_job(app, job)

    call.__name__ = "job_" + job.name.replace(" ", "_")
    task = huey.task(name=call.__name__)(call)
    huey.periodic_task(_when(job.every_seconds), name="periodic_" + call.__name__)(call)
    return task


def run_job(app: Flask, job: jobs.Job) -> int:
    """Call one job in an application context of its own; a failure is logged and does not spread."""
    with app.app_context():
        try:
            handled = job.run()
            if handled:
                log.info("job done", job=job.name, rows=handled)
            return handled
        except Exception:
            log.exception("job failed", job=job.name)
            return 0
        finally:
            db.session.remove()


def _when(every_seconds: int) -> Callable[..., bool]:
    minutes = max(1, every_seconds // 60)
    if minutes < 60:
        return crontab(minute=f"*/{minutes}")
    if minutes < 24 * 60:
        return crontab(minute="7", hour=f"*/{minutes // 60}")
    return crontab(minute="7", hour="3")
