"""What the tables of members hold about people: exported, erased and kept how long (kernel.personal)."""

from typing import Any

from sqlalchemy import select

from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.members.models import MemberProduct, Product, Session
from portal.members.services.erasing import blank_member, own_rows
from portal.members.services.joining import LINK_LASTS
from portal.members.services.sessions import REMEMBERED


def _account_of(member_id: int) -> Any:
    used = db.session.execute(
        select(Product.name, MemberProduct.since)
        .join(Product, Product.id == MemberProduct.product_id)
        .where(MemberProduct.member_id == member_id)
        .order_by(Product.position, Product.name)
    )
    return {**own_rows(member_id), "products": [{"name": row.name, "since": row.since} for row in used]}


def _sessions_of(member_id: int) -> Any:
    rows = db.session.execute(select(Session).where(Session.member_id == member_id).order_by(Session.id))
    return [
        {
            "device": row.device,
            "address": row.address,
            "since": row.created_at,
            "last_used": row.last_seen_at,
            "ends": row.expires_at,
        }
        for row in rows.scalars()
    ]


def _nothing_to_give(_member_id: int) -> Any:
    """Short-lived secrets: hashes of links, and forms kept for a day."""
    return []


def _goes_with_the_account(_member_id: int, _keep_text: bool) -> None:
    """`blank_member` takes these rows away together with the account."""


ACCOUNT = Personal(
    name="members: account",
    tables=("members", "member_products"),
    export=_account_of,
    erase=blank_member,
)
SESSIONS = Personal(
    name="members: sessions",
    tables=("sessions",),
    export=_sessions_of,
    erase=_goes_with_the_account,
    retention_days=REMEMBERED.days,
    retention_job="forget ended sessions",
)
LINKS = Personal(
    name="members: links by mail",
    tables=("join_requests", "mailed_links"),
    export=_nothing_to_give,
    erase=_goes_with_the_account,
    retention_days=LINK_LASTS.days,
    retention_job="forget requests to join",
)
KEPT_FORMS = Personal(
    name="members: text kept when a session ended",
    tables=("kept_forms",),
    export=_nothing_to_give,
    erase=_goes_with_the_account,
    retention_days=1,
    retention_job="forget kept forms",
)

CLASSES = (ACCOUNT, SESSIONS, LINKS, KEPT_FORMS)
