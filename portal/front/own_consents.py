"""What a member agreed to, and what they are asked: answered, given, taken back."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext as _n
from werkzeug.wrappers import Response
from wtforms import SelectField, TextAreaField
from wtforms.validators import Length

from portal.advocacy import picking
from portal.advocacy.queries import candidates as queries
from portal.advocacy.services import candidates
from portal.consents import queries as consents
from portal.consents import services
from portal.consents.models import Activity
from portal.consents.texts import NAMES, NEEDS_COMPANY, words_of
from portal.discussions.queries.deeds import Deed, deeds
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Permission, Viewer, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.members.models import Member
from portal.members.queries.directory import find_visible_member

blueprint = Blueprint("own_consents", __name__)


def _months(text: str | int | None) -> int:
    return number_in(text, longest=5) or 0


class GiveForm(Form):
    """For how long."""

    months = SelectField(
        _l("For how long"),
        coerce=_months,
        choices=[(12, _l("12 months")), (6, _l("6 months")), (3, _l("3 months"))],
        default=12,
        validate_choice=False,
    )


class SuggestForm(Form):
    """Why somebody should be asked, in a member's words."""

    note = TextAreaField(_l("Why"), validators=[Length(max=2000)])


@blueprint.get("/me/consents")
@requires(Permission.ACCOUNT)
def index() -> str:
    """What is asked, what is agreed to, and everything that was."""
    return _page()


@blueprint.post("/me/consents")
@requires(Permission.ACCOUNT)
def give() -> Response:
    """Agree to one activity, without having been asked."""
    form = GiveForm()

    def write() -> str:
        services.give(viewer(), [_activity(request.form.get("activity", ""))], months=form.months.data)
        flash(_("Noted. You can take it back here at any time, with one click."))
        return "/me/consents"

    return attempt(form, write, lambda: _page(give_form=form))


@blueprint.delete("/me/consents/<activity>")
@requires(Permission.ACCOUNT)
def withdraw(activity: str) -> Response:
    """Take it back, in force at once."""
    services.withdraw(viewer(), _activity(activity))
    flash(_("Taken back, everywhere and at once."))
    return redirect("/me/consents", 303)


@blueprint.post("/me/askings/<int:asking_id>")
@requires(Permission.ACCOUNT)
def answer(asking_id: int) -> Response:
    """Yes to some, no to the others."""
    form = GiveForm()

    def write() -> str:
        agreed = [] if request.form.get("no") else request.form.getlist("activity")
        yes = [Activity(one) for one in agreed if one in list(Activity)]
        count = candidates.answer(viewer(), asking_id, yes, months=form.months.data)
        flash(
            _n("Thank you: noted for one thing.", "Thank you: noted for %(num)d things.", count)
            if count
            else _("Noted. You are not asked again for six months, and nobody asks why.")
        )
        return "/me/consents"

    return attempt(form, write, lambda: _page(give_form=form))


@blueprint.get("/me/suggestion")
@requires(Permission.CONVERSE)
def own_suggestion() -> str:
    """Say that one would be open to more, and show why by what one wrote."""
    return _own_suggestion_page(SuggestForm(formdata=None))


@blueprint.post("/me/suggestion")
@requires(Permission.CONVERSE)
def suggest_oneself() -> Response:
    """Say that one would be open to more."""
    me, form = _suggests_oneself(), SuggestForm()
    if picking.looks_further():
        return make_response(_own_suggestion_page(form))

    def write() -> str:
        candidates.nominate(
            me,
            me.member_id or 0,
            form.note.data or "",
            post_ids=picking.sent_ids(),
            form_key=form.taken_key,
            place="/me/consents",
        )
        flash(_("Thank you. A moderator reads it."))
        return "/me/consents"

    return attempt(form, write, lambda: _own_suggestion_page(form))


@blueprint.get("/members/<username>/suggestion")
@requires(Permission.INVITE)
def suggestion(username: str) -> str:
    """Suggest to the moderators that somebody be heard more."""
    return _suggestion_page(username, SuggestForm(formdata=None))


@blueprint.post("/members/<username>/suggestion")
@requires(Permission.INVITE)
def suggest(username: str) -> Response:
    """Send it."""
    member = queries.member_by_name(username)
    form = SuggestForm()
    if picking.looks_further():
        return make_response(_suggestion_page(username, form))

    def write() -> str:
        back = _way_back(member)
        candidates.nominate(
            viewer(),
            member.id,
            form.note.data or "",
            post_ids=picking.sent_ids(),
            form_key=form.taken_key,
            place=back,
        )
        flash(_("Thank you. A moderator reads it; nothing is shown to anybody else."))
        return back

    return attempt(form, write, lambda: _suggestion_page(username, form))


@blueprint.get("/posts/<int:post_id>/suggestion")
@requires(Permission.INVITE)
def suggestion_by_post(post_id: int) -> Response:
    """From a post to the form about its author, with the post picked."""
    found = deeds(viewer(), [post_id])
    if (
        not found
        or found[0].author_id == viewer().member_id
        or not queries.may_be_nominated(found[0].author_id)
    ):
        raise NotFound("nobody to suggest")
    author = db.session.get_one(Member, found[0].author_id)
    if author.company_id is not None and author.company_id == viewer().company_id:
        raise NotFound("nobody to suggest")  # no word in the thread leads a colleague here either
    return redirect(url_for("own_consents.suggestion", username=author.username, post=post_id))


def _met(member: Member) -> Deed | None:
    """The post in the address, by which this member is suggested; None where it is not theirs, or gone."""
    found = deeds(viewer(), [number]) if (number := number_in(request.args.get("post", ""))) else []
    return found[0] if found and found[0].author_id == member.id else None


def _way_back(member: Member) -> str:
    met = _met(member)
    return met.url if met else f"/members/{member.username}"


def _suggests_oneself() -> Viewer:
    """Customers and former customers; for everybody else there is no such page."""
    me = viewer()
    if me.status not in CUSTOMERS:
        raise NotFound("nobody to suggest")
    return me


def _own_suggestion_page(form: SuggestForm) -> str:
    me = _suggests_oneself()
    return render_template(
        "front/suggest_oneself.html",
        form=form,
        picker=picking.picker(me, me.member_id or 0),
        robots="noindex",
    )


def _suggestion_page(username: str, form: SuggestForm) -> str:
    member = queries.member_by_name(username)
    me = viewer()
    if member.status not in CUSTOMERS or member.id == me.member_id:
        raise NotFound("nobody to suggest")
    candidates.part_of(me, member.id)  # refuses those who may not
    met = _met(member)
    begun = [met.post_id] if met and request.method == "GET" else []
    return render_template(
        "front/suggestion.html",
        member=member,
        form=form,
        picker=picking.picker(
            me, member.id, begun, lists=find_visible_member(me, username).shows_contributions
        ),
        action=url_for("own_consents.suggest", username=username, post=met.post_id if met else None),
        back=met.url if met else f"/members/{member.username}",
        robots="noindex",
    )


def _activity(text: str) -> Activity:
    if text not in list(Activity):
        raise NotFound("no such activity")
    return Activity(text)


def _page(give_form: GiveForm | None = None) -> str:
    me = viewer()
    is_customer = me.status in CUSTOMERS
    history = consents.history(me.member_id or 0)
    now = clock.now()
    holds = {one.activity: one for one in history if one.ended_at is None and one.expires_at > now}
    vendor = services.vendor_name()
    return render_template(
        "front/own_consents.html",
        asking=candidates.see(me) if is_customer else None,
        is_customer=is_customer,
        holds=holds,
        over=[one for one in history if one not in holds.values()],
        names=NAMES,
        words={activity: words_of(activity, vendor) for activity in Activity},
        needs_company=NEEDS_COMPANY,
        vendor=vendor,
        give_form=give_form or GiveForm(formdata=None),
        robots="noindex",
    )
