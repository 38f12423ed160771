"""The forms of threads and posts. What may stand in a field is decided by the services, in one place."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField

from portal.discussions import house_rules
from portal.discussions.models import ThreadKind
from portal.discussions.services.text import SECTIONS
from portal.kernel.forms import Form, VersionField


def _happened() -> TextAreaField:
    hint = _l("In order, as it looked to you then. Name versions and numbers.")
    return TextAreaField(_l("What happened"), description=hint)


def _cost() -> TextAreaField:
    hint = _l("Hours, money, trust: as exactly as you may say it.")
    return TextAreaField(_l("What it cost"), description=hint)


def _differently() -> TextAreaField:
    hint = _l("What you would tell someone who is about to start.")
    return TextAreaField(_l("What we would do differently"), description=hint)


class Sections(Form):
    """A form with the three parts of a war story; each declares them where they stand on its page."""

    @property
    def sections(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in SECTIONS}


class RuleField(SelectField):
    """One of the published rules in force, or none."""

    def __init__(self, label: object, nothing: object = "", **options: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, **options)
        self.nothing = nothing or _l("Choose a rule")

    @property
    def number(self) -> int | None:
        text = self.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None

    def offer(self) -> None:
        """Fill in the rules in force."""
        rules = [(str(rule.number), f"{rule.number}. {rule.title}") for rule in house_rules.in_force()]
        self.choices = [("", self.nothing), *rules]


def _rule_of_place() -> RuleField:
    return RuleField(
        _l("Which rule does it break?"),
        _l("None: the same people read it"),
        description=_l("Needed where fewer people read than here; its author can appeal."),
    )


class ThreadForm(Sections):
    """A new thread."""

    board = SelectField(_l("Board"), choices=[], validate_choice=False)
    kind = RadioField(_l("What is it?"), choices=[], validate_choice=False, default=ThreadKind.QUESTION.value)
    title = StringField(_l("Title"), description=_l("What it is about, in one line."))
    body = TextAreaField(_l("Your text"))
    happened, cost, differently = _happened(), _cost(), _differently()
    tags = StringField(
        _l("Tags"),
        description=_l("Up to five words under which others would look for it, separated by spaces."),
    )


class ReplyForm(Form):
    """An answer, a reply or a comment."""

    body = TextAreaField(_l("Your text"))


class EditForm(Sections):
    """Another text for a post; title and tags only for an opening."""

    title = StringField(_l("Title"))
    body = TextAreaField(_l("Text"))
    happened, cost, differently = _happened(), _cost(), _differently()
    tags = StringField(_l("Tags"), description=_l("Up to five words, separated by spaces."))
    reason = StringField(
        _l("Why you change it"), description=_l("Stands in the history, for everybody who may read the post.")
    )
    rule = RuleField(_l("Which rule do these words break?"))
    version = VersionField()


class ToolsForm(Form):
    """What a moderator does to a thread as a whole."""

    reason = StringField(_l("Reason"), description=_l("Stands on the thread, for everybody who reads it."))
    board = SelectField(_l("Board"), choices=[], validate_choice=False)
    rule = RuleField(
        _l("Which rule does it break?"),
        _l("None: it is settled"),
        description=_l("Closed as settled, its author can open it again; by a rule, the author can appeal."),
    )
    move_reason = StringField(
        _l("Why it moves"), description=_l("Its author reads it, and it stands in the public log.")
    )
    move_rule = _rule_of_place()


class SplitForm(Form):
    """Some posts of a thread, to be made a thread of their own."""

    title = StringField(_l("Title of the new thread"))
    reason = StringField(
        _l("Reason"),
        description=_l("Those who began the two threads read it, and it stands in the public log."),
    )


class MergeForm(Form):
    """Where the posts of a thread shall go."""

    target = StringField(
        _l("The thread that stays"),
        description=_l("Its address or number, or words of its title to search for."),
    )
    reason = StringField(
        _l("Reason"), description=_l("Those who began the threads read it, and it stands in the public log.")
    )
    rule = _rule_of_place()
