"""What a company agreed to beside its people: its logo, its story, press; written down, ended, with dates."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from portal.consents import services
from portal.consents.models import Activity, CompanyConsent
from portal.consents.queries import history_of_company
from portal.consents.texts import NAMES, NEEDS_COMPANY
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.members.queries import console as queries

blueprint = Blueprint("company_consents", __name__, url_prefix="/console")

# Those that cannot do without it first.
_IN_ORDER = sorted(Activity, key=lambda one: (one not in NEEDS_COMPANY, list(Activity).index(one)))


_ORDERS: dict[str, Callable[[CompanyConsent], Any]] = {
    "until": lambda row: (row.expires_on, row.id),
    "given": lambda row: (-row.given_on.toordinal(), -row.id),
    "activity": lambda row: (_IN_ORDER.index(row.activity), -row.id),
}


class AgreementForm(Form):
    """Who agreed to what, where it stands, and until when."""

    activity = SelectField(_l("To what"), choices=[(one.value, NAMES[one]) for one in _IN_ORDER])
    given_by = StringField(
        _l("Who agreed, and where it stands"),
        description=_l("A person who may decide it, and the contract or mail: with its date or number."),
        validators=[Length(max=services.LONGEST_GIVEN_BY)],
    )
    limits = StringField(
        _l("Only"),
        description=_l(
            "What it is limited to, such as “on the website, not in slides”. Empty: without a limit."
        ),
        validators=[Length(max=services.LONGEST_LIMITS)],
    )
    given_on = DateField(
        _l("Given on"),
        description=_l("The day of that contract or mail."),
        validators=[InputRequired(_l("Choose a day."))],
    )
    expires_on = DateField(
        _l("Until"),
        description=_l("At most twelve months later."),
        validators=[InputRequired(_l("Choose a day."))],
    )


@blueprint.get("/companies/<slug>/agreements")
@requires(Permission.ADVOCACY)
def index(slug: str) -> str:
    """What holds, what ended, and the form for a further agreement."""
    today = clock.now().date()
    data = {"given_on": today, "expires_on": today + timedelta(days=365)}
    return _page(slug, AgreementForm(formdata=None, data=data))


@blueprint.get("/companies/<slug>/agreements.csv")
@requires(Permission.ADVOCACY)
def export(slug: str) -> Response:
    """All that fit, what holds and what ended, as a file."""
    company, _domains = queries.find_company(slug)
    head = ["for", "who agreed", "only", "given", "until", "ended"]
    cells = [
        [str(NAMES[row.activity]), row.given_by, row.limits, row.given_on, row.expires_on, row.ended_at]
        for row in _found(company.id)
    ]
    return csv_file(f"agreements-{company.slug}", head, cells)


@blueprint.post("/companies/<slug>/agreements")
@requires(Permission.ADVOCACY)
def record(slug: str) -> Response:
    """Write one down; it takes the place of one to the same activity."""
    company, _domains = queries.find_company(slug)
    form = AgreementForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        services.record_company_consent(
            viewer(),
            company.id,
            Activity(form.activity.data),
            given_by=form.given_by.data or "",
            limits=form.limits.data or "",
            given_on=form.given_on.data,
            expires_on=form.expires_on.data,
        )
        flash(_("Written down."))
        return url_for("company_consents.index", slug=slug)

    return attempt(form, write, lambda: _page(slug, form))


@blueprint.delete("/companies/<slug>/agreements/<int:consent_id>")
@requires(Permission.ADVOCACY)
def end(slug: str, consent_id: int) -> Response:
    """The company took it back."""
    company, _domains = queries.find_company(slug)
    services.end_company_consent(viewer(), company.id, consent_id)
    flash(_("Ended; in force at once."))
    return redirect(url_for("company_consents.index", slug=slug), 303)


def _wanted() -> tuple[str, str]:
    """What the address narrows the lists to: an activity ("" for all), and their order."""
    activity, sort = request.args.get("for", ""), request.args.get("sort", "")
    return activity if activity in list(Activity) else "", sort if sort in _ORDERS else ""


def _found(company_id: int) -> list[CompanyConsent]:
    """The agreements of a company as the address wants them, written down last first."""
    activity, sort = _wanted()
    rows = [row for row in history_of_company(company_id) if activity in ("", row.activity)]
    return sorted(rows, key=_ORDERS[sort]) if sort else rows


def _page(slug: str, form: AgreementForm) -> str:
    company, _domains = queries.find_company(slug)
    today = clock.now().date()
    rows, (activity, sort) = _found(company.id), _wanted()

    def address(*, endpoint: str = "company_consents.index", **changes: str) -> str:
        kept: dict[str, Any] = {"for": activity, "sort": sort, **changes}
        return url_for(endpoint, slug=slug, **{name: value for name, value in kept.items() if value})

    return render_template(
        "console/agreements.html",
        company=company,
        form=form,
        standing=[row for row in rows if row.ended_at is None and row.expires_on >= today],
        former=[row for row in rows if row.ended_at is not None or row.expires_on < today],
        names=NAMES,
        activity=activity,
        sort=sort,
        address=address,
        soon=today + timedelta(days=14),
        today=today,
    )
