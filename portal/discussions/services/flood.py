"""A limit on how fast one member writes, so that a script or a rage does not bury everybody else."""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from portal.discussions.models import Post
from portal.kernel import clock, site
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import TooMany

SPAN = timedelta(minutes=5)


def check_flood(author: Viewer) -> None:
    """Raises TooMany when the author wrote as many posts within five minutes as the site allows."""
    most = site.current().posts_per_five_minutes
    if most <= 0:
        return
    oldest = list(
        db.session.execute(
            select(Post.created_at)
            .where(Post.author_id == author.member_id, Post.created_at > clock.now() - SPAN)
            .order_by(Post.created_at.desc(), Post.id.desc())
            .limit(most)
        ).scalars()
    )
    if len(oldest) >= most:
        wait = (oldest[-1] + SPAN - clock.now()).total_seconds()
        raise TooMany(
            _(
                "You wrote %(most)s posts within five minutes. Your text is kept: send it a little later.",
                most=most,
            ),
            retry_after=max(1, round(wait)),
        )
