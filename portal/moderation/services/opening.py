"""Cases that packages above open: reported messages, blocks, asks that nobody answered.

The opener says what the case is called and why it is there; moderation knows nothing of where it came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import clock, events
from portal.kernel.db import db
from portal.kernel.errors import Conflict
from portal.moderation.events import CaseOpened
from portal.moderation.models import Case, CaseKey, CaseKind, CaseState, Evidence
from portal.moderation.services.rules import ensure_rules


@dataclass(frozen=True)
class Exhibit:
    """One message as a participant discloses it: who wrote it, when, and its words."""

    author_id: int
    written_at: datetime
    text: str


def open_case(
    kind: CaseKind,
    *,
    title: str,
    link: str,
    why: str,
    member_id: int,
    due_at: datetime,
    open_key: str,
    evidence: Sequence[Exhibit] = (),
    shared_by_id: int | None = None,
    peers_only: bool = False,
    rule_number: int | None = None,
) -> Case:
    """The open case of `open_key`, opened now if there is none. Inside the caller's unit of work.

    `title`, `link` and `why` stand in the queue as given: nothing private may be in them. `member_id`: whom
    it is about. `evidence` is kept under the case's own key, disclosed by `shared_by_id`. With `peers_only`
    no account of the vendor sees the case.
    """
    case = db.session.execute(
        select(Case).where(Case.open_key == open_key).with_for_update()
    ).scalar_one_or_none()
    if case is None:
        ensure_rules()
        case = Case(
            kind=kind,
            state=CaseState.OPEN,
            open_key=open_key,
            member_id=member_id,
            title=title[:240],
            link=link[:200],
            why=why[:160],
            reasons=[],
            rule_number=rule_number,
            flags_count=0,
            weight=0,
            opened_at=clock.now(),
            due_at=due_at,
            peers_only=peers_only,
        )
        db.session.add(case)
        db.session.flush()  # evidence and listeners need its id
        events.publish(CaseOpened(case.id))
    if evidence:
        add_evidence(case.id, evidence, shared_by_id=shared_by_id or member_id)
    return case


def add_evidence(case_id: int, evidence: Sequence[Exhibit], *, shared_by_id: int) -> None:
    """Add messages that a participant discloses to an open case. Inside the caller's unit of work.

    Raises Conflict when it was decided meanwhile.
    """
    case = db.session.get_one(Case, case_id, with_for_update=True)
    if case.state is not CaseState.OPEN:
        raise Conflict(_("This was decided meanwhile."), case.version)
    row = db.session.get(CaseKey, case_id)
    if row is None:
        row = CaseKey(case_id=case_id, bound_to=clock.token(18))
        key = row.give_key()
        db.session.add(row)
    else:
        key = row.key()
        case.version += 1  # whoever looks at it now does not see this yet
    now = clock.now()
    for one in evidence:
        ref = clock.token(18)
        db.session.add(
            Evidence(
                ref=ref,
                case_id=case_id,
                author_id=one.author_id,
                shared_by_id=shared_by_id,
                box=key.seal(one.text, purpose=f"evidence:{ref}"),
                written_at=one.written_at,
                shared_at=now,
            )
        )


def withdraw_case(open_key: str) -> bool:
    """What a case waited for has happened by itself: nobody has to look any more. Gives whether one was open.

    Inside the caller's unit of work.
    """
    case = db.session.execute(
        select(Case).where(Case.open_key == open_key).with_for_update()
    ).scalar_one_or_none()
    if case is None:
        return False
    case.state, case.open_key, case.decided_at = CaseState.WITHDRAWN, None, clock.now()
    case.claimed_by_id = case.claimed_until = None
    case.version += 1
    return True
