"""gunicorn as the peers had it: two synchronous workers, no keep-alive, no proxy."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.http import Client
from tests.support.site import PORTAL, ROOT, free_port

DATA = ROOT / "benchmarks" / "data"
RESULTS = ROOT / "benchmarks" / "results"
PASSWORD = "a password for measurements"


@dataclass(frozen=True)
class Run:
    """What a command of the product printed and took; processor time is that of all its processes."""

    output: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


def environment(instance: Path) -> dict[str, str]:
    return {
        **os.environ,
        "INSTANCE_PATH": str(instance),
        "SITE_ENV": "production",
        "PUBLIC_URL": "http://localhost",
        "POSTS_PER_FIVE_MINUTES": "0",
        "PYTHONPATH": str(ROOT),
    }


def portal(instance: Path, *arguments: str, stdin: str = "") -> Run:
    """Run a command of the product to its end. Raises RuntimeError when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*PORTAL, *arguments],
            cwd=ROOT,
            env=environment(instance),
            stdin=given,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begin
        out.seek(0)
        text = out.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"portal {' '.join(arguments)} gave {process.returncode}:\n{text}")
    return Run(text, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def serving(application: str, instance: Path | None = None, *, workers: int = 2) -> Iterator[int]:
    """The port at which gunicorn serves `module:name`."""
    port = free_port()
    options = f"--workers {workers} --preload --worker-class sync --keep-alive 0 --log-level error"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *options.split()],
        cwd=ROOT,
        env=environment(instance) if instance else {**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            Client(port).get("/healthz")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not answer in 30 s")
