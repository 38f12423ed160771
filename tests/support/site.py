"""The whole site as an operator starts it: `portal serve` and its worker, in a folder of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from flask import Flask

from portal import create_app, settings
from portal.kernel import jobs
from portal.kernel.db import db
from portal.members.services import sessions
from tests.support.http import Client

ROOT = Path(__file__).resolve().parents[2]
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
PORTAL = [sys.executable, "-c", "from portal.cli import main; main()"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """One running site. `environment` are settings by name, beside those that every test site has.

    With `holds_socket` the listening socket is made here and handed over, as systemd does.
    """

    def __init__(
        self, instance: Path, *, workers: int = 1, holds_socket: bool = False, **environment: str
    ) -> None:
        self.instance = instance
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024) if holds_socket else None
        self.port = self._socket.getsockname()[1] if self._socket else free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers = workers
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("FLASK_", "PYTEST_"))
            },
            "INSTANCE_PATH": str(instance),
            "PUBLIC_URL": self.url,
            "SITE_ENV": "test",
            "POSTS_PER_FIVE_MINUTES": "0",  # writers of a drill do not pause
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        self.log_path = instance.parent / f"{instance.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: list[psutil.Process] = []

    def portal(self, *arguments: str, check: bool = True, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        """Run a `portal` command against this site; fails with its output when it does not exit 0."""
        done = subprocess.run(
            [*PORTAL, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            **{"timeout": 300, "stdin": subprocess.DEVNULL, **kwargs},
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"portal {' '.join(arguments)} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    @contextlib.contextmanager
    def inside(self) -> Iterator[Flask]:
        """The application of this site, in a context of this process: to make people, and to look."""
        application = create_app(settings.load(self.environment))
        jobs.set_waker(None)
        with application.app_context():
            try:
                yield application
            finally:
                db.session.remove()
                db.engine.dispose()

    def browser_of(self, member_id: int) -> Client:
        """A client in which that member is signed in."""
        name, value = self.session_cookie(member_id)
        client = Client(self.port)
        client.cookies[name] = value
        return client

    def session_cookie(self, member_id: int) -> tuple[str, str]:
        """Name and value of the cookie of a new session of that member."""
        with self.inside() as application:
            token = sessions.start_session(member_id)
            signer = application.session_interface.get_signing_serializer(application)
            assert signer is not None, "the site has a SECRET_KEY"
            value = signer.dumps({"_user_id": token, "_fresh": True})
            return application.config["SESSION_COOKIE_NAME"], str(value)

    def start(self, *, seconds: float = 30) -> "Site":
        """Start `portal serve` and return when it answers."""
        options = f"--host 127.0.0.1 --port {self.port} --workers {self.workers}"
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._handing_over(), *PORTAL, "serve", *options.split()],
                pass_fds=[self._socket.fileno()] if self._socket else [],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_until_up(seconds)
        self._seen = self.processes()
        return self

    def _handing_over(self) -> list[str]:
        if self._socket is None:
            return []
        return [sys.executable, "-c", HAND_OVER, str(self._socket.fileno())]

    def wait_until_up(self, seconds: float = 30, *, patience: float = 2) -> float:
        """Seconds until /healthz answered 200, each try waiting `patience` seconds for its answer.

        AssertionError with the log's end when it does not.
        """
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"the site ended with {self._process.returncode}:\n{self.log_end()}")
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=patience) as answer:
                    if answer.status == 200:
                        return time.monotonic() - begin
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise AssertionError(f"the site did not answer in {seconds} s:\n{self.log_end()}")

    def log_end(self, lines: int = 40) -> str:
        if not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    @property
    def pid(self) -> int:
        assert self._process is not None, "the site was not started"
        return self._process.pid

    def stop(self, seconds: float = 20) -> None:
        """SIGTERM, then wait; whatever is left is killed."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        self.kill()

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        if self._process is None:
            return []
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL to every process of the site, as a power cut would."""
        if self._process is None:
            return
        doomed = {*self.processes(), *self._seen}
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(doomed, timeout=10)
        self._process.wait()
        self._process = None
        self._seen = []
