"""Processes for every core end with the work, whatever became of one of them."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing.context import SpawnProcess

import pytest

from portal.kernel import cores


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)  # of the executor, on purpose
def test_none_is_left_where_one_was_killed_while_another_was_being_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spawn, terminate = ProcessPoolExecutor._spawn_process, SpawnProcess.terminate
    ended, started = threading.Event(), threading.Event()

    def while_another_ends(executor: ProcessPoolExecutor) -> None:
        known = list(executor._processes)
        if known:
            os.kill(known[0], signal.SIGKILL)
            assert ended.wait(10)
        spawn(executor)
        if known:
            started.set()

    def ending(process: SpawnProcess) -> None:
        terminate(process)
        if not ended.is_set():  # the executor's own call
            ended.set()
            assert started.wait(10)

    monkeypatch.setattr(ProcessPoolExecutor, "_spawn_process", while_another_ends)
    monkeypatch.setattr(SpawnProcess, "terminate", ending)
    before = set(multiprocessing.active_children())

    def work() -> None:
        with pytest.raises(BrokenExecutor), cores.pool(2) as processes:
            list(processes.map(abs, range(6)))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(20)
    assert not worker.is_alive(), "it waits for a process that nobody ends"
    end = time.monotonic() + 10
    while left := set(multiprocessing.active_children()) - before:
        assert time.monotonic() < end, left
        time.sleep(0.01)


@pytest.mark.slow
def test_one_killed_while_another_is_being_started_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    spawn = ProcessPoolExecutor._spawn_process

    def after_another_ended(executor: ProcessPoolExecutor) -> None:
        if executor._processes:
            os.kill(next(iter(executor._processes)), signal.SIGKILL)
            end = time.monotonic() + 10
            while not executor._call_queue._reader.closed:  # what a new process would be given
                assert time.monotonic() < end
                time.sleep(0.01)
        spawn(executor)

    monkeypatch.setattr(ProcessPoolExecutor, "_spawn_process", after_another_ended)
    with pytest.raises(BrokenExecutor), cores.pool(2) as processes:
        list(processes.map(abs, range(6)))


@pytest.mark.slow
def test_an_error_of_the_work_itself_is_told_as_it_is() -> None:
    with pytest.raises(FileNotFoundError), cores.pool(1) as processes:
        list(processes.map(os.stat, ["/nothing/here"]))
    with pytest.raises(FileNotFoundError), cores.pool(1):
        os.stat("/nothing/here")
