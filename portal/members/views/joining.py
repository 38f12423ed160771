"""Joining: the form, the mail, the link."""

from urllib.parse import urlencode

from flask import current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel import clock, limits
from portal.kernel.access import CUSTOMERS, Permission, requires, viewer
from portal.kernel.errors import Conflict, DomainError, Invalid, NotFound
from portal.kernel.places import local_path
from portal.members import browser
from portal.members.forms import CompanyClaimForm, ConfirmJoinForm, JoinForm
from portal.members.services import joining, profiles
from portal.members.views.blueprint import blueprint

JOINS_PER_ADDRESS = "30 per hour"
CONFIRMS_PER_ADDRESS = "30 per 15 minutes"
FIRST_MINUTE = "/welcome/first-minute"  # of a customer; the page belongs to matching, above


@blueprint.get("/join")
@requires(Permission.VISIT)
def join() -> str | Response:
    """The form."""
    place = local_path(request.args.get("next"))
    if viewer().is_member:
        return redirect(place, 303)
    return render_template("members/join.html", form=JoinForm(formdata=None, next=place))


@blueprint.post("/join")
@requires(Permission.VISIT)
def ask_to_join() -> Response | tuple[str, int]:
    """Send the link; the answer is the same whether the address has an account or not."""
    form = JoinForm()
    if form.validate():
        limits.take(JOINS_PER_ADDRESS, browser.client_address(), name="join")
        secret = session.setdefault("joining", clock.token(18))
        try:
            if _is_demo_in_production(form.email.data or ""):
                raise Invalid(_("This address cannot be used here."), "email")
            session["joining_to"] = joining.ask_to_join(
                email=form.email.data or "",
                name=form.name.data or "",
                password=form.password.data or "",
                place=local_path(form.next.data),
                browser=secret,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect(url_for("members.join_sent"), 303)
    return render_template("members/join.html", form=form), 422


@blueprint.get("/join/sent")
@requires(Permission.VISIT)
def join_sent() -> str | Response:
    """Says that a mail is on its way, and sends it again."""
    if viewer().is_member or not session.get("joining_to"):
        return redirect(url_for("members.join"), 303)
    return render_template("members/join_sent.html", email=session["joining_to"], form=ConfirmJoinForm())


@blueprint.post("/join/sent")
@requires(Permission.VISIT)
def send_join_again() -> Response:
    """A new link to the address given before."""
    limits.take(JOINS_PER_ADDRESS, browser.client_address(), name="join")
    joining.send_again(session.get("joining", ""))
    flash(_("It is on its way again. Look in the folder for unwanted mail too."))
    return redirect(url_for("members.join_sent"), 303)


@blueprint.get("/join/confirm/<token>")
@requires(Permission.VISIT)
def confirm_page(token: str) -> str | tuple[str, int]:
    """The page behind the link; looking at it uses nothing up."""
    try:
        asked = joining.find_request(token)
    except NotFound:
        return render_template("members/link_gone.html", what="join"), 404
    return render_template(
        "members/confirm.html",
        form=ConfirmJoinForm(formdata=None),
        asked=asked,
        here=joining.is_from(asked, session.get("joining", "")),
    )


@blueprint.post("/join/confirm/<token>")
@requires(Permission.VISIT)
def confirm(token: str) -> str | Response | tuple[str, int]:
    """Become a member; signed in from here on."""
    form = ConfirmJoinForm()
    limits.take(CONFIRMS_PER_ADDRESS, browser.client_address(), name="confirm")
    try:
        asked = joining.find_request(token)
        here = joining.is_from(asked, session.get("joining", ""))
        joined = joining.confirm(token, browser=session.get("joining", ""), password=form.password.data or "")
    except NotFound:
        return render_template("members/link_gone.html", what="join"), 404
    except Conflict as error:
        flash(error.message, "error")
        return redirect(url_for("members.login"), 303)
    except Invalid as error:
        form.refuse(error)
        return render_template("members/confirm.html", form=form, asked=asked, here=here), 422
    browser.start(joined.member_id, remembered=False)
    place = local_path(joined.place)
    if joined.is_customer:
        place = f"{FIRST_MINUTE}?{urlencode({'next': place})}"
    elif not joined.has_company:
        place = url_for("members.welcome", next=place)
    flash(_("Your address is confirmed. Welcome."))
    response = make_response(redirect(place, 303))
    browser.remember_known(response, asked.email)
    return response


@blueprint.get("/welcome")
@requires(Permission.ACCOUNT)
def welcome() -> str | Response:
    """Asks for the company where the address did not tell it; a customer goes on to the first minute."""
    place = local_path(request.args.get("next"))
    if viewer().status in CUSTOMERS:
        return redirect(f"{FIRST_MINUTE}?{urlencode({'next': place})}", 303)
    if viewer().company_id is not None:
        return redirect(place, 303)
    return render_template("members/welcome.html", form=CompanyClaimForm(formdata=None), place=place)


@blueprint.post("/welcome")
@requires(Permission.ACCOUNT)
def claim_company() -> Response | tuple[str, int]:
    """Keep the company's name as the person gave it, until a moderator confirms it."""
    form = CompanyClaimForm()
    place = local_path(request.args.get("next"))
    if form.validate():
        profiles.claim_company(
            viewer().member_id or 0, company=form.company.data or "", title=form.title.data or ""
        )
        return redirect(place, 303)
    return render_template("members/welcome.html", form=form, place=place), 422


def _is_demo_in_production(email: str) -> bool:
    domain = email.rsplit("@", 1)[-1].strip().lower()
    return current_app.config["SETTINGS"].is_production and domain == "demo.example"
