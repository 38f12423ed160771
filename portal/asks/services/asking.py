"""Asking: in the open, as a thread with a clock, or in private, straight to whom one could talk to."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.asks import policy
from portal.asks.models import Ask, AskMode, AskState, PrivateQuestion
from portal.asks.queries import finding
from portal.asks.queries.boards import board_for_asks
from portal.asks.services import connecting, timing
from portal.conversations.models import ConversationState
from portal.conversations.queries import reading
from portal.conversations.queries.finding import find_own
from portal.discussions.models import PostState, ShownAs, ThreadKind
from portal.discussions.services import posting
from portal.discussions.services.text import check_source
from portal.kernel import clock, form_keys, site
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound, TooMany
from portal.matching.criteria import Criteria
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
    not_again: int | None = None,
    form_key: str = "",
) -> Ask:
    """A question that nobody reads but its asker, and whom they then ask for a conversation.

    Proposals stand beside it at once, without the member `not_again`.
    Raises Forbidden, Invalid, TooMany, Repeated; CannotOpen without a key.
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
        if not_again is not None:
            connecting.set_aside(ask, not_again)
        connecting.propose(ask)
        outcome.place = f"/asks/{ask.id}/connect"
    return ask


def ask_others(asker: Viewer, conversation_id: str, *, form_key: str = "") -> Ask:
    """After a request that came to nothing: the same words in private, with three other customers proposed.

    Of a request that came from an ask, that ask; pressed again, the one that was made. The situation is what
    the asker's own profile says. Raises NotFound, Forbidden; Invalid while the request waits or is taken up;
    TooMany, Repeated; CannotOpen without a key.
    """
    conversation, _me = find_own(asker, conversation_id)
    if conversation.asker_id != asker.member_id:
        raise NotFound("no such request")
    if conversation.state not in (ConversationState.DECLINED, ConversationState.RELEASED):
        raise Invalid(_("Others are proposed once this request has come to nothing."))
    made = finding.ask_after(conversation)
    if made is not None:
        return made
    like = Criteria.of_member(asker.member_id or 0)
    return ask_privately(
        asker,
        title=_("What I would like to talk about"),
        body=reading.page(asker, conversation_id).note,
        situation=Situation(
            industry=like.industry,
            size_band=like.size_band,
            region=like.region,
            product_ids=like.product_ids,
            use_case=like.use_case[:LONGEST_LINE],
            replacing=like.replacing[:LONGEST_LINE],
            role_level=like.role_level,
        ),
        not_again=conversation.member_id,
        form_key=form_key,
    )


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
            Invalid(
                _("This day lies in the past. Choose today or a later day, or leave it empty."), "needed_by"
            )
        )
    if situation.industry and lists.find(lists.INDUSTRIES, situation.industry) is None:
        problems.append(Invalid(_("Choose one of the industries, or leave it empty."), "industry"))
    if situation.size_band and lists.find(lists.SIZES, situation.size_band) is None:
        problems.append(Invalid(_("Choose one of the sizes, or leave it empty."), "size"))
    if situation.region and not lists.country_name(situation.region):
        problems.append(Invalid(_("Choose one of the countries, or leave it empty."), "region"))
    for value, name in ((situation.use_case, "use_case"), (situation.replacing, "replacing")):
        if len(value) > LONGEST_LINE:
            problems.append(Invalid(_("At most %(most)s characters fit here.", most=LONGEST_LINE), name))
    return problems


def _checked(asker: Viewer, situation: Situation) -> Situation:
    if not asker.may(Permission.ASK):
        raise Forbidden(_("This account cannot ask customers."))
    for problem in check_situation(situation):
        raise problem
    known = set(db.session.execute(select(Product.id).where(Product.id.in_(situation.product_ids))).scalars())
    if set(situation.product_ids) - known:
        raise Invalid(_("Choose from the products of the list."), "products")
    return situation


def _check_number(asker: Viewer) -> None:
    since = clock.now() - timedelta(days=1)
    asked = db.session.execute(
        select(func.count()).select_from(Ask).where(Ask.asker_id == asker.member_id, Ask.created_at > since)
    ).scalar_one()
    if asked >= policy.ASKS_A_DAY:
        raise TooMany(
            _(
                "You asked %(most)s questions within a day. Your text is kept: send it tomorrow.",
                most=policy.ASKS_A_DAY,
            ),
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
