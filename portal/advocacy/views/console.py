"""What vendor moderators see of scores: weights, contested entries, patterns; and their corrections."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.advocacy.forms import AnswerForm, CorrectionForm, WeightsForm
from portal.advocacy.formula import Weights
from portal.advocacy.models import Act, WeightsDecision
from portal.advocacy.queries import comparing, contests, scopes, weights
from portal.advocacy.queries.patterns import KINDS, MOST_ROWS, SHOWN, SORTS, Wanted, patterns
from portal.advocacy.queries.preview import Preview, preview
from portal.advocacy.queries.readiness import readiness_of
from portal.advocacy.queries.standing import is_left_out
from portal.advocacy.queries.statement import statement_of
from portal.advocacy.services import contesting, weighing
from portal.advocacy.views.parts import page_wanted, part_page
from portal.consents.texts import NAMES
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.files import csv_file
from portal.matching.forms import VALUES

MOST_EXPORTED = 10_000

blueprint = Blueprint("score_console", __name__, url_prefix="/console")


@blueprint.get("/weights")
@requires(Permission.ADVOCACY)
def show_weights() -> str:
    """The numbers in force, former decisions, and the form to try out others."""
    return _weights(WeightsForm(formdata=None, data=_plain(weights.current())))


@blueprint.get("/weights.csv")
@requires(Permission.ADVOCACY)
def export_weights() -> Response:
    """Every decision about the numbers as a file, newest first unless the address says otherwise."""
    names = [name for name in asdict(weights.DEFAULT) if name != "version"]
    cells = [
        [
            one.id,
            one.decided_at,
            one.applied_at,
            *(asdict(weights.weights_of(one))[name] for name in names),
            one.reason,
        ]
        for one in _decisions()
    ]
    head = ["version", "decided", "in force since", *(name.replace("_", " ") for name in names), "reason"]
    return csv_file("weights", head, cells)


@blueprint.post("/weights/preview")
@requires(Permission.ADVOCACY)
def try_weights() -> Response:
    """Whom these numbers would move; nothing is stored."""
    form = WeightsForm()
    found: list[Preview] = []

    def look() -> None:
        if form.validate():
            found.append(preview(weighing.checked(form.weights)))

    try:
        look()
    except Invalid as error:
        form.refuse(error)
    page = make_response(_weights(form, found[0] if found else None))
    page.status_code = 200 if found else 422
    return page


@blueprint.get("/weights/preview.csv")
@requires(Permission.ADVOCACY)
def export_preview() -> Response:
    """All of those looked at whom the numbers in the address would move, as a file."""
    form = WeightsForm(formdata=request.args, meta={"csrf": False})
    try:
        if not form.validate():
            raise Invalid("")
        found = preview(weighing.checked(form.weights), MOST_EXPORTED)
    except Invalid as error:
        raise NotFound("no such numbers") from error
    cells = [
        [one.username, one.name, one.rank_now, one.rank_then, round(one.now, 2), round(one.then, 2)]
        for one in found.most
    ]
    return csv_file("preview", ["username", "name", "rank now", "rank then", "now", "then"], cells)


@blueprint.post("/weights")
@requires(Permission.ADMINISTER)
def decide_weights() -> Response:
    """Put new numbers in force, once the page showed whom they would move."""
    form = WeightsForm()
    found: list[Preview] = []

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        if form.looked_at.data != form.numbers:
            found.append(preview(weighing.checked(form.weights)))
            raise Invalid(_("Look first whom these numbers would move. Then put them in force."))
        weighing.decide(viewer(), form.weights, form.reason.data or "", form_key=form.taken_key)
        flash(_("Decided. The scores follow within minutes, and members read why."))
        return "/console/weights"

    return attempt(form, write, lambda: _weights(form, found[0] if found else None))


@blueprint.get("/contests")
@requires(Permission.ADVOCACY)
def show_contests() -> str:
    """Entries that members contest: those that wait, or those that were answered."""
    show, words, sort, page = _which_contests()
    rows = contests.listed(viewer(), show, page, words=words, sort=sort)
    more = len(rows) > contests.ROWS

    def address(**changes: Any) -> str:
        values = {"show": show, "q": words, "sort": sort, "page": page, **changes}
        kept = {name: value for name, value in values.items() if value not in ("", 1)}
        return url_for("score_console.show_contests", **kept)

    return render_template(
        "advocacy/contests.html",
        lines=rows[: contests.ROWS],
        any_answered=not rows and not show and bool(contests.listed(viewer(), "answered", 1)),
        show=show,
        words=words,
        sort=sort,
        address=address,
        export_url=url_for(
            "score_console.export_contests", show=show or None, q=words or None, sort=sort or None
        ),
        next_url=address(page=page + 1) if more else "",
        previous_url=address(page=page - 1) if page > 1 else "",
    )


@blueprint.get("/contests.csv")
@requires(Permission.ADVOCACY)
def export_contests() -> Response:
    """The same list as a file, all pages of it."""
    show, words, sort, _page = _which_contests()
    head = ["member", "company", "about", "words", "since", "answer", "answered"]
    cells = [
        [one.name, one.company, one.called, one.words, one.made_at, one.answer, one.answered_at]
        for one in contests.listed(viewer(), show, 1, words=words, sort=sort, rows=MOST_EXPORTED)
    ]
    return csv_file("contested-entries", head, cells)


def _which_contests() -> tuple[str, str, str, int]:
    """What the address narrows the list to, the words looked for, the order, and the page."""
    show, page = request.args.get("show", ""), request.args.get("page", "")
    sort = request.args.get("sort", "")
    return (
        show if show in contests.SHOWS else "",
        _words_wanted(),
        sort if sort in contests.SORTS else "",
        int(page) if page.isdecimal() and 0 < len(page) < 4 and int(page) else 1,
    )


@blueprint.get("/contests/<int:contest_id>")
@requires(Permission.ADVOCACY)
def show_contest(contest_id: int) -> str:
    """One of them, with the form for the answer."""
    return _contest(contest_id, AnswerForm(formdata=None))


@blueprint.post("/contests/<int:contest_id>/answer")
@requires(Permission.ADVOCACY)
def answer_contest(contest_id: int) -> Response:
    """Answer it; the entry is reversed or put in force again where that was chosen."""
    form = AnswerForm()

    def write() -> str:
        chosen = form.correction.data or ""
        act = {"reverse": Act.REVERSED, "restore": Act.RESTORED}.get(chosen)
        contesting.answer(viewer(), contest_id, form.answer.data or "", correction=act)
        flash(_("Answered. The member is told."))
        return "/console/contests"

    return attempt(form, write, lambda: _contest(contest_id, form))


@blueprint.get("/scores/<username>")
@requires(Permission.ADVOCACY)
def show_score(username: str) -> str:
    """What made a member's score, and how it compares; of who is left out only that they are."""
    member = comparing.find(username)
    if is_left_out(member.id):
        return render_template("advocacy/member_score.html", member=member, told=None)
    here = url_for("score_console.show_score", username=member.username)
    if wanted := request.args.get("part", ""):
        back = _("How %(name)s’s help counts", name=member.name)
        return part_page(member.id, wanted[:40], here, back, theirs=True)
    told = statement_of(member.id, viewer(), page_wanted())
    return render_template(
        "advocacy/member_score.html",
        member=member,
        told=told,
        parts=scopes.with_places(member.id, told.parts),
        compared=comparing.compared(told.standing),
        readiness=readiness_of(viewer(), member),
        names=NAMES,
        value_names=VALUES,
        statement_url=here,
    )


@blueprint.get("/entries/<int:entry_id>")
@requires(Permission.ADVOCACY)
def show_entry(entry_id: int) -> str:
    """One entry, to be taken out or put back."""
    return _entry(entry_id, CorrectionForm(formdata=None))


@blueprint.post("/entries/<int:entry_id>/correction")
@requires(Permission.ADVOCACY)
def correct_entry(entry_id: int) -> Response:
    """Reverse an entry, or put it in force again, with a reason that its owner reads."""
    form = CorrectionForm()
    state = _state(entry_id)

    def write() -> str:
        act = Act.REVERSED if state.stands else Act.RESTORED
        contesting.correct_entry(viewer(), entry_id, act, form.reason.data or "")
        flash(_("Done. The member is told."))
        return f"/console/scores/{state.username}"

    return attempt(form, write, lambda: _entry(entry_id, form))


@blueprint.get("/patterns")
@requires(Permission.ADVOCACY)
def show_patterns() -> str:
    """What looks like agreement beforehand. Evidence only."""
    wanted = _which_patterns()
    found = patterns(wanted)
    more = wanted.kind and getattr(found, wanted.kind).all > wanted.page * SHOWN

    def address(**changes: Any) -> str:
        return _of_patterns("score_console.show_patterns", replace(wanted, **{"page": 1, **changes}))

    return render_template(
        "advocacy/patterns.html",
        found=found,
        most=MOST_ROWS,
        wanted=wanted,
        address=address,
        export_url=_of_patterns("score_console.export_patterns", replace(wanted, page=1)),
        next_url=address(page=wanted.page + 1) if more else "",
        previous_url=address(page=wanted.page - 1) if wanted.kind and wanted.page > 1 else "",
    )


@blueprint.get("/patterns.csv")
@requires(Permission.ADVOCACY)
def export_patterns() -> Response:
    """All that fit as a file, not only the first of each kind."""
    found = patterns(replace(_which_patterns(), page=1), MOST_EXPORTED)
    cells: list[list[object]] = [
        ["thank each other", one.one.name, one.other.name, one.there + one.back, one.last_at]
        for one in found.pairs.rows
    ]
    cells += [
        ["many thanks within a day", one.member.name, "", one.count, one.until] for one in found.bursts.rows
    ]
    for group in found.ranges.rows:
        names = ", ".join(person.name for person in group.people[1:])
        cells.append(
            ["one range of addresses", group.people[0].name, names, group.thanks_between, group.last_at]
        )
    cells += [
        ["votes that arrive together", one.one.name, one.other.name, one.times, one.last_at]
        for one in found.together.rows
    ]
    return csv_file("patterns", ["pattern", "member", "with", "times", "last"], cells)


def _which_patterns() -> Wanted:
    """What the address narrows the page to."""
    get = request.args.get
    page = get("page", "")
    return Wanted(
        kind=get("kind", "") if get("kind", "") in KINDS else "",
        words=_words_wanted(),
        sort=get("sort", "") if get("sort", "") in SORTS else "",
        page=int(page) if page.isdecimal() and 0 < len(page) < 4 and int(page) else 1,
    )


def _words_wanted() -> str:
    return " ".join(request.args.get("q", "").replace("\0", "").split())[:120]


def _of_patterns(endpoint: str, wanted: Wanted) -> str:
    values = {"kind": wanted.kind, "q": wanted.words, "sort": wanted.sort, "page": wanted.page}
    kept: dict[str, Any] = {name: value for name, value in values.items() if value not in ("", 1)}
    return url_for(endpoint, **kept)


def _plain(numbers: Weights) -> dict[str, Decimal]:
    """The numbers as somebody would type them."""
    return {name: Decimal(f"{value:g}") for name, value in asdict(numbers).items()}


def _weights(form: WeightsForm, found: Preview | None = None) -> str:
    if found:
        form.looked_at.data = form.numbers
    return render_template(
        "advocacy/weights.html",
        form=form,
        now=weights.current(),
        standard=weights.DEFAULT,
        decisions=_decisions(),
        oldest_first=_oldest_first(),
        preview=found,
        preview_url=url_for("score_console.export_preview", **_typed(form)) if found else "",
    )


def _oldest_first() -> bool:
    return request.args.get("sort") == "oldest"


def _decisions() -> list[WeightsDecision]:
    """Every decision, in the order of the address."""
    found = list(weights.decisions())
    return found[::-1] if _oldest_first() else found


def _typed(form: WeightsForm) -> dict[str, Any]:
    """The numbers of the form as an address says them."""
    return {name: f"{value:g}" for name, value in asdict(form.weights).items() if name != "version"}


def _contest(contest_id: int, form: AnswerForm) -> str:
    line = contests.find(viewer(), contest_id)
    choices = [("", _("stays as it is"))]
    if line.entry_id and line.stands:
        choices.append(("reverse", _("is reversed: it counts no longer")))
    if line.may_be_restored:
        choices.append(("restore", _("is put in force again")))
    form.correction.choices = choices
    return render_template(
        "advocacy/contest_case.html",
        line=line,
        form=form,
        for_others=contests.is_for_others(line, viewer()),
    )


def _state(entry_id: int) -> contests.EntryState:
    """An entry that may be looked at. Raises NotFound for those of who is left out: only they see them."""
    state = contests.state_of(viewer(), entry_id)
    if is_left_out(comparing.find(state.username).id):
        raise NotFound("no such entry")
    return state


def _entry(entry_id: int, form: CorrectionForm) -> str:
    state = _state(entry_id)
    return render_template(
        "advocacy/entry.html",
        line=state.line,
        member=comparing.find(state.username),
        stands=state.stands,
        may_be_restored=state.may_be_restored,
        form=form,
    )
