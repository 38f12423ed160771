"""How moderation answers when somebody was faster."""

from flask import render_template

from portal.kernel.errors import Conflict
from portal.moderation import words
from portal.moderation.queries import cases


def conflict_page(case_id: int, conflict: Conflict, reason: str) -> str:
    """Somebody was faster: what they decided, and the words that were not sent."""
    last = cases.last_decision(case_id)
    return render_template(
        "moderation/conflict.html",
        message=conflict.message,
        last=last,
        reason=reason,
        case_id=case_id,
        words=words,
    )
