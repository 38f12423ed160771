"""Asks as an admin sets them up; which days count stands with the calendar."""

from flask import Blueprint, flash, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import InputRequired

from portal.discussions.models import Audience
from portal.discussions.queries import boards as board_queries
from portal.kernel import site
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.errors import Invalid
from portal.kernel.forms import Form
from portal.members.services.ask_settings import AskValues, change_asks

blueprint = Blueprint("ask_settings", __name__, url_prefix="/console/settings")


class AskSettingsForm(Form):
    """The promise, the boards, and who is responsible."""

    ask_hours = IntegerField(
        _l("Hours of the promise"),
        description=_l("Within so many a customer's answer is promised; at half of them more are asked."),
        validators=[InputRequired(_l("Write a number of hours."))],
    )
    ask_board = SelectField(_l("Board for asks"), choices=[], validate_choice=False)
    ask_public_board = SelectField(
        _l("Board for asks that search engines may show"), choices=[], validate_choice=False
    )
    ask_responsible = StringField(
        _l("Who connects when nobody answers"),
        description=_l(
            "The user name of a moderator, who is told at once and named on the page. Empty: the moderators."
        ),
    )

    def offer(self) -> "AskSettingsForm":
        """Fill the choices."""
        boards = board_queries.all_boards()
        for field, audience in (
            (self.ask_board, Audience.PROSPECTS),
            (self.ask_public_board, Audience.PUBLIC),
        ):
            open_ones = [one for one in boards if one.audience is audience and one.archived_at is None]
            field.choices = [("", _("the first one")), *((one.slug, one.name) for one in open_ones)]
        return self

    @property
    def values(self) -> AskValues:
        return AskValues(
            ask_hours=self.ask_hours.data or 0,
            ask_board=self.ask_board.data or "",
            ask_public_board=self.ask_public_board.data or "",
            ask_responsible=(self.ask_responsible.data or "").strip().lower(),
        )


@blueprint.get("/asks")
@requires(Permission.ADMINISTER)
def show() -> str:
    """What is in force."""
    now = site.current()
    names = ("ask_hours", "ask_board", "ask_public_board", "ask_responsible")
    return _page(AskSettingsForm(formdata=None, data={name: getattr(now, name) for name in names}))


@blueprint.post("/asks")
@requires(Permission.ADMINISTER)
def save() -> Response:
    """Put it in force."""
    form = AskSettingsForm()

    def write() -> str:
        if form.ask_hours.data is None:
            raise Invalid(_("Write a number of hours."), "ask_hours")
        change_asks(viewer(), form.values)
        flash(_("Saved; in force for asks from now on."))
        return "/console/settings/asks"

    return attempt(form, write, lambda: _page(form))


def _page(form: AskSettingsForm) -> str:
    return render_template("console/ask_settings.html", form=form.offer())
