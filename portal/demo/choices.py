"""What the demo's people chose: what is shown of them, how they are told, how thanks are weighed."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update

from portal.advocacy.formula import Weights
from portal.advocacy.services import choosing, recognition, weighing
from portal.conversations.services.preserving import preserve
from portal.demo.cast import SOURCE
from portal.demo.dates import days_ago
from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.kernel import clock
from portal.kernel.db import db
from portal.matching.services.availability import change_preferences, lower_limit, preferences_of
from portal.members.models import Member, Product
from portal.members.queries import viewer_of
from portal.members.services.erasing import erase_account
from portal.members.services.profiles import choose_theme, choose_visibility, claim_company
from portal.moderation.models import MemberMeasure, PostMeasure
from portal.moderation.models import Rule as HouseRule
from portal.moderation.services.deciding import Verdict
from portal.moderation.services.practice import answer_practice
from portal.notifications.models import Digest
from portal.notifications.services.preferences import choose, choose_digest

RUTH, ANNEKE = "ruth-adeyemi", "anneke-de-groot"
ERASED = "henning-voigt"  # left; the words stay
CLAIMS = (
    ("hugh-lathom", "Lathom & Daughters Ltd, Ludlow"),
    ("owen-prosser", "Prosser Haulage, Carmarthen"),
)
SHOWN_FOR = 20  # days
# who shows the piece of theirs that most found useful, with which words, and whether with what they did
SHOWN = (
    ("petra-novakova", "The one that people still ask me about.", True),
    ("tomaszw", "", True),
    ("siobhan", "Written at six in the morning, and still true.", False),
    ("gretchen-moss", "I would rather you learnt it from me.", True),
)
NOT_SCORED, NOT_APPROACHED = ("cormac-doherty",), ("meera-iyer",)
VISIBLE = (
    ("amelie-destree", {"company": "members", "picture": "members", "contributions": "members"}),
    ("andre-whitfield", {"title": "nobody", "products": "nobody", "replaced": "nobody"}),
)
NOT_TO_BE_ASKED = ("wiktor-sobol", "lise-aubert")
DAILY = ("ruth-adeyemi", "petra-novakova")
# days ago, what was changed from the numbers that the product comes with, and why
WEIGHTS = (
    (
        210,
        Weights(answer_points=0.3),
        "Several of you wrote that being quick counts too much beside being useful. A first answer counts "
        "0.3 instead of 0.5 until the end of the quarter, and then we look at it together.",
    ),
    (
        118,
        Weights(),
        "Back to 0.5. In the quarter with 0.3 the newest members answered less, and nobody who helped much "
        "stood higher for it.",
    ),
)
LOWERED = ("petra-novakova", 12, 1)
ORDER = (
    "dkaplan77",
    9,
    170,
    "Commercial court of Rotterdam, order C/10/2231 of last week, served on us by post.",
)
RETIRED = "Flow Archive 6"
# the practice case, what the moderator would do, by which rule, with which words
PRACTISED = (
    ("harsh", PostMeasure.NONE, MemberMeasure.NONE, None, ""),
    ("phone", PostMeasure.HIDE, MemberMeasure.NONE, "personal_data", "It names somebody with their number."),
    (
        "belittles",
        PostMeasure.HIDE,
        MemberMeasure.WARN,
        "hostile",
        "It is about the person who asks, and not about the question.",
    ),
)


def add(people: dict[str, int], now: datetime) -> None:
    """Each choice through its service, at its moment."""
    for username, words in CLAIMS:
        claim_company(people[username], company=words)
    for username, words, badges in SHOWN:
        viewer = viewer_of(people[username])
        with clock.frozen(days_ago(now, SHOWN_FOR)):
            recognition.show(viewer, post_id=_best(people[username]), words=words, badges=badges)
    for username in sorted({*NOT_SCORED, *NOT_APPROACHED}):
        with clock.frozen(days_ago(now, 70)):
            choosing.choose(
                viewer_of(people[username]),
                not_scored=username in NOT_SCORED,
                not_approached=username in NOT_APPROACHED,
            )
    for username, shown in VISIBLE:
        choose_visibility(people[username], shown)
    for username in NOT_TO_BE_ASKED:
        kept = preferences_of(people[username])
        closed = replace(kept.preferences, conversations_open=False, answer_requests_open=False)
        change_preferences(people[username], closed, version=kept.version)
    choose_theme(people["gwilym-evans"], "dark")
    choose(people["dana-kowalski"], "followed", in_app=True, by_mail=False)
    _decide(people, now)
    db.session.execute(update(Product).where(Product.name == RETIRED).values(retired=True))
    with clock.frozen(days_ago(now, 31)):
        erase_account(people[ERASED], keep_text=True)
    # An erased account is nobody's any more: it stays the demo's, so that it goes with it.
    db.session.execute(update(Member).where(Member.id == people[ERASED]).values(import_source=SOURCE))
    db.session.flush()
    db.session.expire_all()


def weigh(people: dict[str, int], now: datetime) -> None:
    """How thanks are weighed was changed once, and changed back: before anything is in the ledger."""
    for days, weights, why in WEIGHTS:
        with clock.frozen(days_ago(now, days)):
            weighing.decide(viewer_of(people[ANNEKE]), weights, why)
            weighing.apply_due()


def choose_digests(people: dict[str, int]) -> None:
    """Some want to hear each day of what they missed."""
    for username in DAILY:
        choose_digest(people[username], Digest.DAILY)


def _decide(people: dict[str, int], now: datetime) -> None:
    """What moderators decided about single members, what an order wants kept, and how Ruth practised."""
    username, days, limit = LOWERED
    with clock.frozen(days_ago(now, days)):
        lower_limit(viewer_of(people[RUTH]), people[username], limit)
    username, days, longest, order = ORDER
    with clock.frozen(days_ago(now, days)):
        preserve(username, reason=order, until=now + timedelta(days=longest))
    rules = {row.key: row.number for row in db.session.execute(select(HouseRule.key, HouseRule.number))}
    for key, post, member, rule, reason in PRACTISED:
        verdict = Verdict(post=post, member=member, rule_number=rules.get(rule or ""), reason=reason)
        with clock.frozen(days_ago(now, 150)):
            answer_practice(viewer_of(people[RUTH]), key, verdict)


def _best(member_id: int) -> int:
    return db.session.execute(
        select(Post.id)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.author_id == member_id,
            or_(
                Post.kind == PostKind.ANSWER,
                and_(Post.kind == PostKind.OPENING, Thread.kind == ThreadKind.WAR_STORY),
            ),
            Post.created_at < clock.now(),
            Post.state == PostState.VISIBLE,
            Thread.state == PostState.VISIBLE,
            Board.audience == Audience.PUBLIC,
        )
        .order_by(Post.votes_count.desc(), Post.id)
        .limit(1)
    ).scalar_one()
