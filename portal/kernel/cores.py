"""Work for every core: done by processes of their own, beside the one that writes."""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from multiprocessing.connection import wait
from typing import Any

from flask import current_app

from portal.kernel.db import db

# Gives what a function makes of each piece, in order.
Run = Callable[[Callable[[Any, Any], Any], Iterable[Any]], Iterator[Any]]

_state: list[Any] = []  # of a process that reads


@contextmanager
def pool(
    processes: int, begin: Callable[..., None] | None = None, *given: Any
) -> Iterator[ProcessPoolExecutor]:
    """Processes that start anew, run `begin` first, leave interrupts to this one and end when it does.

    Raises concurrent.futures.BrokenExecutor when one of them was ended from outside.
    """
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_live_with_parent,
        initargs=(begin, given),
    )
    try:
        yield executor
    except BaseException as error:
        # Nobody wants what they still make. When one dies the executor ends the others by itself, but one
        # that was being started meanwhile it waits for without end, or it cannot start it as it closed all.
        try:
            if isinstance(error, OSError):
                _say_if_broken(executor)
        finally:
            for left in set(multiprocessing.active_children()) - others:
                left.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _say_if_broken(executor: ProcessPoolExecutor) -> None:
    """Raise BrokenExecutor where one of the processes was ended from outside."""
    executor.submit(os.getpid).cancel()


@contextmanager
def readers(make: Callable[[], Any], *, beside: bool) -> Iterator[Run]:
    """What runs functions that only read the database: each gets what `make` gave, and a piece of the work.

    With `beside` that is done in further processes, one for each core, each with the application and a
    transaction of its own for every piece: they see what was committed before. Else it is done here,
    whenever the next result is asked for. `make` and the functions are known by name.
    """
    if not beside:
        state = make()
        yield lambda work, pieces: (work(state, piece) for piece in pieces)
        return
    settings = current_app.config["SETTINGS"]
    with pool(os.cpu_count() or 1, _read, current_app.import_name, settings, make) as processes:
        yield lambda work, pieces: processes.map(partial(_one_piece, work), pieces)


def _read(package: str, settings: Any, make: Callable[[], Any]) -> None:
    gc.disable()  # it would walk over all rows again and again
    import_module(package).create_app(settings).app_context().push()
    _state.append(make())
    db.session.remove()


def _one_piece(work: Callable[[Any, Any], Any], piece: Any) -> Any:
    try:
        return work(_state[0], piece)
    finally:
        db.session.remove()


def _live_with_parent(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    if begin is not None:
        begin(*given)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
