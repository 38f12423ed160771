"""Drafts: kept while one writes, listed, discarded."""

import re
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.discussions.queries import keeping, places
from portal.discussions.services import drafts
from portal.discussions.views.answers import wants_json
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import Conflict, NotFound

blueprint = Blueprint("drafts", __name__)

FIELDS = ("board", "kind", "title", "body", "happened", "cost", "differently", "tags", "reason")
# A question to customers says more about its asker (portal.asks).
SITUATION = ("industry", "size", "region", "role", "use_case", "replacing", "needed_by")
_PLACES = re.compile(r"ask|new:[a-z0-9-]{0,60}|thread:\d{1,10}|comment:\d{1,10}|edit:\d{1,10}:\d{1,10}")


@blueprint.put("/drafts/<place>")
@requires(Permission.POST)
def save(place: str) -> Response:
    """Keep the fields of the form at a place. 409 with both texts when another window saved since."""
    _check(place)
    sent: Any = request.get_json(silent=True) if request.is_json else request.form
    sent = sent if isinstance(sent, dict) else {}
    values = sent.get("fields") if isinstance(sent.get("fields"), dict) else sent
    fields = {name: values[name] for name in (*FIELDS, *SITUATION) if isinstance(values.get(name), str)}
    try:
        draft = drafts.save_draft(viewer().member_id or 0, place, fields, _whole(sent.get("sequence")))
    except Conflict as error:
        saved = places.draft_at(viewer(), place)
        response = jsonify(
            sequence=saved.sequence if saved else error.version,
            saved=saved.fields if saved else {},
            saved_at=saved.saved_at.isoformat() if saved else None,
            mine=fields,
        )
        response.status_code = 409
        return response
    return jsonify(sequence=draft.sequence, saved_at=draft.saved_at.isoformat())


@blueprint.delete("/drafts/<place>")
@requires(Permission.POST)
def discard(place: str) -> Response:
    """Forget a draft; without a script, back to where it was written or to the list."""
    _check(place)
    drafts.discard_draft(viewer().member_id or 0, place)
    if wants_json():
        return jsonify(sequence=0)
    kind, _colon, number = place.partition(":")
    if kind == "edit" and request.args.get("from") != "list":
        return redirect(f"/posts/{number.partition(':')[0]}", 303)
    return redirect("/me/drafts", 303)


@blueprint.get("/me/drafts")
@requires(Permission.ACCOUNT)
def index() -> str:
    """One's own unsent texts, newest first."""
    return render_template("discussions/drafts.html", drafts=keeping.drafts_of(viewer()))


def _check(place: str) -> None:
    if not _PLACES.fullmatch(place):
        raise NotFound("no such place")


def _whole(value: Any) -> int:
    text = str(value or "0")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
