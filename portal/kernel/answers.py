"""How writing views answer: to the place of what was written, or with the form and its text."""

from collections.abc import Callable, Sequence

from flask import make_response, redirect
from werkzeug.wrappers import Response

from portal.kernel.errors import Invalid, TooMany
from portal.kernel.forms import Form


def attempt(
    form: Form, write: Callable[[], str], page: Callable[[], str], problems: Sequence[Invalid] = ()
) -> Response:
    """Write, and lead to the place that `write` gives; when refused, the page with the form and its text.

    With `problems` that are known before, nothing is written and all of them are shown.
    """
    if problems:
        for problem in problems:
            form.refuse(problem)
        return refused(page(), 422)
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
