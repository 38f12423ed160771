"""The rota: who is on duty, as moderators plan it."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import DateField, IntegerField, SelectField
from wtforms.validators import Optional

from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.moderation.queries import rota
from portal.moderation.services.rota import cancel_shift, plan_shift

blueprint = Blueprint("rota", __name__, url_prefix="/console/rota")


SHOWN = 60  # shifts on the page; the file holds all


class ShiftForm(Form):
    """Who, from when until when, and for how many weeks."""

    member = SelectField(_l("Who"), choices=[], validate_choice=False)
    first_day = DateField(_l("From"), validators=[Optional()])
    last_day = DateField(_l("Until"), description=_l("Empty: this one day."), validators=[Optional()])
    weeks = IntegerField(
        _l("For how many weeks"),
        description=_l("1: only once. 4: the same days of four weeks."),
        default=1,
        validators=[Optional()],
    )

    def offer(self) -> "ShiftForm":
        """Fill in everybody who moderates."""
        self.member.choices = [(str(member_id), name) for member_id, name in rota.who_moderates()]
        return self


@blueprint.get("")
@requires(Permission.MODERATE)
def show() -> str:
    """The next four weeks, day by day; the form begins on the day of the address (`from=2026-03-31`)."""
    first = _day(request.args.get("from", "")) or rota.today()
    data = {"member": str(viewer().member_id), "first_day": first, "weeks": 1}
    return _page(ShiftForm(formdata=None, data=data))


@blueprint.get("/shifts.csv")
@requires(Permission.MODERATE)
def export() -> Response:
    """Every shift that is planned and fits, as a file."""
    who, sort = _wanted()
    found = rota.shifts(who, by_name=bool(sort))
    cells = [[one.name, one.first_day, one.last_day] for one in found]
    return csv_file("rota", ["who", "from", "until"], cells)


@blueprint.post("")
@requires(Permission.MODERATE)
def plan() -> Response:
    """Put somebody on duty."""
    form = ShiftForm()

    def write() -> str:
        for field, name in ((form.first_day, "first_day"), (form.last_day, "last_day")):
            if field.process_errors:
                raise Invalid(_("Write the day as 2026-03-31."), name)
        member_id = number_in(form.member.data) or 0
        weeks = form.weeks.data if form.weeks.data is not None else 1
        plan_shift(viewer(), member_id, form.first_day.data, form.last_day.data, weeks)
        flash(_("Planned."))
        return "/console/rota"

    return attempt(form, write, lambda: _page(form))


@blueprint.delete("/<int:shift_id>")
@requires(Permission.MODERATE)
def cancel(shift_id: int) -> Response:
    """Take a shift out of the plan."""
    cancel_shift(viewer(), shift_id)
    flash(_("Taken out of the plan."))
    return redirect("/console/rota", 303)


def _page(form: ShiftForm) -> str:
    days, today, (who, sort) = rota.plan(), rota.today(), _wanted()
    found = rota.shifts(who, by_name=bool(sort), limit=SHOWN + 1)

    def address(*, endpoint: str = "rota.show", **changes: str) -> str:
        kept: dict[str, Any] = {"who": who, "sort": sort, **changes}
        return url_for(endpoint, **{name: value for name, value in kept.items() if value})

    return render_template(
        "console/rota.html",
        form=form.offer(),
        weeks=[days[n : n + 7] for n in range(0, len(days), 7)],
        gaps=sum(1 for day in days if day.is_gap and day.day >= today),
        today=today,
        present=next(day.people for day in days if day.day == today),
        shifts=found[:SHOWN],
        more=len(found) > SHOWN,
        planned=rota.who_is_planned(),
        who=who,
        sort=sort,
        address=address,
        name_of=_name_of,
    )


def _wanted() -> tuple[str, str]:
    """Whose shifts the address wants ("" for all), and whether by name."""
    who, sort = request.args.get("who", ""), request.args.get("sort", "")
    return who.replace("\0", "")[:40], "name" if sort == "name" else ""


def _day(text: str) -> date | None:
    """A day out of the address; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _name_of(day: date) -> str:
    """ "Mon, 23 Nov": what one looks for in a plan of four weeks."""
    return format_date(day, "EEE, d MMM")
