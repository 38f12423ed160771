"""The demo's asks: what prospects asked on "Before you buy", with clocks, and a few that are open now."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from portal.asks.models import AnswerRequest, Ask, AskMode, AskStage, AskState, Outcome, StageKind, Via
from portal.asks.policy import HALF, SILENCE
from portal.asks.services import asking, connecting, requests, settling, waves
from portal.demo import content
from portal.demo.talk import Written
from portal.discussions.models import Board, Post, PostKind, PostState, ShownAs, Thread, ThreadKind
from portal.discussions.services.posting import post_reply
from portal.discussions.services.text import prepare
from portal.kernel import clock, working_time
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.matching.models import Availability
from portal.members.models import Company, Member
from portal.members.queries import viewer_of
from portal.moderation.models import Case, PostMeasure, Rule
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post

BOARD = "before-you-buy"
HOURS = 24
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
UNANSWERED = {"c-cocoa-contracts-format": "due", "c-nordic-receiving": "connected"}


def add(written: Written, people: dict[str, int], draw: Random, now: datetime) -> None:
    """Make asks of the questions of prospects, and open a few more through the services."""
    _history(written, people, draw, now)
    db.session.flush()
    for table in content.asks():
        _open(table, people, now)
    _private(people, now)


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
        _one(thread, company, region, keys.get(thread.id, ""), people, draw, now)


def _one(
    thread: Thread,
    company: Company | None,
    asker_region: str,
    key: str,
    people: dict[str, int],
    draw: Random,
    now: datetime,
) -> None:
    calendar = working_time.calendar()
    due = working_time.add_hours(thread.created_at, HOURS, calendar)
    ask = Ask(
        thread_id=thread.id,
        asker_id=thread.author_id,
        mode=AskMode.OPEN,
        state=AskState.RUNNING,
        shown_as=thread.author_shown_as.value,
        indexable=False,
        may_connect=draw.random() < 0.4,
        industry=company.industry if company else "",
        size_band=company.size_band if company else "",
        region=(company.region if company else "") or asker_region,
        product_ids=[],
        use_case="",
        replacing="",
        dropped=[],
        promise_hours=HOURS,
        created_at=thread.created_at,
        asked_at=thread.created_at,
        due_at=due,
        in_time=False,
        rounds=1,
        summary_source="",
        summary_html="",
    )
    db.session.add(ask)
    db.session.flush()
    _stage(ask, StageKind.ASKED, 0, thread.created_at)
    _wave(ask, 1, thread.created_at + timedelta(minutes=1), draw)
    answers = db.session.execute(
        select(Post.id, Post.author_id, Post.created_at, Post.by_vendor, Member.status)
        .join(Member, Member.id == Post.author_id)
        .where(Post.thread_id == thread.id, Post.kind == PostKind.ANSWER, Post.state == PostState.VISIBLE)
        .order_by(Post.id)
    ).all()
    first = next((row for row in answers if row.status in (Status.CUSTOMER, Status.FORMER)), None)
    vendor = next((row for row in answers if row.by_vendor), None)
    half = working_time.add_hours(thread.created_at, HALF * HOURS, calendar)
    ended = first.created_at if first else now
    if half < ended:
        _wave(ask, 2, half, draw)
    if vendor is not None:
        _stage(ask, StageKind.VENDOR, 0, vendor.created_at)
    if first is not None:
        _answered(ask, first, due)
        if due < first.created_at:
            _stage(ask, StageKind.DUE, 1, due)
        _settled(ask, thread, key, people, now)
    else:
        _nobody(ask, UNANSWERED.get(key, "connected"), due, people, now)
    db.session.flush()


def _answered(ask: Ask, first: Any, due: datetime) -> None:
    ask.state, ask.answered_at, ask.answer_post_id = AskState.ANSWERED, first.created_at, first.id
    ask.in_time, ask.hours_left = first.created_at <= due, 0.0
    _stage(ask, StageKind.ANSWERED, first.id, first.created_at, in_time=ask.in_time)
    _request(ask, first.author_id, 1, Outcome.ANSWERED, ask.created_at, first.created_at)


def _settled(ask: Ask, thread: Thread, key: str, people: dict[str, int], now: datetime) -> None:
    silent = (ask.answered_at or now) + SILENCE
    if thread.accepted_at is not None:
        moment, by = thread.accepted_at, "asker"
    elif silent <= now:
        moment, by = silent, "time"
    else:
        return
    ask.state, ask.settled_at, ask.settled_by = AskState.SETTLED, moment, by
    _stage(ask, StageKind.SETTLED, 1, moment, by=by)
    if key in SUMMARIES:
        words = " ".join(SUMMARY_WORDS[key].split())
        ask.summary_source, ask.summary_html = words, prepare(words, "text").html
        ask.summary_by_id, ask.summary_at = people[SUMMARIES[key]], min(moment + timedelta(days=1), now)
        _stage(ask, StageKind.SUMMARY, 0, ask.summary_at)


def _nobody(ask: Ask, what: str, due: datetime, people: dict[str, int], now: datetime) -> None:
    if due > now:  # a weekend lies between: it is simply open
        db.session.add(
            AskStage(ask_id=ask.id, kind=StageKind.DUE, number=1, planned_at=due, attempts=0, details={})
        )
        return
    with clock.frozen(due):
        stage = _stage(ask, StageKind.DUE, 1, due)
        connecting.open_case(ask, stage)
    if what == "connected":
        proposals = connecting.open_proposals(ask)
        if proposals:
            moment = min(due + timedelta(hours=3), now)
            ask.may_connect = False
            with clock.frozen(moment):
                moderator = viewer_of(people["marijke-brouwer"])
                connecting.introduce(moderator, ask.id, [one.id for one in proposals[:2]])
                settling.settle(viewer_of(ask.asker_id), ask.id)


def _open(table: content.Table, people: dict[str, int], now: datetime) -> None:
    """Through the services, each step at its moment: the tables hold what they would have held."""
    asked_at = now - timedelta(hours=table["hours_ago"])
    with clock.frozen(asked_at):
        ask = asking.ask_openly(
            viewer_of(people[table["author"]]),
            title=table["title"],
            body=table["body"].strip(),
            situation=asking.Situation(
                industry=table.get("industry", ""),
                size_band=table.get("size", ""),
                region=table.get("country", ""),
                use_case=table.get("use_case", ""),
                replacing=table.get("replacing", ""),
            ),
            shown_as=ShownAs(table["shown_as"]),
        )
        if ask.state is AskState.HELD:
            return
        for username in table.get("asked", []):
            _request(
                ask, people[username], 1, Outcome.PENDING, asked_at, None, same=["industry", "replacing"]
            )
        waves.move_on()
        waves.deliver()
    _look(ask, asked_at + timedelta(minutes=50), now)
    if "removed_after" in table:
        _removed(ask, table, people, asked_at)
        return
    if "connect_after" in table:
        _connected(ask, table, asked_at)
    _replies(ask, table, people, asked_at)
    if table.get("talk"):
        moment = min(asked_at + timedelta(hours=5), now)
        with clock.frozen(moment):
            request = _request(
                ask, people[table["talk"]], 1, Outcome.PENDING, asked_at, None, same=["replacing"]
            )
            requests.would_talk(viewer_of(people[table["talk"]]), request.id)
    with clock.frozen(now):
        waves.move_on()
        waves.deliver()


def _removed(ask: Ask, table: content.Table, people: dict[str, int], asked_at: datetime) -> None:
    """A moderator removed the thread; the ask counts all the same."""
    rule = db.session.execute(select(Rule.number).where(Rule.key == table["removed_rule"])).scalar_one()
    opening = db.session.execute(
        select(Post.id).where(Post.thread_id == ask.thread_id, Post.kind == PostKind.OPENING)
    ).scalar_one()
    with clock.frozen(asked_at + timedelta(hours=table["removed_after"] - 1)):
        flag = flag_post(viewer_of(people[table["flagged_by"]]), opening, rule_number=rule, comment="")
    with clock.frozen(asked_at + timedelta(hours=table["removed_after"])):
        verdict = Verdict(
            post=PostMeasure.HIDE,
            rule_number=rule,
            reason=table["removed_reason"],
            version=db.session.get_one(Case, flag.case_id).version,
        )
        decide(viewer_of(people[table["removed_by"]]), flag.case_id, verdict)


def _connected(ask: Ask, table: content.Table, asked_at: datetime) -> None:
    """The asker did not wait for the clock, and asked one of the three for a conversation."""
    with clock.frozen(asked_at + timedelta(hours=table["connect_after"])):
        asker = viewer_of(ask.asker_id)
        connecting.connect_now(asker, ask.id, may_connect=False)
        picky = select(Availability.member_id).where(Availability.company_address_required.is_(True))
        closed = set(db.session.execute(picky).scalars())
        proposed = [one for one in connecting.open_proposals(ask) if one.member_id not in closed]
        if proposed:
            connecting.approach(asker, ask.id, [proposed[0].id], note=table["connect_note"])


def _replies(ask: Ask, table: content.Table, people: dict[str, int], asked_at: datetime) -> None:
    if "vendor_after" in table:
        with clock.frozen(asked_at + timedelta(hours=table["vendor_after"])):
            post_reply(viewer_of(people[table["vendor"]]), ask.thread_id or 0, table["vendor_body"])
    if "answered_after" in table:
        with clock.frozen(asked_at + timedelta(hours=table["answered_after"])):
            post_reply(viewer_of(people[table["answer"]]), ask.thread_id or 0, table["answer_body"])
    if "doubted_after" in table:
        with clock.frozen(asked_at + timedelta(hours=table["doubted_after"])):
            settling.doubt(viewer_of(ask.asker_id), ask.id)


def _private(people: dict[str, int], now: datetime) -> None:
    """One question in private, with three proposals waiting."""
    with clock.frozen(now - timedelta(hours=2)):
        asking.ask_privately(
            viewer_of(people["jonas-lindqvist"]),
            title="What does the third year cost you, honestly?",
            body="The offer is clear for two years. I would like to hear from somebody who paid the third.",
            situation=asking.Situation(industry="31-33", size_band="500-999"),
        )


def _look(ask: Ask, moment: datetime, now: datetime) -> None:
    """Three of those who were asked have looked."""
    rows = db.session.execute(
        select(AnswerRequest)
        .where(AnswerRequest.ask_id == ask.id, AnswerRequest.sent_at.is_not(None))
        .order_by(AnswerRequest.id)
        .limit(3)
    ).scalars()
    for number, request in enumerate(rows):
        request.seen_at = min(moment + timedelta(minutes=20 * number), now)
    db.session.flush()


def _wave(ask: Ask, number: int, moment: datetime, draw: Random) -> None:
    _stage(ask, StageKind.WAVE, number, moment, asked=draw.choice([4, 5, 5, 5]), same=["industry"])


def _stage(ask: Ask, kind: StageKind, number: int, moment: datetime, **details: object) -> AskStage:
    stage = AskStage(
        ask_id=ask.id, kind=kind, number=number, at=moment, attempts=0, private=False, details=details
    )
    db.session.add(stage)
    db.session.flush()
    return stage


def _request(
    ask: Ask,
    member_id: int,
    wave: int,
    outcome: Outcome,
    asked_at: datetime,
    done_at: datetime | None,
    same: list[str] | None = None,
) -> AnswerRequest:
    known = db.session.execute(
        select(AnswerRequest).where(AnswerRequest.ask_id == ask.id, AnswerRequest.member_id == member_id)
    ).scalar_one_or_none()
    if known is not None:
        return known
    request = AnswerRequest(
        ask_id=ask.id,
        member_id=member_id,
        via=Via.MATCH,
        wave=wave,
        fit=0.75,
        same=same if same is not None else ["industry"],
        differs=[],
        unknown=[],
        answered_alike=0,
        created_at=asked_at,
        deliver_at=asked_at,
        sent_at=asked_at,
        seen_at=done_at,
        outcome=outcome,
        outcome_at=done_at,
    )
    db.session.add(request)
    db.session.flush()
    return request
