"""What a member keeps: bookmarks, and the boards and threads they follow."""

from flask import Blueprint, render_template, request

from portal.discussions.queries import keeping
from portal.kernel.access import Permission, requires, viewer

blueprint = Blueprint("keeping", __name__)


@blueprint.get("/me/bookmarks")
@requires(Permission.ACCOUNT)
def bookmarks() -> str:
    """The posts that the viewer kept, newest first."""
    page = keeping.bookmarks_of(viewer(), request.args.get("after", ""))
    return render_template("discussions/bookmarks.html", page=page)


@blueprint.get("/me/following")
@requires(Permission.ACCOUNT)
def following() -> str:
    """The boards and threads that the viewer hears of."""
    page = keeping.threads_followed_by(viewer(), request.args.get("after", ""))
    boards = keeping.boards_followed_by(viewer())
    return render_template("discussions/following.html", page=page, boards=boards)
