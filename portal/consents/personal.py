"""What is kept of consents: exported with the text that was agreed to, gone with the account."""

from typing import Any

from sqlalchemy import delete, select, update

from portal.consents.models import CompanyConsent, Consent
from portal.kernel.db import db
from portal.kernel.personal import Personal


def _own(member_id: int) -> Any:
    rows = db.session.execute(
        select(Consent).where(Consent.member_id == member_id).order_by(Consent.id)
    ).scalars()
    return [
        {
            "activity": row.activity.value,
            "text": row.text,
            "given": row.given_at.isoformat(),
            "until": row.expires_at.isoformat(),
            "ended": row.ended_at.isoformat() if row.ended_at else None,
            "how": row.ended.value if row.ended else None,
        }
        for row in rows
    ]


def _erase(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Consent).where(Consent.member_id == member_id))


def _recorded(_member_id: int) -> Any:
    return []  # a company's agreement, written down as a duty


def _erase_recorded(member_id: int, _keep_text: bool) -> None:
    db.session.execute(
        update(CompanyConsent).where(CompanyConsent.recorded_by_id == member_id).values(recorded_by_id=None)
    )


CLASSES = (
    Personal("what you agreed to", ("consents",), _own, _erase),
    Personal("consents of companies", ("company_consents",), _recorded, _erase_recorded),
)
