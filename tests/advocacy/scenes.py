"""A small community in which anything may happen, and the three ways to its scores."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.advocacy.models import CompanySum, Engagement, Entry, GiverSum, MemberScore, ScopeScore
from portal.advocacy.queries import scopes
from portal.advocacy.queries.standing import standing_of
from portal.advocacy.services import engagements, rebuilding, scoping
from portal.advocacy.services.noting import note_rating
from portal.consents.models import Activity
from portal.conversations.models import Conversation, ConversationState, Rating
from portal.discussions.models import Post, PostKind, PostState, Thread
from portal.discussions.services.acceptance import accept, withdraw_acceptance
from portal.discussions.services.removal import hide_post, restore_post
from portal.discussions.services.voting import vote, withdraw_vote
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from tests.conftest import make_board, make_company, make_customer, make_member, make_moderator, viewer_of
from tests.discussions.factories import make_post, make_thread

SOON = timedelta(hours=1)


@dataclass
class World:
    """Members of a few companies on one board; `at` moves the clock."""

    members: list[int]
    board: int
    companies: list[int]
    moderator: int = 0  # of the vendor, made when first needed

    def engage(self, member: int, days_ago: int) -> None:
        """A moderator writes down what the member did on that day."""
        self.moderator = self.moderator or make_moderator()
        activity = list(Activity)[days_ago % len(Activity)]
        day = clock.now().date() - timedelta(days=days_ago)
        engagements.record(viewer_of(self.moderator), member, activity, day, "At a meeting.")

    def ask(self, asker: int) -> Thread:
        return make_thread(asker, self.board)

    def answer(self, member: int, thread: Thread) -> Post:
        return make_post(member, thread)

    def thank(self, giver: int, receiver: int) -> None:
        """One point, in a question of its own: the asker accepts the answer."""
        thread = self.ask(giver)
        post = self.answer(receiver, thread)
        accept(viewer_of(giver), thread.id, post.id)


def rate(giver: int, receiver: int, *, useful: bool) -> None:
    """What the giver says of the one conversation these two had."""
    with unit_of_work():
        now = clock.now()
        talk = db.session.execute(
            select(Conversation).where(Conversation.asker_id == giver, Conversation.member_id == receiver)
        ).scalar_one_or_none()
        if talk is None:
            talk = Conversation(
                state=ConversationState.OPEN,
                asker_id=giver,
                member_id=receiver,
                place_of_id=receiver,
                requested_at=now,
                due_at=now,
                last_at=now,
                held_at=now,
                key_id="none",
                wrapped_key="",
            )
            db.session.add(talk)
            db.session.flush()
        rating = db.session.get(Rating, (talk.id, giver))
        if rating is None:
            rating = Rating(conversation_id=talk.id, by_id=giver)
            db.session.add(rating)
        if rating.useful is not useful:
            rating.useful, rating.at = useful, now
        note_rating(talk.id, giver, receiver)


def make_world(*, companies: int = 4, people: int = 2) -> World:
    """`people` customers in each of `companies` companies."""
    ids = [make_company() for _n in range(companies)]
    members = [make_customer(company_id=company) for company in ids for _n in range(people)]
    return World(members, make_board(), ids)


def helpfulness(member: int, at: datetime | None = None) -> float:
    return standing_of(member, at).helpfulness


def by_sums(members: Iterable[int]) -> dict[int, float]:
    """From the running sums."""
    return {member: helpfulness(member) for member in members}


def by_ledger(members: Iterable[int]) -> dict[int, float]:
    """From the ledger alone, as of now."""
    moment = clock.now()
    with clock.frozen(moment + timedelta(microseconds=1)):
        return {member: helpfulness(member, moment + timedelta(microseconds=0.5)) for member in members}


def rebuilt(members: Iterable[int], *, from_nothing: bool) -> dict[int, float]:
    """After `portal score rebuild`; with `from_nothing` the ledger is emptied before."""
    if from_nothing:
        with unit_of_work():
            for table in (Entry, GiverSum, CompanySum, MemberScore, ScopeScore):
                db.session.execute(delete(table))
    db.session.expire_all()
    rebuilding.rebuild()
    db.session.expire_all()
    return by_sums(members)


def by_scope(scope: str, members: Iterable[int]) -> dict[int, float]:
    """Within a product or tag, from the sums that the job keeps; of those who have any."""
    scoping.renew_due()
    due = select(ScopeScore.receiver_id).where(ScopeScore.changes_at <= clock.now())
    assert not db.session.execute(due).first()
    return {one: value.helpfulness for one, value in scopes.values_now(scope, list(members)).items()}


def answers() -> list[Post]:
    return list(
        db.session.execute(select(Post).where(Post.kind == PostKind.ANSWER).order_by(Post.id)).scalars()
    )


def act(world: World, what: str, a: int, b: int) -> None:
    """One thing that may happen; `a` and `b` choose who and where. What is not possible does not happen."""
    member = world.members[a % len(world.members)]
    threads = list(db.session.execute(select(Thread).order_by(Thread.id)).scalars())
    posts = answers()
    if what == "engage":
        world.engage(member, b * 20)
    elif what == "disengage":
        stands = select(Engagement.id).where(Engagement.withdrawn_at.is_(None)).order_by(Engagement.id)
        if found := list(db.session.execute(stands).scalars()):
            engagements.withdraw(viewer_of(world.moderator), found[b % len(found)], "A mistake.")
    elif what in ("talk", "untalk"):
        other = world.members[b % len(world.members)]
        if other != member:
            rate(member, other, useful=what == "talk")
    elif what == "ask" or not threads:
        world.ask(member)
    elif what == "answer":
        act_on(member, what, threads[b % len(threads)], None)
    elif posts:
        post = posts[b % len(posts)]
        act_on(member, what, db.session.get_one(Thread, post.thread_id), post)


def act_on(member: int, what: str, thread: Thread, post: Post | None) -> None:
    """One thing that may happen to a question or an answer to it; what is not possible does not happen."""
    viewer, asker = viewer_of(member), thread.author_id
    if what == "answer":
        if asker != member and thread.state is PostState.VISIBLE:
            make_post(member, thread)
    elif post is None:
        return
    elif what == "hide":
        hide_post(post.id, rule="a rule", reason="a reason", case_id=1, by_id=member)
    elif what == "restore":
        restore_post(post.id)
    elif post.state is not PostState.VISIBLE or thread.state is not PostState.VISIBLE:
        return
    elif what == "vote" and post.author_id != member:
        vote(viewer, post.id)
    elif what == "unvote":
        withdraw_vote(viewer, post.id)
    elif what == "accept" and post.author_id != asker:
        accept(viewer_of(asker), thread.id, post.id)
    elif what == "unaccept":
        withdraw_acceptance(viewer_of(asker), thread.id)


__all__ = [
    "World",
    "act",
    "act_on",
    "by_ledger",
    "by_scope",
    "by_sums",
    "helpfulness",
    "make_member",
    "make_world",
    "rebuilt",
]
