"""What moderators do to whole threads: close, pin, move, split, merge."""

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.discussions import house_rules
from portal.discussions.addresses import thread_address
from portal.discussions.forms import MergeForm, SplitForm, ToolsForm
from portal.discussions.impartiality import check_impartial, reason_against
from portal.discussions.models import Thread
from portal.discussions.policy import is_wider
from portal.discussions.queries import choosing, places
from portal.discussions.services import tools
from portal.discussions.views.answers import attempt
from portal.discussions.wording import audience_group, why_merged, why_split
from portal.kernel import form_keys
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.forms import Form

blueprint = Blueprint("tools", __name__)


@blueprint.get("/threads/<int:thread_id>/tools")
@requires(Permission.MODERATE)
def index(thread_id: int) -> str:
    """Everything that can be done to a thread, on one page."""
    return _tools_page(places.thread_place(viewer(), thread_id), ToolsForm(formdata=None))


@blueprint.post("/threads/<int:thread_id>/closing")
@requires(Permission.MODERATE)
def close(thread_id: int) -> Response:
    """Take no more posts, for a reason that stands on the thread."""
    form = ToolsForm()
    key = _key(form, "close")

    def write() -> str:
        tools.close_thread(viewer(), thread_id, form.reason.data or "", rule=form.rule.number, form_key=key)
        flash(_("The thread is closed. The reason stands on it."))
        return _address(thread_id)

    thread = places.thread_place(viewer(), thread_id)
    if request.form.get("preview"):
        return make_response(_tools_page(thread, form))
    return attempt(form, write, lambda: _tools_page(thread, form))


@blueprint.post("/threads/<int:thread_id>/closing/preview")
@requires(Permission.MODERATE)
def preview_closing(thread_id: int) -> str:
    """What will be read when the thread is closed as this form stands, as a fragment of a page."""
    thread = places.thread_place(viewer(), thread_id)
    return render_template("moderation/_will_read.html", lines=_closing(thread, ToolsForm()))


@blueprint.delete("/threads/<int:thread_id>/closing")
@requires(Permission.MODERATE)
def reopen(thread_id: int) -> Response:
    """Take posts again."""
    tools.reopen_thread(viewer(), thread_id)
    flash(_("The thread is open again."))
    return redirect(_address(thread_id), 303)


@blueprint.post("/threads/<int:thread_id>/pin")
@requires(Permission.MODERATE)
def pin(thread_id: int) -> Response:
    """Keep a thread at the top of its board."""
    tools.pin_thread(viewer(), thread_id)
    flash(_("The thread stays at the top of its board."))
    return redirect(_address(thread_id), 303)


@blueprint.delete("/threads/<int:thread_id>/pin")
@requires(Permission.MODERATE)
def unpin(thread_id: int) -> Response:
    """Keep a thread at the top no longer."""
    tools.pin_thread(viewer(), thread_id, pinned=False)
    flash(_("The thread moves with the others again."))
    return redirect(_address(thread_id), 303)


@blueprint.post("/threads/<int:thread_id>/board")
@requires(Permission.MODERATE)
def move(thread_id: int) -> Response:
    """File a thread under another board."""
    form = ToolsForm()
    key = _key(form, "move")
    thread = places.thread_place(viewer(), thread_id)

    def write() -> str:
        target = next((b for b in places.boards_to_write_on(viewer()) if b.slug == form.board.data), None)
        if target is None:
            raise Invalid(_("Choose a board."), "board")
        tools.move_thread(
            viewer(),
            thread_id,
            target.id,
            form.move_reason.data or "",
            rule=form.move_rule.number,
            form_key=key,
        )
        flash(_("The thread stands on “%(board)s” now.", board=target.name))
        return _address(thread_id)

    if request.form.get("preview"):
        return make_response(_tools_page(thread, form))
    return attempt(form, write, lambda: _tools_page(thread, form))


@blueprint.post("/threads/<int:thread_id>/board/preview")
@requires(Permission.MODERATE)
def preview_move(thread_id: int) -> str:
    """What will be read when the thread is moved as this form stands, as a fragment of a page."""
    thread = places.thread_place(viewer(), thread_id)
    return render_template("moderation/_will_read.html", lines=_moving(thread, ToolsForm()))


@blueprint.get("/threads/<int:thread_id>/split")
@requires(Permission.MODERATE)
def choose_posts(thread_id: int) -> str:
    """Choose the posts that become a thread of their own."""
    thread = places.thread_place(viewer(), thread_id)
    check_impartial(viewer(), thread.id)
    return _split_page(thread, SplitForm(formdata=None))


@blueprint.post("/threads/<int:thread_id>/split")
@requires(Permission.MODERATE)
def split(thread_id: int) -> Response:
    """Make a thread of the chosen posts: all of them, or none."""
    form = SplitForm()
    key = _key(form, "split")
    thread = places.thread_place(viewer(), thread_id)

    def write() -> str:
        new = tools.split_thread(
            viewer(), thread_id, _chosen(), form.title.data or "", form.reason.data or "", form_key=key
        )
        flash(_("The chosen posts are a thread of their own now."))
        return thread_address(new.id, new.slug)

    if request.form.get("preview"):
        return make_response(_split_page(thread, form))
    return attempt(form, write, lambda: _split_page(thread, form))


@blueprint.post("/threads/<int:thread_id>/split/preview")
@requires(Permission.MODERATE)
def preview_split(thread_id: int) -> str:
    """What will be read when the thread is split as this form stands, as a fragment of a page."""
    thread = places.thread_place(viewer(), thread_id)
    return render_template("moderation/_will_read.html", lines=_splitting(thread, SplitForm()))


@blueprint.get("/threads/<int:thread_id>/merge")
@requires(Permission.MODERATE)
def choose_target(thread_id: int) -> str:
    """Find the thread that takes the posts of this one."""
    thread = places.thread_place(viewer(), thread_id)
    check_impartial(viewer(), thread.id)
    return _merge_page(thread, MergeForm(formdata=None))


@blueprint.post("/threads/<int:thread_id>/merge")
@requires(Permission.MODERATE)
def merge(thread_id: int) -> Response:
    """Append the posts to another thread; where its name is no address, look for threads like it."""
    form = MergeForm()
    key = _key(form, "merge")
    thread = places.thread_place(viewer(), thread_id)
    text = form.target.data or ""
    target = choosing.target_named(viewer(), text)
    if request.form.get("preview"):
        found = choosing.targets_like(viewer(), thread, text) if target is None and text.strip() else None
        return make_response(_merge_page(thread, form, found or None))
    if target is None and text.strip() and (found := choosing.targets_like(viewer(), thread, text)):
        return make_response(_merge_page(thread, form, found))

    def write() -> str:
        if target is None:
            raise Invalid(_("No thread was found by this."), "target")
        try:
            into: Thread = tools.merge_threads(
                viewer(), thread_id, target.id, form.reason.data or "", rule=form.rule.number, form_key=key
            )
        except Conflict as error:
            raise Invalid(error.message, "target") from error
        flash(_("The posts stand here now, and the old address leads here."))
        return thread_address(into.id, into.slug)

    return attempt(form, write, lambda: _merge_page(thread, form))


@blueprint.post("/threads/<int:thread_id>/merge/preview")
@requires(Permission.MODERATE)
def preview_merge(thread_id: int) -> str:
    """What will be read when the thread is merged as this form stands, as a fragment of a page."""
    thread = places.thread_place(viewer(), thread_id)
    return render_template("moderation/_will_read.html", lines=_merging(thread, MergeForm()))


def _key(form: Form, tool: str) -> str:
    """The key under which this form is taken, its own for each tool of a page. Raises Repeated."""
    key = f"{tool}:{form.taken_key}" if form.taken_key else ""
    form_keys.check_free(key, viewer().member_id or 0)
    return key


def _address(thread_id: int) -> str:
    thread = places.thread_place(viewer(), thread_id)
    return thread_address(thread.id, thread.slug)


def _tools_page(thread: places.ThreadPlace, form: ToolsForm) -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    for board in places.boards_to_write_on(viewer()):
        if board.id != thread.board_id and not is_wider(thread.audience, board.audience):
            groups.setdefault(audience_group(board.audience), []).append((board.slug, board.name))
    form.board.choices = {"": [("", _("Choose a board"))], **groups} if groups else {}
    form.rule.offer()
    form.move_rule.offer()
    against = reason_against(viewer(), thread.id)
    return render_template(
        "discussions/tools.html",
        thread=thread,
        form=form,
        against=against,
        rules=house_rules.in_force(),
        closing=_closing(thread, form),
        moving=_moving(thread, form),
    )


def _closing(thread: places.ThreadPlace, form: ToolsForm) -> list[house_rules.WillRead]:
    own = thread.author_id == viewer().member_id
    return house_rules.will_read("closed", form.rule.number, form.reason.data or "", own=own)


def _moving(thread: places.ThreadPlace, form: ToolsForm) -> list[house_rules.WillRead]:
    own = thread.author_id == viewer().member_id
    return house_rules.will_read("moved", form.move_rule.number, form.move_reason.data or "", own=own)


def _split_page(thread: places.ThreadPlace, form: SplitForm) -> str:
    posts, more = choosing.posts_to_split(viewer(), thread, request.args.get("after", 1, type=int))
    return render_template(
        "discussions/split.html",
        thread=thread,
        form=form,
        posts=posts,
        more=more,
        chosen=set(_chosen()),
        reasons=[("", "", why_split())],
        splitting=_splitting(thread, form),
    )


def _merge_page(
    thread: places.ThreadPlace, form: MergeForm, found: list[choosing.Target] | None = None
) -> str:
    form.rule.offer()
    suggested = found if found is not None else choosing.targets_like(viewer(), thread)
    return render_template(
        "discussions/merge.html",
        thread=thread,
        form=form,
        targets=suggested,
        searched=found is not None,
        reasons=[("", "", why_merged()), *_by_rule()],
        merging=_merging(thread, form),
    )


def _by_rule() -> list[tuple[str, int, tuple[str, ...]]]:
    return [(f"{one.number}. {one.title}", one.number, one.templates) for one in house_rules.in_force()]


def _splitting(thread: places.ThreadPlace, form: SplitForm) -> list[house_rules.WillRead]:
    first = choosing.author_of_first(viewer(), thread.id, _chosen())
    return _of_two("split", thread, first, None, form.reason.data or "")


def _merging(thread: places.ThreadPlace, form: MergeForm) -> list[house_rules.WillRead]:
    target = choosing.target_named(viewer(), form.target.data or "")
    other = choosing.begun_by(viewer(), target.id) if target is not None else None
    return _of_two("merged", thread, other, form.rule.number, form.reason.data or "")


def _of_two(
    what: str, thread: places.ThreadPlace, other_id: int | None, number: int | None, reason: str
) -> list[house_rules.WillRead]:
    """Of a tool that concerns a second author, who may be whoever began the thread, or be not chosen yet.

    That two texts are of one person is not said where one of them is shown as a role.
    """
    own_id, begun_by = viewer().member_id, choosing.begun_by(viewer(), thread.id)
    is_same = other_id is not None and other_id == begun_by
    other = None if is_same else other_id is not None and other_id == own_id
    return house_rules.will_read(what, number, reason, own=thread.author_id == own_id, other=other)


def _chosen() -> list[int]:
    numbers = request.form.getlist("posts", type=int)
    return [number if 0 < number < 2**31 else 0 for number in numbers]
