"""What happens to people and companies, told to whoever stands above."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MailWanted:
    """A mail about an account is to be sent. Such mails cannot be switched off.

    `button` is a label and a path within the site. An empty recipient means nobody: asking for an address
    that is not here costs the same as asking for one that is.
    """

    recipient: str
    subject: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None = None
    member_id: int | None = None


@dataclass(frozen=True)
class MemberJoined:
    """A new member confirmed their address."""

    member_id: int


@dataclass(frozen=True)
class MemberChanged:
    """What others see of a member is different: name, picture, company, status, profile."""

    member_id: int


@dataclass(frozen=True)
class MemberErased:
    """An account came to its end; nothing says any more whose it was."""

    member_id: int


@dataclass(frozen=True)
class CompanyChanged:
    """What others see of a company is different: name, facts, kind, the permission to be named."""

    company_id: int


@dataclass(frozen=True)
class ProductsChanged:
    """Other threads are about these products than before: their tags changed, or they are new."""

    product_ids: tuple[int, ...]
