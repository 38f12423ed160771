"""The settings of the site as an admin changes them, checked together and recorded."""

from dataclasses import dataclass, field
from datetime import date
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, colours, site, working_time
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.addresses import clean_domain, clean_email, domain_of, is_free_mail, is_within
from portal.members.models import Member
from portal.members.services.companies import place_people_of_vendor

# The paper of both schemes (static/css/tokens.css): an accent must be readable on it.


@dataclass(frozen=True)
class SiteValues:
    """What an admin can set; an empty accent is the product's own."""

    name: str
    vendor_name: str = ""
    tagline: str = ""
    about: str = ""
    contact_email: str = ""
    vendor_domains: list[str] = field(default_factory=list)
    accent_light: str = ""
    accent_dark: str = ""
    edit_grace_minutes: int = 10


def change_site(admin: Viewer, values: SiteValues) -> None:
    """Put the settings in force. Raises Forbidden; Invalid beside a field.

    New domains of the vendor make the people on them the vendor's at once.
    """
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change the settings."))
    domains = sorted({clean_domain(domain, "vendor_domains") for domain in values.vendor_domains})
    _check_domains(admin, domains)
    checked = {
        "name": _line(values.name, 2, 60, "name"),
        "vendor_name": _line(values.vendor_name, 0, 60, "vendor_name"),
        "tagline": _line(values.tagline, 0, 80, "tagline"),
        "about": _line(values.about, 0, 600, "about"),
        "contact_email": clean_email(values.contact_email, "contact_email") if values.contact_email else "",
        "vendor_domains": domains,
        "accent_light": _accent(values.accent_light, "accent_light"),
        "accent_dark": _accent(values.accent_dark, "accent_dark"),
        "edit_grace_minutes": values.edit_grace_minutes,
    }
    if not 0 <= values.edit_grace_minutes <= 120:
        raise Invalid(_("Choose 0 to 120 minutes."), "edit_grace_minutes")
    with unit_of_work():
        before = site.current()
        changed = sorted(name for name, value in checked.items() if getattr(before, name) != value)
        if not changed:
            return
        site.change(**{name: checked[name] for name in changed})
        if "vendor_domains" in changed:
            place_people_of_vendor(before.vendor_domains, domains)
        audit.record(admin, "change settings", "site", None, ", ".join(changed), area="settings")


@dataclass(frozen=True)
class CalendarValues:
    """Which days count where something is promised in hours. `weekend` counts from Monday 0."""

    zone: str = "UTC"
    weekend: list[int] = field(default_factory=list)
    holidays_of: str = ""
    days_off: list[str] = field(default_factory=list)


def change_calendar(admin: Viewer, values: CalendarValues) -> None:
    """Put the calendar in force; what was promised before keeps its time. Raises Forbidden, Invalid."""
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change the settings."))
    checked = {
        "calendar_zone": values.zone,
        "weekend": sorted(set(values.weekend)),
        "holidays_of": _region(values.holidays_of),
        "days_off": sorted({_date(day) for day in values.days_off}),
    }
    if values.zone not in available_timezones():
        raise Invalid(_("Choose a time zone of the list."), "zone")
    if not set(values.weekend) <= set(range(7)) or len(set(values.weekend)) == 7:
        raise Invalid(_("At least one day of the week has to be a working day."), "weekend")
    if len(values.days_off) > working_time.MOST_DATES:
        raise Invalid(_("At most %(most)s days.", most=working_time.MOST_DATES), "days_off")
    with unit_of_work():
        before = site.current()
        changed = sorted(name for name, value in checked.items() if getattr(before, name) != value)
        if changed:
            site.change(**{name: checked[name] for name in changed})
            audit.record(admin, "change calendar", "site", None, ", ".join(changed), area="settings")


def _region(text: str) -> str:
    code, _dash, part = text.strip().upper().partition("-")
    if not code:
        return ""
    known = working_time.holiday_regions()
    if code not in known:
        raise Invalid(_("The holidays of this country are not known; add its days below."), "country")
    if part and part not in (found := {one.upper(): one for one in known[code]}):
        names = ", ".join(known[code]) or "none"
        raise Invalid(_("Parts of this country with holidays of their own: %(names)s.", names=names), "part")
    return f"{code}-{found[part]}" if part else code


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Invalid(
            _("Write each day as 2026-12-24; “%(text)s” is none.", text=text[:20]), "days_off"
        ) from error


def set_logo(admin: Viewer, url: str) -> None:
    """Show this picture beside the name, or the product's own mark with "". Raises Forbidden."""
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change the settings."))
    with unit_of_work():
        site.change(logo_url=url)
        audit.record(admin, "change logo", "site", None, area="settings")


def _check_domains(admin: Viewer, domains: list[str]) -> None:
    for domain in domains:
        if is_free_mail(domain):
            raise Invalid(_("Anybody can have an address at %(domain)s.", domain=domain), "vendor_domains")
    if not domains and site.current().vendor_domains:
        raise Invalid(_("Without a domain nobody would be the vendor's, you included."), "vendor_domains")
    own = db.session.execute(select(Member.email).where(Member.id == admin.member_id)).scalar_one_or_none()
    if (
        own
        and is_within(domain_of(own), site.current().vendor_domains)
        and not is_within(domain_of(own), domains)
    ):
        raise Invalid(_("Your own address would no longer be the vendor's."), "vendor_domains")


def _accent(text: str, name: str) -> str:
    if not text.strip():
        return ""
    colour = colours.parse(text)
    if colour is None:
        raise Invalid(_("Write a colour such as #0b5759."), name)
    scheme = name.removeprefix("accent_")
    ratio = colours.legibility(colour, scheme)
    if ratio < colours.READABLE:
        better = colours.as_hex(colours.legible(colour, scheme))
        raise Invalid(
            _(
                "This cannot be read well: its contrast is %(ratio)s, and %(most)s is needed. "
                "The nearest that can: %(better)s.",
                ratio=f"{ratio:.1f}",
                most=colours.READABLE,
                better=better,
            ),
            name,
        )
    return colours.as_hex(colour)


def _line(text: str, least: int, most: int, name: str) -> str:
    line = " ".join(text.split())
    if not least <= len(line) <= most:
        raise Invalid(
            _("Use %(least)s to %(most)s characters.", least=least, most=most)
            if least
            else _("At most %(most)s characters.", most=most),
            name,
        )
    return line
