"""The forms of holds, and of what service keeps of a customer's company."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.kernel.forms import Form
from portal.relations.models import LONGEST_SOURCE, LONGEST_WORDS, Health, Measure
from portal.relations.queries.companies import companies_to_hold

HEALTH_WORDS = {Health.GREEN: _l("green"), Health.AMBER: _l("amber"), Health.RED: _l("red")}
MEASURE_WORDS = {Measure.CSAT: _l("CSAT"), Measure.NPS: _l("NPS")}


class HoldForm(Form):
    """Which company is not to be approached, why, and until when."""

    company = SelectField(_l("Company"))
    reason = TextAreaField(
        _l("Why"),
        description=_l(
            "Whoever wanted to ask this company reads it. It counts towards the days it was held."
        ),
        validators=[Length(max=LONGEST_WORDS)],
    )
    until = DateField(
        _l("Until"),
        description=_l("The last day, at most 90 days ahead. It ends by itself and cannot be prolonged."),
        validators=[InputRequired(_l("Choose a day."))],
    )

    def offer(self) -> "HoldForm":
        """Fill in the companies that can be chosen."""
        self.company.choices = [("", _l("choose a company")), *companies_to_hold()]
        return self


class EndHoldForm(Form):
    """Why a hold ends before its time."""

    version = HiddenField()
    because = StringField(_l("Why it ends now"), validators=[Length(max=LONGEST_WORDS)])


class HealthForm(Form):
    """How a company is doing."""

    health = RadioField(
        _l("Health"),
        choices=[
            (Health.GREEN.value, _l("Green: they get what they came for")),
            (Health.AMBER.value, _l("Amber: something is wrong, and they can still be asked")),
            (Health.RED.value, _l("Red: we ask them for nothing until it is better")),
        ],
    )
    reason = TextAreaField(_l("What makes it so"), validators=[Length(max=LONGEST_WORDS)])


class EscalationForm(Form):
    """What has to be put right."""

    what = TextAreaField(_l("What has to be put right"), validators=[Length(max=LONGEST_WORDS)])


class CloseForm(Form):
    """What came of an escalation."""

    version = HiddenField()
    outcome = StringField(_l("What came of it"), validators=[Length(max=LONGEST_WORDS)])


class SurveyForm(Form):
    """What a survey gave."""

    measure = RadioField(
        _l("Measure"),
        choices=[
            (Measure.CSAT.value, _l("CSAT, percent of those satisfied")),
            (Measure.NPS.value, _l("NPS, from −100 to 100")),
        ],
    )
    value = IntegerField(_l("Value"), validators=[InputRequired(_l("Write a whole number."))])
    sample = IntegerField(
        _l("How many people answered"), validators=[InputRequired(_l("Write a whole number."))]
    )
    surveyed_on = DateField(_l("Day of the survey"), validators=[InputRequired(_l("Choose a day."))])
    source = StringField(
        _l("Which survey"),
        description=_l("Its name, and where it stands. The same day and name again corrects it."),
        validators=[Length(max=LONGEST_SOURCE)],
    )
