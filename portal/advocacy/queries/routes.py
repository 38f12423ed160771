"""How far a member is on the two ways to be asked."""

from collections.abc import Collection

from sqlalchemy import String, cast, func, literal, select

from portal.advocacy.models import Counts, Entry, NominatedBy, Nomination
from portal.advocacy.policy import EVIDENCE, HELPED_DAYS, HELPED_WITHIN, Gate, Routes
from portal.advocacy.queries import standing
from portal.advocacy.queries.entries import is_in_force
from portal.asks.models import AskProposal
from portal.consents.queries import in_force
from portal.conversations.models import Conversation, Rating
from portal.discussions.models import Post
from portal.discussions.queries.deeds import standing_among
from portal.kernel import clock
from portal.kernel.db import db


def routes(member_ids: Collection[int]) -> dict[int, Routes]:
    """Both routes of each of these members, in six statements however many they are."""
    ids = sorted(set(member_ids))
    known = standing.standings(ids)
    days = _days_helped(known)
    opened = in_force(ids)
    useful = _rated_useful(ids)
    evidence: dict[int, int] = {}
    others: dict[int, int] = {}
    rows = db.session.execute(
        select(Nomination.member_id, Nomination.part, Nomination.post_ids).where(
            Nomination.member_id.in_(ids)
        )
    ).all()
    picked = {id_ for row in rows if row.part is NominatedBy.MODERATOR for id_ in row.post_ids}
    stands = standing_among(picked)  # what was taken down since is no evidence any more
    for member_id, part, post_ids in rows:
        if part is NominatedBy.MODERATOR:
            evidence[member_id] = max(evidence.get(member_id, 0), len(stands.intersection(post_ids)))
        else:
            others[member_id] = others.get(member_id, 0) + 1
    found = {}
    for one in ids:
        of = known.get(one)
        ranked = of is not None and of.label == standing.RANKED
        found[one] = Routes(
            helper=(
                Gate("ranked", ranked, of.companies if of else 0),
                Gate("days", days.get(one, 0) >= HELPED_DAYS, days.get(one, 0)),
                Gate("note", evidence.get(one, -1) >= EVIDENCE, max(evidence.get(one, 0), 0)),
            ),
            supporter=(
                Gate("nominated", others.get(one, 0) > 0, others.get(one, 0)),
                Gate("opened", bool(opened.get(one)), len(opened.get(one, []))),
                Gate("introduced", one in useful),
            ),
        )
    return found


def _days_helped(ids: Collection[int]) -> dict[int, int]:
    """On how many distinct days within 180 each helped: gave what somebody outside their company thanked for.

    However often an answer or a war story is thanked for, its day is that on which it was written. Of a
    conversation the ledger knows the month alone, so those of a month are one day.
    """
    helped_at = func.coalesce(Post.created_at, Entry.occurred_at)
    rows = db.session.execute(
        select(Entry.receiver_id, helped_at)
        .outerjoin(Post, Post.id == Entry.post_id)
        .where(
            Entry.receiver_id.in_(ids),
            Entry.counts == Counts.THANKS,
            helped_at > clock.now() - HELPED_WITHIN,
            is_in_force(),
        )
        .distinct()
    )
    days: dict[int, set[object]] = {}
    for receiver_id, at in rows:
        days.setdefault(receiver_id, set()).add(at.date())
    return {receiver_id: len(found) for receiver_id, found in days.items()}


def _rated_useful(ids: Collection[int]) -> set[int]:
    """Who had an introduction, made by a moderator, that the other side found useful. Nobody's own talks."""
    introduced = select(AskProposal.id).where(
        AskProposal.member_id == Conversation.member_id,
        AskProposal.by_id.is_not(None),
        Conversation.origin == literal("ask:") + cast(AskProposal.ask_id, String),
    )
    return set(
        db.session.execute(
            select(Conversation.member_id)
            .join(Rating, Rating.conversation_id == Conversation.id)
            .where(
                Conversation.member_id.in_(ids),
                Rating.by_id == Conversation.asker_id,
                Rating.useful.is_(True),
                introduced.exists(),
            )
            .distinct()
        ).scalars()
    )
