"""Asks, requests, invites and private conversations in each of their states, on the demo."""

from datetime import timedelta

from sqlalchemy import select

from portal.asks.models import AnswerRequest, Ask, AskMode, AskState, InviteKind, Outcome
from portal.asks.services import inviting
from portal.conversations import services
from portal.conversations.models import Message, MessageKind
from portal.conversations.services import people
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import MOST_PER_QUARTER, Availability
from portal.members.models import Member
from portal.members.queries import viewer_of
from tests.conftest import make_company, make_customer, make_prospect

NOTE = "We move 40 suppliers in March and I would like to hear how your first quarter went."
LONG = """Gladly. In short, what we would do again:

1. Two partners a week, never more.
2. The old system stays readable for a quarter. `replay --since 2d` is what saved us in week three.
3. One person who *may* say stop.

> Is one weekend possible?

For us it was not. The plan we had is at <https://castellan-foods.example/plan>, as far as I can share it."""


def talks(who: dict[str, int]) -> dict[str, str]:
    """Conversations in each state; adds to `who` the people on the other sides."""
    asker, member = who["prospect"], who["customer"]
    company = make_company("Halden Retail", domain="halden-retail.example")
    who["other"] = make_customer("Ingrid Halvorsen", company_id=company)
    who["third"] = make_customer("Per Solberg", company_id=company)
    who["guest"] = make_prospect("Marisa Prieto")
    free = make_customer("Tuva Lindgren", company_id=company)
    for one in (member, who["other"], who["third"], free):
        _has_place(one)
    # Who has talked rests for a while, so those that wait come first.
    waiting = {
        "new_talk": _username(free),
        "talk_waiting": _request(who["guest"], member),
        "talk_requested": _request(asker, who["other"]),
    }
    return {
        **waiting,
        "talk": _open(asker, member, who["third"]),
        "talk_over": _over(asker, who["third"]),
        **_reported(who["guest"], who["other"]),
    }


def asks(who: dict[str, int]) -> dict[str, str]:
    """The asks of the demo's prospect, and what reaches its customer."""

    def newest(*conditions: object) -> str:
        query = select(Ask.id).where(*conditions).order_by(Ask.id.desc()).limit(1)
        return str(db.session.execute(query).scalar_one())

    own = Ask.asker_id == who["prospect"]
    waiting = (
        select(AnswerRequest.id)
        .join(Ask, Ask.id == AnswerRequest.ask_id)
        .where(
            AnswerRequest.member_id == who["customer"],
            AnswerRequest.outcome == Outcome.PENDING,
            Ask.state == AskState.RUNNING,
        )
    )
    request = db.session.execute(waiting.limit(1)).scalar_one()
    sales, customer = viewer_of(who["sales"]), viewer_of(who["customer"])
    _invite, guests = inviting.invite_guest(sales, "The retailer in Halden")
    with unit_of_work():
        colleagues = inviting._add(customer, InviteKind.COLLEAGUE, email="colleague@castellan-foods.example")
    on_board = select(Ask.thread_id).where(own, Ask.state == AskState.RUNNING, Ask.thread_id.is_not(None))
    return {
        "ask_thread": f"/threads/{db.session.execute(on_board.limit(1)).scalar_one()}",
        "ask": newest(own, Ask.state == AskState.RUNNING, Ask.mode == AskMode.OPEN),
        "ask_answered": newest(Ask.state == AskState.ANSWERED),
        "ask_settled": newest(own, Ask.state == AskState.SETTLED),
        "ask_private": newest(own, Ask.mode == AskMode.CONVERSATION),
        "ask_unanswered": newest(Ask.state == AskState.RUNNING, Ask.due_at < clock.now()),
        "request": str(request),
        "invite_guest": guests,
        "invite_colleague": colleagues,
    }


def _has_place(member_id: int) -> None:
    """Whatever the demo drew for them: these can be asked."""
    with unit_of_work():
        row = db.session.get(Availability, member_id)
        if row is None:
            row = Availability(member_id=member_id)
            db.session.add(row)
        row.limit_per_quarter, row.paused_until = MOST_PER_QUARTER, None


def _username(member_id: int) -> str:
    return db.session.execute(select(Member.username).where(Member.id == member_id)).scalar_one()


def _open(asker: int, member: int, third: int) -> str:
    conversation = services.request(viewer_of(asker), member, note=NOTE)
    services.accept(viewer_of(member), conversation.id, text=LONG)
    services.send_message(
        viewer_of(asker), conversation.id, "That is more than I hoped for. When do you talk?"
    )
    soon = clock.now() + timedelta(days=2)
    times = tuple((soon + timedelta(hours=hours), 20) for hours in (0, 3, 26))
    services.propose_times(viewer_of(member), conversation.id, times)
    services.set_link(viewer_of(member), conversation.id, "https://meet.castellan-foods.example/dana")
    people.propose_person(viewer_of(member), conversation.id, _username(third))
    return conversation.id


def _request(asker: int, member: int) -> str:
    soon = clock.now() + timedelta(days=3)
    return services.request(viewer_of(asker), member, note=NOTE, slots=((soon, 20), (soon, 30))).id


def _over(asker: int, member: int) -> str:
    conversation = services.request(viewer_of(asker), member, note=NOTE)
    services.accept(viewer_of(member), conversation.id, text="Six weeks, and two of them waiting.")
    services.send_message(viewer_of(asker), conversation.id, "Thank you, that helps.")
    services.rate(viewer_of(asker), conversation.id, useful=True, honest=True, shared=True)
    services.thank(viewer_of(asker), conversation.id, "For the numbers nobody else gave.", may_be_public=True)
    services.leave(viewer_of(asker), conversation.id)
    return conversation.id


def _reported(asker: int, member: int) -> dict[str, str]:
    conversation = services.request(viewer_of(asker), member, note=NOTE)
    services.accept(viewer_of(member), conversation.id, text="Call me on my private number, today.")
    services.send_message(viewer_of(asker), conversation.id, "I would rather write here.")
    services.send_message(viewer_of(member), conversation.id, "Then you are wasting my time.")
    said = select(Message.id).where(
        Message.conversation_id == conversation.id,
        Message.kind == MessageKind.TEXT,
        Message.author_id == member,
    )
    chosen = list(db.session.execute(said).scalars())
    report = services.report(viewer_of(asker), conversation.id, chosen, rule_number=2)
    return {"talk_reported": conversation.id, "report": report.id, "report_case": str(report.case_id)}
