"""Imported communities that go on: running sums, ledger and a rebuild from nothing say the same."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.advocacy.models import Act, Counts, Entry, MemberScore
from portal.advocacy.queries import scopes
from portal.advocacy.queries.accounts import rows_by_receiver, values_at
from portal.advocacy.queries.weights import in_force
from portal.advocacy.services.sums import renew_due
from portal.cli import main
from portal.discussions.models import Post, PostKind, Tag, Thread, ThreadKind, ThreadTag
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Member
from tests.advocacy.scenes import act_on, by_scope, by_sums, make_world, rebuilt
from tests.exchange.communities import run_import
from tests.support.data import real_data

pytestmark = [pytest.mark.data, pytest.mark.long]
NEAR = partial(pytest.approx, rel=1e-9, abs=1e-12)
STEPS = 350
QUESTIONS = 30  # of the tag used most, and of all: few enough for limits to bind and for the same to return


def words_of(community: str) -> list[object]:
    """What `portal import` takes for this community."""
    folder = real_data(community)
    if community == "docusign":
        return ["jsonl", folder / "posts.jsonl.gz", "--users", folder / "users.jsonl.gz"]
    return ["stackexchange", folder]


def by_ledger(moment: datetime) -> dict[int, float]:
    """From all entries before this moment."""
    weights = in_force()
    return {one: values_at(one, rows, [moment], weights)[0].helpfulness for one, rows in rows_by_receiver()}


def by_export(app: Flask, day: date, *words: str) -> dict[int, float]:
    """What `portal score export --at` prints of this day, by the member's id."""
    printed = app.test_cli_runner().invoke(main, ["score", "export", "--at", day.isoformat(), *words])
    assert printed.exit_code == 0, printed.output
    ids = dict(
        db.session.execute(select(func.coalesce(Member.external_id, Member.username), Member.id)).all()
    )
    rows = csv.DictReader(io.StringIO(printed.output[printed.output.index("origin") :]))
    return {ids[row["member"]]: float(row["helpfulness"]) for row in rows}


def above_nothing(scores: dict[int, float]) -> dict[int, float]:
    return {one: score for one, score in scores.items() if score > 0}


def receivers() -> list[int]:
    return list(db.session.execute(select(MemberScore.receiver_id)).scalars())


def live_on(questions: list[int], moment: datetime, at: Callable[[datetime], None], draw: Random) -> datetime:
    """Newcomers answer these and vote, askers accept, what stands is taken back; gives when it ended."""
    at(moment)
    people = make_world(companies=4, people=4).members
    voted: list[tuple[int, int]] = []
    hidden: list[int] = []
    acts = ["answer", "vote", "vote", "vote", "unvote", "accept", "accept", "unaccept", "hide", "restore"]
    for step in range(STEPS):
        moment += timedelta(minutes=draw.randrange(1, 60 * 10))
        at(moment)
        what, who = draw.choice(acts), draw.choice(people)
        thread = db.session.get_one(Thread, draw.choice(questions))
        answers = select(Post.id).where(Post.thread_id == thread.id, Post.kind == PostKind.ANSWER)
        post = draw.choice(list(db.session.execute(answers.order_by(Post.id)).scalars()) or [0])
        if what == "unvote" and voted:
            who, post = voted.pop(draw.randrange(len(voted)))
        elif what == "restore" and hidden:
            post = hidden.pop(draw.randrange(len(hidden)))
        elif what == "vote":
            voted.append((who, post))
        elif what == "hide":
            hidden.append(post)
        act_on(who, what, thread, db.session.get(Post, post))
        if step % 25 == 0:
            renew_due()
    return moment


@pytest.mark.parametrize(
    ("database", "community"),
    [
        ("sqlite", "docusign"),
        ("sqlite", "stackexchange-beer"),
        pytest.param("postgresql", "stackexchange-beer", marks=pytest.mark.postgres),
    ],
    indirect=["database"],
)
def test_the_running_sums_of_an_imported_community_are_what_a_rebuild_from_nothing_makes(
    community: str, app: Flask, at: Callable[[datetime], None]
) -> None:
    result = run_import(app, *words_of(community), "--json")
    assert result.exit_code == 0, result.output
    draw = Random(7)
    with app.app_context():
        assert {Counts.THANKS, Counts.PARTICIPATION} <= set(
            db.session.execute(select(Entry.counts)).scalars()
        )
        by_use = select(Tag).join(ThreadTag).group_by(Tag.id).order_by(func.count().desc(), Tag.id)
        tag = db.session.execute(by_use).scalars().first()
        assert tag is not None
        asked = select(Thread.id).where(
            Thread.kind == ThreadKind.QUESTION, Thread.closed_at.is_(None), Thread.posts_count.between(2, 12)
        )
        tagged = asked.where(Thread.id.in_(select(ThreadTag.thread_id).where(ThreadTag.tag_id == tag.id)))
        found = [list(db.session.execute(some.order_by(Thread.id)).scalars()) for some in (tagged, asked)]
        questions = [one for some in found for one in draw.sample(some, min(QUESTIONS, len(some)))]
        last = db.session.execute(select(func.max(Post.created_at))).scalar_one()
        last_entry = db.session.execute(select(func.max(Entry.id))).scalar_one()
        ended = live_on(questions, last + timedelta(days=1), at, draw)

        played = Counter(db.session.execute(select(Entry.act).where(Entry.id > last_entry)).scalars())
        assert played[Act.MADE] > 100, played
        assert played[Act.REVERSED] > 40, played
        moment = datetime(ended.year, ended.month, ended.day, tzinfo=UTC) + timedelta(days=1)
        at(moment)
        ids = receivers()
        running = by_sums(ids)
        assert len(above_nothing(running)) > 100
        assert by_ledger(moment) == NEAR(running)
        assert by_export(app, moment.date()) == NEAR(above_nothing(running))

        scope = scopes.tag_scope(tag.id)
        within = by_scope(scope, ids)
        assert within
        assert by_export(app, moment.date(), "--tag", tag.name) == NEAR(within)

        assert rebuilt(ids, from_nothing=True) == NEAR(running)
        assert by_scope(scope, ids) == NEAR(within)
        at(moment + timedelta(days=45))
        assert above_nothing(by_sums(ids)) == NEAR(above_nothing(by_ledger(clock.now())))
        db.session.remove()
