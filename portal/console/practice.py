"""Practice for a moderator's first day: cases that nobody made and that change nothing."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import NotFound
from portal.moderation import words
from portal.moderation.forms import DecisionForm
from portal.moderation.queries import practice, rules
from portal.moderation.queries.practice import Practised
from portal.moderation.services.practice import answer_practice, forget_practice

blueprint = Blueprint("practice", __name__, url_prefix="/console/practice")


@blueprint.get("")
@requires(Permission.MODERATE)
def index() -> str:
    """All practice cases, and how far one is."""
    return render_template("console/practice.html", practised=practice.practice_of(viewer()), why=_why)


@blueprint.delete("")
@requires(Permission.MODERATE)
def begin_anew() -> Response:
    """Forget one's own answers."""
    forget_practice(viewer())
    flash(_("You can begin again."))
    return redirect("/console/practice", 303)


@blueprint.get("/<key>")
@requires(Permission.MODERATE)
def show(key: str) -> str:
    """One practice case; once answered, one's own answer beside the usual one."""
    one = _find(key)
    data: dict[str, Any] = {"member": "none"}
    if one.answer is not None:
        data = {
            "post": one.answer.post_measure.value,
            "member": one.answer.member_measure.value,
            "rule": str(one.answer.rule_number or ""),
            "reason": one.answer.reason,
        }
    return _page(one, DecisionForm(formdata=None, data=data))


@blueprint.post("/<key>")
@requires(Permission.MODERATE)
def answer(key: str) -> Response:
    """Decide it, for oneself."""
    one = _find(key)
    form = DecisionForm()

    def write() -> str:
        answer_practice(viewer(), key, form.verdict)
        return f"/console/practice/{key}#usual"

    return attempt(form, write, lambda: _page(one, form))


def _find(key: str) -> Practised:
    found = next((one for one in practice.practice_of(viewer()) if one.case.key == key), None)
    if found is None:
        raise NotFound("no such practice case")
    return found


def _why(one: Practised) -> str:
    flagged = practice.rule_of_key(one.case.flags[0][0]) if one.case.flags else None
    return words.why_here(
        one.case.kind,
        len(one.case.flags),
        flagged.number if flagged else None,
        flagged.short if flagged else "",
        list(one.case.reasons),
    )


def _page(one: Practised, form: DecisionForm) -> str:
    all_of_them = practice.practice_of(viewer())
    return render_template(
        "console/practice_case.html",
        one=one,
        why=_why(one),
        form=form.offer(one.case.kind, rules.rules()),
        rules=rules.rules(),
        rule_of_key=practice.rule_of_key,
        rule_of=rules.find_rule,
        next=next(
            (other for other in all_of_them if other.answer is None and other.case is not one.case), None
        ),
        left=sum(1 for other in all_of_them if other.answer is None),
        words=words,
    )
