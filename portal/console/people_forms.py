"""The forms of companies and members in the console."""

from datetime import date
from typing import Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, Optional

from portal.kernel.access import Duty
from portal.kernel.forms import Form
from portal.members import lists
from portal.members.models import Company, CompanyKind
from portal.members.services.companies import CompanyFacts, companies_to_choose


def _number(text: str | int | None) -> int | None:
    return None if text in ("", None, "None") else int(text)


KINDS = {
    CompanyKind.CUSTOMER: _l("Customer: its people are customers"),
    CompanyKind.FORMER: _l("Former customer: its people keep their voice and are marked"),
    CompanyKind.PROSPECT: _l("Not a customer yet"),
    CompanyKind.VENDOR: _l("The vendor, or one of its own companies"),
}


class ThanksForm(Form):
    """Thanking who helped yesterday, in words of one's own. There is one for each of them on the page."""

    member = HiddenField()
    words = StringField(_l("What they will read"))

    def of(self, username: str) -> Self:
        """For this member."""
        self.member.data = username
        for one in self:
            one.id = f"{one.name}-{username}"
            one.label.field_id = one.id
        return self


class CompanyForm(Form):
    """A company's facts."""

    version = HiddenField()
    name = StringField(_l("Name"), validators=[Length(max=120)])
    kind = RadioField(_l("What it is to you"), choices=[(kind.value, text) for kind, text in KINDS.items()])
    domains = TextAreaField(
        _l("Mail domains"),
        description=_l("One a line. Whoever confirms an address of one of them belongs to the company."),
    )
    industry = SelectField(_l("Industry"))
    size_band = SelectField(_l("Size"))
    region = SelectField(_l("Country"))
    website = StringField(_l("Website"), validators=[Length(max=200)])
    about = TextAreaField(_l("About"), description=_l("One or two sentences for its page."))
    competitors = SelectMultipleField(
        _l("Declared competitors"),
        description=_l("A peer moderator of one never decides where the other is a party."),
        coerce=int,
        validate_choice=False,
    )
    named_in_public = BooleanField(
        _l("The company allows being named as a customer to outsiders"),
        description=_l("Without it they read industry, size and country, and its page is closed to them."),
    )
    named_until = DateField(
        _l("Until"), description=_l("Leave empty where no end was agreed."), validators=[Optional()]
    )

    def offer(self) -> "CompanyForm":
        """Fill in what can be chosen."""
        nothing = [("", _("not said"))]
        self.industry.choices = nothing + _choices(lists.INDUSTRIES, self.industry.data)
        self.size_band.choices = nothing + _choices(lists.SIZES, self.size_band.data)
        self.region.choices = nothing + _choices(lists.REGIONS, self.region.data)
        self.competitors.choices = companies_to_choose()
        return self

    @property
    def facts(self) -> CompanyFacts:
        return CompanyFacts(
            name=self.name.data or "",
            kind=CompanyKind(self.kind.data),
            industry=self.industry.data or "",
            size_band=self.size_band.data or "",
            region=self.region.data or "",
            about=self.about.data or "",
            website=self.website.data or "",
            domains=(self.domains.data or "").replace(",", "\n").splitlines(),
            competitors=list(self.competitors.data or []),
            named_in_public=bool(self.named_in_public.data),
            named_until=self.named_until.data,
        )


def filled(company: Company, domains: tuple[str, ...]) -> CompanyForm:
    """The form with what is stored."""
    until: date | None = company.named_until
    form = CompanyForm(
        formdata=None,
        data={
            "version": str(company.version),
            "name": company.name,
            "kind": company.kind.value,
            "domains": "\n".join(domains),
            "industry": company.industry,
            "size_band": company.size_band,
            "region": company.region,
            "website": company.website,
            "about": company.about,
            "competitors": company.competitors,
            "named_in_public": company.named_in_public,
            "named_until": until,
        },
    )
    return form.offer()


class ConfirmForm(Form):
    """Which company somebody works for, said by hand."""

    company = SelectField(_l("Works for"), coerce=int)

    def offer(self) -> "ConfirmForm":
        self.company.choices = [(0, _("choose a company")), *companies_to_choose()]
        return self


class DutiesForm(Form):
    """What somebody was asked to look after."""

    duties = SelectMultipleField(
        _l("Duties"),
        choices=[
            (Duty.MODERATOR.value, _l("Moderator: flags, queue and log")),
            (Duty.ADMIN.value, _l("Admin: settings, boards, lists, duties")),
            (Duty.SALES.value, _l("Sales")),
            (Duty.SERVICE.value, _l("Service")),
        ],
    )


class LimitForm(Form):
    """How often somebody is asked for conversations, where staff lowers it."""

    limit = SelectField(_l("Conversations a quarter, at most"), coerce=_number)

    def offer(self, own_limit: int) -> "LimitForm":
        """`own_limit`: what the member chose; only less can be set."""
        as_chosen = ngettext("%(num)d, as they chose", "%(num)d, as they chose", own_limit)
        self.limit.choices = [("", as_chosen), *((str(n), str(n)) for n in range(own_limit))]
        return self


class NoteForm(Form):
    """What a moderator writes down about a member."""

    text = TextAreaField(_l("Note"), validators=[Length(max=4000)])


class HandOverForm(Form):
    """The address of the person behind an imported account."""

    email = EmailField(_l("Mail address"), validators=[Length(max=254)])


def _choices(name: str, chosen: str | None) -> list[tuple[str, str]]:
    return [(item.code, item.label) for item in lists.offered(name, chosen)]
