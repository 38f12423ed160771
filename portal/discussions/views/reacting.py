"""Votes, accepted answers, follows, bookmarks: each a resource that is made and taken away."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from portal.discussions.addresses import comment_address, post_address, thread_address
from portal.discussions.queries import places
from portal.discussions.services import acceptance, following, voting
from portal.discussions.views.answers import toggled
from portal.kernel.access import Permission, requires, viewer

blueprint = Blueprint("reacting", __name__)


@blueprint.post("/posts/<int:post_id>/vote")
@requires(Permission.REACT)
def vote(post_id: int) -> Response:
    """Say that a post helped."""
    return toggled(True, lambda: _place(post_id), voting.vote(viewer(), post_id))


@blueprint.delete("/posts/<int:post_id>/vote")
@requires(Permission.REACT)
def withdraw_vote(post_id: int) -> Response:
    """Take one's vote back."""
    return toggled(False, lambda: _place(post_id), voting.withdraw_vote(viewer(), post_id))


@blueprint.post("/threads/<int:thread_id>/acceptance")
@requires(Permission.REACT)
def accept(thread_id: int) -> Response:
    """Say which answer solved one's question."""
    post_id = request.form.get("post", 0, type=int)
    acceptance.accept(viewer(), thread_id, post_id)
    return toggled(True, lambda: _place(post_id))


@blueprint.delete("/threads/<int:thread_id>/acceptance")
@requires(Permission.REACT)
def withdraw_acceptance(thread_id: int) -> Response:
    """Say that one's question is open again."""
    acceptance.withdraw_acceptance(viewer(), thread_id)
    return toggled(False, lambda: _thread(thread_id))


@blueprint.post("/threads/<int:thread_id>/follow")
@requires(Permission.REACT)
def follow_thread(thread_id: int) -> Response:
    """Hear of new posts in a thread."""
    following.follow_thread(viewer(), thread_id)
    return toggled(True, lambda: _thread(thread_id))


@blueprint.delete("/threads/<int:thread_id>/follow")
@requires(Permission.REACT)
def unfollow_thread(thread_id: int) -> Response:
    """Hear no more of a thread."""
    following.unfollow_thread(viewer(), thread_id)
    return toggled(False, lambda: _listed("/me/following") or _thread(thread_id))


@blueprint.post("/boards/<slug>/follow")
@requires(Permission.REACT)
def follow_board(slug: str) -> Response:
    """Hear of new threads on a board."""
    following.follow_board(viewer(), places.board_id_of(viewer(), slug))
    return toggled(True, lambda: f"/boards/{slug}")


@blueprint.delete("/boards/<slug>/follow")
@requires(Permission.REACT)
def unfollow_board(slug: str) -> Response:
    """Hear no more of a board."""
    following.unfollow_board(viewer(), places.board_id_of(viewer(), slug))
    return toggled(False, lambda: _listed("/me/following") or f"/boards/{slug}")


@blueprint.post("/posts/<int:post_id>/bookmark")
@requires(Permission.REACT)
def bookmark(post_id: int) -> Response:
    """Keep a post to find it again."""
    following.bookmark(viewer(), post_id)
    return toggled(True, lambda: _place(post_id))


@blueprint.delete("/posts/<int:post_id>/bookmark")
@requires(Permission.REACT)
def remove_bookmark(post_id: int) -> Response:
    """Drop a bookmark, also of a post that is no longer to be read."""
    following.remove_bookmark(viewer(), post_id)
    return toggled(False, lambda: _listed("/me/bookmarks") or _place(post_id))


def _place(post_id: int) -> str:
    post = places.post_place(viewer(), post_id)
    thread = post.thread
    if post.is_comment:
        return comment_address(thread.id, thread.slug, post.number, post.id)
    return post_address(thread.id, thread.slug, post.number)


def _listed(path: str) -> str:
    """The list from which the button was pressed, if it was."""
    return path if request.args.get("from") == "list" else ""


def _thread(thread_id: int) -> str:
    thread = places.thread_place(viewer(), thread_id)
    return thread_address(thread.id, thread.slug)
