"""What the six demo accounts find when they sign in: read marks, follows, bookmarks, drafts, notices."""

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import delete, func, insert, select, update

from portal.demo import content
from portal.discussions.events import AnswerAccepted, PostPublished
from portal.discussions.listeners import tell_of_acceptance, tell_of_post
from portal.discussions.models import (
    Board,
    Bookmark,
    Draft,
    Follow,
    Post,
    PostKind,
    PostState,
    ReadMark,
    Thread,
)
from portal.discussions.policy import text_is_visible
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Member
from portal.members.queries import viewer_of
from portal.notifications.models import Digest, DigestSetting, Mail, Notice

RECENT = timedelta(days=12)
UNREAD = timedelta(days=2.5)
PARTLY_READ = ("customer", "c-long-data-centre", 9)  # by whom, what, up to which number


def furnish(people: dict[str, int], draw: Random, now: datetime) -> None:
    """Give the accounts at demo.example a past: what they read, follow, keep and began to write."""
    accounts = {
        person["email"].split("@")[0]: people[person["username"]]
        for person in content.people()
        if person.get("email", "").endswith("@demo.example")
    }
    for member_id in accounts.values():
        _read(member_id, now)
        _follow_boards(member_id, draw, now)
        _keep(member_id, draw, now)
        db.session.add(
            DigestSetting(member_id=member_id, every=Digest.WEEKLY, last_made_at=now - timedelta(days=3))
        )
    _read_partly(accounts, now)
    others = [member_id for member_id in people.values() if member_id not in accounts.values()]
    db.session.execute(
        insert(DigestSetting),
        [{"member_id": one, "every": Digest.OFF, "last_made_at": None} for one in others],
    )
    _tell_recent(now)
    _drafts(accounts, now)


def _read(member_id: int, now: datetime) -> None:
    """Everything older than two and a half days was read."""
    viewer = viewer_of(member_id)
    rows = db.session.execute(
        select(Post.thread_id, func.max(Post.number))
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.number.is_not(None), Post.created_at < now - UNREAD, text_is_visible(viewer))
        .group_by(Post.thread_id)
    ).all()
    db.session.execute(
        insert(ReadMark),
        [
            {"member_id": member_id, "thread_id": thread, "last_number": last, "read_at": now - UNREAD}
            for thread, last in rows
        ],
    )


def _read_partly(accounts: dict[str, int], now: datetime) -> None:
    """A long thread that was left in the middle, so that the first unread post is worth a link."""
    who, key, number = PARTLY_READ
    thread = select(Thread.id).where(Thread.external_id == key).scalar_subquery()
    values = {"last_number": number, "read_at": now - timedelta(days=17)}
    db.session.execute(
        update(ReadMark)
        .where(ReadMark.member_id == accounts[who], ReadMark.thread_id == thread)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _follow_boards(member_id: int, draw: Random, now: datetime) -> None:
    for slug in ("integrations", "war-stories"):
        board = db.session.execute(select(Board).where(Board.slug == slug)).scalar_one()
        db.session.add(
            Follow(
                member_id=member_id, board_id=board.id, created_at=now - timedelta(days=draw.uniform(30, 300))
            )
        )
    db.session.flush()


def _keep(member_id: int, draw: Random, now: datetime) -> None:
    """Bookmarks on posts that helped many."""
    viewer = viewer_of(member_id)
    best = db.session.execute(
        select(Post.id)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(text_is_visible(viewer), Post.author_id != member_id, Post.kind != PostKind.COMMENT)
        .order_by(Post.votes_count.desc(), Post.id)
        .limit(30)
    ).scalars()
    for post_id in sorted(draw.sample(list(best), 5)):
        db.session.add(
            Bookmark(
                member_id=member_id, post_id=post_id, created_at=now - timedelta(days=draw.uniform(1, 90))
            )
        )


def _tell_recent(now: datetime) -> None:
    """Tell of what happened lately as it would have been told then; older notices were read."""
    posts = db.session.execute(
        select(Post.id, Post.thread_id, Post.author_id, Post.created_at)
        .where(Post.created_at > now - RECENT, Post.state == PostState.VISIBLE)
        .order_by(Post.created_at, Post.id)
    ).all()
    for row in posts:
        with clock.frozen(row.created_at):
            tell_of_post(PostPublished(row.id, row.thread_id, row.author_id))
    accepted = db.session.execute(
        select(Thread.id, Thread.accepted_post_id, Thread.author_id, Thread.accepted_at)
        .where(Thread.accepted_at > now - RECENT)
        .order_by(Thread.accepted_at, Thread.id)
    ).all()
    for thread_id, post_id, asker_id, moment in accepted:
        with clock.frozen(moment or now):
            tell_of_acceptance(AnswerAccepted(thread_id, post_id or 0, asker_id))
    db.session.flush()
    db.session.execute(delete(Mail).where(Mail.member_id.is_(None)))  # to people who are not here
    db.session.execute(update(Mail).values(sent_at=now, body={}, error="history: never sent"))
    db.session.execute(update(Notice).where(Notice.created_at < now - UNREAD).values(read_at=now - UNREAD))
    unread = (
        select(func.count(Notice.id))
        .where(Notice.member_id == Member.id, Notice.read_at.is_(None))
        .correlate(Member)
        .scalar_subquery()
    )
    db.session.execute(update(Member).values(unread_notices=unread))


def _drafts(accounts: dict[str, int], now: datetime) -> None:
    """One unfinished text each for the customer and the prospect."""
    open_question = db.session.execute(
        select(Thread.id)
        .join(Board, Board.id == Thread.board_id)
        .where(Board.slug == "integrations", Thread.answers_count == 0, Thread.state == PostState.VISIBLE)
        .order_by(Thread.created_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    if open_question is not None and "customer" in accounts:
        text = "We had something close to this in spring. What helped was to look at the oldest file and"
        _draft(accounts["customer"], f"thread:{open_question}", {"body": text}, now - timedelta(hours=3))
    if "prospect" in accounts:
        fields = {
            "title": "How long did your first partner take, honestly?",
            "body": "We are told two days. I would like to hear it from somebody who has",
            "kind": "question",
        }
        _draft(accounts["prospect"], "new:before-you-buy", fields, now - timedelta(hours=20))


def _draft(member_id: int, place: str, fields: dict[str, str], moment: datetime) -> None:
    db.session.add(Draft(member_id=member_id, place=place, fields=fields, sequence=1, saved_at=moment))
