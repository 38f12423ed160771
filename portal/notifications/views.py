"""The list of notices, the page of choices, and the links that end a kind of mail with one click."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel.access import Permission, requires, viewer
from portal.kernel.forms import Form
from portal.notifications import kinds, queries
from portal.notifications.models import Digest
from portal.notifications.services import notifying, preferences

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/notifications")
@requires(Permission.ACCOUNT)
def notices() -> str | Response:
    """The viewer's notices, newest first, or what is new alone. Looking at the list reads nothing; what was
    removed since it was told is no longer counted as new, wherever in the list it stands.
    """
    before, only_new = request.args.get("before", type=int), request.args.get("show") == "new"
    show = "new" if only_new else None
    page = queries.notices_of(viewer(), before, only_new=only_new)
    if gone := queries.gone_of(viewer(), page):
        notifying.mark_read(viewer().member_id or 0, gone)
        return redirect(url_for("notifications.notices", before=before, show=show), 303)
    return render_template("notifications/notices.html", page=page, only_new=only_new, form=Form())


@blueprint.post("/notifications/read")
@requires(Permission.ACCOUNT)
def read_all() -> Response:
    """Mark all notices as read."""
    notifying.mark_read(viewer().member_id or 0)
    return redirect(url_for("notifications.notices"), 303)


@blueprint.get("/notifications/<int:notice_id>")
@requires(Permission.ACCOUNT)
def open_notice(notice_id: int) -> Response:
    """Go where a notice leads; opening it is reading it."""
    place = queries.place_of(viewer(), notice_id)
    if place is None:
        abort(404)
    notifying.mark_read(viewer().member_id or 0, [notice_id])
    return redirect(place, 303)


@blueprint.get("/settings/notifications")
@requires(Permission.ACCOUNT)
def settings() -> str:
    """The page of choices."""
    member_id = viewer().member_id or 0
    return render_template(
        "notifications/settings.html",
        choices=queries.choices_of(member_id),
        digest=queries.digest_of(member_id),
        digests=[
            (Digest.DAILY, _("Every day")),
            (Digest.WEEKLY, _("On Mondays")),
            (Digest.OFF, _("Never")),
        ],
        form=Form(),
    )


@blueprint.post("/settings/notifications")
@requires(Permission.ACCOUNT)
def save_settings() -> Response:
    """Store the choices: a box for each kind and way, and how often the digest comes."""
    member_id = viewer().member_id or 0
    for kind in kinds.registered():
        preferences.choose(
            member_id,
            kind.name,
            in_app=f"{kind.name}.in_app" in request.form,
            by_mail=f"{kind.name}.by_mail" in request.form,
        )
    chosen = request.form.get("digest", Digest.WEEKLY)
    preferences.choose_digest(member_id, Digest(chosen) if chosen in list(Digest) else Digest.WEEKLY)
    flash(_("Your choices are saved."))
    return redirect(url_for("notifications.settings"), 303)


@blueprint.get("/unsubscribe/<token>")
@requires(Permission.VISIT)
def unsubscribe_page(token: str) -> str:
    """Ask once: a mail scanner that follows the link ends nothing."""
    member_id, kind = _read(token)
    return _unsubscribe_page(token, kind, done=not preferences.is_mailed(member_id, kind))


@blueprint.post("/unsubscribe/<token>")
@requires(Permission.VISIT)
def unsubscribe(token: str) -> str | Response:
    """End this kind of mail, from the page or from the mail program's own button.

    A mail program is answered with the page itself: RFC 8058 wants no redirect there.
    """
    member_id, kind = _read(token)
    preferences.unsubscribe(member_id, kind)
    if request.form.get("List-Unsubscribe") == "One-Click":
        return _unsubscribe_page(token, kind, done=True)
    return redirect(url_for("notifications.unsubscribe_page", token=token), 303)


def _unsubscribe_page(token: str, kind: str, *, done: bool) -> str:
    return render_template("notifications/unsubscribe.html", token=token, label=_label(kind), done=done)


def _label(kind_name: str) -> str:
    kind = kinds.find(kind_name)
    return kind.label if kind else ""


def _read(token: str) -> tuple[int, str]:
    found = preferences.read_unsubscribe_token(current_app.config["SETTINGS"].SECRET_KEY, token)
    if found is None:
        abort(404)
    return found
