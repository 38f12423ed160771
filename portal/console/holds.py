"""Holds: which companies are not to be approached, by whom, for how long; placed and ended here."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.console.relations_forms import EndHoldForm, HoldForm
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.files import csv_file
from portal.kernel.numbers import number_in
from portal.relations import policy, services
from portal.relations.models import PlacedAs
from portal.relations.queries import companies
from portal.relations.queries import holds as queries
from portal.relations.queries.holds import HoldLine

blueprint = Blueprint("holds", __name__, url_prefix="/console")

SUGGESTED = timedelta(days=30)
ROWS, MOST_PAGES = 50, 40


@blueprint.get("/holds")
@requires(Permission.RELATIONS)
def index() -> str:
    """The holds in force, the next to end first, unless the address says otherwise."""
    begun = request.args.get("company", "")[:80]
    form = HoldForm(formdata=None, data={"company": begun, "until": clock.now().date() + SUGGESTED})
    return _page(form.offer(), is_begun=bool(begun))


@blueprint.get("/holds.csv")
@requires(Permission.RELATIONS)
def export() -> Response:
    """All that fit as a file."""
    head = ["company", "why", "placed by", "as", "since", "until", "ended", "ended by", "why it ended"]
    head += ["in a row", "days held of the last 365"]
    cells = [
        [
            one.company,
            one.reason,
            one.by,
            one.placed_as.value,
            one.created_at,
            one.expires_at,
            one.ended_at or (None if one.is_open else one.expires_at),
            one.ended_by,
            one.ended_because or ("" if one.is_open else "its time was over"),
            one.in_a_row,
            one.days_held,
        ]
        for one in _found()
    ]
    return csv_file("holds", head, cells)


@blueprint.post("/holds")
@requires(Permission.PLACE_HOLDS)
def place() -> Response:
    """Ask colleagues not to approach a company for a while."""
    form = HoldForm().offer()

    def write() -> str:
        if not form.validate() or not form.company.data:
            raise Invalid("" if form.company.data else _("Choose a company of the list."), "company")
        company = companies.find_known_company(form.company.data)
        hold = services.place_hold(
            viewer(),
            company.id,
            form.reason.data or "",
            until=form.until.data,
            form_key=form.taken_key,
        )
        flash(_("%(company)s is on hold. It ends by itself.", company=company.name))
        return url_for("holds.index") + f"#hold-{hold.id}"

    return attempt(form, write, lambda: _page(form, is_begun=True))


@blueprint.get("/holds/<int:hold_id>/ending")
@requires(Permission.RELATIONS)
def ask_to_end(hold_id: int) -> str:
    """The form by which a hold is ended before its time. Raises NotFound for whoever may not."""
    hold = _endable(hold_id)
    if not hold.is_open:
        raise NotFound("no such hold")
    return _end_page(hold, EndHoldForm(formdata=None, data={"version": str(hold.version)}))


@blueprint.post("/holds/<int:hold_id>/ending")
@requires(Permission.RELATIONS)
def end(hold_id: int) -> Response:
    """End a hold with a reason. Raises NotFound for whoever may not."""
    form, _hold = EndHoldForm(), _endable(hold_id)

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        version = number_in(form.version.data) or 0
        services.end_hold(viewer(), hold_id, form.because.data or "", version=version)
        flash(_("The hold has ended."))
        return url_for("holds.index")

    try:
        return attempt(form, write, lambda: _end_page(_line(hold_id), form))
    except Conflict as conflict:
        form.refuse(Invalid(conflict.message))
        form.version.data = str(conflict.version)
        return refused(_end_page(_line(hold_id), form), 409)


def _page(form: HoldForm, *, is_begun: bool) -> str:
    show, words, as_, sort = _wanted()
    found = _found()
    page = min(number_in(request.args.get("page", ""), longest=2) or 1, MOST_PAGES)
    start = (page - 1) * ROWS

    def address(*, endpoint: str = "holds.index", **changes: Any) -> str:
        kept = {"show": show, "q": words, "as": as_.value if as_ else "", "sort": sort, **changes}
        return url_for(endpoint, **{name: value for name, value in kept.items() if value})

    me = viewer()
    return render_template(
        "console/holds.html",
        rows=found[start : start + ROWS],
        total=len(found),
        show=show,
        words=words,
        placed_as=as_,
        sort=sort,
        address=address,
        may_end={
            one.id for one in found[start : start + ROWS] if one.is_open and policy.may_end(me, one.placed_as)
        },
        previous_url=address(page=page - 1) if page > 1 else "",
        next_url=address(page=page + 1) if len(found) > start + ROWS else "",
        form=form,
        is_begun=is_begun,
    )


def _end_page(hold: HoldLine, form: EndHoldForm) -> str:
    return render_template("console/hold.html", hold=hold, form=form)


def _found() -> list[HoldLine]:
    show, words, as_, sort = _wanted()
    return queries.holds(show=show, words=words, placed_as=as_, sort=sort)


def _wanted() -> tuple[str, str, PlacedAs | None, str]:
    """What the address says; what nobody can mean is left out."""
    get = request.args.get
    words = " ".join(get("q", "").replace("\0", "").split())[:60]
    show, as_, sort = get("show", ""), get("as", ""), get("sort", "")
    return (
        show if show in queries.SHOWS else "",
        words,
        PlacedAs(as_) if as_ in list(PlacedAs) else None,
        sort if sort in queries.SORTS else "",
    )


def _line(hold_id: int) -> HoldLine:
    found = queries.hold_by_id(hold_id)
    if found is None:
        raise NotFound("no such hold")
    return found


def _endable(hold_id: int) -> HoldLine:
    hold = _line(hold_id)
    if not policy.may_end(viewer(), hold.placed_as):
        raise NotFound("no such hold")
    return hold
