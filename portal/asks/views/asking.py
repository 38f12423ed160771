"""Asking: the honest numbers, the form, similar questions, and a visitor who joins at the end."""

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.asks import policy, wording
from portal.asks.forms import AskForm
from portal.asks.models import AskMode
from portal.asks.queries import boards, figures
from portal.asks.queries.appearing import as_role
from portal.asks.queries.finding import follows_a_request, own_ask
from portal.asks.queries.private import words_of
from portal.asks.services import asking, keeping
from portal.asks.views.common import responsible_name
from portal.discussions.queries import places
from portal.discussions.queries.similar import Similar, resembling
from portal.discussions.services.drafts import drop_draft
from portal.discussions.services.flood import check_flood
from portal.kernel import clock, limits, page_cache, site
from portal.kernel.access import Permission, Status, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid, TooMany
from portal.kernel.vault import CannotOpen
from portal.members import browser
from portal.members.queries import directory

blueprint = Blueprint("asks", __name__)

DRAFT = "ask"
KEPT_PER_ADDRESS = "20 per hour"
LOOKS_PER_ADDRESS = "120 per 5 minutes"


@blueprint.get("/ask")
@requires(Permission.VISIT)
def new() -> str:
    """The numbers of the last 90 days, and the form with what was kept of it."""
    token = request.args.get("kept", "")[:60]
    kept = keeping.find(token)
    if kept is not None:
        return _page(AskForm(formdata=None, data={**kept, "kept": token}), kept=True)
    former = request.args.get("of", type=int)
    if former is not None and viewer().may(Permission.ASK):
        return _page(AskForm(formdata=None, data=_as_before(former)))
    draft = places.draft_at(viewer(), DRAFT) if viewer().may(Permission.POST) else None
    return _page(AskForm(formdata=None, data=draft.fields if draft else _from_elsewhere()))


@blueprint.post("/ask")
@requires(Permission.VISIT)
def create() -> Response:
    """Send it; a visitor is led to joining, with everything kept."""
    form = AskForm()
    if request.form.get("similar") == "ask" and not form.problems():
        found = _similar(form.title.data or "")
        if found:
            return make_response(render_template("asks/similar_page.html", form=form, threads=found))
    problems = form.problems()
    if viewer().is_member and not viewer().may(Permission.ASK):
        problems = [Invalid(_why_not(), "")]
    return attempt(form, lambda: _send(form), lambda: _page(form), problems)


@blueprint.post("/ask/form")
@requires(Permission.VISIT)
def return_to_form() -> str:
    """The form as it was sent, to be changed before it is sent again."""
    return _page(AskForm())


@blueprint.get("/ask/similar")
@requires(Permission.VISIT)
def similar() -> str:
    """Answered questions close to the one being typed, as a fragment of a page."""
    _look_no_more_than_people_do()
    return render_template("asks/_similar.html", threads=_similar(request.args.get("title", "")))


@blueprint.post("/ask/found")
@requires(Permission.VISIT)
def found() -> Response:
    """One of them answers it: nothing is sent, what was kept goes."""
    form = AskForm()
    chosen = next(
        (one for one in resembling(viewer(), form.title.data or "") if one.url == request.form.get("found")),
        None,
    )
    if viewer().member_id is not None:
        drop_draft(viewer().member_id or 0, DRAFT)
    keeping.drop(form.kept.data or "")
    if chosen is None:
        return redirect("/", 303)
    if viewer().is_member:
        flash(_("Good. Nothing was sent; if it does not answer you after all, ask."))
    return redirect(chosen.url, 303)


def _from_elsewhere() -> dict[str, Any]:
    """What was looked for in a search or among people, carried along in the address."""
    given = {name: request.args.get(name, "")[:150] for name in ("title", "industry", "size", "region")}
    product = request.args.get("product", "")
    return {**given, "products": [product] if product.isdecimal() and len(product) < 10 else []}


def _as_before(ask_id: int) -> dict[str, Any]:
    """What the viewer asked in private, to be asked in the open. Raises NotFound."""
    ask = own_ask(viewer(), ask_id if ask_id < 2**31 else 0)
    try:
        title, body = words_of(viewer(), ask)
    except CannotOpen:  # the key is missing: the situation is there all the same
        title, body = "", ""
    if follows_a_request(ask.id):
        title = ""  # it had none of its own
    return {
        "title": title,
        "body": body,
        "industry": ask.industry,
        "size": ask.size_band,
        "region": ask.region,
        "products": [str(number) for number in ask.product_ids],
        "use_case": ask.use_case,
        "replacing": ask.replacing,
        "role": ask.role_level.value if ask.role_level else "",
        "needed_by": ask.needed_by.isoformat() if ask.needed_by else "",
    }


def _send(form: AskForm) -> str:
    if not viewer().is_member:
        return _keep_until_joined(form)
    check_flood(viewer())
    words: dict[str, Any] = {
        "title": form.title.data or "",
        "body": form.body.data or "",
        "situation": form.situation,
        "form_key": form.taken_key,
    }
    if form.wanted_mode is AskMode.CONVERSATION:
        ask = asking.ask_privately(viewer(), **words)
        place = url_for("connecting.connect", ask_id=ask.id)
    else:
        ask = asking.ask_openly(
            viewer(),
            **words,
            shown_as=form.appears_as,
            indexable=bool(form.indexable.data),
            may_connect=bool(form.may_connect.data),
        )
        place = url_for("ask_page.show", ask_id=ask.id)
    drop_draft(viewer().member_id or 0, DRAFT)
    keeping.drop(form.kept.data or "")
    return place


def _keep_until_joined(form: AskForm) -> str:
    try:
        limits.take(KEPT_PER_ADDRESS, browser.client_address(), name="kept asks")
    except TooMany as error:
        error.message = _("Too many questions come from your address at present. Join first, then ask.")
        raise
    token = keeping.keep(form.fields())
    if not token:
        raise Invalid(_("This is too long to be kept. Shorten it, or join first."), "body")
    keeping.drop(form.kept.data or "")
    return url_for("members.join", next=url_for("asks.new", kept=token))


def _page(form: AskForm, *, kept: bool = False) -> str:
    me = viewer()
    found = boards.boards_for_asks()
    draft = places.draft_at(me, DRAFT) if me.may(Permission.POST) else None
    form.offer([(row.id, row.name) for row in directory.products()], *_appearances())
    may = me.may(Permission.ASK) or not me.is_member
    return render_template(
        "asks/new.html",
        form=form,
        kept=kept,
        may=may,
        why_not="" if may else _why_not(),
        figures=_figures(),
        board=found.get("prospects"),
        public_board=found.get("public"),
        responsible=responsible_name(),
        wave=policy.WAVE,
        draft=draft,
        draft_url=f"/drafts/{DRAFT}",
        steps=wording.what_happens(site.current().ask_hours, policy.WAVE, responsible_name()),
        nav_here="asks.new",
        robots=None if not request.args and not me.is_member else "noindex",
    )


def _figures() -> figures.Figures:
    """The numbers, at most a minute old."""
    minute = int(clock.now().timestamp()) // 60
    text = page_cache.fragments.get(
        ("ask figures", minute, site.current().version), lambda: json.dumps(asdict(figures.last_90_days()))
    )
    return figures.Figures(**json.loads(text))


def _appearances() -> tuple[str, str]:
    """(by name, as role): how the asker would appear; the first is "" where it is not offered."""
    me = viewer()
    if not me.is_member:
        return _("By name"), _("As role, industry, size and country")
    role = as_role(me.member_id or 0)
    if me.status is not Status.PROSPECT:
        return "", role
    where = f", {me.company_name}" if me.company_name else ""
    return f"{me.display_name}{where}", role


def _why_not() -> str:
    if viewer().is_staff:
        return _("An account of the vendor asks nothing here: this place is for those who are deciding.")
    return _("Your account cannot ask at present.")


def _similar(title: str) -> list[Similar]:
    """Those that were answered; an unanswered one is of no help."""
    return [
        one
        for one in resembling(viewer(), title)
        if one.answers_count or one.answered or one.kind != "question"
    ]


def _look_no_more_than_people_do() -> None:
    if not viewer().is_member:
        limits.take(LOOKS_PER_ADDRESS, browser.client_address(), name="similar asks")
