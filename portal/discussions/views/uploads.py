"""Pictures for posts: taken from the composer or a page of their own, served to whoever may read the post."""

import re
import unicodedata
from pathlib import Path

from flask import Blueprint, current_app, flash, jsonify, make_response, redirect, render_template, request
from flask import send_from_directory as send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.discussions.queries.uploads import picture_for, unused_pictures
from portal.discussions.services import uploads
from portal.discussions.views.answers import wants_json
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import DomainError, Invalid, TooMany
from portal.kernel.forms import Form
from portal.kernel.pictures import MAX_BYTES

blueprint = Blueprint("uploads", __name__)

# A removed post takes its pictures along; what a browser or a proxy kept of them is gone a day later.
PUBLIC = "public, max-age=86400, immutable"


@blueprint.get("/uploads")
@requires(Permission.POST)
def pictures() -> str:
    """The way to a picture without a script: send it here, copy its line into the text."""
    return _page(Form())


@blueprint.post("/uploads")
@requires(Permission.POST)
def upload() -> Response:
    """Take a picture; values for a script, else back to the page that shows its line."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Invalid(_("Choose a picture first."), "file")
        data = file.stream.read(MAX_BYTES + 1)
        kept = uploads.keep_picture(viewer(), data, _folder())
    except DomainError as error:
        return _refused(error)
    markdown = f"![{alt_text(file.filename)}](/uploads/{kept.name})"
    if wants_json():
        return jsonify(url=f"/uploads/{kept.name}", markdown=markdown, width=kept.width, height=kept.height)
    flash(_("The picture is kept. Put this line where it shall stand: %(line)s", line=markdown))
    return redirect("/uploads", 303)


@blueprint.get("/uploads/<name>")
@requires(Permission.VISIT)
def picture(name: str) -> Response:
    """A picture, to whoever may read the post that has it."""
    shown = picture_for(viewer(), name)
    response = send_file(_folder(), shown.name, mimetype="image/webp", max_age=None)
    response.headers["Cache-Control"] = PUBLIC if shown.is_public else "private, no-store"
    response.headers["Content-Disposition"] = f'inline; filename="{shown.name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@blueprint.delete("/uploads/<name>")
@requires(Permission.POST)
def drop(name: str) -> Response:
    """Delete one's own picture that no post has."""
    uploads.drop_picture(viewer(), name, _folder())
    return redirect("/uploads", 303)


def alt_text(filename: str) -> str:
    """What a file name says about its picture, with nothing in it that could mean something elsewhere."""
    stem = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1].rsplit(".", 1)[0]
    words = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in stem).split()
    return " ".join(words)[:80] or _("Picture")


def _page(form: Form) -> str:
    return render_template("discussions/uploads.html", form=form, pictures=unused_pictures(viewer()))


def _refused(error: DomainError) -> Response:
    if wants_json():
        response = make_response(jsonify(message=error.message), error.status)
    else:
        form = Form()
        form.refuse(error)
        response = make_response(_page(form), error.status)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _folder() -> Path:
    return current_app.config["SETTINGS"].uploads_path
