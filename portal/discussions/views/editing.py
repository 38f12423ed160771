"""Changing and deleting a post, its history, and what happens when two people change it at once."""

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.discussions import comparing
from portal.discussions.addresses import comment_address, post_address, thread_address
from portal.discussions.forms import EditForm
from portal.discussions.impartiality import check_impartial
from portal.discussions.models import PostKind, PostState
from portal.discussions.moved_away import was_moved_since
from portal.discussions.policy import edit_needs_reason
from portal.discussions.queries import places
from portal.discussions.queries.history import edits_of
from portal.discussions.services import editing
from portal.discussions.services.checking import problems_with
from portal.discussions.services.drafts import drop_draft
from portal.discussions.services.text import SECTIONS
from portal.discussions.source_formats import markdown_of
from portal.discussions.views.answers import attempt
from portal.kernel import clock, site
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import Conflict, Forbidden, NotFound
from portal.kernel.forms import Form

blueprint = Blueprint("editing", __name__)


@blueprint.get("/posts/<int:post_id>/edit")
@requires(Permission.POST)
def edit(post_id: int) -> str:
    """The form to change a post, with the draft that was kept for this version of it."""
    post = _editable(post_id)
    if request.args.get("draft", type=int) is not None:
        return _older_draft(post, request.args.get("draft", 0, type=int))
    draft = places.draft_at(viewer(), _draft_place(post))
    form = EditForm(formdata=None, data={**_saved(post), **(draft.fields if draft else {})})
    form.version.data = post.version
    return _form_page(post, form)


@blueprint.post("/posts/<int:post_id>/edit")
@requires(Permission.POST)
def edit_both(post_id: int) -> str:
    """The form again, with the saved text and the one that was typed in one."""
    post = _editable(post_id)
    form = EditForm()
    saved = _saved(post)
    for name in ("body", *SECTIONS):
        form[name].data = comparing.both_in_one(saved.get(name, ""), form[name].data or "")
    form.title.data = form.title.data or saved.get("title")
    form.version.data = post.version
    return _form_page(post, form)


@blueprint.route("/posts/<int:post_id>", methods=["POST", "PUT"])
@requires(Permission.POST)
def change(post_id: int) -> Response:
    """Store another text; where somebody stored one meanwhile, show both and let the editor choose."""
    post = _editable(post_id)
    form = EditForm()
    problems = problems_with(
        title=form.title.data or "" if _has(post, "title") else None,
        body=form.body.data or "",
        sections=form.sections if post.is_story else None,
        tags=form.tags.data or "" if _has(post, "tags") else None,
    )
    try:
        return attempt(form, lambda: _change(post, form), lambda: _form_page(post, form), problems)
    except Conflict:
        post = _editable(post_id)
        return make_response(_conflict_page(post, form, _mine(post, form)), 409)


@blueprint.get("/posts/<int:post_id>/delete")
@requires(Permission.POST)
def ask_to_delete(post_id: int) -> str:
    """Ask once more before a post is deleted."""
    post = places.post_place(viewer(), post_id)
    if post.author_id != viewer().member_id:
        raise Forbidden(_("Only its author can delete a post."))
    return render_template("discussions/delete.html", post=post, form=Form())


@blueprint.delete("/posts/<int:post_id>")
@requires(Permission.POST)
def delete(post_id: int) -> Response:
    """Delete one's own post; a line saying so keeps its place."""
    post = places.post_place(viewer(), post_id)
    editing.delete_own_post(viewer(), post_id)
    flash(_("Deleted. A line saying so stays in its place."))
    if post.kind is PostKind.OPENING:
        return redirect(f"/boards/{post.thread.board_slug}", 303)
    return redirect(post_address(post.thread.id, post.thread.slug, post.number), 303)


@blueprint.get("/posts/<int:post_id>/history")
@requires(Permission.VISIT)
def history(post_id: int) -> str:
    """What a post said before, edit by edit, for whoever may read the post."""
    post = places.post_place(viewer(), post_id)
    if post.state is PostState.HIDDEN and not viewer().may(Permission.MODERATE):
        raise NotFound("no such post")
    page = edits_of(viewer(), post, request.args.get("before", type=int))
    return render_template("discussions/history.html", post=post, page=page, place=_place(post))


def _editable(post_id: int) -> places.PostPlace:
    post = places.post_place(viewer(), post_id)
    thread = post.thread
    editing.check_may_edit(
        viewer(),
        post.author_id,
        closed=thread.closed_at is not None,
        archived=thread.archived_at is not None,
    )
    if viewer().member_id != post.author_id:
        check_impartial(viewer(), thread.id, post.id)
    return post


def _change(post: places.PostPlace, form: EditForm) -> str:
    changed = editing.edit_post(
        viewer(),
        post.id,
        editing.Edit(
            body=form.body.data or "",
            sections=form.sections if post.is_story else None,
            title=form.title.data or "" if _has(post, "title") else None,
            tags=form.tags.data or "" if _has(post, "tags") else None,
            reason=form.reason.data or "",
            version=form.version.data or 0,
            rule=form.rule.number,
        ),
    )
    drop_draft(viewer().member_id or 0, f"edit:{post.id}:{form.version.data}")
    if changed.state is PostState.HELD:
        waits_since_now = post.state is PostState.VISIBLE
        flash(
            _("Saved. A moderator looks at the new text before others see it: the post says why.")
            if waits_since_now
            else _("Saved. The post still waits for a moderator.")
        )
    return _place(places.post_place(viewer(), post.id))


def _has(post: places.PostPlace, name: str) -> bool:
    """Whether this field belongs to the post and was in the form."""
    return post.kind is PostKind.OPENING and name in request.form


def _saved(post: places.PostPlace) -> dict[str, str]:
    """The fields of the form as the post has them now."""
    fields: dict[str, str] = {}
    if post.kind is PostKind.OPENING:
        fields |= {"title": post.thread.title, "tags": " ".join(post.thread.tags)}
    if post.is_story:
        return fields | {name: (post.sections or {}).get(name, "") for name in SECTIONS}
    return fields | {"body": markdown_of(post.source, post.source_format)}


def _mine(post: places.PostPlace, form: EditForm) -> dict[str, str]:
    """The same fields as they were sent; one that was not in the form stays as it is saved."""
    return {
        name: form[name].data or "" if name in request.form else text for name, text in _saved(post).items()
    }


def _form_page(post: places.PostPlace, form: EditForm) -> str:
    author_edits = viewer().member_id == post.author_id
    leaves_mark = edit_needs_reason(
        viewer(), post.author_id, post.created_at, clock.now(), site.current().edit_grace_minutes
    ) or was_moved_since(post.thread.id, post.created_at)
    draft = places.draft_at(viewer(), _draft_place(post))
    if not author_edits:
        form.rule.offer()
    return render_template(
        "discussions/edit.html",
        post=post,
        form=form,
        place=_place(post),
        author_edits=author_edits,
        leaves_mark=leaves_mark,
        draft=draft,
        draft_url=f"/drafts/{_draft_place(post)}",
        older=places.older_edit_draft(viewer(), post.id, post.version),
    )


def _conflict_page(
    post: places.PostPlace, form: EditForm, mine: dict[str, str], draft_version: int | None = None
) -> str:
    saved = _saved(post)
    parts = [
        comparing.compare(form[name].label.text, name, mine.get(name, ""), saved[name]) for name in saved
    ]
    form.version.data = post.version
    return render_template(
        "discussions/conflict.html",
        post=post,
        form=form,
        parts=parts,
        place=_place(post),
        editor=places.last_editor(viewer(), post),
        draft_version=draft_version,
    )


def _older_draft(post: places.PostPlace, version: int) -> str:
    draft = places.draft_at(viewer(), f"edit:{post.id}:{version}")
    if draft is None:
        raise NotFound("no such draft")
    form = EditForm(formdata=None, data=draft.fields)
    return _conflict_page(post, form, {**_saved(post), **draft.fields}, version)


def _draft_place(post: places.PostPlace) -> str:
    return f"edit:{post.id}:{post.version}"


def _place(post: places.PostPlace) -> str:
    thread = post.thread
    if post.is_comment:
        return comment_address(thread.id, thread.slug, post.number, post.id)
    if post.kind is PostKind.OPENING:
        return thread_address(thread.id, thread.slug)
    return post_address(thread.id, thread.slug, post.number)
