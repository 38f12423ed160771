"""How the writing views answer: a form that was refused comes back with its text, a toggle with its state."""

from collections.abc import Callable

from flask import jsonify, redirect, request
from werkzeug.wrappers import Response

from portal.kernel.answers import attempt, refused

__all__ = ["attempt", "refused", "toggled", "wants_json"]


def wants_json() -> bool:
    """Whether a script asks, that wants values instead of a page."""
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def toggled(pressed: bool, place: Callable[[], str], count: int | None = None) -> Response:
    """Values for a script, else the place at which the button stands."""
    if wants_json():
        return jsonify(pressed=pressed, count=count)
    return redirect(place(), 303)
