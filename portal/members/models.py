"""Companies, members, their sessions, and the closed lists an admin edits."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from portal.kernel.access import Status
from portal.kernel.db import Base, Versioned, short_enum
from portal.kernel.slugs import slugify
from portal.members.names import skeleton, sort_key


class CompanyKind(StrEnum):
    """What a company is to the vendor."""

    PROSPECT = "prospect"
    CUSTOMER = "customer"
    FORMER = "former"
    VENDOR = "vendor"


class VerifiedBy(StrEnum):
    """How we know that a person belongs to the company."""

    MAIL = "mail"
    MODERATOR = "moderator"
    IMPORTED = "imported"


class MemberState(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    BANNED = "banned"
    ERASED = "erased"


class RoleLevel(StrEnum):
    """How near a person is to the work."""

    EXECUTIVE = "executive"
    MANAGER = "manager"
    LEAD = "lead"
    PRACTITIONER = "practitioner"


class Company(Versioned, Base):
    """An organisation that members work for."""

    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[CompanyKind] = mapped_column(short_enum(CompanyKind), default=CompanyKind.PROSPECT)
    industry: Mapped[str] = mapped_column(String(8), default="")  # NAICS sector, e.g. "31-33"
    size_band: Mapped[str] = mapped_column(String(12), default="")
    region: Mapped[str] = mapped_column(String(2), default="")  # ISO 3166 country
    about: Mapped[str] = mapped_column(Text, default="")
    website: Mapped[str] = mapped_column(String(200), default="")
    competitors: Mapped[list[int]] = mapped_column(JSON, default=list)  # ids of declared competitors
    # Being named to outsiders is the company's permission: until then they read industry, size, country.
    named_in_public: Mapped[bool] = mapped_column(default=False)
    named_until: Mapped[date | None] = mapped_column()
    named_by_id: Mapped[int | None] = mapped_column()  # a member; no key, members already point here
    named_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()
    members_count: Mapped[int] = mapped_column(default=0)
    # Read by nothing. It goes once no code is running anywhere that writes it.
    threads_count: Mapped[int] = mapped_column(default=0)


class CompanyDomain(Base):
    """A mail domain by which people of a company are recognised."""

    __tablename__ = "company_domains"

    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"), index=True)


def _look_of_username(context: Any) -> str:
    return skeleton(context.get_current_parameters()["username"])


def _plain_name_of(context: Any) -> str:
    return sort_key(context.get_current_parameters()["name"])


class Member(Versioned, Base):
    """A person. Imported people have no mail and cannot sign in until they claim the account."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)  # lower case
    username_key: Mapped[str] = mapped_column(String(40), index=True, default=_look_of_username)
    name: Mapped[str] = mapped_column(String(80))
    sort_name: Mapped[str] = mapped_column(String(120), default=_plain_name_of)  # for order and look-up
    email: Mapped[str | None] = mapped_column(String(254), unique=True)  # lower case, as confirmed or claimed
    email_confirmed_at: Mapped[datetime | None] = mapped_column()
    password_hash: Mapped[str | None] = mapped_column(String(200))
    link_mails: Mapped[list[Any]] = mapped_column(JSON, default=list)  # when links were mailed, this hour
    status: Mapped[Status] = mapped_column(short_enum(Status), default=Status.PROSPECT)
    duties: Mapped[list[str]] = mapped_column(JSON, default=list)
    state: Mapped[MemberState] = mapped_column(short_enum(MemberState), default=MemberState.ACTIVE)
    suspended_until: Mapped[datetime | None] = mapped_column()
    company_id: Mapped[int | None] = mapped_column(
        ForeignKey("companies.id", ondelete="SET NULL"), index=True
    )
    company_claim: Mapped[str] = mapped_column(
        String(120), default=""
    )  # as typed, until somebody confirms it
    verified_by: Mapped[VerifiedBy | None] = mapped_column(short_enum(VerifiedBy))
    title: Mapped[str] = mapped_column(String(100), default="")
    role_level: Mapped[RoleLevel | None] = mapped_column(short_enum(RoleLevel))
    region: Mapped[str] = mapped_column(String(2), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)  # ISO 639-1
    use_cases: Mapped[list[str]] = mapped_column(JSON, default=list)
    replaced: Mapped[str] = mapped_column(String(200), default="")
    topics: Mapped[list[str]] = mapped_column(JSON, default=list)
    about_source: Mapped[str] = mapped_column(Text, default="")
    about_html: Mapped[str] = mapped_column(Text, default="")
    picture: Mapped[str] = mapped_column(
        String(80), default="", index=True
    )  # file name under uploads, "" for initials
    visibility: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # field -> everyone|members|nobody
    theme: Mapped[str] = mapped_column(String(8), default="")
    language: Mapped[str] = mapped_column(String(8), default="")
    created_at: Mapped[datetime] = mapped_column()
    last_seen_at: Mapped[datetime | None] = mapped_column()
    import_source: Mapped[str | None] = mapped_column(String(80))
    external_id: Mapped[str | None] = mapped_column(String(80))
    threads_count: Mapped[int] = mapped_column(default=0)
    posts_count: Mapped[int] = mapped_column(default=0)
    answers_count: Mapped[int] = mapped_column(default=0)
    accepted_count: Mapped[int] = mapped_column(default=0)
    unread_notices: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("import_source", "external_id"),
        Index("ix_members_joined", "created_at", "id"),
        Index("ix_members_directory", "state", "sort_name", "id"),
    )

    @validates("name")
    def _keep_sort_name(self, _key: str, name: str) -> str:
        self.sort_name = sort_key(name)
        return name


class Product(Base):
    """A product or module of the vendor; the closed list is edited by an admin."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    position: Mapped[int] = mapped_column(default=0)
    retired: Mapped[bool] = mapped_column(default=False)
    # Tags of threads about it, parted by spaces; where none are set, the one that reads like the name.
    tags: Mapped[str] = mapped_column(String(400), default="", server_default="")

    @property
    def tag_names(self) -> list[str]:
        """The tags by which a thread is about this product."""
        return self.tags.split() or [slugify(self.name)]


class MemberProduct(Base):
    """A product that a member uses, and since when."""

    __tablename__ = "member_products"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[str] = mapped_column(String(7), default="")  # YYYY-MM or YYYY


class ListItem(Base):
    """An entry of a closed list that an admin edits (industries, size bands, languages …)."""

    __tablename__ = "list_items"

    list_name: Mapped[str] = mapped_column(String(20), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    label: Mapped[str] = mapped_column(String(120))
    noun: Mapped[str] = mapped_column(String(80), default="")  # one of them: "Manufacturer"
    position: Mapped[int] = mapped_column(default=0)
    retired: Mapped[bool] = mapped_column(default=False)


class Session(Base):
    """A signed-in browser. The cookie holds a random token, the row its hash; without the row it is over."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column()
    last_seen_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(index=True)
    remembered: Mapped[bool] = mapped_column(default=False)
    device: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class JoinRequest(Base):
    """Somebody who asked to join. They become a member when the link sent to the address is used.

    `browser_hash` is of a secret in the browser that asked: from any other one the link also asks for the
    password, so that nobody can have somebody else confirm an account that they chose the password of.
    """

    __tablename__ = "join_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(200))
    place: Mapped[str] = mapped_column(String(400), default="")  # where the person was
    browser_hash: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None] = mapped_column()


class LinkPurpose(StrEnum):
    """What a link by mail is for; it works for nothing else."""

    PASSWORD = "password"  # noqa: S105 - a word, not a password
    EMAIL = "email"
    CLAIM = "claim"
    SIGN_IN = "sign_in"


class MailedLink(Base):
    """A link sent to an address: works once, until it expires or a newer one for the same purpose is made."""

    __tablename__ = "mailed_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(short_enum(LinkPurpose))
    email: Mapped[str] = mapped_column(String(254))
    # Of a sign-in link: where the person was, and what they were sending, which only the browser that asked
    # for the link can open: nobody can have somebody else send what they wrote.
    place: Mapped[str] = mapped_column(String(400), default="", server_default="")
    kept_box: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KeptForm(Base):
    """What somebody was sending when their session had ended: shown once more after signing in."""

    __tablename__ = "kept_forms"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    action: Mapped[str] = mapped_column(String(1000))
    fields: Mapped[list[Any]] = mapped_column(JSON)  # pairs of name and value, in order
    created_at: Mapped[datetime] = mapped_column(index=True)
