"""Counting SQL: pages pin how many statements they take, and the number may not grow with rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_FRAMING = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE", "SET ", "SHOW ")


@dataclass
class Statements:
    """The statements that ran, in order, transaction framing left out."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        return "\n".join(f"{n}. {' '.join(text.split())[:300]}" for n, text in enumerate(self.texts, 1))

    @property
    def writes(self) -> list[str]:
        return [text for text in self.texts if not text.lstrip().upper().startswith(("SELECT", "WITH"))]


@contextmanager
def count_statements(engine: Engine) -> Iterator[Statements]:
    """Statements sent through `engine` inside the block."""
    seen = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        # Whether the settings changed is asked every two seconds, whatever the page.
        asks_version = statement.lstrip().startswith("SELECT site_version.version")
        if not asks_version and not statement.lstrip().upper().startswith(_FRAMING):
            seen.texts.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
