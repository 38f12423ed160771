"""The words of an ask in private, for its asker and nobody else."""

from flask_babel import gettext as _

from portal.asks.models import Ask, PrivateQuestion
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden


def words_of(asker: Viewer, ask: Ask) -> tuple[str, str]:
    """(title, text). Raises CannotOpen without the key; Forbidden for anybody but the asker."""
    if ask.asker_id != asker.member_id:
        raise Forbidden(_("Only its asker reads this."))
    question = db.session.get(PrivateQuestion, ask.id)
    if question is None:
        return "", ""
    key = question.key()
    return key.open(question.title_box, purpose="title"), key.open(question.body_box, purpose="body")
