"""A client that costs little: one request after the other, each on a connection of its own."""

import re
import socket
import statistics
import time
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def location(self) -> str:
        return self.headers.get("location", [""])[0]


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one request, and how many a second one client got."""

    p50: float
    p95: float
    per_second: float
    kilobytes: float
    count: int


class Client:
    """One browser: keeps cookies, follows nothing by itself."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        answer = self._exchange(self._message(method, path, form))
        for line in answer.headers.get("set-cookie", []):
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def submit(self, page: str, action: str, fields: dict[str, str]) -> Answer:
        """Send the form of `page` to `action`, with the hidden fields that the page gave it."""
        return self.request("POST", action, {**self._hidden_fields(page, action), **fields})

    def time_submit(self, page: str, action: str, fields: dict[str, str]) -> float:
        """Seconds that the POST took; RuntimeError when it was not accepted."""
        form = {**self._hidden_fields(page, action), **fields}
        begin = time.perf_counter()
        answer = self.request("POST", action, form)
        taken = time.perf_counter() - begin
        if answer.status != 303:
            raise RuntimeError(f"POST {action} gave {answer.status}")
        return taken

    def _hidden_fields(self, page: str, action: str) -> dict[str, str]:
        html = self.get(page).body.decode()
        forms = re.findall(r"<form\b.*?</form>", html, re.DOTALL)
        form = next((form for form in forms if f'action="{action}"' in unescape(form)), html)
        hidden = {}
        for tag in re.findall(r"<input\b[^>]*>", form):
            attributes = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
            if attributes.get("type") == "hidden" and "name" in attributes:
                hidden[attributes["name"]] = unescape(attributes.get("value", ""))
        return hidden

    def sign_in(self, email: str, password: str) -> None:
        answer = self.submit("/login", "/login", {"email": email, "password": password})
        if answer.status != 303:
            raise RuntimeError(f"signing in gave {answer.status}")

    def time(self, path: str, *, seconds: float) -> Timing:
        """GET `path` again and again for so long; RuntimeError when an answer is not 200."""
        message = self._message("GET", path, None)
        for _ in range(10):
            self._exchange(message)
        taken: list[float] = []
        size = 0
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            answer = self._exchange(message)
            taken.append(time.perf_counter() - begin)
            if answer.status != 200:
                raise RuntimeError(f"{path} gave {answer.status}")
            size = len(answer.body)
        return timing(taken, size)

    def _message(self, method: str, path: str, form: dict[str, str] | None) -> bytes:
        body = urlencode(form).encode() if form is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", "Connection: close"]
        lines += ["User-Agent: benchmark", "Accept: text/html"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if form is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def _exchange(self, message: bytes) -> Answer:
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(message)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        head, _, body = b"".join(parts).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        return Answer(int(first.split(" ", 2)[1]), headers, body)


def timing(taken: list[float], size: int) -> Timing:
    ordered = sorted(taken)
    return Timing(
        p50=statistics.median(ordered) * 1000,
        p95=ordered[int(len(ordered) * 0.95)] * 1000,
        per_second=len(ordered) / sum(ordered),
        kilobytes=size / 1024,
        count=len(ordered),
    )
