"""One's own settings: profile, picture, who sees what, address and password, sessions."""

from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from flask import current_app, flash, make_response, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import NotFound as HttpNotFound
from werkzeug.wrappers import Response

from portal.kernel import limits
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import Conflict, DomainError, Invalid, NotFound
from portal.kernel.forms import Form, differences
from portal.kernel.numbers import number_in
from portal.kernel.pictures import MAX_BYTES, reencode
from portal.members import browser, lists, queries
from portal.members.forms import (
    ChangeEmailForm,
    ChangePasswordForm,
    ConfirmJoinForm,
    PictureForm,
    ProfileForm,
    profile_form,
)
from portal.members.models import LinkPurpose, RoleLevel
from portal.members.services import credentials, profiles, sessions
from portal.members.services.profiles import Profile
from portal.members.views.blueprint import blueprint
from portal.members.visibility import FIELDS

PICTURE_SIDE = 256
TRIES = "10 per 15 minutes"  # of one's own password, by an open session

_ROLES = {
    RoleLevel.EXECUTIVE: _l("Executive: decides and is answerable"),
    RoleLevel.MANAGER: _l("Manager: runs a team or a budget"),
    RoleLevel.LEAD: _l("Lead: directs the work and does some of it"),
    RoleLevel.PRACTITIONER: _l("Practitioner: does the work"),
}
_FIELD_WORDS = {
    "picture": _l("Your picture"),
    "title": _l("Your title"),
    "company": _l("Your company"),
    "about": _l("About you"),
    "topics": _l("What others may ask you about"),
    "region": _l("Country and local time"),
    "languages": _l("Languages"),
    "products": _l("Products you use"),
    "use_cases": _l("What you use them for"),
    "replaced": _l("What they replaced"),
    "contributions": _l("The list of your threads and answers"),
}


def _me() -> int:
    return viewer().member_id or 0


@blueprint.get("/me")
@requires(Permission.ACCOUNT)
def me() -> Response:
    """One's own page as others see it; the profile's form for an account that may not read such pages."""
    if not viewer().may(Permission.READ):
        return redirect(url_for("members.profile"))
    return redirect(f"/members/{viewer().username}")


@blueprint.get("/settings")
@requires(Permission.ACCOUNT)
def settings() -> Response:
    """The first of the pages."""
    return redirect(url_for("members.profile"), 303)


@blueprint.get("/settings/profile")
@requires(Permission.ACCOUNT)
def profile() -> str:
    """The form, filled with what is stored."""
    stored, version = profiles.profile_of(_me())
    return _profile_page(_filled(stored, version))


@blueprint.post("/settings/profile")
@requires(Permission.ACCOUNT)
def save_profile() -> str | Response | tuple[str, int]:
    """Store the profile; a stale form is shown again with what differs."""
    form = _empty_form()
    if form.validate():
        try:
            version = number_in(form.version.data) or 0
            profiles.change_profile(_me(), _read(form), version=version)
        except Conflict as error:
            stored, form.version.data = profiles.profile_of(_me())[0], str(error.version)
            return _profile_page(form, meanwhile=differences(form, _filled(stored, 0))), 409
        except DomainError as error:
            form.refuse(error)
        else:
            flash(_("Your profile is saved."))
            return redirect(url_for("members.profile"), 303)
    return _profile_page(form), 422


@blueprint.post("/settings/picture")
@requires(Permission.ACCOUNT)
def save_picture() -> Response | tuple[str, int]:
    """Encode the picture anew and put it in force."""
    form = PictureForm()
    file = form.picture.data
    limits.take("20 per hour", _me(), name="picture")
    try:
        data = file.read(MAX_BYTES + 1) if file else b""
        if not data:
            raise Invalid(_("Choose a file first."), "picture")
        made = reencode(data, max_side=PICTURE_SIDE, square=True)
    except Invalid as error:
        form.refuse(error)
        stored, version = profiles.profile_of(_me())
        return _profile_page(_filled(stored, version), picture_form=form), 422
    folder = current_app.config["SETTINGS"].uploads_path
    folder.mkdir(parents=True, exist_ok=True)
    name = profiles.picture_name()
    (folder / name).write_bytes(made.bytes)
    _forget_file(profiles.set_picture(_me(), name))
    flash(_("Your picture is changed."))
    return redirect(url_for("members.profile"), 303)


@blueprint.delete("/settings/picture")
@requires(Permission.ACCOUNT)
def remove_picture() -> Response:
    """Go back to initials."""
    _forget_file(profiles.set_picture(_me(), ""))
    flash(_("Your picture is removed."))
    return redirect(url_for("members.profile"), 303)


@blueprint.get("/uploads/m-<name>")
@requires(Permission.VISIT)
def picture(name: str) -> Response:
    """A member's picture, for those who may see it."""
    file_name = f"m-{name}"
    shown = queries.picture_is_shown(viewer(), file_name)
    path = _file(file_name)
    if shown is None or not path.is_file():
        raise NotFound("no such picture")
    response = send_file(path, mimetype="image/webp", conditional=True, max_age=None)
    # As pictures in posts: what a proxy kept of one that was taken away is gone a day later.
    response.headers["Cache-Control"] = "public, max-age=86400, immutable" if shown else "private, no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.get("/settings/visibility")
@requires(Permission.ACCOUNT)
def visibility() -> str:
    """Who sees what, field by field."""
    return render_template(
        "members/settings/visibility.html",
        form=Form(),
        chosen=profiles.visibility_of(_me()),
        words=_FIELD_WORDS,
    )


@blueprint.post("/settings/visibility")
@requires(Permission.ACCOUNT)
def save_visibility() -> Response:
    """Store the choices."""
    choices = {name: request.form[name] for name in FIELDS if name in request.form}
    profiles.choose_visibility(_me(), choices)
    flash(_("Your choices are saved."))
    return redirect(url_for("members.visibility"), 303)


@blueprint.get("/settings/display")
@requires(Permission.ACCOUNT)
def display() -> str:
    """Light or dark."""
    return render_template("members/settings/display.html", form=Form())


@blueprint.post("/settings/display")
@requires(Permission.ACCOUNT)
def save_display() -> Response:
    """Store the scheme."""
    profiles.choose_theme(_me(), request.form.get("theme", ""))
    flash(_("Saved."))
    return redirect(url_for("members.display"), 303)


@blueprint.get("/settings/account")
@requires(Permission.ACCOUNT)
def account() -> str:
    """Address and password."""
    return _account_page(_email_form(formdata=None), _password_form(formdata=None))


@blueprint.post("/settings/account/email")
@requires(Permission.ACCOUNT)
def ask_for_email() -> Response | tuple[str, int]:
    """Send a link to the new address."""
    form = _email_form()
    if form.validate():
        limits.take(TRIES, _me(), name="own password")
        try:
            address = credentials.ask_for_new_email(
                _me(), password=form.password.data or "", email=form.email.data or ""
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                _("We sent a link to %(address)s. Until you use it the old address stays.", address=address)
            )
            return redirect(url_for("members.account"), 303)
    return _account_page(form, _password_form(formdata=None)), 422


@blueprint.get("/settings/account/email/<token>")
@requires(Permission.VISIT)
def confirm_email_page(token: str) -> str | tuple[str, int]:
    """The page behind the link; looking at it uses nothing up."""
    try:
        link = credentials.find_link(token, LinkPurpose.EMAIL)
    except NotFound:
        return render_template("members/link_gone.html", what="email"), 404
    return render_template(
        "members/confirm_email.html", form=ConfirmJoinForm(formdata=None), email=link.email
    )


@blueprint.post("/settings/account/email/<token>")
@requires(Permission.VISIT)
def confirm_email(token: str) -> Response | tuple[str, int]:
    """Put the new address in force."""
    try:
        credentials.change_email_by_link(token)
    except NotFound:
        return render_template("members/link_gone.html", what="email"), 404
    except Conflict as error:
        flash(error.message, "error")
        return redirect(url_for("members.account"), 303)
    flash(_("The new address is in force. Sign in with it from now on."))
    return redirect(url_for("members.account"), 303)


@blueprint.post("/settings/account/password")
@requires(Permission.ACCOUNT)
def change_password() -> Response | tuple[str, int]:
    """Change one's own password; every other session ends."""
    form = _password_form()
    if form.validate():
        limits.take(TRIES, _me(), name="own password")
        try:
            credentials.change_password(
                _me(),
                current=form.current.data or "",
                new=form.new.data or "",
                session_id=viewer().session_id,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(_("The new password is in force. Every other open session was ended."))
            return redirect(url_for("members.account"), 303)
    return _account_page(_email_form(formdata=None), form), 422


@blueprint.get("/settings/sessions")
@requires(Permission.ACCOUNT)
def open_sessions() -> str:
    """Where one is signed in."""
    return render_template(
        "members/settings/sessions.html",
        sessions=queries.sessions_of(_me()),
        this_session=viewer().session_id,
    )


@blueprint.delete("/settings/sessions/<int:session_id>")
@requires(Permission.ACCOUNT)
def end_session(session_id: int) -> Response:
    """End one session; the one at hand by signing out."""
    sessions.end_session(_me(), session_id)
    flash(_("That session is ended."))
    return redirect(url_for("members.open_sessions"), 303)


@blueprint.delete("/settings/sessions")
@requires(Permission.ACCOUNT)
def end_sessions() -> Response:
    """Sign out everywhere: but here, or here too when `here` says so."""
    if request.form.get("here") == "too":
        sessions.end_all_sessions(_me())
        browser.end()
        response = make_response(redirect(url_for("members.login"), 303))
        response.delete_cookie(current_app.config["SESSION_COOKIE_NAME"])
        return response
    sessions.end_all_sessions(_me(), except_session_id=viewer().session_id)
    flash(_("Every other session is ended."))
    return redirect(url_for("members.open_sessions"), 303)


def _email_form(**kwargs: Any) -> ChangeEmailForm:
    return ChangeEmailForm(prefix="email-", **kwargs)


def _password_form(**kwargs: Any) -> ChangePasswordForm:
    return ChangePasswordForm(prefix="password-", **kwargs)


def _account_page(email_form: ChangeEmailForm, password_form: ChangePasswordForm) -> str:
    return render_template(
        "members/settings/account.html",
        email_form=email_form,
        password_form=password_form,
        email=queries.email_of(_me()),
        confirmed=viewer().confirmed,
    )


def _profile_page(
    form: ProfileForm, *, picture_form: PictureForm | None = None, meanwhile: Any = None
) -> str:
    return render_template(
        "members/settings/profile.html",
        form=form,
        picture_form=picture_form or PictureForm(formdata=None),
        products=profiles.offered_products(_me()),
        meanwhile=meanwhile,
    )


def _empty_form(**kwargs: Any) -> ProfileForm:
    products = [(product.id, product.name) for product in profiles.offered_products(_me())]
    form = profile_form(products)(**kwargs)
    form.role_level.choices = [
        ("", _("not said")),
        *((level.value, words) for level, words in _ROLES.items()),
    ]
    regions = lists.offered(lists.REGIONS, form.region.data)
    form.region.choices = [("", _("not said")), *((item.code, item.label) for item in regions)]
    form.time_zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
    form.languages.choices = [
        (item.code, item.label) for item in lists.offered(lists.LANGUAGES, *(form.languages.data or []))
    ]
    return form


def _filled(stored: Profile, version: int) -> ProfileForm:
    return _empty_form(
        formdata=None,
        data={
            "version": str(version),
            "name": stored.name,
            "title": stored.title,
            "role_level": stored.role_level,
            "region": stored.region,
            "time_zone": stored.time_zone,
            "languages": stored.languages,
            "company": stored.company_claim,
            "use_cases": ", ".join(stored.use_cases),
            "replaced": stored.replaced,
            "topics": ", ".join(stored.topics),
            "about": stored.about,
            **{f"product_{number}": True for number in stored.products},
            **{f"since_{number}": since for number, since in stored.products.items()},
        },
    )


def _read(form: ProfileForm) -> Profile:
    chosen = {
        int(name.removeprefix("product_")): form[f"since_{name.removeprefix('product_')}"].data or ""
        for name in (field.name for field in form)
        if name.startswith("product_") and form[name].data
    }
    return Profile(
        name=form.name.data or "",
        title=form.title.data or "",
        role_level=form.role_level.data or "",
        region=form.region.data or "",
        time_zone=form.time_zone.data or "UTC",
        languages=list(form.languages.data or []),
        company_claim=form.company.data or "",
        products=chosen,
        use_cases=(form.use_cases.data or "").split(","),
        replaced=form.replaced.data or "",
        topics=(form.topics.data or "").split(","),
        about=form.about.data or "",
    )


def _file(name: str) -> Path:
    if not name.removesuffix(".webp").replace("-", "").replace("_", "").isalnum():
        raise HttpNotFound
    return current_app.config["SETTINGS"].uploads_path / name


def _forget_file(name: str) -> None:
    if name:
        _file(name).unlink(missing_ok=True)
