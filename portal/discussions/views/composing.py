"""New threads, answers, comments, and what a text will look like."""

from typing import Any

from flask import Blueprint, flash, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.discussions import composer
from portal.discussions.addresses import comment_address, post_address, thread_address
from portal.discussions.forms import ReplyForm, ThreadForm
from portal.discussions.models import Post, PostState, ThreadKind
from portal.discussions.queries import places
from portal.discussions.queries.similar import resembling
from portal.discussions.screening import said
from portal.discussions.services import posting
from portal.discussions.services.checking import problems_with
from portal.discussions.services.drafts import drop_draft
from portal.discussions.services.flood import check_flood
from portal.discussions.services.text import SECTION_TITLES, SECTIONS, prepare
from portal.discussions.views.answers import attempt
from portal.discussions.wording import audience_group, audience_sentence, kind_explanation, kind_label
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import Invalid

blueprint = Blueprint("composing", __name__)


@blueprint.get("/threads/new")
@requires(Permission.POST)
def new_thread() -> str:
    """The form for a new thread, with the draft that was kept for this board."""
    slug = request.args.get("board", "")
    draft = places.draft_at(viewer(), _new_place(slug))
    form = ThreadForm(formdata=None, data=draft.fields if draft else {"board": slug, "kind": _kind_asked()})
    return _thread_page(form, slug)


@blueprint.post("/threads/new")
@requires(Permission.POST)
def create_thread() -> Response:
    """Open a thread; where it resembles others and nobody has looked at them yet, show those first."""
    form = ThreadForm()
    if request.form.get("similar") == "ask":
        found = resembling(viewer(), form.title.data or "")
        if found:
            return make_response(render_template("discussions/similar_page.html", form=form, threads=found))
    return attempt(
        form,
        lambda: _open_thread(form),
        lambda: _thread_page(form, _slug_in(form)),
        _problems_with(form),
    )


@blueprint.post("/threads/new/form")
@requires(Permission.POST)
def return_to_thread() -> str:
    """The form as it was sent, to be changed before it is sent again."""
    form = ThreadForm()
    return _thread_page(form, _slug_in(form))


@blueprint.get("/threads/similar")
@requires(Permission.POST)
def similar() -> str:
    """Threads whose titles resemble the one being typed, as a fragment of a page."""
    found = resembling(viewer(), request.args.get("title", ""))
    return render_template("discussions/_similar.html", threads=found)


@blueprint.get("/threads/<int:thread_id>/posts")
@requires(Permission.POST)
def new_post(thread_id: int) -> str:
    """The composer of a thread on a page of its own."""
    thread = places.thread_place(viewer(), thread_id)
    return _reply_page(thread, None, request.args.get("quote", type=int))


@blueprint.post("/threads/<int:thread_id>/posts")
@requires(Permission.POST)
def create_post(thread_id: int) -> Response:
    """Add an answer or a reply."""
    thread = places.thread_place(viewer(), thread_id)
    form = ReplyForm()
    return attempt(form, lambda: _reply(thread, form), lambda: _reply_page(thread, form))


@blueprint.get("/posts/<int:post_id>/comments")
@requires(Permission.POST)
def new_comment(post_id: int) -> str:
    """The form for a comment under a post."""
    return _comment_page(places.post_place(viewer(), post_id), None)


@blueprint.post("/posts/<int:post_id>/comments")
@requires(Permission.POST)
def create_comment(post_id: int) -> Response:
    """Add a comment under a post."""
    post = places.post_place(viewer(), post_id)
    form = ReplyForm()
    return attempt(form, lambda: _comment(post, form), lambda: _comment_page(post, form))


@blueprint.get("/posts/<int:post_id>/quotation")
@requires(Permission.POST)
def quotation(post_id: int) -> Response:
    """The Markdown that quotes a post, for the composer that is open."""
    return jsonify(markdown=composer.quotation_of(places.post_place(viewer(), post_id)))


@blueprint.post("/preview")
@requires(Permission.POST)
def preview() -> Response | str:
    """The HTML that a post with this text would have; an empty text gives nothing.

    As a fragment, or as a page where a browser opens it as one (without a script).
    """
    source = request.form.get("body", "")
    if request.headers.get("Sec-Fetch-Dest") == "document":
        return _preview_page(source)
    if not source.strip():
        return ""
    try:
        return prepare(source, by=viewer()).html
    except Invalid as error:
        return make_response(render_template("discussions/_preview_refused.html", why=error.message), 422)


def _preview_page(source: str) -> str:
    parts = {name: request.form.get(name, "").strip() for name in SECTIONS}
    if request.form.get("kind", ThreadKind.WAR_STORY) == ThreadKind.WAR_STORY and any(parts.values()):
        titles = SECTION_TITLES
        source = "\n\n".join(f"## {titles[name]}\n\n{text}" for name, text in parts.items() if text)
    try:
        html, why = prepare(source, by=viewer()).html, ""
    except Invalid as error:
        html, why = "", error.message
    return render_template("discussions/preview.html", html=Markup(html), why=why)  # noqa: S704 - just cleaned


def _problems_with(form: ThreadForm) -> list[Invalid]:
    problems = [] if _board_in(form) else [Invalid(_("Choose a board."), "board")]
    if form.kind.data not in set(ThreadKind):
        problems.append(Invalid(_("Choose one of the kinds."), "kind"))
    return problems + problems_with(
        title=form.title.data or "",
        body=form.body.data or "",
        sections=form.sections if form.kind.data == ThreadKind.WAR_STORY else None,
        tags=form.tags.data or "",
    )


def _board_in(form: ThreadForm) -> places.BoardPlace | None:
    boards = places.boards_to_write_on(viewer())
    return next((board for board in boards if board.slug == form.board.data), None)


def _open_thread(form: ThreadForm) -> str:
    kind, board = ThreadKind(form.kind.data), _board_in(form)
    if board is None:
        raise Invalid(_("Choose a board."), "board")
    check_flood(viewer())
    thread = posting.open_thread(
        viewer(),
        board.id,
        kind=kind,
        title=form.title.data or "",
        body=form.body.data or "",
        sections=form.sections if kind is ThreadKind.WAR_STORY else None,
        tags=form.tags.data or "",
        form_key=form.taken_key,
    )
    for slug in {request.args.get("board", ""), board.slug, ""}:
        drop_draft(viewer().member_id or 0, _new_place(slug))
    if thread.state is PostState.HELD:
        flash(_("Your thread waits for a moderator. Until then only you and the moderators see it."))
    return thread_address(thread.id, thread.slug)


def _reply(thread: places.ThreadPlace, form: ReplyForm) -> str:
    check_flood(viewer())
    post = posting.post_reply(viewer(), thread.id, form.body.data or "", form_key=form.taken_key)
    _say_if_held(post)
    return post_address(thread.id, thread.slug, post.number or 1)


def _comment(post: places.PostPlace, form: ReplyForm) -> str:
    check_flood(viewer())
    comment = posting.post_comment(viewer(), post.id, form.body.data or "", form_key=form.taken_key)
    _say_if_held(comment)
    return comment_address(post.thread.id, post.thread.slug, post.number, comment.id)


def _say_if_held(post: Post) -> None:
    if post.state is PostState.HELD:
        flash(
            _(
                "Your text waits for a moderator, and only you and the moderators see it: %(reasons)s",
                reasons=said(post.state_reason),
            )
        )


def _thread_page(form: ThreadForm, slug: str) -> str:
    boards = places.boards_to_write_on(viewer())
    groups: dict[str, list[tuple[str, str]]] = {}
    for board in boards:
        groups.setdefault(audience_group(board.audience), []).append((board.slug, board.name))
    form.board.choices = {"": [("", _("Choose a board"))], **groups}
    form.kind.choices = [(kind.value, kind_label(kind)) for kind in ThreadKind]
    draft = places.draft_at(viewer(), _new_place(slug))
    return render_template(
        "discussions/new_thread.html",
        form=form,
        boards=boards,
        explanations={kind.value: kind_explanation(kind) for kind in ThreadKind},
        audiences={board.slug: audience_sentence(board.audience) for board in boards},
        draft=draft,
        draft_url=f"/drafts/{_new_place(slug)}",
    )


def _reply_page(thread: places.ThreadPlace, form: ReplyForm | None, quote_id: int | None = None) -> str:
    reply = composer.reply_composer(viewer(), thread, form, quote_id)
    return render_template("discussions/reply.html", thread=thread, reply=reply)


def _comment_page(post: places.PostPlace, form: ReplyForm | None) -> str:
    draft = places.draft_at(viewer(), f"comment:{post.id}")
    if form is None:
        form = ReplyForm(formdata=None, data=draft.fields if draft else {})
    values: dict[str, Any] = {"draft": draft, "refusal": composer.why_not(viewer(), post.thread)}
    return render_template(
        "discussions/comment.html", post=post, form=form, longest=posting.LONGEST_COMMENT, **values
    )


def _new_place(slug: str) -> str:
    return f"new:{slug}"[:80]


def _kind_asked() -> str:
    asked = request.args.get("kind", "")
    return asked if asked in set(ThreadKind) else ThreadKind.QUESTION.value


def _slug_in(form: ThreadForm) -> str:
    return request.args.get("board", "") or form.board.data or ""
