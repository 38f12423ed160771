"""Where an imported post comes from, as its page names it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

# Their texts may be shown elsewhere under the licence, with a link and the author's name.
_STACK_EXCHANGE = re.compile(
    r"(.+\.)?(stackexchange|stackoverflow|serverfault|superuser|askubuntu|stackapps)\.com|mathoverflow\.net"
)


@dataclass(frozen=True)
class Origin:
    """The address of the original, its site and the licence where it is known."""

    url: str
    site: str
    licence: str


def origin_of(url: str) -> Origin | None:
    """What to say of a post from this address; None for one written here or without a web address."""
    try:
        parts = urlsplit(url)
        site = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not site:
        return None
    return Origin(url, site, "CC BY-SA" if _STACK_EXCHANGE.fullmatch(site) else "")
