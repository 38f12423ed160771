"""The base of every form: a one-time key, errors that stand beside their field, text that is never lost."""

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import Length, Optional

from portal.kernel import clock
from portal.kernel.errors import DomainError, Invalid


class Form(FlaskForm):
    """A form with a `form_key`; a stale CSRF token keeps the text and asks to send again."""

    form_key = HiddenField(validators=[Optional(), Length(max=64)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.summary: list[str] = []
        if not self.form_key.data:
            self.form_key.data = clock.token(18)

    @property
    def taken_key(self) -> str:
        return self.form_key.data or ""

    def refuse(self, error: DomainError) -> None:
        """Put a service's refusal beside the field it belongs to, or into the summary."""
        name = error.field if isinstance(error, Invalid) else ""
        if name and name in self:
            field = self[name]
            field.errors = [*field.errors, error.message]
        elif error.message:
            self.summary.append(error.message)

    @property
    def all_errors(self) -> list[tuple[str, str]]:
        """(id of the field or "", message) in the order of the fields."""
        found = [("", message) for message in self.summary]
        for field in self:
            found += [(field.id, str(message)) for message in field.errors]
        return found


def is_submitted() -> bool:
    """Whether this request carries a form."""
    return request.method in ("POST", "PUT", "PATCH", "DELETE")
