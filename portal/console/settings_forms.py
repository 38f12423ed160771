"""The forms of the site's settings."""

from zoneinfo import available_timezones

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from portal.discussions.models import Audience
from portal.kernel.forms import Form
from portal.kernel.site import Site
from portal.members.services.site_settings import CalendarValues, SiteValues

AUDIENCES = {
    Audience.PUBLIC: _l("Everyone, search engines too"),
    Audience.PROSPECTS: _l("Members: people who are thinking of buying, customers, the vendor"),
    Audience.CUSTOMERS: _l("Customers, former customers, the vendor"),
    Audience.STAFF: _l("The vendor's people"),
}


class SiteForm(Form):
    """What every page shows, and a few limits."""

    name = StringField(_l("Name of the community"))
    vendor_name = StringField(
        _l("Name of the vendor"), description=_l("As it stands beside the vendor's posts and in the footer.")
    )
    tagline = StringField(_l("Beside the name"), description=_l("A few words, such as “customer community”."))
    about = TextAreaField(_l("What this place is"), description=_l("For visitors, on the first page."))
    contact_email = EmailField(
        _l("Contact"), description=_l("For questions of privacy and lost accounts; shown on public pages.")
    )
    vendor_domains = TextAreaField(
        _l("Mail domains of the vendor"),
        description=_l("One a line. Whoever has such an address is marked and can never be a customer."),
    )
    accent_light = StringField(
        _l("Accent, light"), description=_l("Such as #0b5759. Empty for the product's own.")
    )
    accent_dark = StringField(_l("Accent, dark"), description=_l("Such as #74c9c2."))
    edit_grace_minutes = IntegerField(
        _l("Minutes for quick fixes"),
        description=_l("So long after posting, authors change their text without a reason and a mark."),
        validators=[InputRequired(_l("Write a number of minutes."))],
    )

    @property
    def values(self) -> SiteValues:
        return SiteValues(
            name=self.name.data or "",
            vendor_name=self.vendor_name.data or "",
            tagline=self.tagline.data or "",
            about=self.about.data or "",
            contact_email=self.contact_email.data or "",
            vendor_domains=(self.vendor_domains.data or "").replace(",", " ").split(),
            accent_light=self.accent_light.data or "",
            accent_dark=self.accent_dark.data or "",
            edit_grace_minutes=self.edit_grace_minutes.data or 0,
        )


WEEKDAYS = [
    (0, _l("Monday")),
    (1, _l("Tuesday")),
    (2, _l("Wednesday")),
    (3, _l("Thursday")),
    (4, _l("Friday")),
    (5, _l("Saturday")),
    (6, _l("Sunday")),
]


class CalendarForm(Form):
    """Which days count where something is promised in hours."""

    zone = SelectField(_l("Time zone"), description=_l("A day off begins and ends at midnight there."))
    weekend = SelectMultipleField(_l("Days off in every week"), coerce=int, choices=WEEKDAYS)
    country = SelectField(
        _l("Public holidays of"), description=_l("As the calendar of that country has them.")
    )
    part = StringField(
        _l("Only of a part of it"),
        description=_l("The short name of a state or province, such as BY for Bavaria or CA for California."),
    )
    days_off = TextAreaField(_l("Further days off"), description=_l("One a line, such as 2026-12-24."))

    def offer(self, countries: list[tuple[str, str]]) -> "CalendarForm":
        """Fill in the choices."""
        self.zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
        self.country.choices = [("", _("no country")), *countries]
        return self

    @property
    def values(self) -> CalendarValues:
        part = (self.part.data or "").strip()
        return CalendarValues(
            zone=self.zone.data or "",
            weekend=list(self.weekend.data or []),
            holidays_of=f"{self.country.data}-{part}"
            if part and self.country.data
            else self.country.data or "",
            days_off=(self.days_off.data or "").replace(",", " ").split(),
        )


def filled_calendar(site: Site, countries: list[tuple[str, str]]) -> CalendarForm:
    """The form with what is in force."""
    country, _dash, part = site.holidays_of.partition("-")
    data = {
        "zone": site.calendar_zone,
        "weekend": site.weekend,
        "country": country,
        "part": part,
        "days_off": "\n".join(site.days_off),
    }
    return CalendarForm(formdata=None, data=data).offer(countries)


def filled(site: Site) -> SiteForm:
    """The form with what is in force."""
    names = ("name", "vendor_name", "tagline", "about", "contact_email", "accent_light", "accent_dark")
    data = {name: getattr(site, name) for name in names}
    return SiteForm(
        formdata=None,
        data={
            **data,
            "vendor_domains": "\n".join(site.vendor_domains),
            "edit_grace_minutes": site.edit_grace_minutes,
        },
    )


class LogoForm(Form):
    picture = FileField(
        _l("Logo"), description=_l("Shown small beside the name; square or wide. JPEG, PNG, WebP or GIF.")
    )


class BoardForm(Form):
    """A board."""

    version = HiddenField()
    name = StringField(_l("Name"))
    description = TextAreaField(_l("What belongs here"), description=_l("One or two sentences."))
    audience = RadioField(
        _l("Who may read it"), choices=[(audience.value, text) for audience, text in AUDIENCES.items()]
    )
    archived = BooleanField(
        _l("Archived"), description=_l("Everything in it can be read, nothing can be added.")
    )
