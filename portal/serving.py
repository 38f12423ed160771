"""`portal serve`: web server and worker side by side, stopped together, started again if one dies."""

import os
import signal
import subprocess
import sys
import time
from types import FrameType


def serve(host: str, port: int, workers: int) -> int:
    """Serve until SIGINT or SIGTERM; gives the exit code. Requests and the job at hand are finished first."""
    web = [
        sys.executable, "-m", "gunicorn", "--config", "python:portal.gunicorn_conf",
        "--bind", f"{host}:{port}", "--workers", str(workers),
    ]  # fmt: skip
    work = [sys.executable, "-m", "portal.cli", "worker"]
    return _supervise([web, work])


def _supervise(commands: list[list[str]]) -> int:
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    started = [0.0] * len(commands)
    running: list[subprocess.Popen[bytes] | None] = [None] * len(commands)
    failures = 0
    while not stopping:
        for place, command in enumerate(commands):
            child = running[place]
            if child is not None and child.poll() is None:
                continue
            if child is not None:
                failures = failures + 1 if time.monotonic() - started[place] < 5 else 0
                if failures >= 5:  # it dies as soon as it starts: say so instead of trying for ever
                    stopping = True
                    break
                print(f"portal: {command[2]} ended ({child.returncode}); starting it again", file=sys.stderr)
                time.sleep(0.2 * failures)
            started[place] = time.monotonic()
            running[place] = subprocess.Popen(command, env=os.environ.copy(), start_new_session=True)  # noqa: S603 - our own commands
        time.sleep(0.2)
    children = [child for child in running if child is not None]
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 30
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
    return 1 if failures >= 5 else 0
