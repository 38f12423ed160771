"""Tags of threads: a few plain words, made when first used."""

import re
import unicodedata

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select, update

from portal.discussions.models import PostState, Tag, Thread, ThreadTag
from portal.kernel.db import db
from portal.kernel.errors import Invalid

MOST = 5
LONGEST = 40


def parse_tags(text: str) -> list[str]:
    """Tag names out of what was typed, parted by commas or spaces; lower case, in order, no repeats.

    Raises Invalid for more than five, for one over 40 characters, or with signs other than . + # -
    """
    names: list[str] = []
    for word in re.split(r"[,;\s]+", unicodedata.normalize("NFC", text).lower()):
        name = word.strip("-.,")
        if not name:
            continue
        if len(name) > LONGEST:
            raise Invalid(
                _(
                    "“%(name)s…” is too long for a tag: at most %(most)s characters.",
                    name=name[:20],
                    most=LONGEST,
                ),
                "tags",
            )
        if not re.fullmatch(r"[\w.+#-]+", name):
            raise Invalid(_("“%(name)s” has signs that a tag cannot have.", name=name), "tags")
        if name not in names:
            names.append(name)
    if len(names) > MOST:
        raise Invalid(_("At most %(most)s tags.", most=MOST), "tags")
    return names


def set_tags(thread: Thread, names: list[str]) -> None:
    """File the thread under exactly these tags. Inside a unit of work; the thread has an id."""
    before = set(thread.tags or [])
    thread.tags = list(names)
    shown = 1 if thread.state is PostState.VISIBLE else 0
    gone, new = before - set(names), set(names) - before
    if gone:
        ids = list(db.session.execute(select(Tag.id).where(Tag.name.in_(gone))).scalars())
        db.session.execute(
            delete(ThreadTag).where(ThreadTag.thread_id == thread.id, ThreadTag.tag_id.in_(ids))
        )
        db.session.execute(update(Tag).where(Tag.id.in_(ids)).values(threads_count=Tag.threads_count - shown))
    for name in sorted(new):
        tag_id = db.session.execute(select(Tag.id).where(Tag.name == name)).scalar_one_or_none()
        if tag_id is None:
            tag = Tag(name=name)
            db.session.add(tag)
            db.session.flush()
            tag_id = tag.id
        db.session.execute(insert(ThreadTag).values(tag_id=tag_id, thread_id=thread.id))
        db.session.execute(
            update(Tag).where(Tag.id == tag_id).values(threads_count=Tag.threads_count + shown)
        )
