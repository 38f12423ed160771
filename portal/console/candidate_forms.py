"""The forms of candidates."""

from collections.abc import Collection

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from portal.advocacy.models import Stage
from portal.consents.models import Activity
from portal.consents.texts import NAMES
from portal.kernel.forms import Form

# Several forms stand on the page: what begins the names of their fields.
RECORD, TAKE_BACK = "done-", "back{}-"
STAGE_WORDS = {
    Stage.SPOTTED: _l("Spotted"),
    Stage.NOMINATED: _l("Nominated"),
    Stage.ASKED: _l("Asked"),
    Stage.CONSENTED: _l("Consented"),
    Stage.ACTIVE: _l("Active"),
    Stage.RESTING: _l("Resting"),
    Stage.RETIRED: _l("Retired"),
}


class NominateForm(Form):
    """Why somebody should be asked."""

    note = TextAreaField(
        _l("Why them"),
        description=_l("What they did, in a sentence or two. They read it with the export of their data."),
        validators=[Length(max=2000)],
    )


class AskForm(Form):
    """What a member is asked, and in which words."""

    words = TextAreaField(
        _l("What you ask"),
        description=_l("As you would say it to them. No programme, no label: only what they would do."),
        validators=[Length(max=1500)],
    )
    activities = SelectMultipleField(
        _l("Are they open to"), choices=[(activity.value, name) for activity, name in NAMES.items()]
    )
    reason = StringField(
        _l("Why now"),
        description=_l(
            "Where neither way is met yet, or their company is to be left alone; it stands in the log."
        ),
        validators=[Length(max=600)],
    )
    knowing = HiddenField()  # what of their company stood on the page


class RecordForm(Form):
    """One activity that a member performed."""

    activity = SelectField(_l("Activity"), choices=[], validate_choice=False)
    done_on = DateField(_l("On which day"), validators=[Optional()])
    words = TextAreaField(
        _l("Where, and for whom"),
        description=_l(
            "They read it beside their score. Never write what customers said to each other in private."
        ),
    )

    def offer(self, agreed: Collection[Activity]) -> "RecordForm":
        """Fill in the activities: first those the member agrees to at present, marked."""
        first = [(one.value, _l("%(what)s (agreed to)", what=NAMES[one])) for one in NAMES if one in agreed]
        others = [(one.value, name) for one, name in NAMES.items() if one not in agreed]
        self.activity.choices = [("", _l("Choose")), *first, *others]
        return self


class TakeBackForm(Form):
    """Why a record was a mistake."""

    reason = StringField(_l("Why"), description=_l("For whoever looks later; the member is not told."))


class CareForm(Form):
    """Which moderator looks after them."""

    whose = SelectField(_l("Looked after by"), choices=[], validate_choice=False)

    def offer(self, carers: list[tuple[int, str, str]]) -> "CareForm":
        """Fill in whom one can name."""
        self.whose.choices = [("", _l("nobody")), *((username, name) for _id, username, name in carers)]
        return self


class MoveForm(Form):
    """To another stage."""

    version = HiddenField()
    stage = SelectField(
        _l("Move to"),
        choices=[(stage.value, word) for stage, word in STAGE_WORDS.items() if stage is not Stage.ASKED],
        validate_choice=False,
    )
    reason = StringField(_l("Why"), validators=[Length(max=600)])
    until = DateField(
        _l("Rests until"), description=_l("For “resting”; otherwise 90 days."), validators=[Optional()]
    )
