"""A site with a board for asks and people who fit, in the product's words. Inside an application context."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.asks.models import AnswerRequest, Ask, AskStage, StageKind
from portal.asks.services import asking, waves
from portal.asks.services.asking import Situation
from portal.discussions.models import Audience, Post
from portal.discussions.services.posting import post_reply
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.notifications.models import Mail, Notice
from tests.conftest import make_board, make_company, make_customer, make_prospect, viewer_of

TUESDAY = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FACTORY = Situation(industry="31-33", size_band="500-999", region="DE")


def make_customers(count: int, **fields: Any) -> list[int]:
    """Verified customers of companies of their own, all in the situation that FACTORY asks for."""
    return [make_customer(f"Customer {number}", **fields) for number in range(1, count + 1)]


def board() -> int:
    """The board on which asks are opened."""
    return make_board("Before you buy", audience=Audience.PROSPECTS, slug="before-you-buy")


def ask(
    asker_id: int,
    title: str = "How long did moving forty partners really take?",
    body: str = "We are told three months. Our own guess is nine.",
    **fields: Any,
) -> Ask:
    """An open ask through the service; the first wave waits for the worker."""
    return asking.ask_openly(viewer_of(asker_id), title=title, body=body, **{"situation": FACTORY, **fields})


def work() -> None:
    """What the worker does about asks, once."""
    waves.move_on()
    waves.deliver()


def answer(member_id: int, of: Ask, text: str = "Eleven months, most of it waiting for partners.") -> Post:
    return post_reply(viewer_of(member_id), of.thread_id or 0, text)


def fresh(of: Ask) -> Ask:
    """The ask as it stands in the database now."""
    db.session.rollback()
    return db.session.get_one(Ask, of.id, populate_existing=True)


def happened(of: Ask) -> list[str]:
    """The kinds of the stages that are done, in order."""
    rows = db.session.execute(
        select(AskStage.kind)
        .where(AskStage.ask_id == of.id, AskStage.at.is_not(None))
        .order_by(AskStage.at, func.coalesce(AskStage.planned_at, AskStage.at), AskStage.id)
    ).scalars()
    return [kind.value for kind in rows]


def planned(of: Ask, kind: StageKind) -> datetime | None:
    """When this will happen by itself."""
    return db.session.execute(
        select(AskStage.planned_at).where(
            AskStage.ask_id == of.id, AskStage.kind == kind, AskStage.at.is_(None)
        )
    ).scalar_one_or_none()


def asked(of: Ask) -> list[int]:
    """The members to whom the ask was brought, as they were told."""
    return sorted(
        db.session.execute(
            select(AnswerRequest.member_id).where(
                AnswerRequest.ask_id == of.id, AnswerRequest.sent_at.is_not(None)
            )
        ).scalars()
    )


def request_of(of: Ask, member_id: int) -> int:
    """The id of the answer request that brought this ask to the member."""
    return db.session.execute(
        select(AnswerRequest.id).where(AnswerRequest.ask_id == of.id, AnswerRequest.member_id == member_id)
    ).scalar_one()


def told(kind: str) -> list[int]:
    """Who has a notice of this kind, each as often as they have it."""
    return sorted(db.session.execute(select(Notice.member_id).where(Notice.kind == kind)).scalars())


def mailed(kind: str) -> int:
    return len(db.session.execute(select(Mail.id).where(Mail.kind == kind)).all())


def change_member(member_id: int, **values: Any) -> None:
    with unit_of_work():
        member = db.session.get_one(Member, member_id)
        for name, value in values.items():
            setattr(member, name, value)


__all__ = ["make_company", "make_customers", "make_prospect"]
