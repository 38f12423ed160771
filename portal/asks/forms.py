"""The forms of asks. What may stand in a field is decided by the services."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from portal.asks.models import AskMode
from portal.asks.services.asking import Situation, check_situation
from portal.discussions.models import ShownAs
from portal.discussions.services.checking import problems_with
from portal.kernel.errors import Invalid
from portal.kernel.forms import Form
from portal.members import lists
from portal.members.display import ROLE_WORDS
from portal.members.models import RoleLevel

FIELDS = (
    "title",
    "body",
    "industry",
    "size",
    "region",
    "products",
    "use_case",
    "replacing",
    "role",
    "needed_by",
    "shown_as",
    "indexable",
    "may_connect",
    "mode",
)


class AskForm(Form):
    """A question to customers, and as much about oneself as one likes."""

    title = StringField(_l("In one line"), description=_l("As you would put it to a colleague."))
    body = TextAreaField(_l("The whole question"))
    industry = SelectField(_l("Industry"), choices=[], validate_choice=False)
    size = SelectField(_l("Size of your company"), choices=[], validate_choice=False)
    region = SelectField(_l("Country"), choices=[], validate_choice=False)
    role = SelectField(_l("Your role"), choices=[], validate_choice=False)
    products = SelectMultipleField(_l("Products you consider"), choices=[], validate_choice=False)
    use_case = StringField(_l("What you would use it for"))
    replacing = StringField(_l("What you would replace"))
    needed_by = StringField(
        _l("Needed by"),
        description=_l("Answers usually come sooner. A moderator sees it when you are to be connected."),
    )
    shown_as = RadioField(
        _l("To everybody who reads it"), choices=[], validate_choice=False, default=ShownAs.ROLE.value
    )
    indexable = BooleanField(_l("Search engines may show it, and anybody may read it"))
    may_connect = BooleanField(
        _l(
            "If nobody answers in time, a moderator may ask a customer for me, who then reads my name and "
            "company"
        )
    )
    mode = HiddenField()
    kept = HiddenField()

    def offer(self, products: list[tuple[int, str]], named: str, as_role: str) -> "AskForm":
        """Fill the choices; `named` and `as_role` say how the asker would appear, "" where not offered."""
        self.industry.choices = [
            ("", ""),
            *((item.code, item.label) for item in lists.entries(lists.INDUSTRIES)),
        ]
        self.size.choices = [("", ""), *((item.code, item.label) for item in lists.entries(lists.SIZES))]
        self.region.choices = [("", ""), *((item.code, item.label) for item in lists.countries())]
        self.role.choices = [("", ""), *((level.value, _(ROLE_WORDS[level])) for level in RoleLevel)]
        self.products.choices = [(str(number), name) for number, name in products]
        self.shown_as.choices = [(ShownAs.ROLE.value, as_role)]
        if named:
            self.shown_as.choices.append((ShownAs.NAME.value, named))
        return self

    @property
    def wanted_mode(self) -> AskMode:
        return AskMode.CONVERSATION if self.mode.data == AskMode.CONVERSATION.value else AskMode.OPEN

    @property
    def appears_as(self) -> ShownAs:
        return ShownAs.NAME if self.shown_as.data == ShownAs.NAME.value else ShownAs.ROLE

    @property
    def situation(self) -> Situation:
        """As it was typed; what is no number, date or level is left out (`problems` says so)."""
        role = self.role.data or ""
        return Situation(
            industry=self.industry.data or "",
            size_band=self.size.data or "",
            region=self.region.data or "",
            product_ids=tuple(
                int(number) for number in self.products.data or [] if number.isdecimal() and len(number) < 10
            ),
            use_case=(self.use_case.data or "").strip(),
            replacing=(self.replacing.data or "").strip(),
            role_level=RoleLevel(role) if role in set(RoleLevel) else None,
            needed_by=_date(self.needed_by.data),
        )

    def problems(self) -> list[Invalid]:
        """Everything that is wrong, in the order of the form."""
        found = problems_with(title=self.title.data or "", body=self.body.data or "")
        if (self.needed_by.data or "").strip() and _date(self.needed_by.data) is None:
            found.append(Invalid(_("Write a day such as 2026-12-31, or leave it empty."), "needed_by"))
        return found + check_situation(self.situation)

    def fields(self) -> dict[str, object]:
        """What a visitor wrote, to be kept until they have joined."""
        return {name: self[name].data for name in FIELDS}


class ColleagueForm(Form):
    """Who knows better."""

    email = EmailField(
        _l("Your colleague’s mail address"),
        description=_l("Of your own company. They get one mail with a link."),
    )


class GuestForm(Form):
    """A link to hand to somebody."""

    reference = StringField(
        _l("Your reference"),
        description=_l(
            "For your own list, such as the number of an opportunity. The person invited reads it too."
        ),
    )


class AcceptForm(Form):
    """What the sender of an invite is told."""

    report = RadioField(
        _l("What is reported"),
        choices=[
            ("all", _l("Report these four things")),
            ("nothing", _l("Report nothing")),
        ],
        validate_choice=False,
        default="nothing",
    )


class SummaryForm(Form):
    text = TextAreaField(
        _l("What came out of it"),
        description=_l("For those who look for it later: what you learned, what you decided and why."),
    )


class ConnectForm(Form):
    note = TextAreaField(
        _l("A note to them"),
        description=_l("Goes with the request, in private: nobody else reads it."),
    )


class MattersForm(Form):
    """What of the situation matters most to the asker."""

    matters = SelectMultipleField(
        _l("What should be the same, above all"), choices=[], validate_choice=False, default=[]
    )


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        return None
