"""The demo's companies, people, products and boards as rows."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert

from portal.demo import content
from portal.discussions.models import Audience, Board
from portal.kernel import crypto, markup
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.slugs import slugify
from portal.members.models import (
    Company,
    CompanyDomain,
    CompanyKind,
    Member,
    MemberProduct,
    Product,
    RoleLevel,
    VerifiedBy,
)

SOURCE = "demo"
FREE_MAIL = "mailbox.example"
# By which tags a thread is about a product; the others' tags read like their names.
PRODUCT_TAGS = {
    "Flow, self-hosted": "self-hosted kubernetes upgrades cluster failover",
    "Flow, hosted": "hosted hosted-edition",
    "Connectors": "connectors own-connectors as2 sftp api",
    "Mapper": "mapper maps mapping x12 edifact",
    "Monitor": "monitor monitoring alarms",
    "Peppol Gateway": "peppol e-invoicing xrechnung",
}


def email_of(person: content.Table, domains: dict[str, str]) -> str:
    """The person's address: as written, else by the company's domain, else a free mailbox."""
    return person.get("email") or f"{person['username']}@{domains.get(person['company'], FREE_MAIL)}"


def add_companies(now: datetime) -> dict[str, int]:
    """Ids of the companies by slug."""
    ids: dict[str, int] = {}
    rows = content.companies()
    for number, row in enumerate(rows):
        company = Company(
            slug=row["slug"],
            name=row["name"],
            kind=CompanyKind(row["kind"]),
            industry=row["industry"],
            size_band=row["size"],
            region=row["country"],
            about=row["about"],
            named_in_public=row["named_in_public"],
            named_until=(now + timedelta(days=90 + number)).date() if row["named_in_public"] else None,
            named_at=now - timedelta(days=200) if row["named_in_public"] else None,
            created_at=now - timedelta(days=760 - number),
        )
        db.session.add(company)
        db.session.flush()
        ids[row["slug"]] = company.id
        db.session.add(CompanyDomain(domain=row["domain"], company_id=company.id))
    for row in rows:
        if row.get("competitors"):
            db.session.get_one(Company, ids[row["slug"]]).competitors = [
                ids[slug] for slug in row["competitors"]
            ]
    db.session.flush()
    return ids


def add_people(
    companies: dict[str, int], first_seen: dict[str, datetime], draw: Random, now: datetime, password: str
) -> dict[str, int]:
    """Ids of the people by username. The accounts at demo.example can sign in with `password`."""
    domains = {row["slug"]: row["domain"] for row in content.companies()}
    password_hash = crypto.hash_password(password)
    products = _add_products()
    ids: dict[str, int] = {}
    for person in content.people():
        username = person["username"]
        email = email_of(person, domains)
        joined = first_seen.get(username, now - timedelta(days=draw.uniform(20, 400)))
        joined -= timedelta(days=draw.expovariate(1 / 25), hours=draw.uniform(0.3, 20))
        if "days_here" in person:
            joined = now - timedelta(days=person["days_here"])
        status = Status(person["status"])
        member = Member(
            username=username,
            name=person["name"],
            email=email,
            email_confirmed_at=min(joined + timedelta(minutes=draw.uniform(1, 40)), now),
            password_hash=password_hash if email.endswith("@demo.example") else None,
            status=status,
            duties=person.get("duties", []),
            company_id=companies.get(person["company"]),
            verified_by=_verified(person, status, draw),
            title=person.get("title", ""),
            role_level=RoleLevel(person["role_level"]) if person.get("role_level") else None,
            region=_country(person),
            time_zone=person.get("time_zone", "UTC"),
            languages=person.get("languages", ["en"]),
            use_cases=person.get("use_cases", []),
            replaced=", ".join(person.get("replaced", [])),
            topics=person.get("topics", []),
            about_source=person.get("about", ""),
            about_html=markup.render(person["about"]).html if person.get("about") else "",
            created_at=joined,
            last_seen_at=max(joined, now - timedelta(days=draw.expovariate(1 / 12))),
            import_source=SOURCE,
            external_id=username,
            visibility={},
        )
        db.session.add(member)
        db.session.flush()
        ids[username] = member.id
        used = [
            {"member_id": member.id, "product_id": products[use["name"]], "since": use.get("since", "")}
            for use in person.get("products", [])
        ]
        if used:
            db.session.execute(insert(MemberProduct), used)
    return ids


def add_boards(now: datetime) -> dict[str, int]:
    """Ids of the boards by slug."""
    ids: dict[str, int] = {}
    for position, row in enumerate(content.boards()):
        board = Board(
            slug=row["slug"],
            name=row["name"],
            description=row["description"],
            audience=Audience(row["audience"]),
            position=position,
            created_at=now - timedelta(days=765),
            archived_at=now - timedelta(days=300) if row.get("archived") else None,
        )
        db.session.add(board)
        db.session.flush()
        ids[row["slug"]] = board.id
    return ids


def _add_products() -> dict[str, int]:
    names: dict[str, int] = {}
    known = {row.name: row.id for row in db.session.execute(db.select(Product.name, Product.id))}
    for person in content.people():
        for use in person.get("products", []):
            if use["name"] not in names:
                names[use["name"]] = known.get(use["name"]) or _add_product(use["name"], len(names))
    return names


def _add_product(name: str, position: int) -> int:
    product = Product(name=name, position=position, tags=PRODUCT_TAGS.get(name, ""))
    db.session.add(product)
    db.session.flush()
    return product.id


def _verified(person: content.Table, status: Status, draw: Random) -> VerifiedBy | None:
    if not person["company"] or status is Status.PROSPECT:
        return None
    return VerifiedBy.MODERATOR if status is not Status.VENDOR and draw.random() < 0.07 else VerifiedBy.MAIL


def _country(person: content.Table) -> str:
    by_slug: dict[str, Any] = {row["slug"]: row["country"] for row in content.companies()}
    return person.get("country") or by_slug.get(person["company"], "")


def thread_slug(title: str) -> str:
    return slugify(title)
