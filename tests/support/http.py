"""A client that costs little: one request after the other, each on a connection of its own."""

import re
import socket
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


class Client:
    """One browser: keeps cookies, follows nothing by itself."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        answer = self.exchange(self.message(method, path, form))
        for line in answer.headers.get("set-cookie", []):
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def submit(self, page: str, action: str, fields: dict[str, str]) -> Answer:
        """Send the form of `page` to `action`, with the hidden fields that the page gave it."""
        return self.request("POST", action, {**self.hidden_fields(page, action), **fields})

    def hidden_fields(self, page: str, action: str) -> dict[str, str]:
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

    def message(self, method: str, path: str, form: dict[str, str] | None) -> bytes:
        body = urlencode(form).encode() if form is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", "Connection: close"]
        lines += ["User-Agent: benchmark", "Accept: text/html"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if form is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def exchange(self, message: bytes) -> Answer:
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
