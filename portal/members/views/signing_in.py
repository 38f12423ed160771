"""Signing in with a password or by a link, signing out, and a new password by mail."""

from flask import current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel import clock, limits
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import DomainError, Invalid, NotFound, TooMany
from portal.kernel.kept import Kept, kept_form
from portal.kernel.places import local_path
from portal.members import browser
from portal.members.forms import LoginForm, NewPasswordForm, ResetRequestForm, SignInLinkForm, UseLinkForm
from portal.members.models import LinkPurpose
from portal.members.services import credentials, kept_forms, sessions, signing_in
from portal.members.views.blueprint import blueprint

# Wrong passwords. An account's limit counts strangers together; a browser that has signed in to it before,
# and one that has just set a new password by mail, have a limit of their own: so its owner always gets in.
PER_ACCOUNT = "20 per 15 minutes"
PER_KNOWN_BROWSER = "10 per 15 minutes"
PER_ADDRESS = "60 per 15 minutes"
RESETS_PER_ADDRESS = "20 per hour"


@blueprint.get("/login")
@requires(Permission.VISIT)
def login() -> str | Response:
    """The sign-in page."""
    place = local_path(request.args.get("next"))
    if viewer().is_member:
        return redirect(place, 303)
    form = LoginForm(formdata=None, next=place)
    return render_template("members/login.html", form=form)


@blueprint.post("/login")
@requires(Permission.VISIT)
def sign_in() -> str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Check address and password; every refusal reads the same."""
    form = LoginForm()
    if not form.validate():
        return render_template("members/login.html", form=form), 422
    email = signing_in.normal(form.email.data or "")
    try:
        _refuse_demo_in_production(email)
        member_id = _check(email, form.password.data or "")
    except TooMany as error:
        form.refuse(error)
        page = render_template("members/login.html", form=form)
        return page, 429, {"Retry-After": str(error.retry_after)}
    except DomainError as error:
        form.refuse(error)
        return render_template("members/login.html", form=form, wrong=True), 422
    browser.start(member_id, remembered=bool(form.remember.data))
    place = _with_kept(member_id, form.kept.data or "", local_path(form.next.data))
    response = make_response(redirect(place, 303))
    browser.remember_known(response, email)
    return response


@blueprint.get("/login/link")
@requires(Permission.VISIT)
def sign_in_link() -> str | Response:
    """Ask for a link by mail that signs in."""
    place = local_path(request.args.get("next"))
    if viewer().is_member:
        return redirect(place, 303)
    return render_template("members/link.html", form=SignInLinkForm(formdata=None, next=place))


@blueprint.post("/login/link")
@requires(Permission.VISIT)
def ask_for_sign_in_link() -> Response | tuple[str, int]:
    """Send the link, if the address has an account; the answer is the same."""
    form = SignInLinkForm()
    if not form.validate():
        return render_template("members/link.html", form=form), 422
    limits.take(RESETS_PER_ADDRESS, browser.client_address(), name="reset")
    credentials.ask_for_sign_in_link(
        form.email.data or "",
        place=local_path(form.next.data),
        kept=form.kept.data or "",
        browser=session.setdefault("asked_for_link", clock.token(18)),
    )
    session["link_to"] = {"email": form.email.data, "next": local_path(form.next.data)}
    return redirect(url_for("members.sign_in_link_sent"), 303)


@blueprint.get("/login/link/sent")
@requires(Permission.VISIT)
def sign_in_link_sent() -> str | Response:
    """Says that a link may be on its way. Sends nothing, however often it is loaded."""
    asked = session.get("link_to", {})
    return _link_sent(
        asked.get("email"),
        url_for("members.sign_in_link", next=asked.get("next")),
        _("It works once, for 20 minutes, on any device."),
    )


@blueprint.get("/login/link/<token>")
@requires(Permission.VISIT)
def sign_in_by_link(token: str) -> str | tuple[str, int]:
    """The page behind the link; looking at it uses nothing up."""
    try:
        link = credentials.find_link(token, LinkPurpose.SIGN_IN)
    except NotFound:
        return render_template("members/link_gone.html", what="sign_in"), 404
    return render_template("members/use_link.html", form=UseLinkForm(formdata=None), email=link.email)


@blueprint.post("/login/link/<token>")
@requires(Permission.VISIT)
def use_sign_in_link(token: str) -> Response | tuple[str, int]:
    """Sign in by the link."""
    form = UseLinkForm()
    form.validate()
    try:
        email = credentials.find_link(token, LinkPurpose.SIGN_IN).email
        _refuse_demo_in_production(email)
        member_id, place, kept = credentials.use_sign_in_link(
            token, browser=session.get("asked_for_link", "")
        )
    except (NotFound, Invalid):
        return render_template("members/link_gone.html", what="sign_in"), 404
    browser.start(member_id, remembered=bool(form.remember.data))
    response = make_response(redirect(_with_kept(member_id, kept, local_path(place)), 303))
    browser.remember_known(response, email)
    return response


@blueprint.get("/send-again/<token>")
@requires(Permission.ACCOUNT)
def send_again(token: str) -> str:
    """What was being sent when the session had ended, ready to be sent; nothing is sent by itself."""
    kept = kept_forms.find(viewer().member_id or 0, token)
    form = kept_form(kept.action, [(name, value) for name, value in kept.fields])
    return render_template("members/send_again.html", again=form)


@blueprint.post("/logout")
@requires(Permission.ACCOUNT)
def logout() -> Response:
    """End this session, in the database too."""
    sessions.end_session(viewer().member_id or 0, viewer().session_id or 0)
    browser.end()
    response = make_response(redirect("/", 303))
    response.delete_cookie(current_app.config["SESSION_COOKIE_NAME"])
    return response


@blueprint.get("/password")
@requires(Permission.VISIT)
def password() -> str:
    """Ask for a new password."""
    return render_template("members/password.html", form=ResetRequestForm(formdata=None))


@blueprint.post("/password")
@requires(Permission.VISIT)
def ask_for_password() -> Response | tuple[str, int]:
    """Send a link, if the address has an account; the answer is the same."""
    form = ResetRequestForm()
    if not form.validate():
        return render_template("members/password.html", form=form), 422
    limits.take(RESETS_PER_ADDRESS, browser.client_address(), name="reset")
    credentials.ask_for_new_password(form.email.data or "")
    session["password_to"] = form.email.data
    return redirect(url_for("members.password_sent"), 303)


@blueprint.get("/password/sent")
@requires(Permission.VISIT)
def password_sent() -> str | Response:
    """Says that a link may be on its way. Sends nothing, however often it is loaded."""
    return _link_sent(
        session.get("password_to"), url_for("members.password"), _("It works once, for two hours.")
    )


@blueprint.get("/password/<token>")
@requires(Permission.VISIT)
def new_password(token: str) -> str | tuple[str, int]:
    """The page behind the link; looking at it uses nothing up."""
    try:
        link = credentials.find_link(token, LinkPurpose.PASSWORD, LinkPurpose.CLAIM)
    except NotFound:
        return render_template("members/link_gone.html", what="password"), 404
    return render_template("members/new_password.html", form=NewPasswordForm(formdata=None), email=link.email)


@blueprint.post("/password/<token>")
@requires(Permission.VISIT)
def set_password(token: str) -> str | Response | tuple[str, int]:
    """Set the password by the link."""
    form = NewPasswordForm()
    try:
        email = credentials.find_link(token, LinkPurpose.PASSWORD, LinkPurpose.CLAIM).email
    except NotFound:
        return render_template("members/link_gone.html", what="password"), 404
    if form.validate():
        try:
            credentials.set_password_by_link(token, form.password.data or "")
        except NotFound:
            return render_template("members/link_gone.html", what="password"), 404
        except Invalid as error:
            form.refuse(error)
        else:
            session.clear()
            flash(_("The new password is in force. Sign in with it."))
            response = make_response(redirect(url_for("members.login"), 303))
            browser.remember_known(response, email)
            return response
    return render_template("members/new_password.html", form=form, email=email), 422


def sign_in_form(place: str, again: Kept | None) -> LoginForm:
    """The form for the page of somebody whose session had ended: it carries what they were sending."""
    return LoginForm(formdata=None, next=place, kept=again.packed if again and again.has_text else "")


def _link_sent(email: str | None, form_url: str, lasts: str) -> str | Response:
    """The page after asking for a link; whoever asked for none from here is led to the form."""
    if email is None:
        return redirect(form_url, 303)
    return render_template("members/link_sent.html", email=email, lasts=lasts, again_url=form_url)


def _with_kept(member_id: int, kept: str, place: str) -> str:
    """Where somebody goes once signed in: to what they were sending, where there is something."""
    token = kept_forms.keep(member_id, kept) if kept else None
    return url_for("members.send_again", token=token) if token else place


def _check(email: str, password: str) -> int:
    address = browser.client_address()
    mark = browser.known_mark(email)
    rule, keys = (PER_KNOWN_BROWSER, (email, mark)) if mark else (PER_ACCOUNT, (email,))
    if wait := limits.is_spent(PER_ADDRESS, address, name="wrong passwords from"):
        raise TooMany(_too_many(wait), retry_after=wait)
    try:
        limits.take(rule, *keys, name="sign in")
    except TooMany as error:
        error.message = _too_many(error.retry_after)
        raise
    try:
        member_id = signing_in.member_by_password(email, password)
    except Invalid:
        _count(address)
        raise
    limits.forget(rule, *keys, name="sign in")
    return member_id


def _count(address: str) -> None:
    try:
        limits.take(PER_ADDRESS, address, name="wrong passwords from")
    except TooMany:
        return  # the next try is told


def _too_many(wait: int) -> str:
    return _(
        "Too many tries. Wait %(minutes)s minutes, or set a new password by mail: then it works at once.",
        minutes=max(1, round(wait / 60)),
    )


def _refuse_demo_in_production(email: str) -> None:
    if current_app.config["SETTINGS"].is_production and email.endswith("@demo.example"):
        raise signing_in.wrong_credentials()
