"""One's own score: what it is made of, what would raise it, and what one can do about it."""

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.advocacy.forms import NUMBERS, ChoiceForm, ContestForm
from portal.advocacy.models import ScoreChoice
from portal.advocacy.queries import contests, weights
from portal.advocacy.queries.giving import open_side
from portal.advocacy.queries.statement import statement_of
from portal.advocacy.services import choosing, contesting
from portal.advocacy.views.parts import page_wanted, part_page
from portal.kernel.access import CUSTOMERS, Permission, Viewer, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.numbers import number_in

blueprint = Blueprint("score", __name__, url_prefix="/me")


@blueprint.get("/score")
@requires(Permission.ACCOUNT)
def show() -> str:
    """The statement, or a part of it page by page. Prospects and people of the vendor have none."""
    me = _scored(viewer())
    if wanted := request.args.get("part", ""):
        return part_page(me.member_id or 0, wanted[:40], "/me/score", _("How your help counts"))
    return _page(me)


@blueprint.post("/score/choices")
@requires(Permission.ACCOUNT)
def choose() -> Response:
    """Be shown or not, be approached or not."""
    me = _scored(viewer())
    form = ChoiceForm()
    choosing.choose(me, not_scored=form.not_scored.data, not_approached=form.not_approached.data)
    flash(_("Saved."))
    return redirect("/me/score#choices", 303)


@blueprint.get("/score/contest")
@requires(Permission.ACCOUNT)
def ask() -> str:
    """The form for a second look, at one entry or at the whole."""
    me = _scored(viewer())
    return _ask(me, ContestForm(formdata=None, data={"entry": request.args.get("entry", "")[:20]}))


@blueprint.post("/score/contest")
@requires(Permission.ACCOUNT)
def contest() -> Response:
    """Ask for a second look."""
    me = _scored(viewer())
    form = ContestForm()

    def write() -> str:
        contesting.contest(me, _number(form.entry.data), form.words.data or "", form_key=form.taken_key)
        flash(_("Asked. The answer comes to your notices and stands on this page."))
        return "/me/score#contests"

    return attempt(form, write, lambda: _ask(me, form))


def sentences() -> str:
    """The rule in three sentences, with the numbers in force: for pages that explain it."""
    template = current_app.jinja_env.get_template("advocacy/_statement.html")
    return template.make_module({"_": _}).three_sentences(weights.current())  # type: ignore[attr-defined]


def given_in_the_open() -> Markup:
    """The part of “What you gave and received” that happened in the open."""
    me = viewer()
    page = render_template(
        "advocacy/_given.html",
        open=open_side(me.member_id or 0),
        has_score=me.status in CUSTOMERS,
    )
    return Markup(page)  # noqa: S704 - a template of ours, which escapes


def _page(me: Viewer) -> str:
    choice = db.session.get(ScoreChoice, me.member_id)
    chosen = {
        "not_scored": bool(choice and choice.not_scored),
        "not_approached": bool(choice and choice.not_approached),
    }
    return render_template(
        "advocacy/score.html",
        told=statement_of(me.member_id or 0, me, page_wanted()),
        statement_url="/me/score",
        choice=chosen,
        form=ChoiceForm(formdata=None, data=chosen),
        contests=contests.own(me),
        changes=weights.changes(),
        number_names=NUMBERS,
    )


def _ask(me: Viewer, form: ContestForm) -> str:
    number = _number(form.entry.data)
    entry = contests.own_entry(me, me.member_id or 0, number) if number is not None else None
    return render_template("advocacy/contest.html", form=form, entry=entry)


def _number(text: str | None) -> int | None:
    if not text:
        return None
    number = number_in(text)
    if number is None:
        raise NotFound("no such entry")
    return number


def _scored(me: Viewer) -> Viewer:
    """Customers and former customers, whatever their state; for everybody else there is no such page."""
    if me.status not in CUSTOMERS:
        raise NotFound("no score")
    return me
