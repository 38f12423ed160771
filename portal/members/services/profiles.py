"""One's own profile: read for its form, changed, and what of it is shown to whom."""

import re
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy import delete, select

from portal.kernel import clock, events, preserving
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.markup import MarkupTooLarge, render
from portal.kernel.numbers import number
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members.events import MemberChanged
from portal.members.models import Member, MemberProduct, Product, RoleLevel
from portal.members.names import clean_name
from portal.members.visibility import CHOICES, FIELDS

MAX_ABOUT = 4000
MAX_WORDS = 12  # use cases, topics
THEMES = ("", "light", "dark")

_SINCE = re.compile(r"(?P<year>(?:19|20)\d\d)(?:-(?P<month>0[1-9]|1[0-2]))?")


@dataclass(frozen=True)
class Profile:
    """What a person says of themselves. `products` maps ids to since when: "2021", "2021-03" or ""."""

    name: str
    title: str = ""
    role_level: str = ""
    region: str = ""
    time_zone: str = "UTC"
    languages: list[str] = field(default_factory=list)
    company_claim: str = ""
    products: dict[int, str] = field(default_factory=dict)
    use_cases: list[str] = field(default_factory=list)
    replaced: str = ""
    topics: list[str] = field(default_factory=list)
    about: str = ""


def profile_of(member_id: int) -> tuple[Profile, int]:
    """The profile as it is stored, and its version."""
    member = db.session.get_one(Member, member_id)
    used = db.session.execute(
        select(MemberProduct.product_id, MemberProduct.since).where(MemberProduct.member_id == member_id)
    ).all()
    profile = Profile(
        name=member.name,
        title=member.title,
        role_level=member.role_level.value if member.role_level else "",
        region=member.region,
        time_zone=member.time_zone,
        languages=list(member.languages),
        company_claim=member.company_claim,
        products={row.product_id: row.since for row in used},
        use_cases=list(member.use_cases),
        replaced=member.replaced,
        topics=list(member.topics),
        about=member.about_source,
    )
    return profile, member.version


def offered_products(member_id: int) -> list[Product]:
    """The products that can be chosen, in order: those on offer, and those this member has chosen before."""
    own = select(MemberProduct.product_id).where(MemberProduct.member_id == member_id)
    return list(
        db.session.execute(
            select(Product)
            .where(Product.retired.is_(False) | Product.id.in_(own))
            .order_by(Product.position, Product.name)
        ).scalars()
    )


def change_profile(member_id: int, profile: Profile, *, version: int) -> None:
    """Store the whole profile. Raises Invalid beside a field, Conflict(version) for a stale form."""
    checked = columns_of(profile)
    claim = _line(profile.company_claim, 120, "company")
    used = {number: _since(since, f"since_{number}") for number, since in profile.products.items()}
    with unit_of_work():
        member = _locked(member_id)
        if member.version != version:
            raise Conflict(_("The profile was changed in another window meanwhile."), member.version)
        texts = {name: getattr(member, name) for name in ("title", "replaced", "about_source")}
        if any(checked[name] != text for name, text in texts.items() if text):
            preserving.keep_former(member_id, "profile", texts)
        for name, value in checked.items():
            setattr(member, name, value)
        if member.company_id is None:
            member.company_claim = claim
        member.version += 1
        offered = {product.id for product in offered_products(member_id)}
        db.session.execute(delete(MemberProduct).where(MemberProduct.member_id == member_id))
        db.session.add_all(
            MemberProduct(member_id=member_id, product_id=number, since=since)
            for number, since in used.items()
            if number in offered
        )
        events.publish(MemberChanged(member_id))


def columns_of(profile: Profile) -> dict[str, Any]:
    """The columns of a member that follow from a profile. Raises Invalid beside a field."""
    return {
        "name": clean_name(profile.name),
        "title": _line(profile.title, 100, "title"),
        "role_level": _one_of(profile.role_level, RoleLevel),
        "region": _country(profile.region),
        "time_zone": _zone(profile.time_zone),
        "languages": _known(lists.LANGUAGES, profile.languages, "languages"),
        "use_cases": _words(profile.use_cases, "use_cases"),
        "replaced": _line(profile.replaced, 200, "replaced"),
        "topics": _words(profile.topics, "topics"),
        "about_source": profile.about.strip(),
        "about_html": _about(profile.about),
    }


def claim_company(member_id: int, *, company: str, title: str = "") -> None:
    """Keep the company's name as the person typed it. Without effect where the company is verified."""
    with unit_of_work():
        member = db.session.get_one(Member, member_id)
        if member.company_id is None:
            member.company_claim = " ".join(company.split())[:120]
        if title.strip():
            member.title = " ".join(title.split())[:100]
        member.version += 1
        events.publish(MemberChanged(member.id))


def visibility_of(member_id: int) -> dict[str, str]:
    """Who may see each field, as chosen or by default."""
    member = db.session.get_one(Member, member_id)
    return {name: member.visibility.get(name, default) for name, default in FIELDS.items()}


def choose_visibility(member_id: int, choices: dict[str, str]) -> None:
    """Store who may see which field. Raises Invalid for a choice that there is not."""
    if not set(choices.values()) <= set(CHOICES) or not choices.keys() <= FIELDS.keys():
        raise Invalid(_("Choose everyone, members or nobody."))
    with unit_of_work():
        member = _locked(member_id)
        member.visibility = {**member.visibility, **choices}
        member.version += 1
        events.publish(MemberChanged(member_id))


def choose_theme(member_id: int, theme: str) -> None:
    """ "light", "dark", or "" for what the system says. Raises Invalid."""
    if theme not in THEMES:
        raise Invalid(_("Choose light, dark, or as your system."), "theme")
    with unit_of_work():
        db.session.get_one(Member, member_id).theme = theme


def set_picture(member_id: int, name: str) -> str:
    """Put a stored picture in force, or none with ""; gives the file name of the former one."""
    with unit_of_work():
        member = db.session.get_one(Member, member_id)
        before, member.picture = member.picture, name
        member.version += 1
        events.publish(MemberChanged(member_id))
    return before


def picture_name() -> str:
    """A new file name under the uploads that nobody can guess."""
    return f"m-{clock.token(18)}.webp"


def _locked(member_id: int) -> Member:
    """The member, as nobody else changes them until this unit of work ends."""
    locked = {"key_share": True}
    return db.session.get_one(Member, member_id, with_for_update=locked, populate_existing=True)


def _about(source: str) -> str:
    if len(source) > MAX_ABOUT:
        raise Invalid(_("Write at most %(most)s characters about yourself.", most=number(MAX_ABOUT)), "about")
    try:
        return render(source.strip()).html
    except MarkupTooLarge as error:
        raise Invalid(_("The text has too much formatting."), "about") from error


def _line(text: str, limit: int, name: str) -> str:
    line = " ".join(text.split())
    if len(line) > limit:
        raise Invalid(_("Use at most %(limit)s characters.", limit=limit), name)
    return line


def _words(words: list[str], name: str) -> list[str]:
    found = list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))
    if len(found) > MAX_WORDS or any(len(word) > 60 for word in found):
        raise Invalid(
            _("At most %(most)s, separated by commas, each up to 60 characters.", most=MAX_WORDS), name
        )
    return found


def _one_of(value: str, kind: type[RoleLevel]) -> RoleLevel | None:
    if value and value not in list(kind):
        raise Invalid(_("Choose one of the list."), "role_level")
    return kind(value) if value else None


def _country(code: str) -> str:
    if code and not lists.country_name(code):
        raise Invalid(_("Choose a country of the list."), "region")
    return code


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise Invalid(_("Choose a time zone of the list."), "time_zone")
    return name


def _known(list_name: str, codes: list[str], name: str) -> list[str]:
    if any(lists.find(list_name, code) is None for code in codes):
        raise Invalid(_("Choose from the list."), name)
    return list(dict.fromkeys(codes))


def _since(text: str, name: str) -> str:
    text = text.strip()
    if not text:
        return ""
    match = _SINCE.fullmatch(text)
    if match is None or text[:7] > clock.now().strftime("%Y-%m"):
        raise Invalid(_("Write a year, such as 2021, or a month, such as 2021-03."), name)
    return text
