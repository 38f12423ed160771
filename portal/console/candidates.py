"""Candidates: by stage as a board and as a table, and one of them with everything that led there."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext as _n
from werkzeug.wrappers import Response as Answer

from portal.advocacy import picking
from portal.advocacy.models import NominatedBy, Stage
from portal.advocacy.policy import EVIDENCE, HELPED_DAYS, Gate, left_alone
from portal.advocacy.queries import candidates as queries
from portal.advocacy.queries import engagements
from portal.advocacy.queries.candidates import Line, Wanted
from portal.advocacy.queries.routes import routes
from portal.advocacy.services import candidates as services
from portal.consents import queries as consent_queries
from portal.consents.models import Activity
from portal.consents.texts import NAMES, NEEDS_COMPANY
from portal.console.candidate_forms import (
    RECORD,
    STAGE_WORDS,
    TAKE_BACK,
    AskForm,
    CareForm,
    MoveForm,
    NominateForm,
    RecordForm,
    TakeBackForm,
)
from portal.discussions.queries.deeds import deeds, why_gone
from portal.kernel import audit, clock
from portal.kernel.access import CUSTOMERS, Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.dates import today
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.kernel.template_helpers import short_date
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members.models import Company, Member
from portal.relations.queries import Relations, relations_of_company

blueprint = Blueprint("candidates", __name__, url_prefix="/console")

BY_WORDS = {
    NominatedBy.MODERATOR: "by a moderator",
    NominatedBy.ACCOUNT_OWNER: "by sales or service",
    NominatedBy.PEER: "by a peer",
    NominatedBy.SELF: "by themselves",
}


@blueprint.get("/candidates")
@requires(Permission.ADVOCACY)
def index() -> str:
    """Everybody by stage."""
    wanted, as_table = _wanted(), request.args.get("view") == "table"
    as_table = as_table or bool(wanted.stage or wanted.sort)
    counted = queries.counts(wanted)
    rows = queries.table(wanted) if as_table else []
    more = len(rows) > queries.ROWS and wanted.page < queries.MOST_PAGES
    return render_template(
        "console/candidates.html",
        wanted=wanted,
        as_table=as_table,
        counted=counted,
        total=sum(counted.values()) if not wanted.stage else counted.get(Stage(wanted.stage), 0),
        board={} if as_table else queries.board(wanted),
        rows=rows[: queries.ROWS],
        choices=_choices(wanted, as_table),
        address=lambda **changes: _address(wanted, **changes),
        next_url=_address(wanted, view="table", page=wanted.page + 1) if more else "",
        previous_url=_address(wanted, view="table", page=wanted.page - 1) if wanted.page > 1 else "",
        stages=STAGE_WORDS,
        fact=_fact,
        names=NAMES,
        form=Form(),
    )


@blueprint.get("/candidates.csv")
@requires(Permission.ADVOCACY)
def export() -> Response:
    """The same list as a file; that it was made stands in the log."""
    wanted = _wanted()
    with unit_of_work():
        audit.record(viewer(), "export candidates", "members", None, area="people")
    head = ["username", "name", "company", "industry", "stage", "since", "looked after by", "standing"]
    head += ["helpfulness", "agreed to", "conversations in 90 days", "limit", "rests until", "to be reviewed"]
    head += ["not to be approached", "engagements in a year", "last engagement"]
    head += ["company held until", "company health", "open escalations"]
    head += ["csat in percent", "csat people", "csat date", "nps", "nps people", "nps date"]
    return csv_file("candidates", head, _cells(queries.everybody(wanted)))


@blueprint.get("/candidates/<username>")
@requires(Permission.ADVOCACY)
def show(username: str) -> str:
    """One member: both ways, who said what, what was asked and agreed to, and what can be done."""
    return candidate_page(username)


@blueprint.post("/candidates/<username>")
@requires(Permission.ADVOCACY)
def spot(username: str) -> Answer:
    """Keep an eye on a member."""
    services.spot(viewer(), queries.member_by_name(username).id)
    flash(_("Noted: they stand under “spotted”."))
    return redirect(url_for("candidates.show", username=username), 303)


@blueprint.post("/candidates/<username>/nominations")
@requires(Permission.ADVOCACY)
def nominate(username: str) -> Answer:
    """Nominate with a note and pieces of evidence."""
    member = queries.member_by_name(username)
    form = NominateForm()
    if picking.looks_further():
        return make_response(candidate_page(username, nominate_form=form))

    def write() -> str:
        services.nominate(
            viewer(),
            member.id,
            form.note.data or "",
            post_ids=picking.sent_ids(),
            form_key=form.taken_key,
        )
        flash(_("Nominated."))
        return url_for("candidates.show", username=username)

    return attempt(form, write, lambda: candidate_page(username, nominate_form=form))


@blueprint.post("/candidates/<username>/nominations/<int:nomination_id>/reading")
@requires(Permission.ADVOCACY)
def read_nomination(username: str, nomination_id: int) -> Answer:
    """It has been dealt with and no longer waits in Today."""
    services.note_nomination(viewer(), queries.member_by_name(username).id, nomination_id)
    return redirect(url_for("candidates.show", username=username), 303)


@blueprint.post("/candidates/<username>/askings")
@requires(Permission.ADVOCACY)
def ask(username: str) -> Answer:
    """Ask in the member's words."""
    member = queries.member_by_name(username)
    form = AskForm()

    def write() -> str:
        services.ask(
            viewer(),
            member.id,
            form.words.data or "",
            [Activity(one) for one in form.activities.data or [] if one in list(Activity)],
            reason=form.reason.data or "",
            knowing=(form.knowing.data or "").split(),
            form_key=form.taken_key,
        )
        flash(_("Asked. They answer on a page of their own, and can say no without a reason."))
        return url_for("candidates.show", username=username)

    try:
        return attempt(form, write, lambda: candidate_page(username, ask_form=form))
    except Conflict as conflict:
        form.refuse(Invalid(conflict.message))
        return refused(candidate_page(username, ask_form=form), 409)


@blueprint.delete("/candidates/<username>/askings")
@requires(Permission.ADVOCACY)
def withdraw_asking(username: str) -> Answer:
    """Take the question back."""
    services.withdraw_asking(viewer(), queries.member_by_name(username).id)
    flash(_("The question is taken back."))
    return redirect(url_for("candidates.show", username=username), 303)


@blueprint.post("/candidates/<username>/stage")
@requires(Permission.ADVOCACY)
def move(username: str) -> Answer:
    """Move to another stage; where something is missing the page asks why all the same."""
    member = queries.member_by_name(username)
    form = MoveForm()
    back = request.form.get("back", "")

    def write() -> str:
        wanted = form.stage.data or ""
        if wanted not in list(Stage):
            raise Invalid(_("Choose a stage."), "stage")
        services.move(
            viewer(),
            member.id,
            Stage(wanted),
            reason=form.reason.data or "",
            until=form.until.data,
            version=number_in(form.version.data),
        )
        words = {"name": member.name, "stage": str(STAGE_WORDS[Stage(wanted)]).lower()}
        flash(_("%(name)s stands under “%(stage)s” now.", **words))
        return (
            back if back.startswith("/console/candidates") else url_for("candidates.show", username=username)
        )

    try:
        return attempt(form, write, lambda: candidate_page(username, move_form=form))
    except Conflict as conflict:
        form.refuse(Invalid(_("%(what)s Look again and send it once more.", what=conflict.message)))
        form.version.data = str(conflict.version)
        return refused(candidate_page(username, move_form=form), 409)


@blueprint.post("/candidates/<username>/review")
@requires(Permission.ADVOCACY)
def review(username: str) -> Answer:
    """Looked at as a whole; the next time is in a year, or when the score falls to half."""
    services.review(viewer(), queries.member_by_name(username).id)
    flash(_("Noted."))
    return redirect(url_for("candidates.show", username=username), 303)


@blueprint.post("/candidates/<username>/care")
@requires(Permission.ADVOCACY)
def care(username: str) -> Answer:
    """Say which moderator looks after somebody, or that nobody does."""
    member = queries.member_by_name(username)
    form = CareForm()

    def write() -> str:
        wanted = form.whose.data or ""
        whose = next((id_ for id_, name, _name in queries.carers() if name == wanted), None)
        if wanted and whose is None:
            raise Invalid(_("Choose one of the vendor’s moderators."), "whose")
        services.look_after(viewer(), member.id, whose=whose)
        flash(_("Noted."))
        return url_for("candidates.show", username=username)

    return attempt(form, write, lambda: candidate_page(username, care_form=form))


def candidate_page(username: str, *, take_back: dict[int, Form] | None = None, **forms: Form) -> str:
    """The page of one member. `take_back`: the form of an engagement that was not taken, by its id."""
    member = queries.member_by_name(username)
    if member.status not in CUSTOMERS:
        raise NotFound("no such member")
    line, story = queries.line_of(member.id), queries.story_of(member.id)
    me = viewer()
    picked = sorted({one for nomination in story.nominations for one in nomination.post_ids})
    deed_of = {deed.post_id: deed for deed in deeds(me, picked)}
    gone = [one for one in picked if one not in deed_of]
    ways = routes([member.id])[member.id]
    relations = line.relations if line else relations_of_company(member.company_id)
    against = left_alone(relations)
    shown: dict[str, Any] = {
        "nominate_form": NominateForm(formdata=None),
        "ask_form": AskForm(formdata=None, data={"words": _suggested(member)}),
        "move_form": MoveForm(formdata=None, data=_begun_move(line)),
        "record_form": RecordForm(formdata=None, prefix=RECORD, data={"done_on": today()}),
        "care_form": CareForm(formdata=None, data={"whose": line.looked_after_by_username if line else ""}),
        **forms,
    }
    shown["care_form"].offer(queries.carers() if line else [])
    now, history = clock.now(), consent_queries.history(member.id)
    shown["record_form"].offer(
        {one.activity for one in history if one.ended_at is None and one.expires_at > now}
    )
    show_all = bool(take_back) or request.args.get("all") == "1"
    most = engagements.MOST if show_all else engagements.NEWEST
    done = engagements.of_member(member.id, most)
    shown["ask_form"].activities.choices = [
        (activity.value, name) for activity, name in NAMES.items() if activity not in story.declined
    ]
    shown["ask_form"].knowing.data = " ".join(against)
    of_company = consent_queries.of_company(member.company_id)
    return render_template(
        "console/candidate.html",
        member=member,
        line=line,
        story=story,
        deed_of=deed_of,
        why_gone=why_gone(gone) if gone else {},
        added_by=queries.added_by_others(member.id, story.nominations),
        picker=picking.picker(me, member.id),
        ways=ways,
        relations=relations,
        against=against,
        helper=[_gate(gate) for gate in ways.helper],
        supporter=[_gate(gate) for gate in ways.supporter],
        stages=STAGE_WORDS,
        names=NAMES,
        needs_company=NEEDS_COMPANY,
        company=db.session.get(Company, member.company_id) if member.company_id else None,
        of_company=of_company,
        company_agreed={one.activity for one in of_company},
        history=history,
        done=done[:most],
        more_done=len(done) > most,
        shows_all=show_all,
        in_short=engagements.summaries([member.id]).get(member.id),
        take_back={
            one.id: TakeBackForm(formdata=None, prefix=TAKE_BACK.format(one.id)) for one in done[:most]
        }
        | (take_back or {}),
        today=today(),
        by_words=BY_WORDS,
        now=now,
        fact=_fact,
        **shown,
    )


def _begun_move(line: Line | None) -> dict[str, str]:
    """The form as the "move to" menu begins it: with the stage that was chosen there."""
    to = request.args.get("to", "")
    chosen = to if to in list(Stage) and to != Stage.ASKED else (line.stage.value if line else "")
    return {"version": str(line.version) if line else "", "stage": chosen}


def _gate(gate: Gate) -> tuple[bool, str, str]:
    """(met, the condition in words, how far it is)."""
    words = {
        "ranked": _("Ranked: thanked by three other companies in 365 days"),
        "days": _("Helped on %(days)s distinct days in 180", days=HELPED_DAYS),
        "note": _("A moderator’s note with %(count)s pieces of evidence", count=EVIDENCE),
        "nominated": _("Nominated by sales or service, a peer or themselves"),
        "opened": _("At least one activity opened"),
        "introduced": _("One introduction of ours that the other side found useful"),
    }
    counts = gate.name in ("ranked", "days", "note", "nominated", "opened")
    state = _("met") if gate.met else _("not yet")
    return gate.met, words[gate.name], f"{state}, {gate.have}" if counts else state


def _fact(line: Line) -> str:
    """What matters of somebody at this stage, in a few words."""
    if line.stage is Stage.NOMINATED and line.nominations:
        part, evidence = line.nominations[0]
        return _("%(by)s, %(count)s of 2 pieces of evidence", by=_(BY_WORDS[part]), count=evidence)
    if line.stage is Stage.ASKED and line.asked_at:
        when = short_date(line.asked_at)
        return _("asked %(when)s, seen", when=when) if line.seen else _("asked %(when)s", when=when)
    if line.stage in (Stage.CONSENTED, Stage.ACTIVE) and line.consents:
        first = min(line.consents, key=lambda one: one.expires_at)
        if first.expires_at <= clock.now() + consent_queries.SOON:
            return _("%(what)s ends %(when)s", what=NAMES[first.activity], when=short_date(first.expires_at))
        if line.stage is Stage.CONSENTED:
            return ", ".join(str(NAMES[one.activity]) for one in line.consents)
        return _("%(taken)s of %(limit)s this quarter", taken=line.load, limit=line.limit)
    if line.lapsed:
        return _("nothing agreed to holds any more")
    if line.has_rested and line.rests_until:
        return _("the rest is over since %(when)s", when=short_date(line.rests_until))
    if line.stage is Stage.RESTING and line.rests_until:
        return _("until %(when)s", when=short_date(line.rests_until))
    if line.stage is Stage.RETIRED:
        return line.reason
    if line.standing is None:
        return _("not scored, as they chose")
    if line.standing.companies:
        return _n(
            "%(label)s, thanked by %(num)d company",
            "%(label)s, thanked by %(num)d companies",
            line.standing.companies,
            label={"ranked": _("ranked"), "rising": _("rising")}.get(line.standing.label, _("too early")),
        )
    return _("too early to say")


def _suggested(member: Member) -> str:
    """Words to begin from; a moderator makes them the member's own."""
    return _(
        "%(name)s, would you be open to a 20-minute call with someone who is where you were two years ago?",
        name=member.name.split()[0],
    )


def _wanted() -> Wanted:
    get = request.args.get
    page, stage, industry = get("page", ""), get("stage", ""), get("industry", "")
    known = {item.code for item in lists.entries(lists.INDUSTRIES, retired=True)}
    return Wanted(
        stage=stage if stage in list(Stage) else "",
        industry=industry if industry in known else "",
        agreed=get("agreed", "") if get("agreed", "") in [*Activity, queries.NOTHING_AGREED] else "",
        whose=get("whose", "").replace("\0", "")[:40],
        words=" ".join(get("q", "").replace("\0", "").split())[:120],
        sort=get("sort", "") if get("sort", "") in queries.SORTS else "",
        page=min(number_in(page, longest=3) or 1, queries.MOST_PAGES),
    )


def _address(wanted: Wanted, *, endpoint: str = "candidates.index", view: str = "", **changes: Any) -> str:
    values = asdict(replace(wanted, **{"page": 1, **changes}))
    values["q"] = values.pop("words")
    if values["page"] == 1:
        values.pop("page")
    kept: dict[str, Any] = {name: value for name, value in {**values, "view": view}.items() if value}
    return url_for(endpoint, **kept)


def _choices(wanted: Wanted, as_table: bool) -> dict[str, list[tuple[str, str, bool]]]:
    view = "table" if as_table else ""
    industries = [(item.code, item.label) for item in lists.entries(lists.INDUSTRIES)]
    return {
        "stage": [
            (_("in every stage"), _address(wanted, stage="", view=view), not wanted.stage),
            *(
                (str(word).lower(), _address(wanted, stage=stage.value, view="table"), wanted.stage == stage)
                for stage, word in STAGE_WORDS.items()
            ),
        ],
        "industry": [
            (_("any industry"), _address(wanted, industry="", view=view), not wanted.industry),
            *(
                (label, _address(wanted, industry=code, view=view), wanted.industry == code)
                for code, label in industries
            ),
        ],
        "agreed": [
            (_("agreed to anything or nothing"), _address(wanted, agreed="", view=view), not wanted.agreed),
            *(
                (
                    _("agreed to %(what)s", what=str(name).lower()),
                    _address(wanted, agreed=one.value, view=view),
                    wanted.agreed == one,
                )
                for one, name in NAMES.items()
            ),
            (
                _("agreed to nothing"),
                _address(wanted, agreed=queries.NOTHING_AGREED, view=view),
                wanted.agreed == queries.NOTHING_AGREED,
            ),
        ],
        "sort": [
            (label, _address(wanted, sort=sort, view="table"), wanted.sort == sort)
            for sort, label in (
                ("", _("latest move first")),
                ("longest", _("longest there first")),
                ("helpful", _("most helpful first")),
                ("reviewed", _("longest not looked at first")),
                ("name", _("by name")),
            )
        ],
        "whose": [
            (_("anyone"), _address(wanted, whose="", view=view), not wanted.whose),
            (
                _("nobody"),
                _address(wanted, whose=queries.NOBODY, view=view),
                wanted.whose == queries.NOBODY,
            ),
            *(
                (name, _address(wanted, whose=username, view=view), wanted.whose == username)
                for username, name in queries.looked_after()
            ),
        ],
    }


def _cells(lines: list[Line]) -> Iterator[list[Any]]:
    done = engagements.summaries([one.member_id for one in lines])
    for one in lines:
        of_member = done.get(one.member_id)
        yield [
            one.username,
            one.name,
            one.company,
            lists.label(lists.INDUSTRIES, one.industry),
            one.stage.value,
            one.stage_at,
            one.looked_after_by,
            one.standing.label if one.standing else "",
            round(one.standing.helpfulness, 2) if one.standing else None,
            ", ".join(consent.activity.value for consent in one.consents),
            one.load,
            one.limit,
            one.rests_until,
            one.review,
            "yes" if one.not_approached else "",
            of_member.in_a_year if of_member else 0,
            of_member.last if of_member else None,
            *_known(one.relations),
        ]


def _known(of: Relations) -> Iterator[Any]:
    """What is known of the company, as cells."""
    yield of.last_day_held
    yield of.health.health.value if of.health else ""
    yield len(of.escalations)
    for survey in (of.csat, of.nps):
        yield from (survey.value, survey.sample, survey.surveyed_on) if survey else (None, None, None)
