"""What earned an entry, as posts, votes, acceptances, ratings and the like say now: the ledger follows.

The same functions serve one event and a rebuild from nothing; only the condition differs.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from portal.advocacy import keys
from portal.advocacy.formula import Weights
from portal.advocacy.keys import Party
from portal.advocacy.models import Counts, Damped, Engagement, Rule
from portal.conversations.models import Conversation, Rating
from portal.discussions.models import Post, PostKind, PostState, Thread, ThreadKind, Vote
from portal.kernel.db import db, flushed_rows
from portal.kernel.site import SiteSetting
from portal.members.models import Member
from portal.moderation.models import Case, Flag, FlagOutcome


@dataclass(slots=True)
class Deed:
    """One event that the ledger should hold, with what it counts."""

    rule: Rule
    source: str
    receiver_id: int
    receiver_company: str
    giver_id: int | None
    giver_key: str
    giver_company: str
    post_id: int | None
    thread_id: int | None
    occurred_at: datetime
    counts: Counts
    damped: Damped = Damped.NOTHING


# What the ledger says of a source that stands: company of the giver and of the receiver, and from when.
Standing = Mapping[tuple[Rule, str], tuple[str, str, datetime]]
Parties = Callable[[int], Party]

DELAYS = "acceptance_delays"  # the setting that keeps them
_VISIBLE = and_(Post.state == PostState.VISIBLE, Thread.state == PostState.VISIBLE)
_COLUMNS = (
    Member.id,
    Member.status,
    Member.company_id,
    Member.email_confirmed_at,
    Member.import_source,
    Member.external_id,
)


_SOME_PEOPLE = select(*_COLUMNS).where(Member.id.in_(bindparam("ids", expanding=True)))


class People:
    """Members as the ledger sees them, looked up when first needed."""

    def __init__(self) -> None:
        self.known: dict[int, Party] = {}

    def __call__(self, member_id: int) -> Party:
        if member_id not in self.known:
            self.load([member_id])
        return self.known[member_id]

    def load(self, ids: Iterable[int]) -> None:
        missing = sorted(set(ids) - self.known.keys())
        for start in range(0, len(missing), 500):
            some = missing[start : start + 500]
            self._keep(flushed_rows(_SOME_PEOPLE, {"ids": some}))

    def load_all(self) -> None:
        self._keep(db.session.execute(select(*_COLUMNS)))

    def keep_from(self, rows: Iterable[Any]) -> None:
        """Those who come with votes, in the columns at the end of each row."""
        wide = len(_COLUMNS)
        for row in rows:
            sides = (row[-2 * wide : -wide], row[-wide:])
            self._keep(one for one in sides if one[0] is not None and one[0] not in self.known)

    def _keep(self, rows: Iterable[Any]) -> None:
        for id_, status, company, confirmed, source, external in rows:
            self.known[id_] = keys.party(id_, status, company, confirmed is not None, source, external)


def _votes(where: ColumnElement[bool]) -> Any:
    return (
        select(
            Vote.id,
            Vote.post_id,
            Vote.member_id,
            Vote.created_at,
            Post.author_id,
            Post.thread_id,
        )
        .join(Post, Post.id == Vote.post_id)
        .join(Thread, Thread.id == Post.thread_id)
        .where(
            where,
            _VISIBLE,
            Vote.value == 1,
            or_(
                # A reply in one's own thread is no answer, whatever an import calls it.
                and_(Post.kind == PostKind.ANSWER, Post.author_id != Thread.author_id),
                and_(Post.kind == PostKind.OPENING, Thread.kind == ThreadKind.WAR_STORY),
            ),
        )
        .order_by(Vote.post_id, Vote.created_at, Vote.id)
    )


_Voter, _Author = aliased(Member), aliased(Member)
# With voter and author, who would be looked up next.
_VOTES_ON = (
    _votes(Post.id.in_(bindparam("posts", expanding=True)))
    .join(_Author, _Author.id == Post.author_id)
    .outerjoin(_Voter, _Voter.id == Vote.member_id)
    .add_columns(*(getattr(who, column.key) for who in (_Author, _Voter) for column in _COLUMNS))
)


def votes(
    posts: ColumnElement[bool] | Sequence[int], people: Parties, standing: Standing, weights: Weights
) -> Iterator[Deed]:
    """Upvotes on answers and war stories. `posts` are ids, or a condition about Post or Thread.

    Of those on one post the first five count, one for each company, none from the author's own.
    """
    if isinstance(posts, ColumnElement):
        rows = flushed_rows(_votes(posts)).all()
    else:
        rows = flushed_rows(_VOTES_ON, {"posts": list(posts)}).all()
        if isinstance(people, People):
            people.keep_from(rows)
    post, counted = 0, set[str]()
    for vote_id, post_id, voter_id, created_at, author_id, thread_id, *_people in rows:
        if post_id != post:
            post, counted = post_id, set()
        author = people(author_id)
        if voter_id == author_id or author.nobody:
            continue
        giver = people(voter_id) if voter_id is not None else None
        if giver is None or giver.nobody:
            source = f"{post_id}:v{vote_id}"
            giver_id, key = None, f"{keys.UNKNOWN}v{vote_id}"
            company = key
        else:
            source = f"{post_id}:{giver.member_id}"
            giver_id, key = giver.member_id, keys.person(giver.member_id)
            company = giver.company
        of_giver, of_receiver = _companies(standing.get((Rule.VOTE, source)), company, author.company)
        if not (of_giver and of_receiver):
            continue
        damped = Damped.NOTHING
        if of_giver == of_receiver:
            damped = Damped.OWN
        elif of_giver in counted:
            damped = Damped.COMPANY
        elif len(counted) >= weights.votes_per_post:
            damped = Damped.FIVE
        else:
            counted.add(of_giver)
        yield Deed(
            Rule.VOTE,
            source,
            author_id,
            of_receiver,
            giver_id,
            key,
            of_giver,
            post_id,
            thread_id,
            created_at,
            Counts.NONE if damped else Counts.THANKS,
            damped,
        )


def acceptances(
    where: ColumnElement[bool], people: Parties, standing: Standing, delays: "Delays"
) -> Iterator[Deed]:
    """Answers that their askers accepted. `where` is about Thread."""
    rows = db.session.execute(
        select(
            Thread.id,
            Thread.author_id,
            Thread.accepted_at,
            Thread.import_source,
            Post.id,
            Post.author_id,
            Post.created_at,
        )
        .join(Post, Post.id == Thread.accepted_post_id)
        .where(where, _VISIBLE, Thread.kind == ThreadKind.QUESTION, Post.kind == PostKind.ANSWER)
        .order_by(Thread.id)
    )
    for thread_id, asker_id, accepted_at, import_source, post_id, author_id, written_at in rows:
        author, asker = people(author_id), people(asker_id)
        if author.nobody or author_id == asker_id:
            continue
        source = f"{thread_id}:{post_id}"
        known = standing.get((Rule.ACCEPTED, source))
        if accepted_at is None:
            accepted_at = known[2] if known and not delays.anew else written_at + delays.of(import_source)
        yield from _of_question(
            Rule.ACCEPTED, source, author, asker, thread_id, post_id, accepted_at, Counts.THANKS, known
        )


def first_answers(where: ColumnElement[bool], people: Parties, standing: Standing) -> Iterator[Deed]:
    """Everybody's first answer to each question of somebody else. `where` is about Thread or Post."""
    rows = db.session.execute(
        select(Thread.id, Thread.author_id, Post.id, Post.author_id, Post.created_at)
        .join(Post, Post.thread_id == Thread.id)
        .where(where, _VISIBLE, Thread.kind == ThreadKind.QUESTION, Post.kind == PostKind.ANSWER)
        .order_by(Thread.id, Post.created_at, Post.id)
    )
    thread, seen = 0, set[int]()
    for thread_id, asker_id, post_id, author_id, written_at in rows:
        if thread_id != thread:
            thread, seen = thread_id, set()
        if author_id in seen or author_id == asker_id:
            continue
        seen.add(author_id)
        author, asker = people(author_id), people(asker_id)
        if author.nobody:
            continue
        source = f"{thread_id}:{author_id}"
        known = standing.get((Rule.FIRST_ANSWER, source))
        yield from _of_question(
            Rule.FIRST_ANSWER,
            source,
            author,
            asker,
            thread_id,
            post_id,
            written_at,
            Counts.PARTICIPATION,
            known,
        )


def ratings(where: ColumnElement[bool], people: Parties, standing: Standing) -> Iterator[Deed]:
    """Conversations that the other side found useful: the month, and nobody to be read. About Rating."""
    rows = db.session.execute(
        select(Rating.conversation_id, Rating.by_id, Rating.at, Conversation.asker_id, Conversation.member_id)
        .join(Conversation, Conversation.id == Rating.conversation_id)
        .where(where, Rating.useful.is_(True))
        .order_by(Rating.at, Rating.conversation_id, Rating.by_id)
    )
    for conversation_id, by_id, at, asker_id, member_id in rows:
        receiver_id = member_id if by_id == asker_id else asker_id
        receiver, giver = people(receiver_id), people(by_id)
        if by_id not in (asker_id, member_id) or not receiver.company or not giver.company:
            continue
        source = keys.hidden_source(f"{conversation_id}:{by_id}")
        own = receiver.company == giver.company
        known = standing.get((Rule.CONVERSATION, source))
        company = keys.hidden(receiver_id, giver.company)
        yield Deed(
            Rule.CONVERSATION,
            source,
            receiver_id,
            known[1] if known else receiver.company,
            None,
            keys.hidden(receiver_id, keys.person(by_id)),
            known[0] if known else company,
            None,
            None,
            month_of(at),
            Counts.NONE if own else Counts.THANKS,
            Damped.OWN if own else Damped.NOTHING,
        )


def upheld_flags(where: ColumnElement[bool], people: Parties) -> Iterator[Deed]:
    """Reports that were decided as their makers said: shown, never counted. `where` is about Flag."""
    rows = db.session.execute(
        select(Flag.post_id, Flag.reporter_id, Case.decided_at, Flag.created_at)
        .join(Case, Case.id == Flag.case_id)
        .where(where, Flag.outcome == FlagOutcome.UPHELD)
        .order_by(Flag.id)
    )
    for post_id, reporter_id, decided_at, made_at in rows:
        reporter = people(reporter_id)
        if reporter.company:
            yield Deed(
                Rule.FLAG_UPHELD,
                f"{post_id}:{reporter_id}",
                reporter_id,
                reporter.company,
                None,
                "",
                "",
                post_id,
                None,
                decided_at or made_at,
                Counts.NONE,
            )


def engagements(where: ColumnElement[bool]) -> Iterator[Deed]:
    """What members did for the vendor, as it stands written down: shown, never counted. About Engagement.

    Under no company, so that nothing of it changes when somebody moves; dated to the beginning of the day.
    """
    rows = db.session.execute(
        select(Engagement.id, Engagement.member_id, Engagement.done_on)
        .where(where, Engagement.withdrawn_at.is_(None))
        .order_by(Engagement.id)
    )
    for engagement_id, member_id, done_on in rows:
        yield Deed(
            Rule.ENGAGEMENT,
            str(engagement_id),
            member_id,
            "",
            None,
            "",
            "",
            None,
            None,
            datetime.combine(done_on, time(), UTC),
            Counts.NONE,
        )


def is_earned(row: Any, standing: Standing, weights: Weights) -> bool:
    """Whether what this row of the ledger tells of is still so: not taken back, removed or undone.

    Of conversations no row can be looked up.
    """
    in_thread, on_post, people = Thread.id == row.thread_id, Post.id == row.post_id, People()
    found: dict[Rule, Callable[[], Iterator[Deed]]] = {
        Rule.VOTE: lambda: votes(on_post, people, standing, weights),
        Rule.ACCEPTED: lambda: acceptances(in_thread, people, standing, Delays()),
        Rule.FIRST_ANSWER: lambda: first_answers(in_thread, people, standing),
        Rule.FLAG_UPHELD: lambda: upheld_flags(Flag.post_id == row.post_id, people),
        Rule.ENGAGEMENT: lambda: engagements(Engagement.id == int(row.source)),
    }
    return any(deed.source == row.source for deed in found[row.rule]())


def month_of(moment: datetime) -> datetime:
    """The first day of the month, 00:00 UTC."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def kept_delays() -> dict[str, float]:
    """Seconds by imported site, as `services.rebuilding` keeps them."""
    kept = db.session.get(SiteSetting, DELAYS)
    return dict(kept.value) if kept is not None else {}


class Delays:
    """How long after its answer an acceptance without a date is taken to have come, by imported site.

    The median delay of the dated ones; where none is dated, the median time from an accepted answer to the
    asker's next post in that thread. What the first rebuild after the import worked out is kept: whatever
    members accept, take back or write later says nothing of how it was there. With `anew` the moments of
    what the ledger has already are worked out again too.
    """

    def __init__(self, *, anew: bool = False) -> None:
        self.anew = anew
        self.known: dict[str | None, timedelta] = {}

    def of(self, source: str | None) -> timedelta:
        if source not in self.known:
            kept = kept_delays().get(source or "")
            seconds = self.worked_out(source) if kept is None else kept
            self.known[source] = timedelta(seconds=seconds or 0)
        return self.known[source]

    def worked_out(self, source: str | None) -> float | None:
        """Seconds, from what is here now; None where nothing tells."""
        seconds = self._dated(source) or self._next_posts(source)
        return statistics.median(seconds) if seconds else None

    @staticmethod
    def sources() -> list[str]:
        """The imported sites that have acceptances without a date."""
        undated = Thread.accepted_post_id.is_not(None) & Thread.accepted_at.is_(None)
        query = select(Thread.import_source).where(undated, Thread.import_source.is_not(None)).distinct()
        return [source for source in db.session.execute(query).scalars() if source]

    def _accepted(self, source: str | None) -> Any:
        return (
            select(Thread.id, Thread.author_id, Thread.accepted_at, Post.created_at)
            .join(Post, Post.id == Thread.accepted_post_id)
            .where(Thread.import_source == source)
        )

    def _dated(self, source: str | None) -> list[float]:
        rows = db.session.execute(self._accepted(source).where(Thread.accepted_at.is_not(None)))
        return [(row.accepted_at - row.created_at).total_seconds() for row in rows]

    def _next_posts(self, source: str | None) -> list[float]:
        answered = {
            row.id: (row.author_id, row.created_at) for row in db.session.execute(self._accepted(source))
        }
        rows = db.session.execute(
            select(Post.thread_id, Post.created_at)
            .join(Thread, Thread.id == Post.thread_id)
            .where(
                Thread.import_source == source,
                Thread.accepted_post_id.is_not(None),
                Post.author_id == Thread.author_id,
            )
        )
        nobody = {
            row.id
            for row in db.session.execute(
                select(Member.id).where(Member.import_source == source, Member.external_id == "")
            )
        }
        later: dict[int, list[float]] = defaultdict(list)
        for thread_id, created_at in rows:
            asker_id, accepted = answered.get(thread_id, (0, created_at))
            if asker_id not in nobody and created_at > accepted:
                later[thread_id].append((created_at - accepted).total_seconds())
        return [min(waits) for waits in later.values()]


def _companies(known: tuple[str, str, datetime] | None, giver: str, receiver: str) -> tuple[str, str]:
    """The companies an entry is kept under: a confirmed one stays when the person has another one now.

    "" for people of the vendor, who neither rank nor give, unless they were customers then.
    """
    if known is None:
        return giver, receiver
    return (
        known[0] if keys.is_certain(known[0]) else giver,
        known[1] if keys.is_certain(known[1]) else receiver,
    )


def _of_question(
    rule: Rule,
    source: str,
    author: Party,
    asker: Party,
    thread_id: int,
    post_id: int,
    at: datetime,
    counts: Counts,
    known: tuple[str, str, datetime] | None,
) -> Iterator[Deed]:
    if asker.nobody:
        giver_id, key = None, f"{keys.UNKNOWN}t{thread_id}"
        company = key
    else:
        giver_id, key, company = asker.member_id, keys.person(asker.member_id), asker.company
    of_giver, of_receiver = _companies(known, company, author.company)
    if not (of_giver and of_receiver):
        return
    own = of_giver == of_receiver
    yield Deed(
        rule,
        source,
        author.member_id,
        of_receiver,
        giver_id,
        key,
        of_giver,
        post_id,
        thread_id,
        at,
        Counts.NONE if own else counts,
        Damped.OWN if own else Damped.NOTHING,
    )
