"""What a member gave and received in the open, as counts of entries that stand."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import or_, select

from portal.advocacy.models import Act, Entry, Rule
from portal.kernel.db import db


@dataclass(frozen=True, slots=True)
class Open:
    """Counts. `helped`: different people whose questions the member answered."""

    answered: int = 0
    helped: int = 0
    accepted: int = 0
    upvoted: int = 0
    reports: int = 0
    accepted_others: int = 0
    upvoted_others: int = 0

    @property
    def is_empty(self) -> bool:
        return not (
            self.answered
            or self.accepted
            or self.upvoted
            or self.reports
            or self.accepted_others
            or self.upvoted_others
        )


def open_side(member_id: int) -> Open:
    """The counts of one member, whatever they are worth in points."""
    rows = db.session.execute(
        select(Entry.rule, Entry.source, Entry.act, Entry.receiver_id, Entry.giver_key)
        .where(
            or_(Entry.receiver_id == member_id, Entry.giver_id == member_id),
            Entry.rule != Rule.CONVERSATION,
        )
        .order_by(Entry.turn)
    )
    last = {(row.rule, row.source): row for row in rows}
    received: Counter[Rule] = Counter()
    given: Counter[Rule] = Counter()
    helped: set[str] = set()
    for row in last.values():
        if row.act is Act.REVERSED:
            continue
        if row.receiver_id != member_id:
            given[row.rule] += 1
            continue
        received[row.rule] += 1
        if row.rule is Rule.FIRST_ANSWER:
            helped.add(row.giver_key)
    return Open(
        received[Rule.FIRST_ANSWER],
        len(helped),
        received[Rule.ACCEPTED],
        received[Rule.VOTE],
        received[Rule.FLAG_UPHELD],
        given[Rule.ACCEPTED],
        given[Rule.VOTE],
    )
