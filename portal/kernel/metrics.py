"""Counters for operators, in Prometheus' format: requests and jobs, never people."""

import time
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

registry = CollectorRegistry()
REQUESTS = Counter(
    "candor_requests_total", "Answers by view and status.", ["view", "status"], registry=registry
)
SECONDS = Histogram(
    "candor_request_seconds",
    "Time to answer, by view.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=registry,
)


def install(app: Flask) -> None:
    """Count every answer of the application."""

    @app.after_request
    def _count(response: Response) -> Response:
        now = time.perf_counter()
        count(request.endpoint or "none", response.status_code, now - g.get("started", now))
        return response


def count(view: str, status: int, seconds: float) -> None:
    """One more answer of this view."""
    REQUESTS.labels(view, str(status)).inc()
    SECONDS.labels(view).observe(seconds)


def text() -> tuple[bytes, dict[str, Any]]:
    """The figures of this process, and their content type."""
    return generate_latest(registry), {"Content-Type": CONTENT_TYPE_LATEST}
