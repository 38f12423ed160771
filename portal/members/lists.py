"""The closed lists: industries, sizes, countries, languages. What no admin changed is as it stands here."""

from dataclasses import dataclass
from functools import lru_cache

import pycountry
from babel import Locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.kernel import site
from portal.kernel.db import db
from portal.members.models import ListItem

INDUSTRIES, SIZES, REGIONS, LANGUAGES = "industries", "sizes", "regions", "languages"
TITLES = {
    INDUSTRIES: _l("Industries"),
    SIZES: _l("Company sizes"),
    REGIONS: _l("Countries and regions"),
    LANGUAGES: _l("Languages"),
}


@dataclass(frozen=True)
class Item:
    """One entry. `noun` says what one of them is called, in lists where the name stands alone."""

    code: str
    label: str
    noun: str = ""
    retired: bool = False


# The sectors of the North American Industry Classification System, 2022.
_SECTORS = [
    Item("11", "Agriculture, forestry, fishing and hunting", "Farming, forestry or fishing company"),
    Item("21", "Mining, quarrying, oil and gas extraction", "Mining or extraction company"),
    Item("22", "Utilities", "Utility"),
    Item("23", "Construction", "Construction company"),
    Item("31-33", "Manufacturing", "Manufacturer"),
    Item("42", "Wholesale trade", "Wholesaler"),
    Item("44-45", "Retail trade", "Retailer"),
    Item("48-49", "Transportation and warehousing", "Transport or logistics company"),
    Item("51", "Information", "Information or media company"),
    Item("52", "Finance and insurance", "Bank or insurer"),
    Item("53", "Real estate, rental and leasing", "Real estate company"),
    Item("54", "Professional, scientific and technical services", "Professional services firm"),
    Item("55", "Management of companies and enterprises", "Holding company"),
    Item("56", "Administrative, support and waste services", "Business services company"),
    Item("61", "Educational services", "School or university"),
    Item("62", "Health care and social assistance", "Health or care provider"),
    Item("71", "Arts, entertainment and recreation", "Arts or leisure organisation"),
    Item("72", "Accommodation and food services", "Hotel or restaurant company"),
    Item("81", "Other services", "Other services company"),
    Item("92", "Public administration", "Public administration"),
]
_BANDS = [
    Item("1-49", "1–49 people"),
    Item("50-199", "50–199 people"),
    Item("200-499", "200–499 people"),
    Item("500-999", "500–999 people"),
    Item("1000-4999", "1,000–4,999 people"),
    Item("5000+", "5,000 people and more", "5,000+ people"),
]
_SPOKEN = (
    "ar bg bn ca cs da de el en es et fa fi fr ga he hi hr hu id is it ja ko lt lv ms nl no pl pt ro ru sk "
    "sl sq sr sv th tr uk ur vi zh"
)


@lru_cache(1)
def _defaults() -> dict[str, tuple[Item, ...]]:
    english = Locale("en").languages
    spoken = sorted((Item(code, english[code]) for code in _SPOKEN.split()), key=lambda item: item.label)
    return {
        INDUSTRIES: tuple(_SECTORS),
        SIZES: tuple(_BANDS),
        REGIONS: tuple(iso_countries()),
        LANGUAGES: tuple(spoken),
    }


def entries(name: str, *, retired: bool = False) -> list[Item]:
    """The entries of a list in their order; with `retired` also those no longer offered."""
    return [item for item in _lists()[name] if retired or not item.retired]


def offered(name: str, *chosen: str | None) -> list[Item]:
    """The entries to choose from: those in force, and what was chosen before."""
    return [item for item in _lists()[name] if not item.retired or item.code in chosen]


def find(name: str, code: str) -> Item | None:
    """The entry with this code, retired or not."""
    return _by_code()[name].get(code)


def label(name: str, code: str) -> str:
    """What an entry is called; its code when it is not known, "" for no code."""
    item = find(name, code)
    return item.label if item else code


def noun(name: str, code: str) -> str:
    """What one of them is called: "Manufacturer" for the industry 31-33; "" when it is not known."""
    item = find(name, code)
    return (item.noun or item.label) if item else ""


def countries() -> list[Item]:
    """The countries and regions to choose from."""
    return entries(REGIONS)


@lru_cache(1)
def iso_countries() -> list[Item]:
    """Every country of ISO 3166 under its usual name, by name: what an admin's list begins with."""
    found = [Item(country.alpha_2, _iso_name(country.alpha_2)) for country in pycountry.countries]
    return sorted(found, key=lambda item: item.label)


def country_name(code: str) -> str:
    """What the country or region of this code is called here; "" for one that is not known."""
    item = find(REGIONS, code.upper()) if code else None
    return item.label if item else _iso_name(code)


@lru_cache(512)
def _iso_name(code: str) -> str:
    country = pycountry.countries.get(alpha_2=code.upper()) if code else None
    if country is None:
        return ""
    return str(getattr(country, "common_name", country.name)).partition(",")[0]


def forget() -> None:
    """Drop what is kept of the lists: for a process that turns to another database."""
    _read.cache_clear()
    _index.cache_clear()


def _lists() -> dict[str, tuple[Item, ...]]:
    return _read(site.current().version)


def _by_code() -> dict[str, dict[str, Item]]:
    return _index(site.current().version)


@lru_cache(2)
def _index(version: int) -> dict[str, dict[str, Item]]:
    return {name: {item.code: item for item in items} for name, items in _read(version).items()}


@lru_cache(2)
def _read(_version: int) -> dict[str, tuple[Item, ...]]:
    rows = db.session.execute(
        select(ListItem.list_name, ListItem.code, ListItem.label, ListItem.noun, ListItem.retired).order_by(
            ListItem.list_name, ListItem.position, ListItem.code
        )
    ).all()
    found: dict[str, tuple[Item, ...]] = dict(_defaults())
    for name in {row.list_name for row in rows}:
        found[name] = tuple(
            Item(row.code, row.label, row.noun, row.retired) for row in rows if row.list_name == name
        )
    return found
