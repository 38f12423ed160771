"""`portal serve`: web server and worker side by side, stopped together, started again if one dies.

This process holds the listening socket and lends it to the web server. While that is being replaced, because
it died or was told to restart, connections wait in the queue of the socket instead of being refused.

It runs as a program of its own that imports nothing of the product: waiting needs no hundred megabytes.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType
from typing import NoReturn

_FIRST_INHERITED = 3  # systemd hands sockets over from this number on


def serve(host: str, port: int, workers: int) -> NoReturn:
    """Become the program that serves, as `_serve` says: whatever this process has loaded is let go."""
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = [sys.executable, "-P", __file__, host, str(port), str(workers)]
    os.execv(sys.executable, arguments)  # noqa: S606 - our own file


def _serve(host: str, port: int, workers: int) -> int:
    """Serve until SIGINT or SIGTERM; gives the exit code. Requests and the job at hand are finished first.

    SIGHUP replaces web server and worker by new ones without refusing a connection. A socket handed over by
    systemd (`LISTEN_FDS`) is used instead of `host` and `port`.
    """
    with _listening_socket(host, port) as listening:
        web = [
            sys.executable, "-m", "gunicorn", "--config", "python:portal.gunicorn_conf",
            "--bind", f"fd://{listening.fileno()}", "--workers", str(workers),
        ]  # fmt: skip
        work = [sys.executable, "-m", "portal.cli", "worker"]
        return _supervise([web, work], listening.fileno())


def _listening_socket(host: str, port: int) -> socket.socket:
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=_FIRST_INHERITED)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        sys.exit(f"portal: cannot listen on {host}:{port}: {error.strerror}.")


def _supervise(commands: list[list[str]], listening: int) -> int:
    stopping = False
    replacing = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    def replace(_number: int, _frame: FrameType | None) -> None:
        nonlocal replacing
        replacing = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, replace)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("LISTEN_PID", "LISTEN_FDS")
    }
    environment.setdefault("MALLOC_ARENA_MAX", "2")  # threads share what glibc would keep apart for each
    started = [0.0] * len(commands)
    running: list[subprocess.Popen[bytes] | None] = [None] * len(commands)
    failures = 0
    while not stopping:
        if replacing:
            replacing = False
            _end([child for child in running if child is not None])
            running = [None] * len(commands)
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
            running[place] = subprocess.Popen(  # noqa: S603 - our own commands
                command, env=environment, pass_fds=[listening], start_new_session=True
            )
        time.sleep(0.2)
    _end([child for child in running if child is not None])
    return 1 if failures >= 5 else 0


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Let them finish what they have in hand, for 30 s at most."""
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 30
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()


if __name__ == "__main__":
    sys.exit(_serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
