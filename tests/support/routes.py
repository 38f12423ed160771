"""Applications are made for every test, all with the same routes: compile each route once in a process.

Werkzeug makes a function for each rule by way of Python's compiler, which is most of what an application
costs to make. The function belongs to the rule's text and defaults, so that it serves every other map.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile = Rule._compile_builder
_compiled: dict[tuple[object, ...], Any] = {}


def _compile_once(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    key = (self.rule, tuple(self._trace), tuple(sorted((self.defaults or {}).items())), append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(self, append_unknown)
    return _compiled[key]


Rule._compile_builder = _compile_once  # type: ignore[method-assign] # the point of this module
