"""The site as an admin sets it up: names and colours, boards, closed lists, products."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.console.settings_forms import (
    AUDIENCES,
    BoardForm,
    CalendarForm,
    LogoForm,
    SiteForm,
    filled,
    filled_calendar,
)
from portal.discussions.models import Audience
from portal.discussions.queries import boards as board_queries
from portal.discussions.services import boards
from portal.kernel import clock, site, working_time
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.forms import Form, differences
from portal.kernel.numbers import number_in
from portal.kernel.pictures import MAX_BYTES, mark
from portal.members import lists
from portal.members.lists import Item
from portal.members.services import lists as list_services
from portal.members.services import site_settings
from portal.members.services.lists import ProductRow

blueprint = Blueprint("console_settings", __name__, url_prefix="/console/settings")

LOGO_HEIGHT = 96  # pixels: it stands 26 high, on screens three times as fine too
PRODUCTS = "products"
LOOK_AHEAD = 366  # days
PROMISE_HOURS = 24  # of the example beside the calendar


@blueprint.get("")
@requires(Permission.ADMINISTER)
def index() -> str:
    """Names, texts, the vendor's domains, colours."""
    return _index(filled(site.current()))


@blueprint.post("")
@requires(Permission.ADMINISTER)
def save() -> Response:
    """Put the settings in force."""
    form = SiteForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        site_settings.change_site(viewer(), form.values)
        flash(_("Saved; in force on every page."))
        return "/console/settings"

    return attempt(form, write, lambda: _index(form))


@blueprint.post("/logo")
@requires(Permission.ADMINISTER)
def save_logo() -> Response:
    """Show another picture beside the name."""
    form = LogoForm()

    def write() -> str:
        data = form.picture.data.read(MAX_BYTES + 1) if form.picture.data else b""
        if not data:
            raise Invalid(_("Choose a file first."), "picture")
        made, drawn_in = mark(data, height=LOGO_HEIGHT)
        folder = current_app.config["SETTINGS"].uploads_path
        folder.mkdir(parents=True, exist_ok=True)
        name = f"logo-{clock.token(9)}{f'.{drawn_in}' if drawn_in else ''}.webp"
        (folder / name).write_bytes(made.bytes)
        site_settings.set_logo(viewer(), f"/logo/{name}")
        flash(_("The logo is changed."))
        return "/console/settings"

    return attempt(form, write, lambda: _index(filled(site.current()), form))


@blueprint.delete("/logo")
@requires(Permission.ADMINISTER)
def remove_logo() -> Response:
    """Go back to the product's own mark."""
    site_settings.set_logo(viewer(), "")
    flash(_("The logo is removed."))
    return redirect("/console/settings", 303)


@blueprint.get("/calendar")
@requires(Permission.ADMINISTER)
def calendar() -> str:
    """Which days count where something is promised in hours."""
    return _calendar_page(filled_calendar(site.current(), _countries()))


@blueprint.post("/calendar")
@requires(Permission.ADMINISTER)
def save_calendar() -> Response:
    """Put the calendar in force."""
    form = CalendarForm().offer(_countries())

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        site_settings.change_calendar(viewer(), form.values)
        flash(_("Saved; in force for everything that is promised from now on."))
        return "/console/settings/calendar"

    return attempt(form, write, lambda: _calendar_page(form))


@blueprint.get("/boards")
@requires(Permission.ADMINISTER)
def board_list() -> str:
    """All boards in their order, archived ones too."""
    return render_template(
        "console/boards.html", boards=board_queries.all_boards(), audiences=AUDIENCES, form=Form()
    )


@blueprint.get("/boards/new")
@requires(Permission.ADMINISTER)
def new_board() -> str:
    """The form for a further board."""
    return _board_page(None, BoardForm(formdata=None, data={"audience": Audience.PUBLIC.value}))


@blueprint.post("/boards")
@requires(Permission.ADMINISTER)
def add_board() -> Response:
    """Add a board at the end."""
    form = BoardForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        boards.create_board(
            viewer(),
            name=form.name.data or "",
            description=form.description.data or "",
            audience=Audience(form.audience.data),
        )
        flash(_("The board is there."))
        return "/console/settings/boards"

    return attempt(form, write, lambda: _board_page(None, form))


@blueprint.get("/boards/<slug>")
@requires(Permission.ADMINISTER)
def board(slug: str) -> str:
    """The form for one board."""
    found = _board(slug)
    return _board_page(found, _filled(found))


def _filled(board: Any) -> BoardForm:
    data = {
        "version": str(board.version),
        "name": board.name,
        "description": board.description,
        "audience": board.audience.value,
        "archived": board.archived_at is not None,
    }
    return BoardForm(formdata=None, data=data)


@blueprint.post("/boards/<slug>")
@requires(Permission.ADMINISTER)
def change_board(slug: str) -> Response:
    """Change a board."""
    found, form = _board(slug), BoardForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        boards.change_board(
            viewer(),
            found.id,
            name=form.name.data or "",
            description=form.description.data or "",
            audience=Audience(form.audience.data),
            archived=bool(form.archived.data),
            version=number_in(form.version.data) or 0,
        )
        flash(_("Saved."))
        return "/console/settings/boards"

    try:
        return attempt(form, write, lambda: _board_page(found, form))
    except Conflict as conflict:
        found, form.version.data = _board(slug), str(conflict.version)
        return refused(_board_page(found, form, differences(form, _filled(found))), 409)


@blueprint.post("/boards/<slug>/place")
@requires(Permission.ADMINISTER)
def move_board(slug: str) -> Response:
    """Move a board up or down in the order."""
    boards.move_board(viewer(), _board(slug).id, -1 if request.form.get("to") == "up" else 1)
    return redirect("/console/settings/boards", 303)


@blueprint.get("/lists")
@requires(Permission.ADMINISTER)
def list_index() -> str:
    """The closed lists, one shown to be edited."""
    return _list_page(_list_name(), None, Form())


@blueprint.post("/lists")
@requires(Permission.ADMINISTER)
def save_list() -> Response:
    """Put the whole list in force."""
    form, name = Form(), _list_name()
    rows = _sent_rows()

    def write() -> str:
        if name == PRODUCTS:
            kept = [ProductRow(number_in(code), label, gone, tags) for code, label, tags, gone in rows]
            list_services.save_products(viewer(), kept)
        else:
            items = [Item(code, label, noun, gone) for code, label, noun, gone in rows]
            list_services.save_list(viewer(), name, items)
        flash(_("The list is saved."))
        return url_for("console_settings.list_index", list=name)

    return attempt(form, write, lambda: _list_page(name, rows, form))


def _countries() -> list[tuple[str, str]]:
    known = working_time.holiday_regions()
    return [(item.code, item.label) for item in lists.iso_countries() if item.code in known]


def _calendar_page(form: CalendarForm) -> str:
    """The form, and the next days off as they are in force."""
    days = working_time.calendar()
    now = clock.now()
    today = now.astimezone(ZoneInfo(days.zone)).date()
    ahead = [today + timedelta(days=number) for number in range(LOOK_AHEAD)]
    coming = [(day, why) for day in ahead if (why := days.why_off(day)) not in ("", "weekend")]
    return render_template(
        "console/calendar.html",
        form=form,
        coming=coming,
        example=(now, working_time.add_hours(now, PROMISE_HOURS, days)),
    )


def _index(form: SiteForm, logo_form: LogoForm | None = None) -> str:
    return render_template("console/settings.html", form=form, logo_form=logo_form or LogoForm(formdata=None))


def _board(slug: str) -> Any:
    found = next((one for one in board_queries.all_boards() if one.slug == slug), None)
    if found is None:
        raise NotFound("no such board")
    return found


def _board_page(found: Any, form: BoardForm, meanwhile: list[tuple[str, str]] | None = None) -> str:
    return render_template("console/board.html", board=found, form=form, meanwhile=meanwhile)


def _list_name() -> str:
    name = request.args.get("list", lists.INDUSTRIES)
    if name not in (*lists.TITLES, PRODUCTS):
        raise NotFound("no such list")
    return name


Row = tuple[str, str, str, bool]  # code, label, noun (of products: tags), retired


def _sent_rows() -> list[Row]:
    """The rows as they were sent, in the order of their places; a new one has an empty `key`."""
    sent: list[tuple[int, int, Row]] = []
    for number, key in enumerate(request.form.getlist("key")[:400]):
        place = request.form.get(f"place-{number}", "")
        label = request.form.get(f"label-{number}", "").strip()
        code = key or request.form.get(f"code-{number}", "").strip()
        if not key and not label and not code:
            continue  # the empty row for a new entry
        row = (code, label, request.form.get(f"noun-{number}", ""), f"retired-{number}" in request.form)
        position = number_in(place)
        sent.append((position if position is not None else 10_000, number, row))
    return [row for _place, _number, row in sorted(sent)]


def _list_page(name: str, rows: list[Row] | None, form: Form) -> str:
    if rows is None and name == PRODUCTS:
        rows = [(str(one.id), one.name, one.tags, one.retired) for one in list_services.all_products()]
    elif rows is None:
        rows = [(i.code, i.label, i.noun, i.retired) for i in lists.entries(name, retired=True)]
    known = (
        {str(one.id) for one in list_services.all_products()}
        if name == PRODUCTS
        else {item.code for item in lists.entries(name, retired=True)}
    )
    return render_template(
        "console/lists.html",
        name=name,
        titles={**lists.TITLES, PRODUCTS: _("Products")},
        rows=rows,
        known=known,
        form=form,
        products=name == PRODUCTS,
    )
