"""The published rules."""

import json
from dataclasses import asdict, dataclass

from sqlalchemy import select

from portal.kernel import markup, page_cache, site
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.moderation import seeds
from portal.moderation.models import Rule, RuleRevision


@dataclass(frozen=True)
class RuleLine:
    """A rule as pages show it."""

    number: int
    key: str
    title: str
    short: str
    flag_label: str
    text: str
    html: str
    severity: int
    templates: tuple[str, ...]
    active: bool
    version: int
    changed_on: str  # ISO date, "" for one that was never changed

    @property
    def label(self) -> str:
        """As decisions cite it: "Rule 4, no personal data of others"."""
        return f"Rule {self.number}, {self.title[:1].lower()}{self.title[1:]}"


def all_rules() -> list[RuleLine]:
    """Every rule, retired ones too, by number; kept in the process until one is changed."""
    key = ("rules", site.current().version)
    return [
        RuleLine(**{**row, "templates": tuple(row["templates"])})
        for row in json.loads(page_cache.fragments.get(key, _load))
    ]


def rules() -> list[RuleLine]:
    """The rules in force, by number."""
    return [rule for rule in all_rules() if rule.active]


def find_rule(number: int | None) -> RuleLine | None:
    return next((rule for rule in all_rules() if rule.number == number), None)


def rule_in_force(number: int) -> RuleLine:
    """Raises NotFound for a rule that is not there or was retired."""
    rule = find_rule(number)
    if rule is None or not rule.active:
        raise NotFound("no such rule")
    return rule


def former_words() -> dict[int, list[RuleRevision]]:
    """What the rules said before, by number, newest first."""
    found: dict[int, list[RuleRevision]] = {}
    for row in db.session.execute(select(RuleRevision).order_by(RuleRevision.id.desc()).limit(200)).scalars():
        found.setdefault(row.rule_number, []).append(row)
    return found


def _load() -> str:
    stored = db.session.execute(select(Rule).order_by(Rule.number)).scalars().all()
    if stored:
        lines = [
            RuleLine(
                rule.number,
                rule.key,
                rule.title,
                rule.short,
                rule.flag_label,
                rule.text,
                rule.html,
                rule.severity,
                tuple(rule.templates),
                rule.active,
                rule.version,
                rule.changed_at.date().isoformat() if rule.changed_at else "",
            )
            for rule in stored
        ]
    else:  # nobody has flagged or changed anything yet
        lines = [
            RuleLine(
                seed.number,
                seed.key,
                seed.title,
                seed.short,
                seed.flag_label,
                seed.text,
                markup.render(seed.text).html,
                seed.severity,
                seed.templates,
                True,
                1,
                "",
            )
            for seed in seeds.RULES
        ]
    return json.dumps([asdict(line) for line in lines])
