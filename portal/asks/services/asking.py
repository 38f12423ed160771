"""Asking: in the open, as a thread with a clock, or in private, straight to whom one could talk to."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from portal.asks import policy
from portal.asks.models import Ask, AskMode, AskState, PrivateQuestion
from portal.asks.queries.boards import board_for_asks
from portal.asks.services import connecting, timing
from portal.discussions.models import PostState, ShownAs, ThreadKind
from portal.discussions.services import posting
from portal.discussions.services.text import check_source
from portal.kernel import clock, form_keys, site
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, TooMany
from portal.members import lists
from portal.members.models import Product, RoleLevel

LONGEST_LINE = 200


@dataclass(frozen=True)
class Situation:
    """What the asker says about themselves; all of it may stay empty."""

    industry: str = ""
    size_band: str = ""
    region: str = ""
    product_ids: tuple[int, ...] = ()
    use_case: str = ""
    replacing: str = ""
    role_level: RoleLevel | None = None
    needed_by: date | None = None


def ask_openly(
    asker: Viewer,
    *,
    title: str,
    body: str,
    situation: Situation = Situation(),
    shown_as: ShownAs = ShownAs.ROLE,
    indexable: bool = False,
    may_connect: bool = False,
    form_key: str = "",
) -> Ask:
    """A question thread on the board for asks, with a clock that runs as soon as the thread can be read.

    Raises Forbidden for an account of the vendor, Invalid beside a field, NoBoard, TooMany, Repeated.
    """
    situation = _checked(asker, situation)
    with form_keys.once(form_key, asker.member_id or 0) as outcome:
        _check_number(asker)
        board = board_for_asks(public=indexable)
        thread = posting.open_thread(
            asker,
            board.id,
            kind=ThreadKind.QUESTION,
            title=title,
            body=body,
            author_shown_as=appears_as(asker, shown_as),
        )
        ask = _new(asker, AskMode.OPEN, situation, may_connect=may_connect)
        ask.thread_id = thread.id
        ask.shown_as, ask.indexable = appears_as(asker, shown_as).value, indexable
        db.session.add(ask)
        db.session.flush()  # stages need its id
        if thread.state is PostState.VISIBLE:
            timing.begin(ask)
        outcome.place = f"/asks/{ask.id}"
    return ask


def ask_privately(
    asker: Viewer,
    *,
    title: str,
    body: str,
    situation: Situation = Situation(),
    form_key: str = "",
) -> Ask:
    """A question that nobody reads but its asker, and whom they then ask for a conversation.

    Proposals stand beside it at once. Raises Forbidden, Invalid, TooMany, Repeated; CannotOpen without a key.
    """
    situation = _checked(asker, situation)
    title = posting.clean_title(title)
    check_source(body)
    with form_keys.once(form_key, asker.member_id or 0) as outcome:
        _check_number(asker)
        ask = _new(asker, AskMode.CONVERSATION, situation)
        ask.state = AskState.RUNNING
        db.session.add(ask)
        db.session.flush()
        question = PrivateQuestion(ask_id=ask.id, bound_to=clock.token(18))
        key = question.give_key()
        question.title_box = key.seal(title, purpose="title")
        question.body_box = key.seal(body.strip(), purpose="body")
        db.session.add(question)
        connecting.propose(ask)
        outcome.place = f"/asks/{ask.id}/connect"
    return ask


def appears_as(asker: Viewer, wanted: ShownAs) -> ShownAs:
    """By name only for a prospect who wants it: to sales and service prospects have none anyway, and
    customers would have one, so they ask as a role."""
    if asker.status is Status.PROSPECT:
        return ShownAs(wanted)
    return ShownAs.ROLE


def check_situation(situation: Situation) -> list[Invalid]:
    """What is wrong with it, each beside its field."""
    problems = []
    today = clock.now().date()
    if situation.needed_by and situation.needed_by < today:
        problems.append(
            Invalid("This day lies in the past. Choose today or a later day, or leave it empty.", "needed_by")
        )
    if situation.industry and lists.find(lists.INDUSTRIES, situation.industry) is None:
        problems.append(Invalid("Choose one of the industries, or leave it empty.", "industry"))
    if situation.size_band and lists.find(lists.SIZES, situation.size_band) is None:
        problems.append(Invalid("Choose one of the sizes, or leave it empty.", "size"))
    if situation.region and not lists.country_name(situation.region):
        problems.append(Invalid("Choose one of the countries, or leave it empty.", "region"))
    for value, name in ((situation.use_case, "use_case"), (situation.replacing, "replacing")):
        if len(value) > LONGEST_LINE:
            problems.append(Invalid(f"At most {LONGEST_LINE} characters fit here.", name))
    return problems


def _checked(asker: Viewer, situation: Situation) -> Situation:
    if not asker.may(Permission.ASK):
        raise Forbidden("This account cannot ask customers.")
    for problem in check_situation(situation):
        raise problem
    known = set(db.session.execute(select(Product.id).where(Product.id.in_(situation.product_ids))).scalars())
    if set(situation.product_ids) - known:
        raise Invalid("Choose from the products of the list.", "products")
    return situation


def _check_number(asker: Viewer) -> None:
    since = clock.now() - timedelta(days=1)
    asked = db.session.execute(
        select(func.count()).select_from(Ask).where(Ask.asker_id == asker.member_id, Ask.created_at > since)
    ).scalar_one()
    if asked >= policy.ASKS_A_DAY:
        raise TooMany(
            f"You asked {policy.ASKS_A_DAY} questions within a day. Your text is kept: send it tomorrow.",
            retry_after=6 * 3600,
        )


def _new(asker: Viewer, mode: AskMode, situation: Situation, *, may_connect: bool = False) -> Ask:
    return Ask(
        asker_id=asker.member_id or 0,
        mode=mode,
        state=AskState.HELD,  # until the clock begins
        shown_as=ShownAs.ROLE.value,
        indexable=False,
        may_connect=may_connect,
        industry=situation.industry,
        size_band=situation.size_band,
        region=situation.region,
        product_ids=list(situation.product_ids),
        use_case=situation.use_case.strip(),
        replacing=situation.replacing.strip(),
        role_level=situation.role_level,
        needed_by=situation.needed_by,
        dropped=[],
        promise_hours=site.current().ask_hours,
        created_at=clock.now(),
        in_time=False,
        rounds=1,
    )
