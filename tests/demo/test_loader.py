"""The demo community loads into an empty site, the same each time, and goes away again."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import Boolean, Date, Enum, func, select
from sqlalchemy.orm import aliased

from portal.advocacy.models import Act, Candidate, Contest, Entry
from portal.advocacy.queries import standing
from portal.advocacy.queries.patterns import Wanted, patterns
from portal.asks.models import AnswerRequest, Ask, AskProposal, AskState, Outcome, ProposalState, Via
from portal.asks.queries import lists
from portal.asks.services.fitting import criteria_of
from portal.conversations.models import Conversation, ConversationState, Report, Thanks
from portal.conversations.queries import listing
from portal.demo import content, loader
from portal.discussions.addresses import POSTS_A_PAGE
from portal.discussions.models import (
    Audience,
    Board,
    Post,
    PostKind,
    PostState,
    ReadMark,
    Thread,
    ThreadKind,
    Upload,
    Vote,
)
from portal.discussions.moved_away import stone_of
from portal.discussions.services.posting import post_reply
from portal.discussions.services.recount import recount
from portal.kernel import audit
from portal.kernel.access import VISITOR, Viewer
from portal.kernel.db import Base, UTCDateTime, db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member, MemberState, Product
from portal.members.queries import viewer_of
from portal.moderation.models import (
    Appeal,
    AppealOutcome,
    Case,
    CaseKind,
    Decision,
    MemberMeasure,
    PostMeasure,
)
from portal.moderation.services import screening
from portal.notifications.models import Mail, Notice
from portal.notifications.queries import notices_of
from tests.conftest import make_customer, noon

pytestmark = pytest.mark.long

# What the demo does not show, each with the reason.
_LINK = "a secret that was mailed, for an hour or a day; nobody but its owner sees anything of it"
_SITE = "the site's own settings, which an admin may have changed and which are not the demo's to take back"
_WORKER = "how the worker goes about its work, seen by nobody"
_IMPORT = "only an import makes it, and there is none in the demo"
_PRACTICE = "the practice cases that were answered need no other; the rest waits for a reader to try"
ABSENT = {
    "join_requests": _LINK,
    "mailed_links": _LINK,
    "kept_asks": _LINK,
    "kept_forms": "of a session that ended while somebody wrote; gone within an hour",
    "form_keys": "which form was sent once already, for a day",
    "kept_words": "what somebody deleted while an order holds; no page shows it",
    "postponed_erasures": "reads as a closed account, of which there is one",
    "heartbeats": _WORKER,
    "search_outbox.claimed_until": _WORKER,
    "search_outbox.again=True": _WORKER,
    "mails.claimed_until": _WORKER,
    "mails.failed_at": "the demo sends no mail, so none fails",
    "list_items": _SITE,
    "rule_revisions": _SITE,
    "rules.active=False": _SITE,
    "rules.changed_at": _SITE,
    "ask_stages.private=True": "written by nothing yet",
    "reservations.kind=answer_request": "answer requests are counted by exposure; nothing takes such a place",
    "members.status=visitor": "who looks without an account has no row",
    "members.state=suspended": "a suspension is its end, in suspended_until; no service writes this state",
    "members.verified_by=imported": _IMPORT,
    "decisions.appeal_outcome=pending": "a decision on an appeal is one of the other two",
    "preservations.silent=True": "is shown to nobody: that is what it is for",
    "notice_preferences.in_app=False": "the customer still reads all of it here, and only not by mail",
    "notice_preferences.by_mail=True": "what is mailed is so by default",
    "sessions.remembered=False": "signs in whoever looks at the demo",
    "score_members.before_at": "written by a job of the worker, for those near the top",
    **{
        f"practice_answers.post_measure={one}": _PRACTICE
        for one in ("close", "release", "refuse", "edit", "move", "split", "merge")
    },
    **{f"practice_answers.member_measure={one}": _PRACTICE for one in ("suspend", "ban", "no_conversations")},
}
# What is there after the demo has gone, as on any empty site.
STAYS = {
    "alembic_version",
    "rules",
    "site_settings",
    "site_version",
    "audit_entries",
    "search_outbox",
    "heartbeats",
}


def count(model: type) -> int:
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_it_loads_is_whole_and_goes_away(
    in_app: Flask, at: Callable[[datetime], None], tmp_path: Path
) -> None:
    at(noon("2026-11-20"))
    assert loader.load("demo password", tmp_path / "pictures") >= 150
    assert count(Company) >= 40
    assert count(Thread) >= 300
    assert recount() == []
    assert db.session.execute(select(func.count()).where(Mail.sent_at.is_(None))).scalar_one() == 0
    customer = viewer_of(
        db.session.execute(select(Member.id).where(Member.email == "customer@demo.example")).scalar_one()
    )
    shown = notices_of(customer)
    assert any(row.is_new for row in shown.rows)
    told = db.session.execute(
        select(func.count()).select_from(Notice).where(Notice.member_id == customer.member_id)
    ).scalar_one()
    assert len(shown.rows) == min(told, 30)
    states = set(db.session.execute(select(Conversation.state)).scalars())
    assert states == set(ConversationState)
    assert set(db.session.execute(select(Ask.state)).scalars()) == set(AskState)
    assert count(Thanks) >= 2
    reports = db.session.execute(select(Report)).scalars().all()
    for waits in (True, False):
        of_them = [one for one in reports if (one.decided_at is None) is waits]
        assert {one.note_by_id is not None for one in of_them} == {True, False}, "messages, and the note"
    assert {one.nothing_done for one in reports} == {None, True, False}
    mine = listing.lists(customer)
    assert all((mine.on_me, mine.going_on)), "the customer has something to answer, and something going on"
    risers = standing.rising(200)
    assert 10 <= len(risers) <= count(Member) / 4, "some rise, and they are the few"
    assert sum(one.label == standing.RISING for one in risers) >= 3
    _shows_every_state(tmp_path / "pictures")
    assert what_is_missing() == []
    _asks_and_invites_can_be_looked_at(customer)
    told_of = (
        db.session.execute(select(audit.AuditEntry.at).order_by(audit.AuditEntry.number)).scalars().all()
    )
    assert len(told_of) > 40
    assert list(told_of) == sorted(told_of), "the log reads as it would have been written"
    assert len({moment.time() for moment in told_of}) > 20, "not everything happened at one time of the day"
    assert audit.verify().problems == []
    with pytest.raises(loader.DemoRefused):
        loader.load("again", tmp_path)
    assert loader.remove(tmp_path / "pictures") >= 150
    assert list((tmp_path / "pictures").iterdir()) == [], "no picture is left behind"
    assert (count(Member), count(Thread), count(Post), count(Board), count(Company)) == (0, 0, 0, 0, 0)
    left = {name for name, table in Base.metadata.tables.items() if db.session.execute(select(table)).first()}
    assert left <= STAYS, "nothing is left that people would find"


def _asks_and_invites_can_be_looked_at(customer: Viewer) -> None:
    """What a seller, a customer and a prospect find under invites, requests and proposals."""
    sales = db.session.execute(select(Member.id).where(Member.email == "sales@demo.example")).scalar_one()
    lines = lists.invites_of(viewer_of(sales))
    told = {(one.is_open, one.joined, one.asked, one.answered, one.spoke) for one in lines}
    assert told == {
        (True, False, False, False, False),  # open, and one whose guest has nothing reported
        (False, False, False, False, False),  # over, or withdrawn
        (False, True, True, False, False),
        (False, True, True, True, True),
    }
    assert any(one.email for one in lists.invites_of(customer)), "a colleague was sent a link"
    asked = {line.request.outcome for line in lists.requests_of(customer)}
    assert asked >= {Outcome.PENDING, Outcome.ANSWERED, Outcome.NOT_NOW, Outcome.PASSED_ON}
    requests = db.session.execute(select(AnswerRequest)).scalars().all()
    assert any(one.via is Via.COLLEAGUE and one.outcome is Outcome.ANSWERED for one in requests)
    assert any(one.outcome is Outcome.PENDING and one.seen_at for one in requests)
    joined = dict(db.session.execute(select(Member.id, Member.created_at)).tuples().all())
    for one in requests:
        assert joined[one.member_id] <= one.created_at, "nobody was asked before they were here"
        ask = db.session.get_one(Ask, one.ask_id)
        if one.via is Via.MATCH:
            known = {*one.same, *one.differs, *one.unknown}
            assert known <= set(criteria_of(ask).stated) | set(ask.dropped), "why is what the matching found"
    gone = select(func.count()).where(AskProposal.state == ProposalState.GONE)
    assert db.session.execute(gone).scalar_one() >= 2
    long = db.session.execute(select(Thread).where(Thread.external_id == "c-long-data-centre")).scalar_one()
    assert long.posts_count > POSTS_A_PAGE + 5
    read = db.session.get_one(ReadMark, (customer.member_id, long.id)).last_number
    assert 1 < read < POSTS_A_PAGE
    assert len(content.asks()) >= 15


def what_is_missing() -> list[str]:
    """States that no row is in, moments that never came, tables without a row; ABSENT is to be so."""
    problems, absent = [], set()
    for name, table in Base.metadata.tables.items():
        if db.session.execute(select(table).limit(1)).first() is None:
            absent.add(name)
            continue
        for column in table.columns:
            if not isinstance(column.type, Enum | Boolean | Date | UTCDateTime):
                continue
            values = set(db.session.execute(select(column).distinct()).scalars())
            if isinstance(column.type, Enum) and column.type.enum_class is not None:
                wanted = set(column.type.enum_class)
                absent |= {f"{name}.{column.name}={one.value}" for one in wanted - values}
            elif isinstance(column.type, Boolean):
                absent |= {f"{name}.{column.name}={one}" for one in {True, False} - values}
            elif values <= {None}:
                absent.add(f"{name}.{column.name}")
    problems += [f"not in the demo: {one}" for one in sorted(absent - ABSENT.keys())]
    problems += [f"in the demo after all: {one}" for one in sorted(ABSENT.keys() - absent)]
    return problems


def _shows_every_state(folder: Path) -> None:
    """Whatever can become of a post, a thread, an account, an appeal and an entry can be looked at."""
    assert set(db.session.execute(select(Post.state)).scalars()) == set(PostState)
    decided = db.session.execute(select(Decision)).scalars().all()
    assert {one.post_measure for one in decided} >= {
        PostMeasure.HIDE, PostMeasure.CLOSE, PostMeasure.REFUSE, PostMeasure.SPLIT, PostMeasure.MERGE,
    }  # fmt: skip
    assert {one.member_measure for one in decided} >= {
        MemberMeasure.WARN, MemberMeasure.SUSPEND, MemberMeasure.BAN,
    }  # fmt: skip
    assert any(one.undone_at for one in decided)
    assert set(db.session.execute(select(Appeal.outcome)).scalars()) == set(AppealOutcome)
    held_back = select(func.count()).where(Member.suspended_until.is_not(None))
    assert db.session.execute(held_back).scalar_one() == 1
    assert (
        db.session.execute(select(func.count()).where(Member.state == MemberState.BANNED)).scalar_one() == 1
    )
    merged = select(func.count()).where(Thread.merged_into_id.is_not(None))
    assert db.session.execute(merged).scalar_one() == 1
    held = db.session.execute(
        select(Case.reasons, Member.posts_count)
        .join(Member, Member.id == Case.member_id)
        .where(Case.kind == CaseKind.HELD)
    ).all()
    assert len(held) >= 4
    for reasons, written in held:
        assert reasons[0] == screening.CONTEXT, "held by the product's own signs"
        assert set(reasons[1:]) <= {str(sign.sentence) for sign in screening.SIGNS}
        assert reasons[1:]
        assert written < screening.FIRST_POSTS, "and of somebody who is new here"
    moved = db.session.execute(
        select(Thread.id).where(Thread.external_id == "c-st-clearing-window")
    ).scalar_one()
    assert stone_of(VISITOR, moved) is not None
    contests = db.session.execute(select(Contest)).scalars().all()
    assert {bool(one.answered_at) for one in contests} == {True, False}
    assert db.session.execute(select(func.count()).where(Entry.act == Act.REVERSED)).scalar_one() >= 1
    found = patterns(Wanted())
    assert found.pairs.rows, "two thank each other"
    assert found.ranges.rows, "from one range of addresses"
    keepers = set(db.session.execute(select(Candidate.looked_after_by_id)).scalars()) - {None}
    assert len(keepers) == 2
    shown = db.session.execute(select(Upload.name).where(Upload.post_id.is_not(None))).scalars().all()
    portraits = db.session.execute(select(Member.picture).where(Member.picture != "")).scalars().all()
    assert len(shown) == 2
    assert len(portraits) > 30
    for name in (*shown, *portraits):
        with Image.open(folder / name) as picture:
            assert picture.format == "WEBP"
    sources = "".join(db.session.execute(select(Post.source)).scalars())
    assert "- [ ] " in sources
    assert "|---|" in sources
    assert "(picture:" not in sources


def test_it_is_the_same_each_time(app: Flask, at: Callable[[datetime], None], tmp_path: Path) -> None:
    at(noon("2026-11-20"))
    with app.app_context():
        loader.load("demo password", tmp_path / "one")
        first = _what_is_there()
        files = _files(tmp_path / "one")
        loader.remove(tmp_path / "one")
        db.session.expire_all()
        loader.load("demo password", tmp_path / "two")
        second = _what_is_there()
    assert {what: len(rows) for what, rows in first.items()} == {
        what: len(rows) for what, rows in second.items()
    }
    for what, rows in first.items():
        assert [pair for pair in zip(rows, second[what], strict=True) if pair[0] != pair[1]] == [], what
    assert files == _files(tmp_path / "two")


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _what_is_there() -> dict[str, list[tuple[Any, ...]]]:
    """What is shown, in a fixed order, without the numbers and keys that each database gives."""
    giver, member, asker = aliased(Member), aliased(Member), aliased(Member)
    queries = {
        "members": select(Member.username, Member.name, Member.created_at, Member.state, Member.picture),
        "threads": select(
            Thread.title, Thread.created_at, Thread.views_count, Thread.state, Thread.answers_count,
            Thread.closed_reason, Thread.followers_count,
        ),
        "posts": select(
            Thread.title, Post.number, Post.kind, Post.created_at, Post.votes_count, Post.state, Post.excerpt
        ).join(Thread, Thread.id == Post.thread_id),
        "votes": select(giver.username, Vote.created_at, Post.created_at)
        .join(giver, giver.id == Vote.member_id)
        .join(Post, Post.id == Vote.post_id),
        "cases": select(Case.title, Case.kind, Case.state, Case.opened_at, Case.decided_at),
        "decisions": select(Decision.reason, Decision.decided_at, Decision.undone_at, Decision.overturned_at),
        "asks": select(Ask.mode, Ask.state, Ask.created_at, Ask.due_at, Ask.answered_at),
        "conversations": select(
            asker.username, member.username, Conversation.state, Conversation.requested_at,
            Conversation.last_at,
        )
        .join(asker, asker.id == Conversation.asker_id)
        .join(member, member.id == Conversation.member_id),
        "entries": select(giver.username, Entry.rule, Entry.act, Entry.occurred_at).join(
            giver, giver.id == Entry.receiver_id
        ),
        "candidates": select(member.username, Candidate.stage).join(member, member.id == Candidate.member_id),
        "notices": select(member.username, Notice.kind, Notice.created_at).join(
            member, member.id == Notice.member_id
        ),
    }  # fmt: skip
    return {
        what: sorted((tuple(row) for row in db.session.execute(query)), key=repr)
        for what, query in queries.items()
    }


def test_it_loads_late_at_night_too(in_app: Flask, at: Callable[[datetime], None], tmp_path: Path) -> None:
    """At this hour an ask was declined by somebody its asker was to write to two days later."""
    at(datetime(2026, 11, 23, 23, 15, tzinfo=UTC))
    loader.load("demo password", tmp_path / "pictures")
    assert recount() == []


def test_what_real_people_wrote_and_made_stays(
    in_app: Flask, at: Callable[[datetime], None], tmp_path: Path
) -> None:
    at(noon("2026-11-20"))
    loader.load("demo password", tmp_path)
    ines = viewer_of(make_customer("Ines Almeida"))
    asked = db.session.execute(
        select(Thread)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Thread.kind == ThreadKind.QUESTION,
            Thread.closed_at.is_(None),
            Thread.state == PostState.VISIBLE,
            Board.audience == Audience.PUBLIC,
            Board.archived_at.is_(None),
        )
        .order_by(Thread.id)
        .limit(1)
    ).scalar_one()
    answer = post_reply(ines, asked.id, "We set the limit to forty and it has held since.")
    with unit_of_work():
        db.session.add(Product(name="Made by the admin", position=99, tags=""))
    loader.remove(tmp_path)
    db.session.expire_all()
    assert not loader.is_loaded()
    assert db.session.execute(select(Thread.id)).scalars().all() == [asked.id]
    kept = {row.id: row.kind for row in db.session.execute(select(Post.id, Post.kind))}
    assert PostKind.OPENING in kept.values()
    assert answer.id in kept
    names = set(db.session.execute(select(Member.name)).scalars())
    assert names == {"Ines Almeida", "former member"}
    assert db.session.execute(select(Product.name)).scalars().all() == ["Made by the admin"]
    assert recount() == []


def test_it_refuses_beside_real_members_and_in_production(in_app: Flask, tmp_path: Path) -> None:
    with pytest.raises(loader.DemoRefused):
        loader.load("x", tmp_path, production=True)
    make_customer()
    with pytest.raises(loader.DemoRefused):
        loader.load("x", tmp_path)
