"""How the writing views answer: a form that was refused comes back with its text, a toggle with its state."""

from collections.abc import Callable

from flask import jsonify, make_response, redirect, request
from werkzeug.wrappers import Response

from portal.kernel.errors import Invalid, TooMany
from portal.kernel.forms import Form


def attempt(form: Form, write: Callable[[], str], page: Callable[[], str]) -> Response:
    """Write, and lead to the place that `write` gives; when refused, the page with the form and its text."""
    try:
        return redirect(write(), 303)
    except Invalid as error:
        form.refuse(error)
        return refused(page(), 422)
    except TooMany as error:
        form.refuse(error)
        response = refused(page(), 429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response


def refused(page: str, status: int) -> Response:
    """The page of a form that was not taken."""
    return make_response(page, status)


def wants_json() -> bool:
    """Whether a script asks, that wants values instead of a page."""
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def toggled(pressed: bool, place: Callable[[], str], count: int | None = None) -> Response:
    """Values for a script, else the place at which the button stands."""
    if wants_json():
        return jsonify(pressed=pressed, count=count)
    return redirect(place(), 303)
