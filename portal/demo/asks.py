"""The demo's asks: what prospects asked on "Before you buy", and those of the last days, step by step.

Everything is done by the product's own services, so who was asked and why is what the matching says.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select

from portal.asks import policy
from portal.asks.listeners import look_at_acceptance, look_at_post
from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskMode,
    AskProposal,
    AskStage,
    AskState,
    Outcome,
    StageKind,
    Via,
)
from portal.asks.services import (
    asking,
    connecting,
    fitting,
    requests,
    settling,
    stages,
    timing,
    waves,
    weighing,
)
from portal.conversations import services as conversations
from portal.conversations.models import Conversation, ConversationState
from portal.demo import content
from portal.demo.invites import token_mailed_to
from portal.demo.rules import rule_number
from portal.demo.talk import Written
from portal.discussions.events import AnswerAccepted, PostPublished
from portal.discussions.models import Board, Post, PostKind, PostState, ShownAs, Thread, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.editing import delete_own_post
from portal.discussions.services.posting import post_reply
from portal.kernel import clock, site
from portal.kernel.access import Status, Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services as matching
from portal.matching.queries import Gate, Match
from portal.matching.services.availability import change_preferences, preferences_of
from portal.members.models import Company, Member, Product, RoleLevel
from portal.members.queries import viewer_of
from portal.moderation.models import Case, Decision, PostMeasure
from portal.moderation.services.deciding import Verdict, decide, undo
from portal.moderation.services.flags import flag_post

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


def work_until(moment: datetime) -> None:
    """What the worker would have done by then, each thing when it was due."""
    before = None
    while (due := _next_due(moment)) is not None and due != before:
        with clock.frozen(due):
            _ask_customers(due)
            waves.move_on()
            waves.deliver()
        before = due


def _next_due(until: datetime) -> datetime | None:
    stage = select(func.min(AskStage.planned_at)).where(AskStage.at.is_(None))
    told = select(func.min(AnswerRequest.deliver_at)).where(
        AnswerRequest.sent_at.is_(None), AnswerRequest.outcome == Outcome.PENDING
    )
    found = [db.session.execute(query).scalar() for query in (stage, told)]
    return min((moment for moment in found if moment is not None and moment <= until), default=None)


def _ask_customers(moment: datetime, first: Sequence[int] = ()) -> None:
    """Waves that are due, to people who were here by then; those of `first` before others."""
    here = Gate("here by then", Member.created_at <= moment)
    due = db.session.execute(
        select(AskStage)
        .where(AskStage.kind == StageKind.WAVE, AskStage.at.is_(None), AskStage.planned_at <= moment)
        .order_by(AskStage.planned_at, AskStage.id)
    ).scalars()
    for stage in list(due):
        ask = db.session.get_one(Ask, stage.ask_id)
        chosen: list[Match] = []
        for member_id in first:
            chosen += _choose(ask, [here, Gate("this one", Member.id == member_id)], 1)
        left = policy.WAVE - len(chosen)
        chosen += _choose(ask, [here, Gate("others", Member.id.not_in(first))], left)
        stages.claim(stage.id)
        db.session.refresh(stage)
        waves.bring(ask, stage, chosen)
        stages.refresh(ask)


def _choose(ask: Ask, gates: list[Gate], count: int) -> list[Match]:
    return matching.choose_for_wave(
        ask.asker_id,
        fitting.criteria_of(ask),
        purpose=fitting.purpose_of(ask),
        gates=gates,
        exclude=fitting.asked_already(ask),
        count=count,
        at=clock.now(),
    )


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
        _ask_customers(ask.created_at, [first.author_id] if first else [])
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


class Scene:
    """One ask being played, with its people."""

    def __init__(self, table: content.Table, people: dict[str, int], now: datetime) -> None:
        self.table, self.people, self.now = table, people, now
        self.began = now - timedelta(hours=table["hours_ago"])
        self.asker_id = people[table["author"]]
        self.id = 0

    def play(self) -> None:
        """The question, and every step whose time has come."""
        work_until(self.began)
        with clock.frozen(self.began):
            self.id = self._ask().id
            _ask_customers(self.began, [self.people[name] for name in self.table.get("asked", [])])
            waves.deliver()
        self._check_asked()
        for step in self.table.get("step", []):
            moment = min(self.began + timedelta(hours=step["after"]), self.now)
            work_until(moment)
            with clock.frozen(moment):
                STEPS[step["do"]](self, step, viewer_of(self.people[step.get("by", self.table["author"])]))
        work_until(self.now)

    @property
    def row(self) -> Ask:
        return db.session.get_one(Ask, self.id, populate_existing=True)

    @property
    def thread_id(self) -> int:
        return self.row.thread_id or 0

    def _ask(self) -> Ask:
        table = self.table
        names = select(Product.id).where(Product.name.in_(table.get("products", [])))
        situation = asking.Situation(
            industry=table.get("industry", ""),
            size_band=table.get("size", ""),
            region=table.get("country", ""),
            product_ids=tuple(db.session.execute(names.order_by(Product.id)).scalars()),
            use_case=table.get("use_case", ""),
            replacing=table.get("replacing", ""),
            role_level=RoleLevel(table["role_level"]) if "role_level" in table else None,
            needed_by=(self.now + timedelta(days=table["needed_in"])).date()
            if "needed_in" in table
            else None,
        )
        viewer, title, body = viewer_of(self.asker_id), table["title"], table["body"].strip()
        if table.get("private"):
            return asking.ask_privately(viewer, title=title, body=body, situation=situation)
        return asking.ask_openly(
            viewer,
            title=title,
            body=body,
            situation=situation,
            shown_as=ShownAs(table["shown_as"]),
            indexable=table.get("indexable", False),
            may_connect=table.get("may_connect", False),
        )

    def _check_asked(self) -> None:
        """Whoever the file says was asked is somebody whom the matching lets be asked."""
        asked = set(fitting.asked_already(self.row))
        missing = [name for name in self.table.get("asked", []) if self.people[name] not in asked]
        if missing:
            raise ValueError(f"{self.table['key']}: {missing} could not be asked")

    def _request_of(self, by: Viewer) -> int:
        return db.session.execute(
            select(AnswerRequest.id).where(
                AnswerRequest.ask_id == self.id, AnswerRequest.member_id == by.member_id
            )
        ).scalar_one()

    def _look(self, step: content.Table, _by: Viewer) -> None:
        """Some of those who were asked have it on the screen."""
        named = [self.people[name] for name in self.table.get("asked", [])]
        rows = db.session.execute(
            select(AnswerRequest)
            .where(
                AnswerRequest.ask_id == self.id,
                AnswerRequest.sent_at.is_not(None),
                AnswerRequest.member_id.not_in(named),
            )
            .order_by(AnswerRequest.id)
            .limit(step["how_many"])
        ).scalars()
        for request in list(rows):
            requests.note_seen(viewer_of(request.member_id), request.id)

    def _see(self, _step: content.Table, by: Viewer) -> None:
        requests.note_seen(by, self._request_of(by))

    def _not_now(self, _step: content.Table, by: Viewer) -> None:
        requests.not_now(by, self._request_of(by))

    def _talk(self, _step: content.Table, by: Viewer) -> None:
        requests.would_talk(by, self._request_of(by))

    def _pass_on(self, step: content.Table, by: Viewer) -> None:
        requests.pass_on(by, self._request_of(by), step["to"])

    def _take_up(self, _step: content.Table, by: Viewer) -> None:
        """The colleague followed the link in the mail, and joined."""
        requests.take_over(by, token_mailed_to(by))
        requests.note_seen(by, self._request_of(by))

    def _reply(self, step: content.Table, by: Viewer) -> None:
        post_reply(by, self.thread_id, step["text"].strip())

    def _take_back(self, _step: content.Table, by: Viewer) -> None:
        """Whoever answered deletes it again."""
        delete_own_post(by, self._last_post_of(by))

    def _accept(self, step: content.Table, by: Viewer) -> None:
        accept(by, self.thread_id, self._last_post_of(viewer_of(self.people[step["whose"]])))

    def _summarise(self, step: content.Table, by: Viewer) -> None:
        settling.write_summary(by, self.id, " ".join(step["text"].split()))

    def _doubt(self, _step: content.Table, by: Viewer) -> None:
        settling.doubt(by, self.id)

    def _flag(self, step: content.Table, by: Viewer) -> None:
        flag_post(by, self._opening(), rule_number=rule_number(step["rule"]), comment="")

    def _remove(self, step: content.Table, by: Viewer) -> None:
        """A moderator removed the thread; the ask counts all the same."""
        case = db.session.execute(select(Case).where(Case.open_key == f"post:{self._opening()}")).scalar_one()
        verdict = Verdict(
            post=PostMeasure.HIDE,
            rule_number=rule_number(step["rule"]),
            reason=step["text"],
            version=case.version,
        )
        decide(by, case.id, verdict)

    def _undo(self, step: content.Table, by: Viewer) -> None:
        """The moderator thought again within minutes, and leaves it standing."""
        decision = db.session.execute(
            select(Decision).where(Decision.post_id == self._opening()).order_by(Decision.id.desc()).limit(1)
        ).scalar_one()
        undo(by, decision.id)
        case = db.session.get_one(Case, decision.case_id, populate_existing=True)
        decide(by, case.id, Verdict(reason=step["text"], version=case.version))

    def _connect(self, _step: content.Table, by: Viewer) -> None:
        """The asker did not wait for the clock."""
        connecting.connect_now(by, self.id, may_connect=False)

    def _approach(self, step: content.Table, by: Viewer) -> None:
        """The asker asks those of the three who stand at these places."""
        proposed = connecting.open_proposals(self.row)
        chosen = [proposed[place - 1].id for place in step["places"] if place <= len(proposed)]
        connecting.approach(by, self.id, chosen, note=step["text"])

    def _pause(self, step: content.Table, _by: Viewer) -> None:
        """One of those who are proposed wants a rest meanwhile."""
        member_id = connecting.open_proposals(self.row)[step["place"] - 1].member_id
        kept = preferences_of(member_id)
        until = (clock.now() + timedelta(days=step["days"])).date()
        change_preferences(member_id, replace(kept.preferences, paused_until=until), version=kept.version)

    def _look_again(self, _step: content.Table, by: Viewer) -> None:
        """The asker has others proposed for those who are not there any more."""
        connecting.propose_again(by, self.id)

    def _is_declined(self, _step: content.Table, _by: Viewer) -> None:
        """Whoever was asked first says no, silently."""
        asked = db.session.execute(
            select(Conversation)
            .join(AskProposal, AskProposal.member_id == Conversation.member_id)
            .where(
                Conversation.origin == fitting.purpose_of(self.row),
                AskProposal.ask_id == self.id,
                Conversation.state == ConversationState.REQUESTED,
            )
            .order_by(AskProposal.id)
            .limit(1)
        ).scalar_one()
        conversations.decline(viewer_of(asked.member_id), asked.id)

    def _weigh(self, step: content.Table, by: Viewer) -> None:
        weighing.weigh(by, self.id, step["names"])

    def _widen(self, _step: content.Table, by: Viewer) -> None:
        connecting.widen(by, self.id)

    def _opening(self) -> int:
        return db.session.execute(
            select(Post.id).where(Post.thread_id == self.thread_id, Post.kind == PostKind.OPENING)
        ).scalar_one()

    def _last_post_of(self, by: Viewer) -> int:
        posts = select(func.max(Post.id)).where(
            Post.thread_id == self.thread_id, Post.author_id == by.member_id, Post.kind == PostKind.ANSWER
        )
        found: Any = db.session.execute(posts).scalar_one()
        return int(found)


STEPS: dict[str, Callable[[Scene, content.Table, Viewer], None]] = {
    "look": Scene._look,
    "see": Scene._see,
    "not_now": Scene._not_now,
    "talk": Scene._talk,
    "pass_on": Scene._pass_on,
    "take_up": Scene._take_up,
    "reply": Scene._reply,
    "take_back": Scene._take_back,
    "accept": Scene._accept,
    "summarise": Scene._summarise,
    "doubt": Scene._doubt,
    "flag": Scene._flag,
    "remove": Scene._remove,
    "undo": Scene._undo,
    "connect": Scene._connect,
    "approach": Scene._approach,
    "pause": Scene._pause,
    "look_again": Scene._look_again,
    "is_declined": Scene._is_declined,
    "weigh": Scene._weigh,
    "widen": Scene._widen,
}
