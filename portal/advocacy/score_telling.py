"""The kinds of notice about scores: a contested entry was answered, an entry was corrected."""

from collections.abc import Sequence

from flask_babel import gettext as _

from portal.advocacy.services import telling
from portal.kernel.access import Viewer
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice


def resolve(_viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """A line each; the words stand on one's own page only."""
    return {
        notice.id: Line(
            sentence=_("Your question about an entry was answered")
            if notice.kind == telling.ANSWERED
            else _("A moderator corrected an entry of yours"),
            title=_("How your help counts"),
            url="/me/score#contests" if notice.kind == telling.ANSWERED else "/me/score#not-counted",
        )
        for notice in notices
    }


KINDS = (
    Kind(telling.ANSWERED, "a question of yours about your score is answered", resolve, order=64),
    Kind(telling.CORRECTED, "a moderator corrects an entry of yours", resolve, required=True, order=65),
)
