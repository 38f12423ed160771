"""What everybody may know: the rules, the public log with its numbers, how this place works, what is kept."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from markupsafe import Markup

from portal.kernel import clock, personal, preserving
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.numbers import number_in
from portal.kernel.template_helpers import duration
from portal.members.browser import KNOWN_COOKIE, KNOWN_DAYS
from portal.moderation import policy, words
from portal.moderation.queries import log, own, rules

blueprint = Blueprint("transparency", __name__)


@blueprint.get("/rules")
@requires(Permission.VISIT)
def show_rules() -> str:
    """The published rules, each with an anchor, and what they said before."""
    former = rules.former_words()
    return render_template(
        "front/rules.html",
        rules=[
            (rule, _stored(rule.html), [(old, _stored(old.html)) for old in former.get(rule.number, [])])
            for rule in rules.all_rules()
        ],
        has_second=own.appeals_have_a_second(),
        policy=policy,
    )


@blueprint.get("/transparency")
@requires(Permission.VISIT)
def numbers() -> str:
    """The numbers of the last twelve months and the log, for the boards this reader reads."""
    values: dict[str, Any] = {
        name: request.args[name][:60] for name in ("rule", "board", "what") if request.args.get(name)
    }
    rule = number_in(values.get("rule", ""), longest=5)
    before = request.args.get("before", "")
    page = log.entries(
        viewer(), rule=rule, board=values.get("board", ""), what=values.get("what", ""), before=before
    )
    return render_template(
        "front/transparency.html",
        page=page,
        values=values,
        numbers=log.numbers(viewer()) if not before else None,
        orders=preserving.how_many_in(365) if not before else 0,
        rules=rules.all_rules(),
        rule_of=rules.find_rule,
        boards=log.boards_of_log(viewer()),
        has_second=own.appeals_have_a_second(),
        next_url=url_for("transparency.numbers", **values, before=page.next) + "#log" if page.next else "",
        first_url=url_for("transparency.numbers", **values) + "#log" if before else "",
        words=words,
        duration=duration,
        policy=policy,
    )


@blueprint.get("/transparency/log/<int:case_id>")
@requires(Permission.VISIT)
def entry(case_id: int) -> str:
    """One entry of the public log: what was decided, by which rule, and what became of an appeal."""
    return render_template(
        "front/log_entry.html",
        story=log.story(viewer(), case_id),
        now=clock.now(),
        words=words,
        rule_of=rules.find_rule,
        policy=policy,
        duration=duration,
    )


@blueprint.get("/how-it-works")
@requires(Permission.VISIT)
def how_it_works() -> str:
    """Who reads what, who is who, how moderation works."""
    return render_template(
        "front/how_it_works.html", policy=policy, has_second=own.appeals_have_a_second(), duration=duration
    )


@blueprint.get("/privacy")
@requires(Permission.VISIT)
def privacy() -> str:
    """What is kept about people and for how long, made from the real settings."""
    config = current_app.config
    settings = config["SETTINGS"]
    return render_template(
        "front/privacy.html",
        cookie=config["SESSION_COOKIE_NAME"],
        cookie_days=current_app.permanent_session_lifetime.days,
        known=KNOWN_COOKIE,
        known_days=KNOWN_DAYS,
        https=settings.PUBLIC_URL.startswith("https://"),
        mails_leave=bool(settings.MAIL_URL),
        classes=personal.registered(),
    )


def _stored(html: str) -> Any:
    return Markup(html)  # noqa: S704 - cleaned when stored
