"""Reading: a board, a thread, a post's place, a tag."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from portal.discussions import rendering
from portal.discussions.addresses import (
    Pages,
    numbers_on,
    page_of,
    post_address,
    thread_address,
    unread_address,
)
from portal.discussions.composer import reply_composer
from portal.discussions.models import Audience, PostState, ThreadKind
from portal.discussions.moved_away import stone_of
from portal.discussions.policy import APPEAL, may_write_in, readable_audiences
from portal.discussions.queries import (
    board_query,
    find_place,
    find_visible_board,
    find_visible_thread,
    lists,
    merged_into,
    numbered_place,
    posts,
    thread_query,
)
from portal.discussions.queries.places import LARGEST_ID, place_of
from portal.discussions.queries.posts import COMMENTS
from portal.discussions.reading_state import note_read, note_view
from portal.discussions.rows import thread_rows
from portal.kernel import clock, kept_pages, page_cache
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.errors import NotFound
from portal.kernel.front_door import Proof
from portal.kernel.template_helpers import locale_name
from portal.members.display import person_line, reader_of

blueprint = Blueprint("discussions", __name__)

LATEST_PAGE = 10_000_000


@blueprint.get("/boards/<slug>")
@requires(Permission.VISIT)
def board(slug: str) -> Response:
    """A board's threads: by activity or newest, narrowed by kind, tag, or to what has no answer."""
    found = find_visible_board(viewer(), slug)
    wanted = _filter()
    after, before = request.args.get("after", ""), request.args.get("before", "")
    until = clock.end_of_minute()  # "3 min ago" is right to the minute
    statement, parameters = board_query(viewer(), slug)
    return kept_pages.answer(
        ("board", slug, wanted, after, before),
        (found.content_version, found.site_version, found.audience, until),
        lambda: _board_page(found, wanted, after, before),
        private=found.audience is not Audience.PUBLIC,
        proof=Proof(statement, tuple(found), until, parameters),
    )


def _board_page(found: Any, wanted: lists.Filter, after: str, before: str) -> str:
    page = lists.threads_of_board(viewer(), found.id, wanted, after=after, before=before)
    first = [] if after or before else lists.first_of_board(viewer(), found.id, wanted)
    tag_key = ("tags", found.id, found.content_version // 20, found.site_version)
    tags = page_cache.fragments.get(tag_key, lambda: "\n".join(lists.tags_of_board(found.id))).split("\n")

    address = BoardAddress(found.slug, wanted)
    may_start = viewer().may(Permission.POST) and found.archived_at is None
    return render_template(
        "discussions/board.html",
        thread_rows=thread_rows,
        board=found,
        board_here=found.slug,
        threads=first + page.rows,
        previous=address(before=page.previous) if page.previous else "",
        next=address(after=page.next) if page.next else "",
        wanted=wanted,
        address=address,
        tags=tuple(tag for tag in tags if tag),
        kinds=ThreadKind,
        may_start=may_start,
        robots=None
        if found.audience is Audience.PUBLIC and not wanted.is_set and not wanted.newest
        else "noindex",
    )


@dataclass(frozen=True)
class BoardAddress:
    """The address of a board's list as it is narrowed now; called with what is to be otherwise."""

    slug: str
    wanted: lists.Filter

    def __call__(self, **changes: Any) -> str:
        now = {
            "kind": self.wanted.kind.value if self.wanted.kind else None,
            "show": "unanswered" if self.wanted.unanswered else None,
            "tag": self.wanted.tag or None,
            "sort": "newest" if self.wanted.newest else None,
        }
        query = urlencode([(name, value) for name, value in {**now, **changes}.items() if value])
        return f"/boards/{self.slug}?{query}" if query else f"/boards/{self.slug}"


def _filter() -> lists.Filter:
    kind = request.args.get("kind", "")
    return lists.Filter(
        kind=ThreadKind(kind) if kind in set(ThreadKind) else None,
        unanswered=request.args.get("show") == "unanswered",
        tag=request.args.get("tag", "").replace("\0", "")[:40].strip().lower(),
        newest=request.args.get("sort") == "newest",
    )


@blueprint.get("/tags/<name>")
@requires(Permission.VISIT)
def tag(name: str) -> str:
    """The threads under a tag on every board the viewer reads."""
    name = name.replace("\0", "")[:40].lower()
    page = lists.threads_with_tag(
        viewer(), name, after=request.args.get("after", ""), before=request.args.get("before", "")
    )
    if not page.rows:
        raise NotFound("no such tag")
    url = url_for("discussions.tag", name=name)
    return render_template(
        "discussions/tag.html",
        thread_rows=thread_rows,
        tag=name,
        threads=page.rows,
        previous=f"{url}?before={page.previous}" if page.previous else "",
        next=f"{url}?after={page.next}" if page.next else "",
        robots="noindex",
    )


@blueprint.get("/threads/<int:thread_id>", defaults={"slug": ""})
@blueprint.get("/threads/<int:thread_id>/<slug>")
@requires(Permission.VISIT)
def thread(thread_id: int, slug: str) -> BaseResponse:
    """A page of a thread. A wrong slug leads to the right one, a merged thread to where its posts are."""
    try:
        found = find_visible_thread(viewer(), thread_id)
    except NotFound:
        target = merged_into(viewer(), thread_id)
        if target is None:
            return _moved_thread(thread_id, slug)
        return redirect(thread_address(*target), 301)
    pages = Pages(_number_asked(), page_of(found.last_number))
    if found.state is PostState.HIDDEN and not viewer().may(Permission.MODERATE):
        return _removed_thread(found, slug)
    if slug != found.slug:
        return redirect(thread_address(found.id, found.slug, pages.page), 301)
    if pages.page > pages.last:
        raise NotFound("no such page")
    note_view(found.id)
    all_under = request.args.get("comments", 0, type=int)
    public = found.board_audience is Audience.PUBLIC and found.state is PostState.VISIBLE
    until = clock.end_of_day()  # a company's leave to be named ends with a day
    statement, parameters = thread_query(viewer(), thread_id)
    return kept_pages.answer(
        ("thread", found.id, pages.page, all_under),
        (repr(tuple(found)), until),
        lambda: _thread_page(found, pages, all_under, public=public),
        private=not public,
        proof=Proof(statement, tuple(found), until, parameters, on_answer=partial(note_view, found.id)),
    )


def _number_asked() -> int:
    page = request.args.get("page", "1")
    if not page.isascii() or not page.isdigit() or not 1 <= int(page[:9]) <= LATEST_PAGE:
        raise NotFound("no such page")
    return int(page[:9])


def _thread_page(found: Any, pages: Pages, all_under: int, *, public: bool) -> str:
    me = viewer()
    unread = rendering.unread_of(me, found)
    text = rendering.page_text(me, found, pages.page, all_under)
    may_write = may_write_in(
        me, found.board_archived_at is not None, found.closed_at is not None, found.state
    )
    if me.member_id is not None:
        note_read(me.member_id, found.id, min(numbers_on(pages.page)[1], found.last_number))

    def page_url(page: int) -> str:
        return thread_address(found.id, found.slug, page)

    indexed = public and found.posts_count > 0 and not all_under
    return render_template(
        "discussions/thread.html",
        thread=found,
        asker=person_line(found, reader_of(me)),
        board_here=found.board_slug,
        pages=pages,
        url=page_url(1),
        tags=tuple(found.tags),
        page_links=tuple(
            ("…", "") if number is None else (str(number), "" if number == pages.page else page_url(number))
            for number in pages.around
        ),
        previous=page_url(pages.page - 1) if pages.page > 1 else "",
        next=page_url(pages.page + 1) if pages.page < pages.last else "",
        posts=rendering.personal(me, found, text.html, unread, may_write=may_write),
        structured=rendering.data_block(text.data, current_app.config["SETTINGS"].PUBLIC_URL)
        if text.data and not me.is_member
        else "",
        unread=unread,
        unread_url=unread_address(found.id, found.slug, unread.after + 1) if unread.is_known else "",
        unread_here=unread.is_known and page_of(unread.after + 1) == pages.page,
        last_url=post_address(found.id, found.slug, found.last_number),
        related=_related(found),
        summary=text.summary,
        **_places(found),
        may_write=may_write,
        reply=reply_composer(me, place_of(found), quote_id=request.args.get("quote", type=int)),
        is_public=public,
        canonical_url=current_app.config["SETTINGS"].PUBLIC_URL + page_url(pages.page),
        robots=None if indexed else "noindex",
    )


def _places(found: Any) -> dict[str, Any]:
    """Numbers of the accepted answer and of the vendor's first reply, and where that stands.

    Looked up once for each version of the thread.
    """
    if not found.vendor_replied and found.accepted_post_id is None:
        return {"accepted_number": 0, "vendor_number": 0, "vendor_url": ""}

    def make() -> str:
        accepted = posts.number_of(found.accepted_post_id) if found.accepted_post_id else 0
        vendor = posts.vendor_reply_number(found.id) if found.vendor_replied else 0
        return f"{accepted or 0} {vendor or 0}"

    key = ("places", found.id, found.content_version)
    accepted, vendor = (int(number) for number in page_cache.fragments.get(key, make).split())
    return {
        "accepted_number": accepted,
        "vendor_number": vendor,
        "vendor_url": post_address(found.id, found.slug, vendor),
    }


def _related(found: Any) -> Markup:
    """Threads close to this one, for all who read the same boards.

    Kept for ten minutes, and no longer than until something is removed, moved or retitled anywhere.
    """
    if not found.tags:
        return Markup("")
    minutes = int(clock.now().timestamp()) // 600
    key = (
        "related",
        found.id,
        tuple(found.tags),
        readable_audiences(viewer()),
        reader_of(viewer()),
        found.site_version,
        minutes,
        locale_name(),
    )

    def make() -> str:
        anybody = replace(viewer(), member_id=None)
        threads = lists.threads_by_id(anybody, lists.related_ids(found.id))[:4]
        return render_template("discussions/_related.html", related=threads)

    return Markup(page_cache.fragments.get(key, make))  # noqa: S704 - our own template's text


def _removed_thread(found: Any, slug: str) -> BaseResponse:
    """Of a thread that was taken away its tombstone is left, without its title or a word of it."""
    if slug:
        return redirect(f"/threads/{found.id}", 301)
    row = posts.tombstone_of(viewer(), found.id)
    page = render_template(
        "discussions/removed.html",
        thread=found,
        board_here=found.board_slug,
        stone=row,
        appeal_until=row.state_at + APPEAL if row is not None and row.state_at else None,
        log_url=f"/transparency/log/{row.state_case_id}" if row is not None and row.state_case_id else "",
        robots="noindex",
    )
    return Response(page)


def _moved_thread(thread_id: int, slug: str) -> BaseResponse:
    """Of a thread that went to fewer readers, those who lost it read that, and by which rule."""
    stone = stone_of(viewer(), thread_id) if thread_id <= LARGEST_ID else None
    if stone is None:
        raise NotFound("no such thread")
    if slug:  # its title
        return redirect(f"/threads/{thread_id}", 301)
    page = render_template(
        "discussions/moved.html", stone=stone, board_here=stone.board_slug, robots="noindex"
    )
    return Response(page)


@blueprint.get("/threads/<int:thread_id>/go")
@requires(Permission.VISIT)
def go_to_number(thread_id: int) -> BaseResponse:
    """To the post with a number, or the last one when there are fewer."""
    found = find_visible_thread(viewer(), thread_id)
    number = request.args.get("number", 1, type=int)
    if found.state is PostState.HIDDEN and not viewer().may(Permission.MODERATE):
        return redirect(thread_address(found.id, ""), 302)
    return redirect(post_address(found.id, found.slug, max(1, min(number, found.last_number))), 302)


@blueprint.get("/posts/<int:post_id>")
@requires(Permission.VISIT)
def post(post_id: int) -> BaseResponse:
    """To the place of a post in its thread, on whatever page that is."""
    try:
        place = find_place(viewer(), post_id)
    except NotFound:
        stood = numbered_place(post_id)
        stone = stone_of(viewer(), stood.thread_id) if stood is not None else None
        if stood is None or stone is None or not stone.had(stood.number, stood.created_at):
            raise
        return redirect(f"/threads/{stood.thread_id}", 302)
    anchor = f"p{place.number}"
    url = thread_address(place.thread_id, place.thread_slug, page_of(place.number))
    if place.comment_id is not None:
        anchor = f"c{place.comment_id}"
        if place.comments_before >= COMMENTS:
            url += f"{'&' if '?' in url else '?'}comments={place.parent_id}"
    response = redirect(f"{url}#{anchor}", 302)
    response.headers["Cache-Control"] = "no-cache"
    return response
