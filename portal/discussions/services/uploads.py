"""Pictures in posts: which post each belongs to."""

import re

from sqlalchemy import update

from portal.discussions.models import Post, Upload
from portal.kernel.db import db

_NAMES = re.compile(r"/uploads/([A-Za-z0-9_-]{16,60}\.(?:webp|png|jpg|gif))")


def attach_uploads(member_id: int, post: Post) -> None:
    """Note that the pictures named in the post belong to it. Inside a unit of work."""
    names = _NAMES.findall(post.source)
    if names:
        db.session.execute(
            update(Upload)
            .where(Upload.name.in_(names), Upload.member_id == member_id, Upload.post_id.is_(None))
            .values(post_id=post.id)
        )
