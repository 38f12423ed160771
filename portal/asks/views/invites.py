"""Invites: sending them, and what the person invited reads before anything happens."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.asks.forms import AcceptForm, ColleagueForm, GuestForm
from portal.asks.models import Invite, InviteKind
from portal.asks.policy import INVITE_LASTS
from portal.asks.queries import lists
from portal.asks.queries.invites import sender_of
from portal.asks.services import inviting, requests
from portal.kernel import limits
from portal.kernel.access import Permission, Status, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import DomainError, NotFound
from portal.members import browser

blueprint = Blueprint("invites", __name__)

LOOKS_PER_ADDRESS = "60 per 15 minutes"


@blueprint.get("/invites")
@requires(Permission.INVITE)
def index() -> str:
    """One's invites, and what became of them as far as the guests let it be told."""
    return _page(GuestForm(formdata=None), ColleagueForm(formdata=None))


@blueprint.post("/invites")
@requires(Permission.INVITE)
def create() -> Response:
    """A link to hand to somebody; it is shown once."""
    form = GuestForm()
    link = ""

    def write() -> str:
        nonlocal link
        _invite, token = inviting.invite_guest(viewer(), form.reference.data or "")
        link = current_app.config["SETTINGS"].PUBLIC_URL + url_for("invites.show", token=token)
        flash(_("The link is made. It is shown here once: %(link)s", link=link))
        return url_for("invites.index")

    return attempt(form, write, lambda: _page(form, ColleagueForm(formdata=None)))


@blueprint.post("/invites/colleague")
@requires(Permission.CONVERSE)
def create_for_colleague() -> Response:
    """A mail to a colleague of one's own company."""
    form = ColleagueForm()

    def write() -> str:
        inviting.send_to_colleague(viewer(), form.email.data or "", form_key=form.taken_key)
        flash(_("Your colleague gets a mail with a link."))
        return url_for("invites.index")

    return attempt(form, write, lambda: _page(GuestForm(formdata=None), form))


@blueprint.delete("/invites/<int:invite_id>")
@requires(Permission.INVITE)
def withdraw(invite_id: int) -> Response:
    """The link works no longer."""
    inviting.withdraw(viewer(), invite_id)
    flash(_("The link works no longer."))
    return redirect(url_for("invites.index"), 303)


@blueprint.delete("/invites/<int:invite_id>/report")
@requires(Permission.ACCOUNT)
def report_nothing(invite_id: int) -> Response:
    """A guest has nothing more reported."""
    inviting.report_nothing_more(viewer(), invite_id)
    flash(_("Nothing is reported any more. To the sender it reads as if you had not joined."))
    return redirect(url_for("ask_page.index"), 303)


@blueprint.get("/invite/<token>")
@requires(Permission.VISIT)
def show(token: str) -> str | tuple[str, int]:
    """What the link is, who sent it, and exactly what the sender is told. Looking uses nothing up."""
    try:
        return _invited(_found(token), token, AcceptForm(formdata=None, data={"report": _wanted()}))
    except NotFound:
        return render_template("asks/invite_gone.html", robots="noindex"), 404


@blueprint.post("/invite/<token>")
@requires(Permission.VISIT)
def accept(token: str) -> Response | tuple[str, int]:
    """Use it: a visitor joins first, a member's choice is kept."""
    try:
        invite = _found(token)
        form = AcceptForm()
        report = form.report.data == "all"
        if not viewer().is_member:
            place = url_for("invites.show", token=token) + ("?report=all" if report else "")
            return redirect(url_for("members.join", next=place), 303)
        return redirect(_use(invite, token, report=report), 303)
    except NotFound:
        return render_template("asks/invite_gone.html", robots="noindex"), 404


def _use(invite: Invite, token: str, *, report: bool) -> str:
    if invite.kind is InviteKind.COLLEAGUE:
        request_id = requests.take_over(viewer(), token)
        return url_for("requests.show", request_id=request_id) if request_id else "/"
    try:
        inviting.accept_as_guest(viewer(), token, report=report)
    except NotFound:
        raise
    except DomainError as error:
        flash(error.message, "error")
        return "/"
    if report:
        flash(_("The four things are reported. You can stop that at any time under “Your asks”."))
    else:
        flash(_("Nothing is reported. Welcome."))
    return url_for("asks.new") if viewer().status is Status.PROSPECT else "/"


def _found(token: str) -> Invite:
    limits.take(LOOKS_PER_ADDRESS, browser.client_address(), name="invites")
    invite = inviting.find_open(token)
    if invite.kind is InviteKind.COLLEAGUE and viewer().is_member and not inviting.is_for(viewer(), invite):
        raise NotFound(_("This link was used or is too old."))
    return invite


def _wanted() -> str:
    return "all" if request.args.get("report") == "all" else "nothing"


def _invited(invite: Invite, token: str, form: AcceptForm) -> str:
    return render_template(
        "asks/invite.html",
        invite=invite,
        token=token,
        sender=sender_of(invite),
        own=invite.from_id == viewer().member_id,
        form=form,
        place=url_for("invites.show", token=token),
        robots="noindex",
    )


def _page(guest: GuestForm, colleague: ColleagueForm) -> str:
    return render_template(
        "asks/invites.html",
        invites=lists.invites_of(viewer()),
        guest=guest,
        colleague=colleague,
        days=INVITE_LASTS.days,
        robots="noindex",
    )
