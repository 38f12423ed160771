"""`portal run`, which is what `make run` does: from nothing to a page, and once more without harm."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.http import Client
from tests.support.site import PORTAL, ROOT, free_port

pytestmark = pytest.mark.long


def run_once(instance: Path) -> tuple[str, str, float]:
    """The demo password that is printed, the home page of the customer, and seconds until it answered."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    environment |= {"INSTANCE_PATH": str(instance), "PYTHONPATH": str(ROOT), "PORT": str(port)}
    begin = time.monotonic()
    log = instance.parent / f"run-{port}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*PORTAL, "run", "--workers", "1"],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        client = Client(port)
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - begin < 240, log.read_text()
            try:
                if client.get("/healthz").status == 200:
                    break
            except OSError:
                time.sleep(0.2)
        seconds = time.monotonic() - begin
        printed = log.read_text()
        assert f"http://localhost:{port}\n" in printed
        password = re.search(r"^demo password: (\S+)$", printed, re.MULTILINE)
        assert password is not None, printed
        feed = client.get("/feeds/latest.atom").body.decode()
        assert f'href="http://localhost:{port}/threads/' in feed, "what leads back, leads here"
        client.sign_in("customer@demo.example", password[1])
        asked = client.get("/requests").body.decode()
        assert re.search(r"you answered (one|\d+) like it", asked), "why they were asked, the index included"
        return password[1], client.get("/").body.decode(), seconds
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0


def threads_on(page: str) -> list[str]:
    return sorted(set(re.findall(r'href="(/threads/[^"#]+)', page)))


def test_a_demo_comes_up_and_comes_up_again_as_it_was(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    password, home, first = run_once(instance)
    assert "Northwind Flow" in home
    assert threads_on(home), home
    again, same, second = run_once(instance)
    assert again == password
    assert threads_on(same) == threads_on(home)
    assert second < first, "the demo is loaded once"
