"""Names of people as they may stand on a page, and the user names made of them."""

import re
import unicodedata
from collections.abc import Iterator

from flask_babel import gettext as _

from portal.kernel.errors import Invalid

MAX_NAME = 80

# What a user name may not be: places of the site, and words that would claim an office.
_PLACES = """
about account accounts admin administrator administrators anonymous api ask asks auth board boards candor
compare companies company complete conversations console customer customers deleted demo everyone feed
feeds former former-member guest healthz help here home host imported info join login logout mail me
member members metrics mod moderator moderators new news nobody noreply notifications null official owner
password portal posts postmaster privacy prospect readyz robots root rules sales search security service
settings signin signup site sitemap staff static status support system team threads transparency undefined
unsubscribe uploads user users vendor visitor webmaster welcome www
"""
RESERVED = frozenset(_PLACES.split())
_OFFICE_WORDS = """
admin administrator moderator moderators official staff support system root security webmaster postmaster
noreply everyone
"""
_OFFICES = frozenset(_OFFICE_WORDS.split())
# Letters that do not fall apart into a Latin one and its marks.
_LATIN = str.maketrans(
    {
        "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "Ae",
        "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "ı": "i", "ħ": "h", "Ħ": "H",
    }
)  # fmt: skip
# What looks alike at a glance: user names that differ in nothing else are taken for one another.
_ALIKE = [("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s")]
_ADDRESS = re.compile(r"://|www\.|[@<>/\\|{}\[\]]|\w\.\w{2,}", re.IGNORECASE)
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")


def clean_name(text: str, field: str = "name") -> str:
    """The name on one line, without what cannot be seen. Raises Invalid.

    Refused: addresses of any kind (they would become links in a mail), words that mix alphabets so as to
    look like another name, and names that claim an office.
    """
    name = " ".join("".join(_visible(char) for char in unicodedata.normalize("NFC", text)).split())
    if not 2 <= len(name) <= MAX_NAME:
        raise Invalid(_("Write your name in 2 to 80 characters."), field)
    if not any(char.isalpha() for char in name):
        raise Invalid(_("A name has letters."), field)
    if _ADDRESS.search(name):
        raise Invalid(_("A name cannot contain an address or brackets."), field)
    if any(_mixes_alphabets(word) for word in re.split(r"[\s\-']+", name)):
        raise Invalid(_("Write each word of the name in one alphabet."), field)
    if skeleton(_plain(name)) in {skeleton(office) for office in _OFFICES}:
        raise Invalid(_("This name would be taken for an office of the site."), field)
    return name


def candidates(name: str) -> Iterator[str]:
    """User names for this name, best first, without end: "ines-okafor", "ines-okafor-2" …"""
    base = _plain(name)[:32].strip("-")
    if len(base) < 2:
        base = "member"
    elif base in RESERVED:
        base = f"{base}-member"
    if base != "member":
        yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def sort_key(name: str) -> str:
    """The name in small letters without marks, for order and look-up: "zoe d'arc"."""
    plain = unicodedata.normalize("NFKD", name.translate(_LATIN))
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(letters.replace("’", "'").lower().split())[:120]


def skeleton(username: str) -> str:
    """What is left of a user name to a quick look: two with the same are taken for one another."""
    plain = username.lower().replace("-", "")
    for seen, meant in _ALIKE:
        plain = plain.replace(seen, meant)
    return plain


def _plain(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name.translate(_LATIN)).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_name.lower().replace("'", "")))


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"):
        return " " if category in ("Cc", "Zl", "Zp") else ""
    return char


def _mixes_alphabets(word: str) -> bool:
    found = {
        script
        for char in word
        if char.isalpha()
        for script in _SCRIPTS
        if unicodedata.name(char, "").startswith(script + " ")
    }
    return len(found) > 1
