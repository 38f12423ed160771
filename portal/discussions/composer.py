"""The composer at the end of a thread: what it begins with, and why it may not be there."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.discussions.forms import ReplyForm
from portal.discussions.models import PostState, ThreadKind
from portal.discussions.policy import may_write_in
from portal.discussions.queries.places import PostPlace, ThreadPlace, draft_at, post_place
from portal.discussions.source_formats import markdown_of
from portal.discussions.wording import audience_sentence
from portal.kernel import markup
from portal.kernel.access import Viewer
from portal.kernel.errors import NotFound


@dataclass(frozen=True)
class ReplyComposer:
    """What `discussions/_reply_form.html` shows: a form, or the sentence why there is none."""

    form: ReplyForm | None
    title: str
    submit: str
    action: str
    audience: str
    refusal: str = ""
    sign_in: bool = False
    closed: bool = False  # a moderator may still write
    draft_url: str = ""
    draft_seq: int = 0
    saved: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it is as for everybody who begins: no draft, no quotation, nothing that came back."""
        return bool(
            self.form
            and not self.closed
            and self.saved is None
            and not self.form.body.data
            and not self.form.all_errors
        )


def reply_composer(
    viewer: Viewer, thread: ThreadPlace, form: ReplyForm | None = None, quote_id: int | None = None
) -> ReplyComposer:
    """The composer of a thread for this viewer; `form` when one came back, `quote_id` to quote a post.

    Without a returned form the draft kept here is in it, and the quotation after that.
    """
    is_answer = thread.kind is ThreadKind.QUESTION and thread.author_id != viewer.member_id
    title = _("Your answer") if is_answer else _("Your reply")
    submit = _("Post your answer") if is_answer else _("Post your reply")
    action = f"/threads/{thread.id}/posts"
    audience = audience_sentence(thread.audience)
    refusal = why_not(viewer, thread)
    if refusal:
        return ReplyComposer(
            None, title, submit, action, audience, refusal=refusal, sign_in=not viewer.is_member
        )
    draft = draft_at(viewer, place := f"thread:{thread.id}")
    if form is None:
        form = ReplyForm(formdata=None)
        form.body.data = begin_with(
            draft.fields.get("body") if draft else "", _quotation(viewer, thread, quote_id)
        )
    return ReplyComposer(
        form,
        title,
        submit,
        action,
        audience,
        closed=thread.closed_at is not None,
        draft_url=f"/drafts/{place}",
        draft_seq=draft.sequence if draft else 0,
        saved=draft.saved_at if draft else None,
    )


def why_not(viewer: Viewer, thread: ThreadPlace) -> str:
    """Why the viewer cannot add a post to the thread, in one sentence; "" when they can."""
    archived, closed = thread.archived_at is not None, thread.closed_at is not None
    if may_write_in(viewer, archived, closed, thread.state):
        return ""
    if archived:
        return _("This board is archived: it can be read, but nothing can be added.")
    if closed and thread.closed_reason:
        return _("This thread is closed: %(reason)s", reason=thread.closed_reason)
    if closed:
        return _("This thread is closed.")
    if thread.state is PostState.HELD:
        return _("This thread waits for a moderator; nothing can be added until then.")
    if thread.state is not PostState.VISIBLE:
        return _("This thread was removed; nothing can be added.")
    if not viewer.is_member:
        return _("Sign in to write here, or join: it takes a minute.")
    if not viewer.confirmed:
        return _("Confirm your mail address to write here. The link is in the mail we sent you.")
    if viewer.suspended_until is not None:
        return _("Your account cannot write at present.")
    return _("Your account cannot write here.")


def begin_with(text: str | None, quotation: str) -> str:
    """A quotation after what is there already."""
    text = (text or "").rstrip()
    return f"{text}\n\n{quotation}" if text and quotation else text or quotation


def quotation_of(post: PostPlace) -> str:
    """The Markdown that quotes a post; without a name where the author has none for somebody who reads it."""
    number = None if post.is_comment else post.number
    name = "" if post.author_is_guest else post.author.username
    return markup.quote_source(name, number, post.id, markdown_of(post.source, post.source_format))


def _quotation(viewer: Viewer, thread: ThreadPlace, quote_id: int | None) -> str:
    if quote_id is None:
        return ""
    try:
        post = post_place(viewer, quote_id)
    except NotFound:
        return ""
    return quotation_of(post) if post.thread.id == thread.id else ""
