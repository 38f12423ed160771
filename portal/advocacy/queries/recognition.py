"""What a member chose to be shown with: one piece of theirs, and what they have verifiably done."""

from dataclasses import dataclass, field

from sqlalchemy import case, func, select

from portal.advocacy import keys
from portal.advocacy.models import Counts, Entry, Rule, Spotlight
from portal.advocacy.queries.entries import is_in_force
from portal.discussions.authors import named_in_thread
from portal.discussions.models import Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.queries.deeds import Deed, deeds
from portal.kernel.access import Viewer
from portal.kernel.db import db

TEN = 10
FIRST_ACCEPTED, HELPED_TEN, WAR_STORY = "first_accepted", "helped_ten", "war_story"


@dataclass(frozen=True)
class Shown:
    """What stands on the member's page; nothing where they chose nothing."""

    deed: Deed | None = None
    words: str = ""
    badges: list[str] = field(default_factory=list)


def shown_of(viewer: Viewer, member_id: int) -> Shown | None:
    """As this viewer may read it; None where the member shows nothing."""
    row = db.session.get(Spotlight, member_id)
    if row is None:
        return None
    found = deeds(viewer, [row.post_id]) if row.post_id else []
    deed = found[0] if found and found[0].author_id == member_id else None
    badges = badges_of(member_id) if row.badges else []
    return Shown(deed, row.words if deed else "", badges) if deed or badges else None


def badges_of(member_id: int) -> list[str]:
    """What the member has verifiably done: an accepted answer, ten companies helped, a war story told.

    A company is one that somebody confirmed: neither imported voters nor accounts without one add up to ten.
    """
    row = db.session.execute(
        select(
            func.sum(case((Entry.rule == Rule.ACCEPTED, 1), else_=0)).label("accepted"),
            func.count(
                func.distinct(
                    case(
                        (
                            (Entry.counts == Counts.THANKS)
                            & (Entry.rule != Rule.CONVERSATION)
                            & Entry.giver_company.startswith(keys.CONFIRMED),
                            Entry.giver_company,
                        )
                    )
                )
            ).label("companies"),
        ).where(Entry.receiver_id == member_id, is_in_force())
    ).one()
    told = db.session.execute(
        select(Thread.id)
        .join(Post, (Post.thread_id == Thread.id) & (Post.kind == PostKind.OPENING))
        .where(
            Thread.author_id == member_id,
            Thread.kind == ThreadKind.WAR_STORY,
            Thread.state == PostState.VISIBLE,
            named_in_thread(),
        )
        .limit(1)
    ).first()
    found = []
    if row.accepted:
        found.append(FIRST_ACCEPTED)
    if row.companies >= TEN:
        found.append(HELPED_TEN)
    if told:
        found.append(WAR_STORY)
    return found
