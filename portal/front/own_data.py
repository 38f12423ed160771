"""One's own data: all of it as a file, and the end of the account."""

import json
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, RadioField
from wtforms.validators import InputRequired, Length

from portal.kernel import clock, limits, personal, site
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid
from portal.kernel.forms import Form
from portal.members.services.erasing import erase_own_account

blueprint = Blueprint("own_data", __name__)

EXPORTS = "10 per hour"
TRIES = "10 per 15 minutes"


class ErasureForm(Form):
    """How the account ends."""

    words = RadioField(
        _l("What you wrote"),
        choices=[
            ("keep", _l("Leave it for others, without my name")),
            ("delete", _l("Delete it; where others answered, the thread stays without my text")),
        ],
        validators=[InputRequired(_l("Choose what happens to what you wrote."))],
    )
    password = PasswordField(
        _l("Your password"), validators=[InputRequired(_l("Write your password.")), Length(max=200)]
    )


@blueprint.get("/me/data")
@requires(Permission.ACCOUNT)
def index() -> str:
    """What is kept, the file of it, and the way out."""
    return _page(ErasureForm(formdata=None))


@blueprint.get("/me/data.json")
@requires(Permission.ACCOUNT)
def export() -> Response:
    """Everything that names the viewer, as one JSON file."""
    member_id = viewer().member_id or 0
    limits.take(EXPORTS, member_id, name="export of own data")
    content = {
        "site": site.current().name,
        "made_at": clock.now(),
        **{one.name: one.export(member_id) for one in personal.registered()},
    }
    text = json.dumps(content, default=_plain, ensure_ascii=False, indent=2)
    name = f"{viewer().username}-{clock.now():%Y-%m-%d}.json"
    return Response(
        text,
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@blueprint.post("/me/data/erasure")
@requires(Permission.ACCOUNT)
def erase() -> Any:
    """End the account; its sessions end with it."""
    form = ErasureForm()

    def write() -> str:
        if not form.validate():
            raise Invalid("")
        limits.take(TRIES, viewer().member_id or 0, name="own password")
        picture = erase_own_account(
            viewer().member_id or 0, password=form.password.data or "", keep_text=form.words.data == "keep"
        )
        if picture:
            (current_app.config["SETTINGS"].uploads_path / picture).unlink(missing_ok=True)
        session.clear()
        flash(_("Your account is erased. Thank you for what you gave."))
        return "/"

    return attempt(form, write, lambda: _page(form))


def _page(form: ErasureForm) -> str:
    return render_template("front/own_data.html", form=form, classes=personal.registered())


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
