"""The rules as an admin edits them, and who decides appeals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel import site
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.files import csv_file
from portal.kernel.forms import differences
from portal.moderation.forms import RuleForm, SecondForm
from portal.moderation.policy import ANSWER
from portal.moderation.queries import own, rules
from portal.moderation.services import rules as rule_services

blueprint = Blueprint("rules", __name__, url_prefix="/console")

_SHOWS = ("active", "retired")
_ORDERS: dict[str, Callable[[rules.RuleLine], Any]] = {
    "soonest": lambda rule: (-rule.severity, rule.number),
    "title": lambda rule: (rule.title.lower(), rule.number),
    "changed": lambda rule: (-int(rule.changed_on.replace("-", "") or 0), rule.number),
}


@blueprint.get("/rules")
@requires(Permission.ADMINISTER)
def index() -> str:
    """All rules, retired ones too, unless the address says otherwise; and the named second."""
    return _index(SecondForm(formdata=None, data={"appeal_second": site.current().appeal_second}))


@blueprint.get("/rules.csv")
@requires(Permission.ADMINISTER)
def export() -> Response:
    """The rules that fit as a file."""
    head = ["number", "title", "in short", "in the form for flags", "text", "looked at within hours", "state"]
    head += ["changed", "reasons to begin from"]
    cells = [
        [
            rule.number,
            rule.title,
            rule.short,
            rule.flag_label,
            rule.text,
            int(ANSWER[rule.severity] / timedelta(hours=1)),
            "in force" if rule.active else "retired",
            rule.changed_on,
            len(rule.templates),
        ]
        for rule in _found()
    ]
    return csv_file("rules", head, cells)


@blueprint.post("/rules/second")
@requires(Permission.ADMINISTER)
def second() -> Response:
    """Name who decides appeals beside the other moderators."""
    form = SecondForm()

    def write() -> str:
        rule_services.name_second(viewer(), form.appeal_second.data or "")
        flash(_("Saved."))
        return "/console/rules"

    return attempt(form, write, lambda: _index(form))


@blueprint.get("/rules/new")
@requires(Permission.ADMINISTER)
def new() -> str:
    """The form for a further rule."""
    return _page(None, RuleForm(formdata=None, data={"active": True}))


@blueprint.post("/rules")
@requires(Permission.ADMINISTER)
def add() -> Response:
    """Add a rule under the next number."""
    form = RuleForm()

    def write() -> str:
        rule = rule_services.add_rule(viewer(), **form.values)
        flash(_("Rule %(number)s is in force.", number=rule.number))
        return "/console/rules"

    return attempt(form, write, lambda: _page(None, form))


@blueprint.get("/rules/<int:number>")
@requires(Permission.ADMINISTER)
def edit(number: int) -> str:
    """The form for one rule."""
    rule = _find(number)
    return _page(rule, _filled(rule))


def _filled(rule: rules.RuleLine) -> RuleForm:
    form = RuleForm(
        formdata=None,
        data={
            "title": rule.title,
            "short": rule.short,
            "flag_label": rule.flag_label,
            "text": rule.text,
            "severity": str(rule.severity),
            "templates": "\n".join(rule.templates),
            "active": rule.active,
            "version": rule.version,
        },
    )
    return form.offer()


@blueprint.post("/rules/<int:number>")
@requires(Permission.ADMINISTER)
def change(number: int) -> Response:
    """Change a rule; its former words stay on /rules."""
    rule, form = _find(number), RuleForm()

    def write() -> str:
        rule_services.change_rule(
            viewer(), number, active=bool(form.active.data), version=form.version.data or 0, **form.values
        )
        flash(_("Saved. The former words can still be read on the page of rules."))
        return "/console/rules"

    try:
        return attempt(form, write, lambda: _page(rule, form))
    except Conflict as conflict:
        rule, form.version.data = _find(number), conflict.version
        return refused(_page(rule, form, differences(form, _filled(rule))), 409)


def _find(number: int) -> rules.RuleLine:
    rule = rules.find_rule(number)
    if rule is None:
        raise NotFound("no such rule")
    return rule


def _wanted() -> tuple[str, str]:
    """Which rules the address wants, and in which order."""
    show, sort = request.args.get("show", ""), request.args.get("sort", "")
    return show if show in _SHOWS else "", sort if sort in _ORDERS else ""


def _found() -> list[rules.RuleLine]:
    show, sort = _wanted()
    found = [rule for rule in rules.all_rules() if show in ("", "retired" if not rule.active else "active")]
    return sorted(found, key=_ORDERS[sort]) if sort else found


def _index(form: SecondForm) -> str:
    show, sort = _wanted()

    def address(*, endpoint: str = "rules.index", **changes: str) -> str:
        kept: dict[str, Any] = {"show": show, "sort": sort, **changes}
        return url_for(endpoint, **{name: value for name, value in kept.items() if value})

    return render_template(
        "console/rules.html",
        rules=_found(),
        show=show,
        sort=sort,
        address=address,
        form=form,
        has_second=own.appeals_have_a_second(),
    )


def _page(rule: rules.RuleLine | None, form: RuleForm, meanwhile: list[tuple[str, str]] | None = None) -> str:
    return render_template("console/rule.html", rule=rule, form=form.offer(), meanwhile=meanwhile)
