"""The routes of the application as test cases."""

from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

SAFE = {"GET", "HEAD", "OPTIONS"}
NOBODYS_NUMBER = 987_654_321
NOBODYS_NAME = "nobody-has-this-name"


@dataclass(frozen=True, order=True)
class Route:
    """One endpoint by one method, with an address at which nothing stands (no row has those ids)."""

    endpoint: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"

    @property
    def is_write(self) -> bool:
        return self.method not in SAFE


def _path(app: Flask, rule: Rule) -> str:
    values = {
        name: NOBODYS_NUMBER if isinstance(rule._converters[name], IntegerConverter) else NOBODYS_NAME
        for name in rule.arguments
        if name not in (rule.defaults or {})
    }
    adapter = app.url_map.bind("localhost")
    return adapter.build(rule.endpoint, values, method=None)


def routes(app: Flask) -> list[Route]:
    """Every endpoint × method, static files left out."""
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found.add(Route(rule.endpoint, method, _path(app, rule)))
    return sorted(found)
