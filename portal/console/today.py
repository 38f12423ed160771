"""Today: what waits, whom to thank, who rises, one gap, and what went well. The console's first page."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from portal.advocacy.queries.yesterday import Helped
from portal.console import desk, first_steps, gladly
from portal.console import desk_sources as sources
from portal.console.desk import KINDS, OLDER, Words
from portal.console.mornings import MORNING
from portal.console.people_forms import ThanksForm
from portal.conversations.policy import LONGEST_THANKS
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import refused
from portal.kernel.errors import Invalid
from portal.kernel.files import csv_file
from portal.kernel.forms import Form
from portal.kernel.numbers import number, number_in
from portal.moderation.queries import log
from portal.notifications.queries import wants_mail
from portal.notifications.services import preferences

blueprint = Blueprint("today", __name__, url_prefix="/console")


@blueprint.get("/")
@requires(Permission.MODERATE, otherwise="relations.index")  # where sales and service begin
def index() -> str:
    """Everything that waits on one page."""
    return _page()


def _page(thanks: ThanksForm | None = None) -> str:
    me, words = viewer(), _words()
    page = min(number_in(request.args.get("page", "1")) or 1, desk.MOST_PAGES)
    found = desk.waiting(me, words, page)
    whole = me.may(Permission.ADVOCACY)
    return render_template(
        "console/today.html",
        found=found,
        older_url=_address(words, what=OLDER) if words.what in ("", desk.QUESTIONS) else "",
        older_days=sources.UNANSWERED_TO.days,
        shown=number(found.fits)
        if words.what == OLDER
        else _("%(shown)s of %(total)s", shown=number(found.fits), total=number(found.total)),
        what_now=_kinds().get(words.what, ""),
        choices=_choices(words, found.counts),
        export_url=_address(words, "today.export"),
        next_url=_address(words, page=str(found.page + 1)) if found.more else "",
        previous_url=_address(words, page=str(found.page - 1) if found.page > 2 else "")
        if found.page > 1
        else "",
        glad=gladly.of_yesterday(me) if whole else None,
        by_mail=wants_mail(me.member_id or 0, MORNING),
        helped_words=gladly.helped_words,
        thanks=thanks,
        longest_thanks=LONGEST_THANKS,
        thanks_form=_thanks_form,
        steps=first_steps.steps_for(me),
        form=Form(),
    )


@blueprint.get("/today.csv")
@requires(Permission.MODERATE)
def export() -> Response:
    """The same rows as a file, those of all pages."""
    rows = desk.everything(viewer(), _words())
    head = ["why", "what", "where", "since", "urgent at", "address", "taken by"]
    cells = [[row.why, row.title, row.where, row.since, row.urgent_at, row.url, row.taken_by] for row in rows]
    return csv_file("today", head, cells)


@blueprint.post("/thanks")
@requires(Permission.ADVOCACY)
def thank() -> Answer:
    """Thank somebody who helped yesterday, in the words of the form or the fixed ones; once a day."""
    username = request.form.get("member", "")[:40]
    form = ThanksForm().of(username)
    try:
        name = gladly.thank(viewer(), username, form.words.data)
        flash(_("%(name)s is thanked, in your name.", name=name))
    except Invalid as error:
        if error.field:
            form.refuse(error)
            return refused(_page(form), 422)
        flash(error.message, "error")
    return redirect(url_for("today.index"), 303)


@blueprint.post("/morning")
@requires(Permission.MODERATE)
def morning() -> Answer:
    """The mail of the morning, on or off."""
    on = request.form.get("on") == "yes"
    preferences.choose(viewer().member_id or 0, MORNING, in_app=False, by_mail=on)
    flash(_("You get it at 08:00.") if on else _("No more mails of the morning."))
    return redirect(url_for("today.index"), 303)


def _thanks_form(one: Helped) -> ThanksForm:
    """To thank them in other words than the fixed ones, from which it begins."""
    return ThanksForm(formdata=None, data={"words": gladly.fixed_words(one)}).of(one.username)


def _words() -> Words:
    get = request.args.get
    return Words(
        what=get("what", "") if get("what", "") in (*KINDS, OLDER) else "",
        whose="anyone" if get("whose") == "anyone" else "",
        board=get("board", "")[:60],
        sort="oldest" if get("sort") == "oldest" else "",
    )


def _address(words: Words, endpoint: str = "today.index", **changes: str) -> str:
    kept: dict[str, Any] = {name: value for name, value in {**asdict(words), **changes}.items() if value}
    return url_for(endpoint, **kept)


def _kinds() -> dict[str, str]:
    """By kind, and for all of them, how it reads."""
    kinds = {"": _("everything waiting"), desk.CASES: _("flags, held posts and appeals")}
    if viewer().may(Permission.ADVOCACY):
        kinds |= {
            desk.ASKS: _("asks"),
            desk.PEOPLE: _("people: nominations, consents, claims"),
            desk.QUESTIONS: _("unanswered questions"),
            OLDER: _("older questions without an answer"),
        }
    return kinds


def _choices(words: Words, counts: dict[str, int]) -> dict[str, list[tuple[str, str, bool]]]:
    def options(name: str, labels: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
        now = getattr(words, name)
        return [(label, _address(words, **{name: value}), value == now) for value, label in labels]

    counted = {"": sum(counts[kind] for kind in KINDS), **counts}
    return {
        "what": options(
            "what", [(kind, f"{label} ({number(counted[kind])})") for kind, label in _kinds().items()]
        ),
        "whose": options("whose", [("", _("me or nobody")), ("anyone", _("anyone"))]),
        "board": options("board", [("", _("any board")), *log.boards_of_log(viewer())]),
        "sort": options("sort", [("", _("most urgent first")), ("oldest", _("oldest first"))]),
    }
