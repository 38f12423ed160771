"""Mail addresses as they are stored and compared, and what their domain says."""

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _

from portal.kernel.errors import Invalid

# Providers at which anybody has an address: such a domain says nothing of a company.
_PROVIDERS = """
gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es
live.com live.co.uk live.fr live.nl msn.com yahoo.com yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.fr
yahoo.de yahoo.it yahoo.es yahoo.com.br ymail.com rocketmail.com icloud.com me.com mac.com aol.com gmx.de
gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de arcor.de mail.com email.com proton.me
protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io posteo.de posteo.net mailbox.org
fastmail.com fastmail.fm hey.com zoho.com zohomail.com yandex.ru yandex.com mail.ru bk.ru inbox.ru list.ru
rambler.ru qq.com 163.com 126.com sina.com sohu.com foxmail.com naver.com daum.net hanmail.net orange.fr
wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it tin.it alice.it tiscali.it ziggo.nl
kpnmail.nl xs4all.nl planet.nl home.nl telenet.be skynet.be bluewin.ch btinternet.com sky.com
virginmedia.com ntlworld.com talktalk.net comcast.net verizon.net att.net sbcglobal.net bellsouth.net
cox.net charter.net earthlink.net juno.com rogers.com shaw.ca sympatico.ca bigpond.com optusnet.com.au
uol.com.br bol.com.br terra.com.br o2.pl wp.pl onet.pl interia.pl seznam.cz centrum.cz telia.com online.no
rediffmail.com duck.com mozmail.com simplelogin.com mailinator.com guerrillamail.com 10minutemail.com
yopmail.com trashmail.com temp-mail.org
"""
FREE_MAIL = frozenset(_PROVIDERS.split())


def clean_email(text: str, field: str = "email") -> str:
    """The address in the one form in which it is stored: lower case, ASCII. Raises Invalid."""
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise Invalid(_("Write a whole mail address, such as name@company.com."), field) from error
    address = (found.ascii_email or "").lower()
    if not address or len(address) > 254:
        raise Invalid(_("Write a whole mail address, such as name@company.com."), field)
    return address


def domain_of(email: str) -> str:
    return email.rsplit("@", 1)[-1].lower()


def clean_domain(text: str, field: str = "domain") -> str:
    """A domain such as "company.com" out of what was typed. Raises Invalid."""
    domain = text.strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    domain = domain.rsplit("@", 1)[-1].split("/")[0].strip(".")
    if "." not in domain:
        raise Invalid(_("“%(text)s” is not a domain such as company.com.", text=text.strip()[:60]), field)
    return domain_of(clean_email(f"somebody@{domain}", field))


def with_parents(domain: str) -> list[str]:
    """The domain and the ones above it, nearest first, without the last label: "eu.acme.com", "acme.com"."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def is_free_mail(domain: str) -> bool:
    return domain in FREE_MAIL


def is_within(domain: str, domains: list[str] | tuple[str, ...]) -> bool:
    """Whether the domain is one of these or stands below one of them."""
    return not set(with_parents(domain)).isdisjoint(domains)
