"""The demo's moderation: flags, decisions, an appeal and held posts, as the services would have made them."""

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from portal.demo import content
from portal.demo.talk import Written
from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import statuses_reading
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.members.models import Member
from portal.members.queries import viewer_of
from portal.moderation.models import AppealOutcome, Case, Decision, MemberMeasure, PostMeasure, Rule, Shift
from portal.moderation.queries.rota import today
from portal.moderation.services import screening
from portal.moderation.services.appeals import appeal, decide_appeal
from portal.moderation.services.cases import claim, open_held_case
from portal.moderation.services.deciding import Verdict, decide, undo
from portal.moderation.services.flags import flag_post, withdraw_flag
from portal.moderation.services.rules import ensure_rules

ON_DUTY = ("ruth-adeyemi", "marijke-brouwer", "ruth-adeyemi", "teo-lindgren")  # a week each, in turn
AUTHOR_MARKS = {
    "warned": MemberMeasure.WARN,
    "suspended": MemberMeasure.SUSPEND,
    "banned": MemberMeasure.BAN,
}
# which thread, who flagged it, why; who works on it
SOMETHING_ELSE = (
    "partner-calls-on-weekend",
    "bridget-malone",
    "No rule of yours is broken, I think. But anybody in our trade recognises the partner that complained. "
    "Could a person look at it?",
    "marijke-brouwer",
)
TAKEN_BACK = ("alarm-noise", "lachlan-prior")
SUSPENDED_FOR = timedelta(days=6)  # from when the demo is loaded


def settle(written: Written, people: dict[str, int], draw: Random, now: datetime) -> None:
    """Bring every marked post into its state, oldest first, each step at a believable moment."""
    ensure_rules()
    rules = {row.key: row.number for row in db.session.execute(select(Rule.key, Rule.number))}
    posts = {row[2]: db.session.get_one(Post, row[2]) for row in written.marked}
    for table, _thread_id, post_id in sorted(written.marked, key=lambda row: posts[row[2]].created_at):
        post = posts[post_id]
        state = table.get("moderation", "")
        if state == "held":
            _hold(post, table, now - timedelta(hours=draw.uniform(0.4, 5)))
            continue
        if state == "released":
            said = table["decided"]
            case = _hold(post, table, post.created_at)
            moment = post.created_at + timedelta(hours=1)
            _decide(
                case,
                people[said["by"]],
                PostMeasure.RELEASE,
                MemberMeasure.NONE,
                None,
                said["reason"],
                moment,
            )
            continue
        if state == "refused":
            moment = min(post.created_at, now - timedelta(hours=30))
            case = _hold(post, table, moment)
            _by_marker(case, table, people, rules, moment + timedelta(hours=2), post=PostMeasure.REFUSE)
            continue
        if "hidden" in table:
            # An appeal can be made within 14 days, so what is appealed was decided lately.
            flagged_at = now - timedelta(days=4) if state == "appealed" else post.created_at
            rule = rules[table["hidden"]["rule"]]
            flagger = _reader(post, people[table["hidden"]["by"]], draw)
            case = _flag(post, flagger, rule, "", min(flagged_at + timedelta(hours=2), now))
            decided_at = min(flagged_at + timedelta(hours=draw.uniform(3, 9)), now)
            moderator = people[table["hidden"]["by"]]
            measure = AUTHOR_MARKS.get(state, MemberMeasure.NONE)
            decision = _decide(
                case, moderator, PostMeasure.HIDE, measure, rule, table["hidden"]["reason"], decided_at, now
            )
            if state == "appealed":
                with clock.frozen(now - timedelta(hours=3)):
                    appeal(post.author_id, decision.id, table["moderation_reason"])
            elif "appeal" in table:
                _answer_appeal(decision, table, people, decided_at)
            elif state == "taken-back":
                _take_back(decision, table, moderator, decided_at)
            continue
        for flag in table.get("flagged", []):
            moment = min(post.created_at + timedelta(hours=draw.uniform(1, 12)), now)
            if state not in ("dismissed", "closed"):  # what is open was flagged lately
                moment = max(moment, now - timedelta(hours=draw.uniform(0.5, 30)))
            case = _flag(post, people[flag["by"]], rules[flag["reason"]], flag.get("comment", ""), moment)
        if state == "closed":
            _by_marker(case, table, people, rules, moment + timedelta(hours=3), post=PostMeasure.CLOSE)
        if state == "dismissed":
            moderator = people["marijke-brouwer"]
            moment = min(moment + timedelta(hours=draw.uniform(1, 10)), now)
            _decide(
                case,
                moderator,
                PostMeasure.NONE,
                MemberMeasure.NONE,
                None,
                table["moderation_reason"],
                moment,
            )


def _flag(post: Post, reporter_id: int, rule: int, comment: str, moment: datetime) -> Case:
    with clock.frozen(moment):
        flag = flag_post(viewer_of(reporter_id), post.id, rule_number=rule, comment=comment)
    return db.session.get_one(Case, flag.case_id)


def _decide(
    case: Case,
    moderator_id: int,
    post: PostMeasure,
    member: MemberMeasure,
    rule: int | None,
    reason: str,
    moment: datetime,
    now: datetime | None = None,
) -> Decision:
    until = now + SUSPENDED_FOR if now and member is MemberMeasure.SUSPEND else None
    verdict = Verdict(
        post=post,
        member=member,
        rule_number=rule,
        reason=reason,
        suspended_until=until,
        version=case.version,
    )
    with clock.frozen(moment):
        return decide(viewer_of(moderator_id), case.id, verdict)


def _by_marker(
    case: Case,
    table: content.Table,
    people: dict[str, int],
    rules: dict[str, int],
    moment: datetime,
    *,
    post: PostMeasure,
) -> None:
    """Decide as `decided` in the file says."""
    said = table["decided"]
    _decide(case, people[said["by"]], post, MemberMeasure.NONE, rules[said["rule"]], said["reason"], moment)


def _answer_appeal(
    decision: Decision, table: content.Table, people: dict[str, int], decided_at: datetime
) -> None:
    """The author appeals on the day after, and another moderator answers on the next."""
    with clock.frozen(decided_at + timedelta(hours=20)):
        made = appeal(decision.member_id, decision.id, table["moderation_reason"])
    outcome = AppealOutcome(table["moderation"])
    with clock.frozen(decided_at + timedelta(hours=41)):
        version = db.session.get_one(Case, made.case_id).version
        judge = viewer_of(people[table["appeal"]["by"]])
        decide_appeal(judge, made.id, outcome, table["appeal"]["reason"], version=version)


def _take_back(decision: Decision, table: content.Table, moderator_id: int, decided_at: datetime) -> None:
    """The moderator thinks again within minutes, and leaves the post standing."""
    with clock.frozen(decided_at + timedelta(minutes=4)):
        undo(viewer_of(moderator_id), decision.id)
    case = db.session.get_one(Case, decision.case_id, populate_existing=True)
    moment = decided_at + timedelta(minutes=11)
    _decide(
        case, moderator_id, PostMeasure.NONE, MemberMeasure.NONE, None, table["moderation_reason"], moment
    )


def _hold(post: Post, table: content.Table, moment: datetime) -> Case:
    """As if written just now, so that it waits no longer than it should; for the product's own reasons."""
    reasons = screening.reasons_in(post.html, table.get("title", ""))
    post.created_at = moment
    post.state, post.state_reason = PostState.HELD, " ".join(reasons)
    if post.kind is PostKind.OPENING:
        thread = db.session.get_one(Thread, post.thread_id)
        thread.state, thread.created_at, thread.last_activity_at = PostState.HELD, moment, moment
    db.session.flush()
    with clock.frozen(moment):
        return open_held_case(post.id, reasons)


def _reader(post: Post, moderator_id: int, draw: Random) -> int:
    """A customer who could read the post then, is not its author, and of another company than who decides."""
    audience = db.session.execute(
        select(Board.audience).join(Thread, Thread.board_id == Board.id).where(Thread.id == post.thread_id)
    ).scalar_one()
    statuses = [status for status in statuses_reading(audience) if status is not Status.PROSPECT]
    members = db.session.execute(
        select(Member.id)
        .where(
            Member.status.in_(statuses),
            Member.id != post.author_id,
            Member.created_at < post.created_at,
            Member.company_id.is_distinct_from(db.session.get_one(Member, moderator_id).company_id),
        )
        .order_by(Member.id)
    ).scalars()
    return draw.choice(list(members))


def look_twice(written: Written, people: dict[str, int], now: datetime) -> None:
    """A flag for none of the rules, on which a moderator works just now, and one that was taken back."""
    key, by, words, moderator = SOMETHING_ELSE
    with clock.frozen(now - timedelta(hours=2)):
        flag = flag_post(viewer_of(people[by]), written.posts[key, 0], rule_number=None, comment=words)
    with clock.frozen(now - timedelta(minutes=6)):
        claim(viewer_of(people[moderator]), flag.case_id)
    key, by = TAKEN_BACK
    with clock.frozen(now - timedelta(days=2)):
        flag_post(viewer_of(people[by]), written.posts[key, 0], rule_number=None, comment="Is this still so?")
    with clock.frozen(now - timedelta(days=2) + timedelta(minutes=9)):
        withdraw_flag(viewer_of(people[by]), written.posts[key, 0])


def plan_duty(people: dict[str, int]) -> None:
    """Four weeks of the rota: in the third nobody yet from Thursday on."""
    monday = today() - timedelta(days=today().weekday())
    for week, username in enumerate(ON_DUTY):
        first = monday + timedelta(weeks=week)
        last = first + timedelta(days=2 if week == 2 else 6)
        db.session.add(Shift(member_id=people[username], first_day=first, last_day=last))
