"""The forms of moderation. What may stand in a field is decided by the services, in one place."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from portal.kernel import clock
from portal.kernel.errors import Invalid
from portal.kernel.forms import Form, VersionField
from portal.kernel.numbers import number_in
from portal.moderation import policy
from portal.moderation.models import AppealOutcome, CaseKind, MemberMeasure, PostMeasure
from portal.moderation.queries.rules import RuleLine
from portal.moderation.queries.rules import rules as rules_in_force
from portal.moderation.services.deciding import Verdict

OTHER = "other"


class FlagForm(Form):
    """What is wrong with a post."""

    reason = RadioField(_l("What is wrong with this post?"), choices=[], validate_choice=False)
    comment = TextAreaField(
        _l("Anything that helps to judge it"),
        description=_l("Only moderators read this. Needed when none of the rules fits."),
    )

    def offer(self, rules: list[RuleLine]) -> "FlagForm":
        """Fill in the rules in force."""
        self.reason.choices = [*flag_reasons(rules), (OTHER, _("Something else"))]
        return self

    @property
    def rule_number(self) -> int | None:
        """The rule chosen, None for something else. Raises Invalid when nothing was chosen."""
        if self.reason.data == OTHER:
            return None
        number = number_in(self.reason.data, longest=6)
        if number is None:
            raise Invalid(_("Choose one of the reasons."), "reason")
        return number


class DecisionForm(Form):
    """What happens to a post and its author, by which rule, and why."""

    post = RadioField(_l("What happens to the post?"), choices=[], validate_choice=False)
    member = RadioField(_l("What happens to the author?"), choices=[], validate_choice=False)
    days = SelectField(_l("For how long"), choices=[], validate_choice=False, default="7")
    until = DateField(_l("or until the end of"), validators=[Optional()])
    rule = SelectField(
        _l("Which rule was broken?"),
        choices=[],
        validate_choice=False,
        description=_l("Not needed to dismiss."),
    )
    reason = TextAreaField(
        _l("Why?"),
        description=_l(
            "The author and those who flagged read this, and the public log shows it. Name nobody."
        ),
    )
    fair = BooleanField(_l("It was a fair question: do not count it against those who flagged"))
    note = TextAreaField(_l("Note for moderators"), description=_l("Nobody else reads it."))
    version = VersionField(validators=[Optional()])
    post_version = VersionField(validators=[Optional()])

    def offer(self, kind: CaseKind, rules: list[RuleLine]) -> "DecisionForm":
        """Fill in what can be decided in a case of this kind."""
        if kind in policy.WITHOUT_POST:
            self.post.data = PostMeasure.NONE.value
            self.member.label.text = _("What happens to the member?")
            self.reason.description = _(
                "The member reads this, and so does whoever reported. Quote nothing and name nobody."
            )
        elif kind is CaseKind.HELD:
            self.reason.description = _("The author reads this, and the public log shows it. Name nobody.")
        words = {
            PostMeasure.NONE: _("It stays as it is"),
            PostMeasure.HIDE: _("It is removed; a note with rule and reason keeps its place"),
            PostMeasure.CLOSE: _("It stays, and the thread takes no more posts"),
            PostMeasure.RELEASE: _("It is published"),
            PostMeasure.REFUSE: _("It is not published; the author is told why"),
        }
        self.post.choices = [(one.value, words[one]) for one in policy.measures_for(kind)]
        measures = {
            MemberMeasure.NONE: _("Nothing"),
            MemberMeasure.WARN: _("A warning"),
            MemberMeasure.NO_CONVERSATIONS: _("Begins no new conversations for a while"),
            MemberMeasure.SUSPEND: _("Only reads for a while"),
            MemberMeasure.BAN: _("The account is closed"),
        }
        self.member.choices = [(one.value, measures[one]) for one in policy.member_measures_for(kind)]
        self.rule.choices = [
            ("", _("Choose a rule")),
            *((str(rule.number), f"{rule.number}. {rule.title}") for rule in rules),
        ]
        self.days.choices = [
            ("1", _("a day")),
            ("3", _("3 days")),
            ("7", _("a week")),
            ("30", _("30 days")),
            ("90", _("90 days")),
        ]
        return self

    @property
    def verdict(self) -> Verdict:
        """The decision as a value. Raises Invalid for what is none of the choices."""
        return Verdict(
            post=_choice(PostMeasure, self.post.data, "post", _("Choose what happens to the post.")),
            member=_choice(
                MemberMeasure, self.member.data, "member", _("Choose what happens to the author.")
            ),
            rule_number=number_in(self.rule.data, longest=6),
            reason=self.reason.data or "",
            note=self.note.data or "",
            suspended_until=self.suspended_until,
            fair=bool(self.fair.data),
            version=self.version.data or 0,
            post_version=self.post_version.data,
        )

    @property
    def suspended_until(self) -> datetime | None:
        """The end of the day chosen, else so many days from now. Raises Invalid."""
        if self.member.data not in (MemberMeasure.SUSPEND.value, MemberMeasure.NO_CONVERSATIONS.value):
            return None
        if self.until.process_errors:
            raise Invalid(_("Write the day as 2026-03-31."), "until")
        if self.until.data is not None:
            day = self.until.data
            return datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
        days = number_in(self.days.data, longest=4)
        return clock.now() + timedelta(days=days) if days is not None else None


class AppealForm(Form):
    """The author's word against a decision."""

    text = TextAreaField(
        _l("Why should it be looked at again?"),
        description=_l("What was overlooked, or what the rule does not say. Only moderators read this."),
    )
    decision = IntegerField(widget=HiddenField.widget, validators=[Optional()])
    token = HiddenField()


class AppealAnswerForm(Form):
    """Whether a decision stands."""

    outcome = RadioField(_l("Does the decision stand?"), choices=[], validate_choice=False)
    reason = TextAreaField(
        _l("Why?"), description=_l("The author reads this, and the public log shows it. Name nobody.")
    )
    version = VersionField(validators=[Optional()])
    words: Mapping[int, tuple[str, str]] = MappingProxyType({})

    def with_words(self, post_ids: Iterable[int], sent: Mapping[str, str]) -> "AppealAnswerForm":
        """Take along what is said of these posts: title and text by the id of each, where it was sent."""
        self.words = {
            post_id: (sent.get(f"title-{post_id}", "")[:400], sent[f"words-{post_id}"][:200_000])
            for post_id in post_ids
            if f"words-{post_id}" in sent
        }
        return self

    def offer(self) -> "AppealAnswerForm":
        self.outcome.choices = [
            (AppealOutcome.UPHELD.value, _("It stands")),
            (AppealOutcome.OVERTURNED.value, _("It was wrong: everything is as before, and the log says so")),
        ]
        return self

    @property
    def chosen(self) -> AppealOutcome:
        """Raises Invalid."""
        return _choice(AppealOutcome, self.outcome.data, "outcome", _("Choose whether the decision stands."))


class RuleForm(Form):
    """The words of a rule."""

    title = StringField(
        _l("Title"), description=_l("What it asks, in one line: “No personal data of others”.")
    )
    short = StringField(_l("In the queue"), description=_l("One or two words: “personal data”."))
    flag_label = StringField(
        _l("In the form for flags"),
        description=_l("As a member would say it: “It names people without their leave”."),
    )
    text = TextAreaField(
        _l("Text"), description=_l("What it asks and what it leaves free. Markdown works here.")
    )
    severity = RadioField(_l("How soon must somebody look?"), choices=[], validate_choice=False, default="1")
    templates = TextAreaField(
        _l("Reasons to begin from"), description=_l("One a line; moderators change them before they decide.")
    )
    active = BooleanField(_l("In force"))
    version = VersionField(validators=[Optional()])

    def offer(self) -> "RuleForm":
        self.severity.choices = [
            ("1", _("within a day")),
            ("2", _("within eight hours")),
            ("3", _("within two hours")),
        ]
        return self

    @property
    def values(self) -> dict[str, Any]:
        severity = self.severity.data or ""
        return {
            "title": self.title.data or "",
            "short": self.short.data or "",
            "flag_label": self.flag_label.data or "",
            "text": self.text.data or "",
            "severity": int(severity) if severity in ("1", "2", "3") else 0,
            "templates": (self.templates.data or "").splitlines(),
        }


class SecondForm(Form):
    """Who decides appeals beside the other moderators."""

    appeal_second = StringField(
        _l("User name"),
        description=_l(
            "Empty for nobody. This member reads appeals and what they are about, nothing else of the queue."
        ),
    )


def flag_reasons(rules: list[RuleLine] | None = None) -> list[tuple[str, str]]:
    """(number of the rule, what is wrong) for each rule in force, as the forms for flags offer them."""
    return [
        (str(rule.number), _("%(what)s (rule %(number)s)", what=rule.flag_label, number=rule.number))
        for rule in (rules_in_force() if rules is None else rules)
    ]


def _choice(kind: Any, value: str | None, field: str, message: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise Invalid(message, field) from None
