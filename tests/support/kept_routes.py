"""Routes are compiled once a process, not once for each test's application: that took most of making one."""

from typing import Any

from werkzeug.routing import Map, Rule, RuleFactory
from werkzeug.routing.matcher import StateMachineMatcher

_compiled: dict[tuple[Any, ...], Rule] = {}
_matchers: dict[tuple[int, ...], StateMachineMatcher] = {}


class KeptRoutes(Map):
    """A map that takes a rule which an application before it has compiled, instead of compiling it again.

    Two with the same rules share what finds them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._added: list[Rule] = []
        super().__init__(*args, **options)

    def update(self) -> None:
        if self._remap:
            key = tuple(map(id, self._added))
            if key not in _matchers:
                _matchers[key] = StateMachineMatcher(self.merge_slashes)
                for rule in self._added:
                    _matchers[key].add(rule)
            self._matcher = _matchers[key]
        super().update()

    def add(self, rulefactory: RuleFactory) -> None:
        for rule in rulefactory.get_rules(self):
            key = (
                rule.rule,
                rule.endpoint,
                frozenset(rule.methods or ()),
                repr(rule.defaults),
                getattr(rule, "provide_automatic_options", None),
            )
            if key not in _compiled:
                rule.bind(self)
                _compiled[key] = rule
            rule = _compiled[key]
            self._added.append(rule)
            self._rules_by_endpoint.setdefault(rule.endpoint, []).append(rule)
        self._remap = True
