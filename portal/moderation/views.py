"""Flags by members, decisions as their authors read them, appeals."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.discussions.guests import veil_over
from portal.discussions.house_rules import WillRead
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.members.display import reader_of
from portal.moderation import foretelling, policy, words
from portal.moderation.answers import conflict_page
from portal.moderation.forms import AppealAnswerForm, AppealForm, FlagForm
from portal.moderation.models import AppealOutcome
from portal.moderation.queries import cases, log, own, posts, rules
from portal.moderation.services import appeals, flags, tooling

blueprint = Blueprint("moderation", __name__)


@blueprint.get("/posts/<int:post_id>/flags")
@blueprint.get("/posts/<int:post_id>/flag")
@requires(Permission.FLAG)
def flag_page(post_id: int) -> str:
    """The form for a flag on a page of its own, with the post that it is about."""
    return _flag_page(post_id, FlagForm(formdata=None))


@blueprint.post("/posts/<int:post_id>/flags")
@requires(Permission.FLAG)
def flag(post_id: int) -> Response:
    """Tell the moderators of a post; a moderator goes on to the case."""
    form = FlagForm()

    def write() -> str:
        made = flags.flag_post(
            viewer(),
            post_id,
            rule_number=form.rule_number,
            comment=form.comment.data or "",
            form_key=form.taken_key,
        )
        if viewer().may(Permission.MODERATE):
            return f"/console/cases/{made.case_id}"
        flash(_("Thank you. A moderator looks at it; you will be told what was decided."))
        return f"/posts/{post_id}"

    return attempt(form, write, lambda: _flag_page(post_id, form))


@blueprint.delete("/posts/<int:post_id>/flags")
@requires(Permission.FLAG)
def withdraw_flag(post_id: int) -> Response:
    """Take one's own flag back while nobody has decided."""
    try:
        flags.withdraw_flag(viewer(), post_id)
    except Conflict:
        flash(_("It was decided meanwhile; what was decided stands among your notices."))
    else:
        flash(_("Your flag is taken back. The moderators no longer see it."))
    return redirect(url_for("moderation.flag_page", post_id=post_id), 303)


@blueprint.get("/decisions/<int:decision_id>")
@requires(Permission.ACCOUNT)
def decision(decision_id: int) -> str:
    """What was decided about the viewer's own post or account, with their own text."""
    shown = own.own_decision(viewer().member_id or 0, decision_id)
    return render_template("moderation/decision.html", **_own(shown))


@blueprint.post("/decisions/<int:decision_id>/reopening")
@requires(Permission.ACCOUNT)
def reopen(decision_id: int) -> Response:
    """Open one's own thread again that was closed as settled."""
    address = tooling.reopen_own_thread(viewer().member_id or 0, decision_id)
    flash(_("Your thread is open again."))
    return redirect(address, 303)


@blueprint.get("/appeals/new")
@requires(Permission.VISIT)
def new_appeal() -> str | Response:
    """The form for an appeal: for the author, and for one who was mailed a link with a ban."""
    decision_id = request.args.get("decision", type=int)
    token = request.args.get("token", "")
    author_id = _author(decision_id, token)
    if author_id is None and not viewer().is_member and decision_id is not None:
        return redirect(url_for("members.login", next=request.full_path), 303)
    form = AppealForm(formdata=None, data={"decision": decision_id, "token": token})
    return _appeal_page(author_id, decision_id, form)


@blueprint.post("/appeals")
@requires(Permission.VISIT)
def appeal() -> Response:
    """Ask for somebody else's view of a decision."""
    form = AppealForm()
    token = form.token.data or ""
    author_id = _author(form.decision.data, token)
    if author_id is None or form.decision.data is None:
        abort(401 if not viewer().is_member else 404)

    def write() -> str:
        made = appeals.appeal(
            author_id, form.decision.data or 0, form.text.data or "", form_key=form.taken_key
        )
        flash(_("Your appeal is on its way to another moderator."))
        return f"/appeals/{made.id}" if viewer().is_member else url_for("moderation.appeal_sent")

    return attempt(form, write, lambda: _appeal_page(author_id, form.decision.data, form))


@blueprint.get("/appeals/sent")
@requires(Permission.VISIT)
def appeal_sent() -> str:
    """For one who cannot sign in: the appeal arrived, and the answer comes by mail."""
    return render_template("moderation/appeal_sent.html", days=policy.APPEAL_ANSWER.days)


@blueprint.get("/appeals/<int:appeal_id>")
@requires(Permission.ACCOUNT)
def show_appeal(appeal_id: int) -> str | Response:
    """An appeal as its author follows it, or as somebody decides it."""
    case_id = cases.appeal_case_id(appeal_id)
    return _appeal(appeal_id, case_id, None)


@blueprint.delete("/appeals/<int:appeal_id>")
@requires(Permission.ACCOUNT)
def withdraw_appeal(appeal_id: int) -> Response:
    """Take one's own appeal back while nobody has decided it."""
    against = own.appeal_of(viewer().member_id or 0, appeal_id)
    try:
        appeals.withdraw_appeal(viewer().member_id or 0, appeal_id)
    except Conflict:
        flash(_("It was decided meanwhile."))
    else:
        flash(_("Your appeal is taken back."))
    return redirect(url_for("moderation.decision", decision_id=against), 303)


@blueprint.post("/appeals/<int:appeal_id>/decision")
@requires(Permission.FLAG)
def answer_appeal(appeal_id: int) -> Response:
    """Say whether a decision stands: another moderator, or the named second."""
    case_id = cases.appeal_case_id(appeal_id)
    view = cases.case_view(viewer(), case_id)
    form = AppealAnswerForm().offer().with_words([one.post_id for one in view.clashes], request.form)

    def write() -> str:
        appeals.decide_appeal(
            viewer(),
            appeal_id,
            form.chosen,
            form.reason.data or "",
            version=form.version.data or 0,
            words=form.words,
            form_key=form.taken_key,
        )
        flash(_("Decided. The author is told, and the public log shows it."))
        return f"/appeals/{appeal_id}"

    if request.form.get("preview"):
        return make_response(_judge_page(view, form))
    try:
        return attempt(form, write, lambda: _judge_page(view, form))
    except Conflict as conflict:
        view = cases.case_view(viewer(), case_id)
        if not view.waits_for_me:
            return make_response(conflict_page(case_id, conflict, form.reason.data or ""), 409)
        form.refuse(Invalid(_("%(what)s Look again and send it once more.", what=conflict.message)))
        form.version.data = view.case.version
        return make_response(_judge_page(view, form), 409)


@blueprint.post("/appeals/<int:appeal_id>/preview")
@requires(Permission.FLAG)
def preview_answer(appeal_id: int) -> str:
    """What author, flaggers and everybody will read of the answer in this form, as a fragment of a page."""
    view = cases.case_view(viewer(), cases.appeal_case_id(appeal_id))
    return render_template("moderation/_will_read.html", lines=appeal_will_read(view, AppealAnswerForm()))


def appeal_will_read(view: cases.CaseView, form: AppealAnswerForm) -> list[WillRead]:
    """Of the answer as it stands in the form; nothing before it says whether the decision stands."""
    outcome = next((one for one in AppealOutcome if one.value == form.outcome.data), AppealOutcome.PENDING)
    if outcome is AppealOutcome.PENDING or view.appealed is None:
        return []
    label, flaggers = view.appealed.decision.rule_label, cases.flaggers_of(view.appealed.decision)
    return foretelling.of_appeal(outcome, label, form.reason.data or "", flaggers=flaggers)


def appeal_reasons(view: cases.CaseView) -> list[tuple[str, str, Sequence[str]]]:
    """Reasons to begin an answer from, by what it says: (heading, outcome, texts)."""
    rule = rules.find_rule(view.appealed.decision.rule_number) if view.appealed else None
    of_rule = rule.templates if rule else ()
    return [
        (_("It stands"), AppealOutcome.UPHELD.value, [*words.why_it_stands(), *of_rule]),
        (_("It was wrong"), AppealOutcome.OVERTURNED.value, words.why_it_was_wrong()),
    ]


def _flag_page(post_id: int, form: FlagForm) -> str:
    post = posts.post_to_flag(viewer(), post_id)
    form.offer(rules.rules())
    return render_template("moderation/flag.html", post=post, html=Markup(post.html), form=form)  # noqa: S704 - cleaned when stored


def _own(shown: own.OwnDecision) -> dict[str, Any]:
    thread = shown.case.thread_id or 0
    said = shown.answer.reason if shown.answer else ""
    veil = veil_over(
        reader_of(viewer()), [shown.case.title, shown.decision.reason, said, shown.html], [thread]
    )
    return {
        "shown": shown,
        "in_sight": own.is_in_sight(viewer(), shown.decision.post_id),
        "in_log": log.has_entry(viewer(), shown.case.id),
        "title": veil(shown.case.title, thread),
        "reason": veil(shown.decision.reason, thread),
        "answer_reason": veil(said, thread),
        "html": Markup(veil(shown.html, thread)),  # noqa: S704 - cleaned when stored
        "sentence": words.to_author(shown.decision, is_thread=shown.is_thread),
        "appeal_until": policy.appeal_until(shown.decision),
        "has_second": own.appeals_have_a_second(),
        "now": clock.now(),
        "outcomes": AppealOutcome,
    }


def _author(decision_id: int | None, token: str) -> int | None:
    if decision_id is None:
        raise NotFound("no such decision")
    if token:
        return appeals.author_by_token(decision_id, token)
    return viewer().member_id


def _appeal_page(author_id: int | None, decision_id: int | None, form: AppealForm) -> str:
    if author_id is None or decision_id is None:
        raise NotFound("no such decision")
    shown = own.own_decision(author_id, decision_id)
    return render_template("moderation/appeal.html", form=form, **_own(shown))


def _appeal(appeal_id: int, case_id: int, form: AppealAnswerForm | None) -> str | Response:
    own_appeal = own.appeal_of(viewer().member_id or 0, appeal_id)
    if own_appeal is not None:
        return redirect(url_for("moderation.decision", decision_id=own_appeal), 303)
    view = cases.case_view(viewer(), case_id)
    if form is None:
        form = AppealAnswerForm(formdata=None, data={"version": view.case.version}).offer()
    return _judge_page(view, form)


def _judge_page(view: cases.CaseView, form: AppealAnswerForm) -> str:
    return render_template(
        "moderation/judge.html",
        view=view,
        form=form.offer(),
        words=words,
        in_console=viewer().may(Permission.MODERATE),
        reasons=appeal_reasons(view),
        will_read_lines=appeal_will_read(view, form),
        has_second=own.appeals_have_a_second(),
        text=Markup(view.post.html) if view.post else "",  # noqa: S704 - cleaned when stored
    )
