"""The list, one conversation, its export, and the page that says who can read it."""

import json
from typing import Any

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from portal.conversations import services, who_knows
from portal.conversations.queries import copies, giving, listing, reading
from portal.conversations.views.blueprint import blueprint, conversation_page
from portal.kernel import clock
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.forms import Form
from portal.matching.queries import load


@blueprint.get("/conversations")
@requires(Permission.CONVERSE)
def index() -> str:
    """The viewer's conversations: what waits first."""
    return render_template(
        "conversations/index.html", lists=listing.lists(viewer()), form=Form(), now=clock.now()
    )


@blueprint.get("/conversations/who-can-read")
@requires(Permission.VISIT)
def who_can_read() -> str:
    """In plain words: what is and is not protected, and who may know what."""
    heads, rows = who_knows.printed()
    return render_template("conversations/who_can_read.html", heads=heads, rows=rows)


@blueprint.get("/conversations/<conversation_id>")
@requires(Permission.CONVERSE)
def conversation(conversation_id: str) -> str:
    """One conversation, for those who take part in it."""
    return conversation_page(conversation_id)


@blueprint.get("/conversations/<conversation_id>/export.json")
@requires(Permission.CONVERSE)
def export(conversation_id: str) -> Response:
    """One's own copy as a file."""
    content = copies.export(viewer(), conversation_id)
    text = json.dumps({"made_at": clock.now(), **content}, default=_plain, ensure_ascii=False, indent=2)
    return Response(
        text,
        mimetype="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="conversation-{clock.now():%Y-%m-%d}.json"',
            "Cache-Control": "no-store",
        },
    )


@blueprint.get("/conversations/<conversation_id>/leave")
@requires(Permission.CONVERSE)
def ask_to_leave(conversation_id: str) -> str:
    """What leaving and blocking mean, before it is done."""
    return render_template(
        "conversations/leave.html", page=reading.page(viewer(), conversation_id), form=Form()
    )


@blueprint.post("/conversations/<conversation_id>/departure")
@requires(Permission.CONVERSE)
def leave(conversation_id: str) -> BaseResponse:
    """Leave for good."""
    services.leave(viewer(), conversation_id)
    flash(_("You have left. The address leads nowhere for you from now on."))
    return redirect(url_for("conversations.index"), 303)


@blueprint.post("/conversations/<conversation_id>/blocks/<int:member_id>")
@requires(Permission.CONVERSE)
def block(conversation_id: str, member_id: int) -> BaseResponse:
    """Block somebody of this conversation."""
    services.block(viewer(), conversation_id, member_id)
    flash(_("Blocked. You hear nothing of them any more, and they are not told."))
    return redirect(url_for("conversations.index"), 303)


@blueprint.delete("/conversations/blocks/<username>")
@requires(Permission.CONVERSE)
def unblock(username: str) -> BaseResponse:
    """Take a block back."""
    services.unblock(viewer(), username)
    flash(_("No longer blocked. They may ask you for a conversation again."))
    return redirect(url_for("conversations.index"), 303)


@blueprint.get("/me/contributions")
@requires(Permission.CONVERSE)
def contributions() -> str:
    """What the viewer gave and received."""
    me = viewer()
    return render_template(
        "conversations/contributions.html",
        own=giving.contributions(me),
        load=load(me.member_id or 0, clock.now()),
        form=Form(),
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
