"""Giving words back after an appeal that was won: those of one edit, or of a whole thread as of a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, select

from portal.discussions.events import PostEdited, ThreadChanged, ToolUsed
from portal.discussions.models import Draft, Post, PostKind, PostRevision, PostState, Thread
from portal.discussions.queries.changed_since import Changed, changed_since
from portal.discussions.services.counting import touch
from portal.discussions.services.former import keep_former
from portal.discussions.services.lookup import any_post
from portal.discussions.services.posting import clean_title
from portal.discussions.services.text import prepare, prepare_war_story, sections_of
from portal.discussions.services.uploads import let_go_pictures
from portal.discussions.source_formats import markdown_of
from portal.kernel import clock, events, markup
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.slugs import slugify


def give_words_back(post_id: int, version: int, *, by_id: int) -> bool:
    """Put back the text that an edit replaced; what it said in between stays in the history.

    Nothing is done, and False given, when the post was changed again since, or its former text is gone.
    Inside a unit of work. Raises NotFound.
    """
    post, thread, board = any_post(post_id)
    former = db.session.execute(
        select(PostRevision).where(PostRevision.post_id == post.id, PostRevision.version == version).limit(1)
    ).scalar_one_or_none()
    if former is None or post.version != version + 1 or post.state is PostState.DELETED:
        return False
    keep_former(post, thread, editor_id=by_id, reason=_("Given back after an appeal"), at=clock.now())
    _say_again(post, thread, former.title, former.source, by_id)
    touch(thread, board)
    events.publish(PostEdited(post.id, thread.id, by_id))
    return True


def _say_again(post: Post, thread: Thread, title: str, source: str, by_id: int) -> None:
    """Have the post, and the title where it opens the thread, read like this."""
    sections = sections_of(source) if post.sections else None
    prepared = prepare_war_story(sections) if sections else prepare(source)
    post.source, post.html, post.excerpt = prepared.source, prepared.html, prepared.excerpt
    post.source_format, post.sections, post.mentions = "markdown", sections, prepared.mentions
    post.renderer_version = markup.RENDERER_VERSION
    post.version += 1
    if post.kind is PostKind.OPENING and title and title != thread.title:
        thread.title, thread.slug = title, slugify(title)
        thread.version += 1
        events.publish(ThreadChanged(thread.id, by_id, "retitled"))


@dataclass(frozen=True)
class Words:
    """What a post says from now on by the word of somebody who decides: title ("" for what opens no thread),
    text, and the rule by which something stays out of it, with the reason that was given.
    """

    title: str
    body: str
    rule: int | None = None
    rule_label: str = ""
    reason: str = ""


def give_back_as_of(
    thread: Thread, moment: datetime, *, by_id: int, words: Mapping[int, Words] | None = None
) -> None:
    """Have every post of a thread say again what it said at the moment; what its author wrote since goes from
    the history as well, and becomes a draft of an edit of theirs.

    Words that a moderator took out since stay out: those taken out before the author changed the post by
    themselves, those after it by `words` (by post), which say what it reads now. Inside a unit of work.
    Raises Invalid where these are wanted and not there, or cannot stand.
    """
    for changed in changed_since(thread.id, moment, lock=True):
        if not changed.from_author:
            continue
        post = changed.post
        said = (words or {}).get(post.id)
        needs_a_word = changed.needs_a_word
        if needs_a_word and said is None:
            raise Invalid(
                _(
                    "#%(number)s was changed since, by its author and by a moderator, for fewer readers. "
                    "Say below what it reads then, and decide again.",
                    number=post.number or post.id,
                ),
                "outcome",
            )
        _give_back(changed, thread, by_id)
        if needs_a_word and said is not None:
            _leave_out(post, thread, said, by_id)


def _give_back(changed: Changed, thread: Thread, by_id: int) -> None:
    """The text that the first edit of its author replaced; the words of all since leave the history."""
    post, since = changed.post, changed.from_author
    _keep_as_draft(post, thread, *changed.last_by_author())
    _say_again(post, thread, since[0].title, since[0].source, by_id)
    db.session.execute(delete(PostRevision).where(PostRevision.id.in_([former.id for former in since])))
    post.revisions_count -= len(since)
    post.edited_at = db.session.execute(
        select(func.max(PostRevision.created_at)).where(PostRevision.post_id == post.id)
    ).scalar()
    let_go_pictures(post, for_good=False)
    events.publish(PostEdited(post.id, thread.id, by_id))


def _leave_out(post: Post, thread: Thread, said: Words, by_id: int) -> None:
    """What may not stand again stays out, as an edit by a rule that its author hears of."""
    is_opening = post.kind is PostKind.OPENING
    title = clean_title(said.title) if is_opening else ""
    body = said.body.replace("\r\n", "\n").strip()
    if body == post.source.strip() and (not is_opening or title == thread.title):
        return
    if post.sections and sections_of(body) is None:
        raise Invalid(_("Keep the headings of the war story as they are."), "outcome")
    if said.rule is not None:
        used = ToolUsed(thread.id, post.id, by_id, "edited", said.reason[:200], said.rule, post.version)
        events.publish(used)
    why = ": ".join(filter(None, (said.rule_label, said.reason)))
    keep_former(post, thread, editor_id=by_id, reason=why, at=clock.now())
    _say_again(post, thread, title, body, by_id)


def _keep_as_draft(post: Post, thread: Thread, title: str, source: str) -> None:
    """These words for their author's form of an edit; a draft that is there is not overwritten."""
    place = f"edit:{post.id}:{post.version}"
    there = select(Draft.id).where(Draft.member_id == post.author_id, Draft.place == place)
    if db.session.execute(there).first():
        return
    sections = sections_of(source) if post.sections else None
    fields: dict[str, Any] = dict(sections or {"body": markdown_of(source, post.source_format)})
    if post.kind is PostKind.OPENING:
        fields |= {"title": title or thread.title, "tags": " ".join(thread.tags)}
    db.session.add(
        Draft(member_id=post.author_id, place=place, fields=fields, sequence=1, saved_at=clock.now())
    )
