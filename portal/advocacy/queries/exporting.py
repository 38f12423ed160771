"""Helpfulness of everybody at some days, from the ledger in one pass."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import select

from portal.advocacy.queries import scopes
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import rows_by_receiver, values_at
from portal.advocacy.queries.standing import shown_members
from portal.kernel.db import db
from portal.members.models import Member


def scores_at(days: Sequence[date], scope: str = "") -> Iterator[tuple[date, str, float]]:
    """Day, member and helpfulness above 0, from events before 00:00 UTC of that day; by day, highest first.

    With a scope (queries.scopes) only what happened in its threads.

    A member is named by the id of the file they were imported from, else by user name.
    """
    days = sorted(set(days))
    if not days:
        return
    moments = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
    weights_at = weights_queries.in_force()
    names = {
        row.id: row.external_id if row.import_source is not None else row.username
        for row in db.session.execute(
            select(Member.id, Member.username, Member.import_source, Member.external_id).where(
                shown_members()
            )
        )
    }
    found: list[list[tuple[str, float]]] = [[] for _day in days]
    where = scopes.entries_in(scope) if scope else None
    for receiver_id, rows in rows_by_receiver(where, before=moments[-1]):
        if receiver_id not in names:
            continue
        for place, value in enumerate(values_at(receiver_id, rows, moments, weights_at)):
            if value.helpfulness > 0:
                found[place].append((names[receiver_id] or "", value.helpfulness))
    for day, scores in zip(days, found, strict=True):
        for name, score in sorted(scores, key=lambda one: (-one[1], one[0])):
            yield day, name, score
