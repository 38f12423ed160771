"""The forms of conversations. What may stand in a field is decided by the services."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from portal.conversations import policy
from portal.conversations.models import Decided
from portal.kernel.errors import Invalid
from portal.kernel.forms import Form
from portal.kernel.numbers import number_in
from portal.moderation.forms import OTHER, flag_reasons


class TimesForm(Form):
    """Up to three times in one's own zone, and how long."""

    time_1 = StringField(_l("First time"))
    time_2 = StringField(_l("Second time"))
    time_3 = StringField(_l("Third time"))
    minutes = SelectField(_l("How long"), choices=[], validate_choice=False, default="20")

    def offer_lengths(self) -> None:
        """Fill in the lengths."""
        self.minutes.choices = [(str(one), _("%(num)d minutes", num=one)) for one in policy.LENGTHS]

    def times(self, zone: ZoneInfo) -> tuple[tuple[datetime, int], ...]:
        """(start in UTC, minutes) of the times that are filled in. Raises Invalid beside its field."""
        found = []
        minutes = number_in(self.minutes.data, longest=4) or 0
        for one in (self.time_1, self.time_2, self.time_3):
            text = (one.data or "").strip()
            if not text:
                continue
            try:
                local = datetime.fromisoformat(text[:16])
            except ValueError:
                raise Invalid(_("Write the time as 2026-03-31 14:30."), one.name) from None
            if local.tzinfo is not None:
                raise Invalid(_("Write the time as 2026-03-31 14:30."), one.name)
            moment = local.replace(tzinfo=zone).astimezone(UTC)
            if moment.astimezone(zone).replace(tzinfo=None) != local:
                raise Invalid(
                    _("The clocks are changed just then: there is no such time on this day."), one.name
                )
            found.append((moment, minutes))
        return tuple(found)


class RequestForm(TimesForm):
    """Asking somebody for a conversation."""

    to = HiddenField()
    origin = HiddenField()
    slot = IntegerField(widget=HiddenField.widget, validators=[Optional()])
    note = TextAreaField(
        _l("What would you like to talk about?"),
        description=_l("A few sentences. Only the two of you can read them."),
    )


class AnswerForm(TimesForm):
    """Saying yes."""

    body = TextAreaField(
        _l("Your first message"), description=_l("Not needed: you can just accept, and write later.")
    )


class MessageForm(Form):
    """A message."""

    body = TextAreaField(_l("Message"))


class LinkForm(Form):
    """Where you meet."""

    link = StringField(
        _l("Address of your meeting"),
        description=_l("Of any tool: Jitsi, Zoom, Meet, Teams. Stored sealed, like your messages."),
    )


class PersonForm(Form):
    """A further person."""

    username = StringField(
        _l("User name"),
        description=_l("As it stands in the address of their page. Never somebody from the vendor."),
    )


class ReportForm(Form):
    """Which messages go to reviewers, to which, and why."""

    rule = RadioField(_l("What is wrong?"), choices=[], validate_choice=False)
    reviewers = RadioField(
        _l("Who may look at them?"), choices=[], validate_choice=False, default="moderators"
    )

    def offer(self, *, peers: bool) -> "ReportForm":
        """Fill in the rules and the reviewers there are."""
        self.rule.choices = [*flag_reasons(), (OTHER, _("Something else"))]
        self.reviewers.choices = [
            ("moderators", _("The moderators: people of the vendor and customers who moderate"))
        ]
        if peers:
            self.reviewers.choices.append(
                (
                    "peers",
                    _("Only customers who moderate, of neither your company nor theirs; no vendor account"),
                )
            )
        return self

    @property
    def rule_number(self) -> int | None:
        """The rule, None for something else. Raises Invalid."""
        if self.rule.data == OTHER:
            return None
        number = number_in(self.rule.data, longest=6)
        if number is None:
            raise Invalid(_("Choose one of the reasons."), "rule")
        return number

    @property
    def peers_only(self) -> bool:
        """Raises Invalid."""
        if self.reviewers.data not in ("moderators", "peers"):
            raise Invalid(_("Choose who may look at them."), "reviewers")
        return self.reviewers.data == "peers"


class RatingForm(Form):
    """How it was."""

    useful = RadioField(_l("Was it useful?"), choices=[], validate_choice=False, default="")
    honest = RadioField(_l("Was it honest?"), choices=[], validate_choice=False, default="")
    again = RadioField(_l("Would you do it again?"), choices=[], validate_choice=False, default="")
    decided = RadioField(_l("What did you decide?"), choices=[], validate_choice=False, default="")
    shared = BooleanField(_l("The other side may read this"))

    def offer(self) -> "RatingForm":
        yes_or_no = [("yes", _("Yes")), ("no", _("No")), ("", _("I’d rather not say"))]
        for one in (self.useful, self.honest, self.again):
            one.choices = yes_or_no
        self.decided.choices = [
            (Decided.CHOSE.value, _("We chose this vendor")),
            (Decided.CHOSE_OTHER.value, _("We chose something else")),
            (Decided.OPEN.value, _("It is still open")),
            ("", _("I’d rather not say")),
        ]
        return self

    def answer(self, name: str) -> bool | None:
        return {"yes": True, "no": False}.get(self[name].data or "")

    @property
    def decision(self) -> Decided | None:
        return next((one for one in Decided if one.value == self.decided.data), None)


class ThanksForm(Form):
    """A thank-you."""

    text = TextAreaField(_l("Your words of thanks"), description=_l("They keep it. Up to 600 characters."))
    may_be_public = BooleanField(
        _l("They may show it on their page, without my name"),
    )
