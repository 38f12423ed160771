"""Customers' companies as sales and service see them: the list, and what is known of one."""

from dataclasses import asdict, replace
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.console.relations_forms import (
    HEALTH_WORDS,
    MEASURE_WORDS,
    CloseForm,
    EscalationForm,
    HealthForm,
    SurveyForm,
)
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.members import lists
from portal.relations import policy, services
from portal.relations.models import Health, Measure
from portal.relations.queries import companies as queries
from portal.relations.queries import relations_of_company
from portal.relations.queries.companies import Wanted
from portal.relations.queries.holds import days_held, holds_of, spans_of
from portal.relations.queries.known import Survey

blueprint = Blueprint("relations", __name__, url_prefix="/console")


@blueprint.get("/relations")
@requires(Permission.RELATIONS)
def index() -> str:
    """Customers' companies with what is known of each now."""
    wanted = _wanted()
    rows, total, more = queries.companies(wanted)

    def address(*, endpoint: str = "relations.index", **changes: Any) -> str:
        return _address(replace(wanted, **{"page": 1, **changes}), endpoint)

    return render_template(
        "console/relations.html",
        rows=rows,
        total=total,
        wanted=wanted,
        address=address,
        label=lists.label,
        country=lists.country_name,
        health_words=HEALTH_WORDS,
        previous_url=address(page=wanted.page - 1) if wanted.page > 1 else "",
        next_url=address(page=wanted.page + 1) if more else "",
    )


@blueprint.get("/relations.csv")
@requires(Permission.RELATIONS)
def export() -> Response:
    """All that fit as a file."""
    head = ["company", "industry", "size", "country", "former customer", "health", "why", "since"]
    head += ["on hold until", "open escalations"]
    for measure in ("CSAT", "NPS"):
        head += [measure, f"{measure}: people", f"{measure}: day"]
    cells = []
    for one in queries.every_company(_wanted()):
        known = one.known
        cells.append(
            [
                one.name,
                lists.label(lists.INDUSTRIES, one.industry),
                lists.label(lists.SIZES, one.size_band),
                lists.country_name(one.region),
                "yes" if one.former else "no",
                known.health.health.value if known.health else "",
                known.health.reason if known.health else "",
                known.health.entered.at if known.health else None,
                known.held_until,
                len(known.escalations),
                *_cells(known.csat),
                *_cells(known.nps),
            ]
        )
    return csv_file("customer-companies", head, cells)


@blueprint.get("/relations/<slug>")
@requires(Permission.RELATIONS)
def show(slug: str) -> str:
    """What is known of one company, with the forms for whoever may."""
    return _page(slug)


@blueprint.post("/relations/<slug>/health")
@requires(Permission.KEEP_HEALTH)
def set_health(slug: str) -> Response:
    """Say how the company is doing."""
    company, form = queries.find_known_company(slug), HealthForm()

    def write() -> str:
        if not form.validate() or form.health.data not in list(Health):
            raise Invalid(_("Choose a colour."), "health")
        services.set_health(
            viewer(),
            company.id,
            Health(form.health.data),
            form.reason.data or "",
            form_key=form.taken_key,
        )
        flash(_("Noted. What was said before stays below."))
        return url_for("relations.show", slug=slug) + "#health"

    return attempt(form, write, lambda: _page(slug, health_form=form))


@blueprint.post("/relations/<slug>/escalations")
@requires(Permission.KEEP_HEALTH)
def open_escalation(slug: str) -> Response:
    """Note that something is being put right."""
    company, form = queries.find_known_company(slug), EscalationForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        services.open_escalation(viewer(), company.id, form.what.data or "", form_key=form.taken_key)
        flash(_("Noted. Until it is closed we ask them for nothing."))
        return url_for("relations.show", slug=slug) + "#escalations"

    return attempt(form, write, lambda: _page(slug, escalation_form=form))


@blueprint.post("/relations/<slug>/escalations/<int:escalation_id>/closing")
@requires(Permission.KEEP_HEALTH)
def close_escalation(slug: str, escalation_id: int) -> Response:
    """Close one with what came of it."""
    company, form = queries.find_known_company(slug), CloseForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        version = number_in(form.version.data) or 0
        services.close_escalation(
            viewer(), company.id, escalation_id, form.outcome.data or "", version=version
        )
        flash(_("Closed."))
        return url_for("relations.show", slug=slug) + "#escalations"

    try:
        return attempt(form, write, lambda: _page(slug, close_form=form, closing=escalation_id))
    except Conflict as conflict:
        form.refuse(Invalid(conflict.message))
        return refused(_page(slug, close_form=form, closing=escalation_id), 409)


@blueprint.post("/relations/<slug>/satisfaction")
@requires(Permission.KEEP_HEALTH)
def record_satisfaction(slug: str) -> Response:
    """Enter what a survey gave."""
    company, form = queries.find_known_company(slug), SurveyForm()

    def write() -> str:
        if not form.validate() or form.measure.data not in list(Measure):
            raise Invalid("" if form.measure.data in list(Measure) else _("Choose a measure."), "measure")
        services.record_satisfaction(
            viewer(),
            company.id,
            Measure(form.measure.data),
            form.value.data or 0,
            sample=form.sample.data or 0,
            surveyed_on=form.surveyed_on.data or date.min,
            source=form.source.data or "",
            form_key=form.taken_key,
        )
        flash(_("Entered."))
        return url_for("relations.show", slug=slug) + "#satisfaction"

    return attempt(form, write, lambda: _page(slug, survey_form=form))


@blueprint.delete("/relations/<slug>/satisfaction/<int:survey_id>")
@requires(Permission.KEEP_HEALTH)
def delete_satisfaction(slug: str, survey_id: int) -> Response:
    """Take out what was entered by mistake."""
    services.delete_satisfaction(viewer(), queries.find_known_company(slug).id, survey_id)
    flash(_("Taken out; the log keeps what it said."))
    return redirect(url_for("relations.show", slug=slug) + "#satisfaction", 303)


def _page(slug: str, *, closing: int = 0, **forms: Form) -> str:
    company = queries.find_known_company(slug)
    me, held = viewer(), holds_of(company.id)
    shown: dict[str, Any] = {
        "health_form": HealthForm(formdata=None),
        "escalation_form": EscalationForm(formdata=None),
        "close_form": CloseForm(formdata=None),
        "survey_form": SurveyForm(formdata=None),
        **forms,
    }
    return render_template(
        "console/relation.html",
        company=company,
        known=relations_of_company(company.id),
        holds=held,
        days_held=days_held(spans_of([company.id])[company.id]),
        may_end={one.id for one in held if one.is_open and policy.may_end(me, one.placed_as)},
        history=queries.health_history(company.id),
        escalations=queries.escalations_of(company.id),
        surveys=queries.surveys_of(company.id),
        closing=closing,
        refused_form=next(iter(forms.values()), None),
        health_words=HEALTH_WORDS,
        measure_words=MEASURE_WORDS,
        label=lists.label,
        country=lists.country_name,
        today=clock.now().date(),
        **shown,
    )


def _wanted() -> Wanted:
    """What the address says; what nobody can mean is left out."""
    get = request.args.get
    show, sort = get("show", ""), get("sort", "")
    return Wanted(
        show=show if show in queries.SHOWS else "",
        words=" ".join(get("q", "").replace("\0", "").split())[:60],
        sort=sort if sort in queries.SORTS else "",
        page=min(number_in(get("page", ""), longest=3) or 1, queries.MOST_PAGES),
    )


def _address(wanted: Wanted, endpoint: str) -> str:
    values = asdict(wanted)
    values["q"] = values.pop("words")
    if wanted.page == 1:
        values.pop("page")
    kept: dict[str, Any] = {name: value for name, value in values.items() if value}
    return url_for(endpoint, **kept)


def _cells(survey: Survey | None) -> list[Any]:
    return [survey.value, survey.sample, survey.surveyed_on] if survey else [None, None, None]
