"""The demo's asks: what prospects asked on "Before you buy" in the past, and those of the last days.

Everything is done by the product's own services, so who was asked and why is what the matching says.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from portal.asks.listeners import look_at_acceptance, look_at_post
from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskMode,
    AskState,
    Via,
)
from portal.asks.services import (
    connecting,
    fitting,
    requests,
    settling,
    timing,
    waves,
)
from portal.demo import content
from portal.demo.asks_played import Scene
from portal.demo.asks_worked import ask_customers, work_until
from portal.demo.talk import Written
from portal.discussions.events import AnswerAccepted, PostPublished
from portal.discussions.models import Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.kernel import clock, site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member
from portal.members.queries import viewer_of

BOARD = "before-you-buy"
SUMMARIES = {
    "c-brokerline-forty": "jonas-lindqvist",
    "c-2100-suppliers": "paula-grimaldi",
    "c-peppol-before-buying": "ruth-adeyemi",
}
SUMMARY_WORDS = {
    "c-brokerline-forty": """
        Nobody did forty suppliers in three months. Five to nine is what people report, and most of it is
        waiting for partners, not work in Flow. We plan eight, begin with the six who still send
        spreadsheets, and keep Brokerline running until the last one has moved.
    """,
    "c-2100-suppliers": """
        Fourteen months is enough for the 300 suppliers who send nine tenths of the volume, not for all
        2,100. The rest go to the web form first. We have extended the old contract by six months for those.
    """,
    "c-peppol-before-buying": """
        In short: an access point is needed whatever you buy, and the customers here are content with theirs
        as long as it is not the cheapest. What you receive matters more than what you send.
    """,
}
WAITS = ("c-cocoa-contracts-format",)  # nobody answered, and a moderator has it now; others were connected
RECENT = timedelta(days=45)
LOOKS = (0.55, 0.67)  # of those who are asked: look at it; look and say "not now"


def add(written: Written, people: dict[str, int], draw: Random, now: datetime) -> None:
    """Make asks of the questions of prospects, and open a few more."""
    _history(written, people, draw, now)
    db.session.flush()
    for table in content.asks():
        try:
            Scene(table, people, now).play()
        except Exception as error:
            error.add_note(f"in the ask {table['key']}")
            raise


def note_what_is_alike() -> None:
    """How many questions like it each of those asked lately had answered: what only a full index tells."""
    recent = select(Ask.id, Thread.title, Ask.thread_id).join(Thread, Thread.id == Ask.thread_id)
    with unit_of_work():
        for ask_id, title, thread_id in db.session.execute(
            recent.where(Ask.created_at > clock.now() - RECENT)
        ).all():
            requests_of = select(AnswerRequest).where(
                AnswerRequest.ask_id == ask_id, AnswerRequest.via == Via.MATCH
            )
            asked = list(db.session.execute(requests_of).scalars())
            posts = fitting.posts_alike(title)
            alike = fitting.answered_alike(posts, [one.member_id for one in asked], thread_id)
            for one in asked:
                one.answered_alike = alike.get(one.member_id, 0)


def _history(written: Written, people: dict[str, int], draw: Random, now: datetime) -> None:
    rows = db.session.execute(
        select(Thread, Member.region, Company)
        .join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Thread.author_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(
            Board.slug == BOARD,
            Thread.kind == ThreadKind.QUESTION,
            Thread.state == PostState.VISIBLE,
            Member.status == Status.PROSPECT,
        )
        .order_by(Thread.created_at, Thread.id)
    ).all()
    keys = {thread_id: key for key, thread_id in written.threads.items()}
    for thread, region, company in rows:
        ask = _asked(thread, company, region, draw)
        _answers(ask, thread, draw, now)
        key = keys.get(thread.id, "")
        if key in SUMMARIES:
            moment = min((ask.settled_at or now) + timedelta(days=1), now)
            with clock.frozen(moment):
                words = " ".join(SUMMARY_WORDS[key].split())
                settling.write_summary(viewer_of(people[SUMMARIES[key]]), ask.id, words)
        if ask.state is AskState.RUNNING and key not in WAITS:
            _introduced(ask, people, now)


def _asked(thread: Thread, company: Company | None, asker_region: str, draw: Random) -> Ask:
    ask = Ask(
        thread_id=thread.id,
        asker_id=thread.author_id,
        mode=AskMode.OPEN,
        state=AskState.HELD,
        shown_as=thread.author_shown_as.value,
        may_connect=draw.random() < 0.4,
        industry=company.industry if company else "",
        size_band=company.size_band if company else "",
        region=(company.region if company else "") or asker_region,
        promise_hours=site.current().ask_hours,
        created_at=thread.created_at,
    )
    db.session.add(ask)
    db.session.flush()
    with clock.frozen(thread.created_at):
        timing.begin(ask)
    return ask


def _answers(ask: Ask, thread: Thread, draw: Random, now: datetime) -> None:
    """Who was asked, what the thread says of answers, and how it ended."""
    answers = db.session.execute(
        select(Post.id, Post.author_id, Post.created_at, Post.by_vendor)
        .where(Post.thread_id == thread.id, Post.kind == PostKind.ANSWER, Post.state == PostState.VISIBLE)
        .order_by(Post.created_at, Post.id)
    ).all()
    first = next((row for row in answers if not row.by_vendor), None)
    with clock.frozen(ask.created_at):
        ask_customers(ask.created_at, [first.author_id] if first else [])
        waves.deliver()
    _react(ask, first.author_id if first else 0, first.created_at if first else now, draw)
    steps: list[tuple[datetime, Callable[[], None]]] = [
        (row.created_at, lambda row=row: look_at_post(PostPublished(row.id, thread.id, row.author_id)))  # type: ignore[misc]
        for row in answers
    ]
    if thread.accepted_at is not None:
        taken = AnswerAccepted(thread.id, thread.accepted_post_id or 0, thread.author_id)
        steps.append(
            (max(thread.accepted_at, *(row.created_at for row in answers)), lambda: look_at_acceptance(taken))
        )
    for moment, step in steps:
        work_until(moment)
        with clock.frozen(moment):
            step()
    work_until(now)


def _react(ask: Ask, who_answers: int, until: datetime, draw: Random) -> None:
    """Some look; some of those say "not now"; whoever answers has looked before."""
    rows = db.session.execute(
        select(AnswerRequest).where(AnswerRequest.ask_id == ask.id).order_by(AnswerRequest.id)
    ).scalars()
    for request in list(rows):
        chance, delay = draw.random(), timedelta(hours=draw.uniform(0.2, 5))
        answers = request.member_id == who_answers
        moment = min(request.deliver_at + delay, until - timedelta(minutes=20))
        if moment <= request.deliver_at or not (answers or chance < LOOKS[1]):
            continue
        work_until(moment)
        with clock.frozen(moment):
            viewer = viewer_of(request.member_id)
            if request.sent_at is None:
                continue
            requests.note_seen(viewer, request.id)
            if not answers and chance >= LOOKS[0]:
                requests.not_now(viewer, request.id)


def _introduced(ask: Ask, people: dict[str, int], now: datetime) -> None:
    """Nobody answered in time, so a moderator proposed two customers, and the asker has what was needed."""
    proposals = connecting.open_proposals(ask)
    if ask.due_at is None or now < ask.due_at or not proposals:
        return
    ask.may_connect = False
    with clock.frozen(min(ask.due_at + timedelta(hours=3), now)):
        moderator = viewer_of(people["marijke-brouwer"])
        connecting.introduce(moderator, ask.id, [one.id for one in proposals[:2]])
        settling.settle(viewer_of(ask.asker_id), ask.id)
