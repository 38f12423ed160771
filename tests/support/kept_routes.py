"""Routes are compiled once a process, not once for each test's application: that took most of making one."""

from typing import Any

from werkzeug.routing import Map, Rule, RuleFactory

_compiled: dict[tuple[Any, ...], Rule] = {}


class KeptRoutes(Map):
    """A map that takes a rule which an application before it has compiled, instead of compiling it again."""

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
            self._matcher.add(rule)
            self._rules_by_endpoint.setdefault(rule.endpoint, []).append(rule)
        self._remap = True
