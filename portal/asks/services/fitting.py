"""From the situation of an ask to whom it fits: what matching is asked, and what is kept of its answer."""

from dataclasses import replace

from sqlalchemy import select

from portal.asks import policy
from portal.asks.models import AnswerRequest, Ask, AskProposal
from portal.asks.queries.finding import WEIGHED_AWAY
from portal.discussions.models import Post, PostKind, PostState, Thread
from portal.kernel.db import db
from portal.matching.criteria import WEIGHTS, Criteria
from portal.search import services as search
from portal.search.engines.base import IndexUnavailable
from portal.search.query import parse

_ALIKE = 200  # hits of the index that are looked at


def purpose_of(ask: Ask) -> str:
    """What matching keeps as the reason: it knows no asks."""
    return f"ask:{ask.id}"


def criteria_of(ask: Ask) -> Criteria:
    """What the asker said, weighed as they wish, without what was given up; empty is not asked for."""
    criteria = Criteria(
        industry=ask.industry,
        size_band=ask.size_band,
        region=ask.region,
        product_ids=tuple(ask.product_ids),
        use_case=ask.use_case,
        role_level=ask.role_level,
        replacing=ask.replacing,
    )
    criteria = replace(
        criteria,
        weights={name: policy.COUNTS_MORE * WEIGHTS[name] for name in ask.matters if name in WEIGHTS},
    )
    for name in ask.dropped:
        criteria = criteria.without(name)
    return criteria


def asked_already(ask: Ask) -> list[int]:
    """Members to whom this ask was brought, or who were proposed: nobody twice."""
    requested = select(AnswerRequest.member_id).where(AnswerRequest.ask_id == ask.id)
    return list(db.session.execute(requested).scalars())


def proposed_already(ask: Ask) -> list[int]:
    """Members who were proposed for a conversation, whatever became of it; not who was weighed away."""
    proposed = select(AskProposal.member_id).where(
        AskProposal.ask_id == ask.id, AskProposal.chosen_as != WEIGHED_AWAY
    )
    return list(db.session.execute(proposed).scalars())


def posts_alike(title: str) -> list[int]:
    """Posts that the index finds for this title; none where it cannot be asked."""
    try:
        return [hit.id for hit in search.find(parse(title), fill=True).hits[:_ALIKE]]
    except IndexUnavailable:
        return []


def answered_alike(post_ids: list[int], member_ids: list[int], but_thread_id: int | None) -> dict[int, int]:
    """By member: how many of the questions to which these posts belong they answered."""
    if not post_ids or not member_ids:
        return {}
    threads = select(Post.thread_id).where(Post.id.in_(post_ids))
    rows = db.session.execute(
        select(Post.author_id, db.func.count(db.distinct(Post.thread_id)))
        .join(Thread, Thread.id == Post.thread_id)
        .where(
            Post.thread_id.in_(threads),
            Post.thread_id != (but_thread_id or 0),
            Post.author_id.in_(member_ids),
            Post.kind == PostKind.ANSWER,
            Post.state == PostState.VISIBLE,
            Thread.state == PostState.VISIBLE,
        )
        .group_by(Post.author_id)
    )
    return {row[0]: row[1] for row in rows}
