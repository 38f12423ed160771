"""Forms of what a member says about being asked."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, Optional

from portal.kernel.forms import Form
from portal.matching.models import MOST_ANSWER_REQUESTS, MOST_PER_QUARTER, Identity
from portal.matching.services.availability import MAX_TALK_ABOUT, Preferences
from portal.matching.services.slots import LENGTHS

VALUES = {
    "peers": _l("Talking with peers"),
    "spotlight": _l("Being known for what I know: a spotlight"),
    "speaking": _l("Speaking at events"),
    "early_access": _l("Early access to what is new"),
    "voice": _l("A voice in where the product goes"),
}
WELCOME_LIMITS = (0, 1, 2, 4, 6)
WELCOME_REQUESTS = (0, 1, 2, 4)


def _number(text: str | int | None) -> int | None:
    return None if text in ("", None, "None") else int(text)


class AvailabilityForm(Form):
    """All choices on one page."""

    version = HiddenField()
    conversations_open = BooleanField(_l("I may be asked for private conversations"))
    limit = SelectField(
        _l("At most so many a quarter"),
        coerce=int,
        description=_l("A quarter is the last 90 days. Between two there are at least three weeks."),
    )
    answer_requests_open = BooleanField(_l("Questions that fit me may be brought to me"))
    answer_requests = SelectField(
        _l("At most so many a month"),
        coerce=int,
        description=_l("A month is the last 30 days. Each says why it came to you."),
    )
    topics = StringField(
        _l("What I may be asked about"),
        description=_l("A few words each, separated by commas. They stand on your profile too."),
        validators=[Length(max=800)],
    )
    talk_about = StringField(
        _l("I am happy to talk about"),
        description=_l("One line on your profile, such as “moving 40 suppliers in nine months”."),
        validators=[
            Length(max=MAX_TALK_ABOUT, message=_l("At most %(most)d characters.", most=MAX_TALK_ABOUT))
        ],
    )
    paused_until = DateField(
        _l("Pause until"),
        description=_l("From this day on you can be asked again. Leave it empty to go on as you are."),
        validators=[Optional()],
    )
    quiet_from = SelectField(_l("Quiet from"), coerce=_number)
    quiet_to = SelectField(_l("Quiet until"), coerce=_number)
    by_mail = RadioField(
        _l("How I hear of it"),
        choices=[("mail", _l("By mail, and here")), ("here", _l("Only here"))],
        description=_l("Mails about conversations never say who it is, or what about."),
    )
    identity = RadioField(_l("What the person who asks reads of me before I accept"))
    company_address_required = BooleanField(
        _l("Only people whose company address is verified"),
        description=_l("Everybody else is told so before they ask you."),
    )
    values = SelectMultipleField(_l("What I value"), choices=list(VALUES.items()))

    def offer(self, role: str) -> "AvailabilityForm":
        """Fill in the choices; `role` is how the member reads without a name."""
        self.limit.choices = [(n, _often(n)) for n in range(MOST_PER_QUARTER + 1)]
        self.answer_requests.choices = [(n, _often(n)) for n in range(MOST_ANSWER_REQUESTS + 1)]
        hours = [("", _("no quiet hours")), *((str(hour), f"{hour:02}:00") for hour in range(24))]
        self.quiet_from.choices = hours
        self.quiet_to.choices = hours
        self.identity.choices = [
            (Identity.NAME.value, _("My name, as on my profile")),
            (Identity.ROLE.value, _("Only my role: “%(role)s”", role=role)),
        ]
        return self

    @property
    def preferences(self) -> Preferences:
        return Preferences(
            limit=self.limit.data,
            answer_requests=self.answer_requests.data,
            conversations_open=bool(self.conversations_open.data),
            answer_requests_open=bool(self.answer_requests_open.data),
            paused_until=self.paused_until.data,
            quiet_from=self.quiet_from.data,
            quiet_to=self.quiet_to.data,
            identity=Identity(self.identity.data),
            company_address_required=bool(self.company_address_required.data),
            talk_about=self.talk_about.data or "",
            topics=(self.topics.data or "").split(","),
            values=list(self.values.data or []),
            by_mail=self.by_mail.data == "mail",
        )


def filled(preferences: Preferences, version: str, role: str) -> AvailabilityForm:
    """The form with what is in force."""
    data: dict[str, Any] = {
        "version": version,
        **{
            name: getattr(preferences, name)
            for name in (
                "limit",
                "answer_requests",
                "conversations_open",
                "answer_requests_open",
                "paused_until",
                "company_address_required",
                "talk_about",
                "values",
            )
        },
        "quiet_from": "" if preferences.quiet_from is None else preferences.quiet_from,
        "quiet_to": "" if preferences.quiet_to is None else preferences.quiet_to,
        "identity": preferences.identity.value,
        "topics": ", ".join(preferences.topics),
        "by_mail": "mail" if preferences.by_mail else "here",
    }
    return AvailabilityForm(formdata=None, data=data).offer(role)


class SlotForm(Form):
    """One time to open for booking, in the member's own zone."""

    day = DateField(_l("Day"), validators=[InputRequired(_l("Choose a day."))])
    time = TimeField(_l("From"), validators=[InputRequired(_l("Write a time such as 14:30."))])
    minutes = SelectField(
        _l("How long"), coerce=int, choices=[(n, _l("%(n)d minutes", n=n)) for n in LENGTHS], default=20
    )


class FirstMinuteForm(Form):
    """Three questions to somebody who has just come."""

    limit = RadioField(
        _l("How often may somebody ask you for a private conversation?"),
        coerce=int,
        description=_l("About 20 minutes with somebody who is where you once were. You decline silently."),
    )
    answer_requests = RadioField(
        _l("How often may we bring you a question that fits you?"),
        coerce=int,
        description=_l("Answer, or don’t: nobody sees which you did not answer."),
    )
    values = SelectMultipleField(_l("What do you value?"), choices=list(VALUES.items()))

    def offer(self, limit: int, answer_requests: int) -> "FirstMinuteForm":
        """Fill in the choices; what is in force is always among them."""
        limits, requests = {*WELCOME_LIMITS, limit}, {*WELCOME_REQUESTS, answer_requests}
        self.limit.choices = [(n, _often(n, _("a quarter"))) for n in sorted(limits)]
        self.answer_requests.choices = [(n, _often(n, _("a month"))) for n in sorted(requests)]
        return self


def _often(number: int, span: str = "") -> str:
    if number == 0:
        return _("not at all")
    words = {1: _("once"), 2: _("twice")}.get(number) or _("%(n)d times", n=number)
    return f"{words} {span}".strip()
