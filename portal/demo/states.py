"""What tools and members did to threads and entries in the demo: through the services, at their moments."""

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, insert, select

from portal.advocacy.models import Act, Contest, Entry, Rule
from portal.advocacy.services import candidates, contesting
from portal.demo import content
from portal.demo.dates import days_ago
from portal.demo.rules import rule_number
from portal.demo.talk import Written, moments
from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread, Vote
from portal.discussions.services import tools
from portal.discussions.services.editing import Edit, delete_own_post, edit_post
from portal.discussions.services.voting import withdraw_vote
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Session
from portal.members.queries import viewer_of
from portal.moderation.services.rules import ensure_rules

# Two who thank each other more than anybody else, lately, and from one range of addresses.
FRIENDS = ("jordi-sala", "pieter-van-zyl")
EACH_WAY = 4
STILL_COUNTS = 4  # upvotes there are at most, so that one more is in the ledger
# whose entry, days ago, the words; then the answer, and whether the entry is taken out
CONTESTED = (
    (
        "tomaszw",
        9,
        "This is from a test account of ours that somebody used by mistake. Please take it out.",
        "You are right, it was your own test account under another address. It is out.",
        Act.REVERSED,
    ),
    (
        "petra-novakova",
        14,
        "Is it right that this still counts, although I changed my answer a day later?",
        "The thanks was for the answer as it stood then, and your change made it better. It stays.",
        None,
    ),
    ("gwilym-evans", 1, "I think that this was given twice by the same person, once by phone.", "", None),
)
WHOLE = (
    "gwilym-evans",
    2,
    "My thanks come from three companies, and you write that I am ranked from three on. Why am I not?",
)
PUT_BACK = (
    "hanneke-vos",
    12,
    "Two people of one company pressed in the same minute; it looked like one person.",
    "They are two people: both wrote to us. It counts again, and we are sorry.",
)
CARED_FOR = (("siobhan", "marijke-brouwer"), ("olena-km", "marijke-brouwer"))


def use_tools(written: Written, people: dict[str, int], now: datetime) -> None:
    """Merge, split, move and delete what the files mark so, each after the last that was written there."""
    ensure_rules()
    for table in content.threads():
        thread_id = written.threads[table["key"]]
        opened, later = moments(table, now)
        last = max([opened, *later])
        for place, (row, moment) in enumerate(zip(table.get("post", []), later, strict=True), start=1):
            if trimmed := row.get("trimmed"):
                _trim(written.posts[table["key"], place], trimmed, people, moment)
            if row.get("deleted"):
                _delete(people[row["author"]], written.posts[table["key"], place], moment, now)
        if table.get("deleted"):
            _delete(people[table["author"]], written.posts[table["key"], 0], last, now)
        with clock.frozen(min(last + timedelta(hours=5), now)):
            if split := table.get("split"):
                posts = [written.posts[table["key"], place] for place in split["posts"]]
                moderator = viewer_of(people[split["by"]])
                tools.split_thread(moderator, thread_id, posts, split["title"], split["reason"])
            if merged := table.get("merged"):
                moderator, into = viewer_of(people[merged["by"]]), written.threads[merged["into"]]
                tools.merge_threads(moderator, thread_id, into, merged["reason"])
            if moved := table.get("moved"):
                board = db.session.execute(select(Board.id).where(Board.slug == moved["to"])).scalar_one()
                moderator = viewer_of(people[moved["by"]])
                rule = rule_number(moved["rule"])
                tools.move_thread(moderator, thread_id, board, moved["reason"], rule=rule)


def _trim(post_id: int, said: content.Table, people: dict[str, int], written_at: datetime) -> None:
    """A moderator takes words out of a post; its author is told which rule they broke."""
    rule = rule_number(said["rule"])
    version = db.session.get_one(Post, post_id).version
    with clock.frozen(written_at + timedelta(hours=2)):
        edit = Edit(body=said["body"], reason=said["reason"], rule=rule, version=version)
        edit_post(viewer_of(people[said["by"]]), post_id, edit)


def _delete(author_id: int, post_id: int, written_at: datetime, now: datetime) -> None:
    with clock.frozen(min(written_at + timedelta(hours=1), now)):
        delete_own_post(viewer_of(author_id), post_id)


def thank_each_other(people: dict[str, int], now: datetime) -> None:
    """Votes of two friends for each other, within minutes, and where they signed in: seen under patterns."""
    ids = [people[name] for name in FRIENDS]
    votes = []
    for number, (giver, receiver) in enumerate(((ids[0], ids[1]), (ids[1], ids[0]))):
        voted = select(Vote.post_id).where(Vote.member_id == giver)
        posts = db.session.execute(
            select(Post.id)
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .where(
                Post.author_id == receiver,
                Post.kind == PostKind.ANSWER,
                Post.state == PostState.VISIBLE,
                Thread.state == PostState.VISIBLE,
                Board.audience == Audience.PUBLIC,
                Post.created_at < now - timedelta(days=20),
                Post.id.not_in(voted),
                Post.votes_count <= STILL_COUNTS,
            )
            .order_by(Post.created_at.desc(), Post.id)
            .limit(EACH_WAY)
        ).scalars()
        for place, post_id in enumerate(posts):
            moment = now - timedelta(days=3 + 4 * place, minutes=7 * number)
            votes.append({"post_id": post_id, "member_id": giver, "value": 1, "created_at": moment})
    db.session.execute(insert(Vote), votes)
    for number, member_id in enumerate(ids):
        seen = now - timedelta(days=3, minutes=7 * number)
        db.session.add(
            Session(
                token_hash=sha256(clock.token(24).encode()).hexdigest(),  # of a token that nobody has
                member_id=member_id,
                created_at=seen,
                last_seen_at=seen,
                expires_at=now + timedelta(days=20),
                remembered=True,
                device="Firefox on Linux",
                address=f"203.0.113.{20 + number}",
            )
        )
    db.session.flush()


def change_votes(now: datetime) -> None:
    """One of many upvotes is taken back, so that the next in line counts in its place."""
    crowded = db.session.execute(
        select(Post.id)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.kind == PostKind.ANSWER,
            Post.state == PostState.VISIBLE,
            Board.audience == Audience.PUBLIC,
            Post.votes_count > 2 * STILL_COUNTS,
        )
        .order_by(Post.created_at.desc(), Post.id)
        .limit(1)
    ).scalar_one()
    first = db.session.execute(
        select(Vote.member_id).where(Vote.post_id == crowded).order_by(Vote.created_at, Vote.id).limit(1)
    ).scalar_one()
    with clock.frozen(now - timedelta(hours=7)):
        withdraw_vote(viewer_of(first or 0), crowded)


def _restore(people: dict[str, int], now: datetime) -> None:
    """An entry that a moderator took out and, better informed, put in force again."""
    username, days, why, why_not = PUT_BACK
    ruth = viewer_of(people["ruth-adeyemi"])
    entry = _entry_before(days_ago(now, days), people[username], Entry.rule == Rule.VOTE)
    for ago, act, reason in ((days, Act.REVERSED, why), (days - 2, Act.RESTORED, why_not)):
        with clock.frozen(days_ago(now, ago)):
            contesting.correct_entry(ruth, entry, act, reason)


def contest_entries(people: dict[str, int], now: datetime) -> None:
    """Entries of the ledger that their members contested: answered, taken out, and one that waits."""
    ruth = viewer_of(people["ruth-adeyemi"])
    for username, days, words, answer, act in CONTESTED:
        member = viewer_of(people[username])
        entry = _entry_before(days_ago(now, days), people[username])
        with clock.frozen(days_ago(now, days)):
            contesting.contest(member, entry, words)
        if answer:
            row = db.session.execute(
                select(Contest.id).where(Contest.member_id == member.member_id, Contest.entry_id == entry)
            ).scalar_one()
            with clock.frozen(days_ago(now, days - 1)):
                contesting.answer(ruth, row, answer, correction=act)
    username, days, words = WHOLE
    with clock.frozen(days_ago(now, days)):
        contesting.contest(viewer_of(people[username]), None, words)
    _restore(people, now)
    for username, by in CARED_FOR:
        candidates.look_after(ruth, people[username], whose=people[by])


def _entry_before(moment: datetime, member_id: int, *conditions: ColumnElement[bool]) -> int:
    """The newest entry that a member had by then."""
    query = select(Entry.id).where(
        Entry.receiver_id == member_id, Entry.act == Act.MADE, Entry.occurred_at < moment, *conditions
    )
    return db.session.execute(query.order_by(Entry.occurred_at.desc(), Entry.id).limit(1)).scalar_one()
