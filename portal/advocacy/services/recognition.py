"""A member chooses what they are shown with, or nothing at all."""

from flask_babel import gettext as _
from sqlalchemy import update

from portal.advocacy.models import Spotlight
from portal.discussions.queries.deeds import deeds
from portal.kernel import clock
from portal.kernel.access import Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member

LONGEST = 300


def show(viewer: Viewer, *, post_id: int | None, words: str = "", badges: bool = True) -> None:
    """Show one's own piece, with a few words, and the badges. Raises Invalid for what is somebody else's."""
    if viewer.member_id is None or viewer.status is Status.VENDOR:
        raise Invalid(_("The vendor's people are not shown like this."))
    words = " ".join(words.split())
    if len(words) > LONGEST:
        raise Invalid(_("At most %(most)s characters.", most=LONGEST), "words")
    if post_id is None and not badges:
        raise Invalid(_("Choose a piece, or what you have done, or press “Show nothing”."), "post")
    with unit_of_work():
        if post_id is not None:
            found = deeds(viewer, [post_id])
            if not found or found[0].author_id != viewer.member_id:
                raise Invalid(_("Choose one of your own answers or war stories."), "post")
        row = db.session.get(Spotlight, viewer.member_id)
        if row is None:
            row = Spotlight(member_id=viewer.member_id, changed_at=clock.now())
            db.session.add(row)
        row.post_id, row.words, row.badges, row.changed_at = post_id, words, badges, clock.now()
        _page_changed(viewer.member_id)


def hide(viewer: Viewer) -> None:
    """Show nothing any more."""
    if viewer.member_id is None:
        return
    with unit_of_work():
        row = db.session.get(Spotlight, viewer.member_id)
        if row is not None:
            db.session.delete(row)
            _page_changed(viewer.member_id)


def _page_changed(member_id: int) -> None:
    """The kept page of the member is made anew."""
    db.session.execute(update(Member).where(Member.id == member_id).values(version=Member.version + 1))
