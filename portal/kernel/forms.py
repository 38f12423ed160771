"""The base of every form: a one-time key, errors that stand beside their field, text that is never lost."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField
from wtforms.validators import Length, Optional
from wtforms.widgets import HiddenInput

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


class VersionField(IntegerField):
    """The version that a form was filled from. What is set after a conflict is sent the next time: a plain
    IntegerField would write what came in once more, and every further send would be stale too."""

    widget = HiddenInput()

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


def differences(form: Form, stored: Form) -> list[tuple[str, str]]:
    """(label of the field, what is stored now) where that is not what was typed into `form`."""
    return [
        (str(there.label.text), _in_words(there))
        for there in stored
        if there.name in form
        and not isinstance(there.widget, HiddenInput)
        and _plain(there.data) != _plain(form[there.name].data)
    ]


def _plain(data: Any) -> Any:
    if isinstance(data, str):
        data = data.replace("\r\n", "\n").strip()
    return data or None


def _in_words(field: Any) -> str:
    if field.type == "BooleanField":
        return _("yes") if field.data else _("no")
    chosen = field.data if isinstance(field.data, list) else [field.data]
    words = {value: label for value, label, *_more in getattr(field, "choices", None) or []}
    return ", ".join(str(words.get(one, one)) for one in chosen if one not in (None, "")) or _("nothing")


def is_submitted() -> bool:
    """Whether this request carries a form."""
    return request.method in ("POST", "PUT", "PATCH", "DELETE")
