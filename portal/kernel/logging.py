"""One JSON line an event, each with its request id; no names, addresses or words of people."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


class _Lenient:
    """Standard error as it is at the moment; a line that cannot be written, on a full disk say, is dropped.

    Whoever logs is usually answering somebody, and that answer matters more.
    """

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure(*, production: bool) -> None:
    """Set up structlog: JSON in production, readable lines otherwise; everything to stderr."""
    renderer = (
        structlog.processors.JSONRenderer() if production else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _Lenient())),
        cache_logger_on_first_use=False,
    )
