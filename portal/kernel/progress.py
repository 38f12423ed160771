"""Long work says how far it is: one shape of report for services, one bar for the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

Progress = Callable[[str, int, int], None]
"""Called with the kind of work, how much of it is done, and how much there is."""


def silent(_what: str, _done: int, _of: int) -> None:
    """Tells nobody."""


@contextmanager
def bars() -> Iterator[Progress]:
    """A bar for each kind of work on a terminal, silence elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, disable=not console.is_terminal) as shown:
        tasks: dict[str, int] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=of)
            shown.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

        yield show
