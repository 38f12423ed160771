"""The forms about scores: contesting, answering, choices, weights."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DecimalField, HiddenField, IntegerField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.advocacy.formula import Weights
from portal.kernel.forms import Form


class ContestForm(Form):
    """What is wrong with an entry."""

    entry = HiddenField(validators=[Optional(), Length(max=20)])
    words = TextAreaField(
        _l("What is wrong?"), description=_l("A moderator of the vendor reads this and answers.")
    )


class AnswerForm(Form):
    """The answer to a contested entry."""

    correction = RadioField(
        _l("The entry"),
        choices=[("", _l("stays as it is"))],
        default="",
        validate_choice=False,
    )
    answer = TextAreaField(_l("Answer"), description=_l("The member reads this, with your decision."))


class CorrectionForm(Form):
    """Why an entry is taken out or put back."""

    reason = TextAreaField(_l("Why"), description=_l("The member reads this."))


class ChoiceForm(Form):
    """What one chooses about one's score."""

    not_scored = BooleanField(
        _l("Leave me out of every list of helpers"),
        description=_l("Your entries are kept, and shown to nobody but you. Taken back at any time."),
    )
    not_approached = BooleanField(
        _l("Do not approach me because of it"),
        description=_l("The vendor asks you for nothing. Other members can still ask you questions."),
    )


NUMBERS = {  # as their own sentences name them
    "half_life_days": _l("Days after which a point is worth half"),
    "person_limit": _l("Most that one person counts"),
    "company_limit": _l("Most that one company counts"),
    "votes_per_post": _l("Votes that count on one post"),
    "answer_points": _l("Points for answering a question"),
    "answer_limit": _l("Most that answering counts"),
    "companies_to_rank": _l("Companies that have to thank within a year"),
}


class WeightsForm(Form):
    """The six numbers (two of them for answering), and why they change."""

    half_life_days = IntegerField(
        NUMBERS["half_life_days"], validators=[InputRequired(_l("A number of days."))]
    )
    person_limit = DecimalField(
        NUMBERS["person_limit"], validators=[InputRequired(_l("A number."))], places=None
    )
    company_limit = DecimalField(
        NUMBERS["company_limit"], validators=[InputRequired(_l("A number."))], places=None
    )
    votes_per_post = IntegerField(NUMBERS["votes_per_post"], validators=[InputRequired(_l("A number."))])
    answer_points = DecimalField(
        NUMBERS["answer_points"], validators=[InputRequired(_l("A number."))], places=None
    )
    answer_limit = DecimalField(
        NUMBERS["answer_limit"], validators=[InputRequired(_l("A number."))], places=None
    )
    companies_to_rank = IntegerField(
        NUMBERS["companies_to_rank"], validators=[InputRequired(_l("A number."))]
    )
    reason = TextAreaField(
        _l("Why"), description=_l("Members read it, with the date. Not needed to try the numbers out.")
    )

    looked_at = HiddenField()  # the numbers of which the page showed whom they would move

    @property
    def weights(self) -> Weights:
        """The numbers as they were typed; the form has been validated."""
        return Weights(
            0,
            int(self.half_life_days.data or 0),
            float(self.person_limit.data or 0),
            float(self.company_limit.data or 0),
            int(self.votes_per_post.data or 0),
            float(self.answer_points.data or 0),
            float(self.answer_limit.data or 0),
            int(self.companies_to_rank.data or 0),
        )

    @property
    def numbers(self) -> str:
        """The same in one line, to compare with `looked_at`."""
        return " ".join(f"{getattr(self.weights, name):g}" for name in NUMBERS)
