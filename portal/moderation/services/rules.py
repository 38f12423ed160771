"""Rules as an admin changes them; every former text is kept."""

import re

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.kernel import audit, clock, markup, site
from portal.kernel.access import Duty, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.members.models import Member, MemberState
from portal.moderation import seeds
from portal.moderation.models import Rule, RuleRevision


def ensure_rules() -> None:
    """Store the rules a site begins with, before anything refers to one. Inside a unit of work."""
    if _has_rules():
        return
    one_at_a_time("rules")
    if _has_rules():
        return
    for seed in seeds.RULES:
        db.session.add(
            Rule(
                number=seed.number,
                key=seed.key,
                title=seed.title,
                short=seed.short,
                flag_label=seed.flag_label,
                text=seed.text,
                html=markup.render(seed.text).html,
                severity=seed.severity,
                templates=list(seed.templates),
                active=True,
                version=1,
            )
        )
    db.session.flush()


def _has_rules() -> bool:
    return db.session.execute(select(Rule.number).limit(1)).first() is not None


def change_rule(
    admin: Viewer,
    number: int,
    *,
    title: str,
    short: str,
    flag_label: str,
    text: str,
    severity: int,
    templates: list[str],
    active: bool,
    version: int,
) -> Rule:
    """Change a rule; its former words stay on /rules. Raises Forbidden, NotFound, Invalid, Conflict."""
    _check(admin)
    values = _values(title, short, flag_label, text, severity, templates)
    with unit_of_work():
        ensure_rules()
        rule = db.session.get(Rule, number, with_for_update=True)
        if rule is None:
            raise NotFound("no such rule")
        if rule.version != version:
            raise Conflict(_("Somebody changed this rule meanwhile."), rule.version)
        if not active and rule.active and _active_rules() == 1:
            raise Invalid(
                _("The last rule cannot be retired: without one nothing could be decided."), "active"
            )
        if (values["title"], values["html"]) != (rule.title, rule.html):
            db.session.add(
                RuleRevision(
                    rule_number=rule.number,
                    version=rule.version,
                    title=rule.title,
                    html=rule.html,
                    until=clock.now(),
                )
            )
            rule.changed_at = clock.now()
        for name, value in values.items():
            setattr(rule, name, value)
        rule.active = active
        rule.version += 1
        site.touch()
        audit.record(admin, "change rule", "rule", number, rule.title, area="settings")
    return rule


def add_rule(
    admin: Viewer,
    *,
    title: str,
    short: str,
    flag_label: str,
    text: str,
    severity: int,
    templates: list[str],
) -> Rule:
    """A further rule, under the next number. Raises Forbidden, Invalid."""
    _check(admin)
    values = _values(title, short, flag_label, text, severity, templates)
    with unit_of_work():
        ensure_rules()
        number = (db.session.execute(select(func.max(Rule.number))).scalar() or 0) + 1
        rule = Rule(number=number, key=f"rule_{number}", active=True, changed_at=clock.now(), **values)
        db.session.add(rule)
        site.touch()
        audit.record(admin, "add rule", "rule", number, rule.title, area="settings")
    return rule


def name_second(admin: Viewer, username: str) -> None:
    """Name who decides appeals beside the other moderators; "" for nobody. Raises Forbidden, Invalid."""
    _check(admin)
    username = username.strip().lstrip("@").lower()
    with unit_of_work():
        if username:
            duties = db.session.execute(
                select(Member.duties).where(
                    Member.username == username,
                    Member.state == MemberState.ACTIVE,
                    Member.email_confirmed_at.is_not(None),
                )
            ).scalar_one_or_none()
            if duties is None:
                raise Invalid(_("There is no member with this user name who could sign in."), "appeal_second")
            if {Duty.SALES.value, Duty.SERVICE.value} & set(duties):
                raise Invalid(
                    _("Sales and service read no name of a prospect, so they decide no appeals."),
                    "appeal_second",
                )
        site.change(appeal_second=username)
        audit.record(admin, "name second", "site", None, username or "nobody", area="settings")


def _active_rules() -> int:
    return db.session.execute(select(func.count()).select_from(Rule).where(Rule.active)).scalar_one()


def _values(
    title: str, short: str, flag_label: str, text: str, severity: int, templates: list[str]
) -> dict[str, object]:
    title, short, flag_label = (" ".join(part.split()) for part in (title, short, flag_label))
    for name, value, longest in (
        ("title", title, 100),
        ("short", short, 40),
        ("flag_label", flag_label, 100),
    ):
        if not value:
            raise Invalid(_("This is needed."), name)
        if len(value) > longest:
            raise Invalid(_("At most %(longest)s characters fit.", longest=longest), name)
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid(_("Say what the rule asks of people."), "text")
    if len(text) > 4000:
        raise Invalid(_("At most 4,000 characters fit."), "text")
    if severity not in (1, 2, 3):
        raise Invalid(_("Choose how soon somebody has to look."), "severity")
    reasons = [" ".join(reason.split())[:600] for reason in templates]
    return {
        "title": re.sub(r"\.$", "", title),
        "short": short,
        "flag_label": re.sub(r"\.$", "", flag_label),
        "text": text,
        "html": markup.render(text).html,
        "severity": severity,
        "templates": [reason for reason in reasons if reason][:12],
    }


def _check(admin: Viewer) -> None:
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change the rules."))
