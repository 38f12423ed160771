"""A member's page and the companies, for those who confirm members: facts, notes, claims, duties."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.advocacy.queries.notes import notes_about
from portal.advocacy.services import notes
from portal.consents.texts import NAMES
from portal.console import member_facts
from portal.console.people_forms import (
    KINDS,
    CompanyForm,
    ConfirmForm,
    DutiesForm,
    HandOverForm,
    LimitForm,
    NoteForm,
    filled,
)
from portal.discussions.queries.deeds import deeds_by
from portal.kernel.access import Duty, Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.files import csv_file
from portal.kernel.forms import Form, differences
from portal.kernel.numbers import number_in
from portal.matching.forms import VALUES
from portal.matching.services import availability
from portal.members import lists
from portal.members.models import CompanyKind
from portal.members.queries import console as queries
from portal.members.services import companies, confirming

blueprint = Blueprint("console_people", __name__, url_prefix="/console")


@blueprint.get("/members/<username>")
@requires(Permission.CONFIRM_MEMBERS)
def member(username: str) -> str:
    """One member: the facts, what they did, notes, and what can be done."""
    return member_page(username)


@blueprint.post("/members/<username>/notes")
@requires(Permission.ADVOCACY)
def add_note(username: str) -> Response:
    """Keep a note about a member, who gets it with their data."""
    _row, found = queries.find_member(username)
    form = NoteForm()

    def write() -> str:
        notes.add_note(viewer(), found.id, form.text.data or "")
        flash(_("The note is kept."))
        return url_for("console_people.member", username=username) + "#notes"

    return attempt(form, write, lambda: member_page(username, note_form=form))


@blueprint.delete("/members/<username>/notes/<int:note_id>")
@requires(Permission.ADVOCACY)
def delete_note(username: str, note_id: int) -> Response:
    """Take a note away."""
    _row, found = queries.find_member(username)
    notes.delete_note(viewer(), found.id, note_id)
    flash(_("The note is gone."))
    return redirect(url_for("console_people.member", username=username) + "#notes", 303)


@blueprint.post("/members/<username>/company")
@requires(Permission.CONFIRM_MEMBERS)
def confirm_company(username: str) -> Response:
    """Confirm by hand where somebody works."""
    form = ConfirmForm().offer()

    def write() -> str:
        if not form.validate() or not form.company.data:
            raise Invalid(_("Choose a company of the list."), "company")
        confirming.confirm_company(viewer(), username, form.company.data)
        flash(_("Confirmed; they are told."))
        return url_for("console_people.member", username=username)

    return attempt(form, write, lambda: member_page(username, confirm_form=form))


@blueprint.delete("/members/<username>/company")
@requires(Permission.CONFIRM_MEMBERS)
def withdraw_company(username: str) -> Response:
    """They left the company, or never worked there."""
    confirming.withdraw_company(viewer(), username, by_mistake=request.form.get("by_mistake") == "yes")
    flash(_("Saved."))
    return redirect(url_for("console_people.member", username=username), 303)


@blueprint.post("/members/<username>/limit")
@requires(Permission.CONFIRM_MEMBERS)
def lower_limit(username: str) -> Response:
    """Have them asked less often than they allow."""
    _row, found = queries.find_member(username)
    form = LimitForm().offer(availability.preferences_of(found.id).own_limit)

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        availability.lower_limit(viewer(), found.id, form.limit.data)
        flash(_("Saved. They see it on their own page and can choose anew."))
        return url_for("console_people.member", username=username)

    return attempt(form, write, lambda: member_page(username, limit_form=form))


@blueprint.post("/members/<username>/duties")
@requires(Permission.ADMINISTER)
def set_duties(username: str) -> Response:
    """Give and take duties."""
    form = DutiesForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        confirming.set_duties(viewer(), username, frozenset(Duty(duty) for duty in form.duties.data or []))
        flash(_("Saved; in force from their next step on."))
        return url_for("console_people.member", username=username)

    return attempt(form, write, lambda: member_page(username, duties_form=form))


@blueprint.post("/members/<username>/hand-over")
@requires(Permission.CONFIRM_MEMBERS)
def hand_over(username: str) -> Response:
    """Send the person behind an imported account a link."""
    form = HandOverForm()

    def write() -> str:
        address = confirming.hand_over(viewer(), username, form.email.data or "")
        flash(_("A link is on its way to %(address)s.", address=address))
        return url_for("console_people.member", username=username)

    return attempt(form, write, lambda: member_page(username, hand_over_form=form))


@blueprint.get("/companies")
@requires(Permission.CONFIRM_MEMBERS)
def company_list() -> str:
    """The companies, narrowed by what the address says."""
    words, kind, sort = _which_companies()
    page = queries.companies(words=words, kind=kind, sort=sort, after=request.args.get("after", ""))

    def address(*, endpoint: str = "console_people.company_list", **changes: str) -> str:
        values: dict[str, Any] = {"q": words, "kind": kind.value if kind else "", "sort": sort, **changes}
        return url_for(endpoint, **{name: value for name, value in values.items() if value})

    return render_template(
        "console/companies.html",
        found=page,
        words=words,
        kind=kind,
        kinds=list(CompanyKind),
        sort=sort,
        address=address,
        label=lists.label,
        country=lists.country_name,
        next=address(after=page.next) if page.next else "",
    )


@blueprint.get("/companies.csv")
@requires(Permission.CONFIRM_MEMBERS)
def export_companies() -> Response:
    """The same list as a file."""
    words, kind, sort = _which_companies()
    head = ["name", "kind", "industry", "size", "country", "mail domains", "people", "named to outsiders"]
    cells = [
        [
            one.name,
            one.kind.value,
            lists.label(lists.INDUSTRIES, one.industry),
            lists.label(lists.SIZES, one.size_band),
            lists.country_name(one.region),
            ", ".join(one.domains),
            one.members_count,
            "yes" if one.named_in_public else "no",
        ]
        for one in queries.all_companies(words=words, kind=kind, sort=sort)
    ]
    return csv_file("companies", head, cells)


def _which_companies() -> tuple[str, CompanyKind | None, str]:
    """What the address narrows the companies to, and their order."""
    words = " ".join(request.args.get("q", "").replace("\0", "").split())[:60]
    kind, sort = request.args.get("kind", ""), request.args.get("sort", "")
    chosen = CompanyKind(kind) if kind in list(CompanyKind) else None
    return words, chosen, queries.BY_PEOPLE if sort == queries.BY_PEOPLE else ""


@blueprint.get("/companies/new")
@requires(Permission.CONFIRM_MEMBERS)
def new_company() -> str:
    """The form for a further company."""
    data = {"kind": CompanyKind.CUSTOMER.value, "name": request.args.get("name", "")[:120]}
    return _company_page(None, CompanyForm(formdata=None, data=data).offer())


@blueprint.post("/companies")
@requires(Permission.CONFIRM_MEMBERS)
def add_company() -> Response:
    """Add a company."""
    form = CompanyForm().offer()

    def write() -> str:
        _validate(form)
        slug = companies.add_company(viewer(), form.facts)
        flash(_("The company is added."))
        return url_for("console_people.company", slug=slug)

    return attempt(form, write, lambda: _company_page(None, form))


@blueprint.get("/companies/<slug>")
@requires(Permission.CONFIRM_MEMBERS)
def company(slug: str) -> str:
    """The form for one company."""
    found, domains = queries.find_company(slug)
    return _company_page(found, filled(found, domains))


@blueprint.post("/companies/<slug>")
@requires(Permission.CONFIRM_MEMBERS)
def change_company(slug: str) -> Response:
    """Change a company."""
    found, _domains = queries.find_company(slug)
    form = CompanyForm().offer()

    def write() -> str:
        _validate(form)
        version = number_in(form.version.data) or 0
        companies.change_company(viewer(), slug, form.facts, version=version)
        flash(_("Saved. The status of its people follows."))
        return url_for("console_people.company", slug=slug)

    try:
        return attempt(form, write, lambda: _company_page(found, form))
    except Conflict as conflict:
        found, domains = queries.find_company(slug)
        form.version.data = str(conflict.version)
        return refused(_company_page(found, form, differences(form, filled(found, domains))), 409)


def _validate(form: Form) -> None:
    if not form.validate():
        raise Invalid("")


def member_page(username: str, **forms: Form) -> str:
    """The page, with forms that were not taken."""
    row, found = queries.find_member(username)
    duties = DutiesForm(formdata=None, data={"duties": list(row.duties)})
    stored = availability.preferences_of(found.id)
    lowered = stored.preferences.limit if stored.lowered else None
    shown: dict[str, Any] = {
        "note_form": NoteForm(formdata=None),
        "limit_form": LimitForm(formdata=None, data={"limit": lowered}).offer(stored.own_limit),
        "confirm_form": ConfirmForm(formdata=None, data={"company": found.company_id or 0}).offer(),
        "duties_form": duties,
        "hand_over_form": HandOverForm(formdata=None, data={"email": row.email}),
        **forms,
    }
    show = request.args.get("show", "")
    narrowed = show if show in member_facts.GROUPS else ""
    facts = member_facts.facts_of(viewer(), found, narrowed)
    words = " ".join(request.args.get("find", "").replace("\0", "").split())[:80]
    older = request.args.get("older", "")
    evidence = deeds_by(viewer(), found.id, words=words, after=older)

    def evidence_url(**changes: str) -> str:
        values: dict[str, Any] = {"username": found.username, "show": narrowed, "find": words, **changes}
        kept = {name: value for name, value in values.items() if value}
        return url_for("console_people.member", **kept) + "#evidence"

    return render_template(
        "console/member.html",
        member=row,
        facts=facts,
        help_words=", ".join(f"{part.name} ({part.value.helpfulness:.1f})" for part in facts.helps_with),
        product_words=", ".join(_used(name, since) for name, since in facts.products),
        language_words=", ".join(lists.label(lists.LANGUAGES, code) for code in found.languages),
        names=NAMES,
        value_names=VALUES,
        found=found,
        notes=notes_about(found.id),
        narrowed=narrowed,
        evidence=evidence.rows,
        words=words,
        older_url=evidence_url(older=evidence.next) if evidence.next else "",
        newest_url=evidence_url(find="") if words or older else "",
        label=lists.label,
        country=lists.country_name,
        **shown,
    )


def _used(name: str, since: str) -> str:
    """ "Mapper since 11/2019"; since is "", "2019" or "2019-11"."""
    year, _dash, month = since.partition("-")
    when = f"{int(month)}/{year}" if month else year
    return _("%(product)s since %(when)s", product=name, when=when) if since else name


def _company_page(found: Any, form: CompanyForm, meanwhile: list[tuple[str, str]] | None = None) -> str:
    return render_template("console/company.html", company=found, form=form, kinds=KINDS, meanwhile=meanwhile)
