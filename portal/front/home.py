"""The home page: what is new, what waits for an answer, the boards; for a visitor also what this place is."""

import re
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, render_template

from portal.discussions.addresses import thread_address
from portal.discussions.guests import veil_over, with_title
from portal.discussions.queries import boards, lists
from portal.discussions.queries.finding import kind_of
from portal.discussions.rows import board_rows, thread_rows
from portal.discussions.services.text import SECTION_TITLES
from portal.kernel import clock, kept_pages, page_cache, site
from portal.kernel.access import Permission, Viewer, requires, viewer
from portal.kernel.db import db
from portal.kernel.front_door import Proof
from portal.matching.queries import needs_welcome
from portal.members.display import person_line, reader_of

blueprint = Blueprint("front", __name__)

_SENTENCE = re.compile(r".+?[.?!](?=\s|$)\s*", re.DOTALL)


@blueprint.get("/")
@requires(Permission.VISIT)
def home() -> Response:
    """The first page of the site."""
    if viewer().is_member:
        return Response(_home_page())
    until = clock.end_of_minute()  # "3 min ago" is right to the minute
    version = lists.version_of_what_is_public()
    proof = Proof(lists.PUBLIC_VERSION, version, until)
    return kept_pages.answer(("home",), (*version, until), _home_page, proof=proof)


def _home_page() -> str:
    me = viewer()
    reader = reader_of(me)
    shown_boards = boards.boards_of(me)
    story, week = _of_the_week(me, shown_boards)
    veil = veil_over(reader, [story.title, story.excerpt] if story else [], [story.id] if story else [])
    story = with_title(veil, story) if story else None
    latest = lists.latest_threads(me, 8)
    return render_template(
        "front/home.html",
        thread_rows=thread_rows,
        board_rows=board_rows,
        first_minute=needs_welcome(me),
        unread=_without_tags(lists.unread_followed(me)),
        latest=_without_tags(latest),
        waiting=_without_tags(_not_shown_yet(lists.unanswered_threads(me, 13), latest)),
        week=week,
        boards=shown_boards,
        open_boards=sum(1 for board in shown_boards if board.audience == "public"),
        story=story,
        story_line=_first_sentences(veil(story.excerpt, story.id)) if story else "",
        teller=person_line(story, reader) if story else None,
        story_url=thread_address(story.id, story.slug) if story else "",
    )


# The same for everybody of this kind until something changes on these boards; a week ends at any moment.
_weeks: page_cache.Recent[tuple[Any, lists.WeekOfQuestions]] = page_cache.Recent(100, 60)


def _of_the_week(me: Viewer, shown: list[boards.BoardLine]) -> tuple[Any, lists.WeekOfQuestions]:
    """The newest war story that is read here, if any, and how many questions were asked."""
    versions = tuple((board.id, board.version) for board in shown)
    key = (id(db.engine), kind_of(me), site.current().version, versions)
    return _weeks.get(key, lambda: (lists.story_of_the_week(me), lists.questions_of_the_week(me)))


def _not_shown_yet(waiting: list[lists.ThreadLine], latest: list[lists.ThreadLine]) -> list[lists.ThreadLine]:
    """Five that wait: those which do not stand among the latest already, as long as there are a few."""
    shown = {thread.id for thread in latest}
    others = [thread for thread in waiting if thread.id not in shown]
    return (others if len(others) >= 3 else waiting)[:5]


def _without_tags(threads: list[lists.ThreadLine]) -> list[lists.ThreadLine]:
    """Here a row says on which board it is; tags would make three lists too loud."""
    return [replace(thread, tags=()) if thread.tags else thread for thread in threads]


def _first_sentences(text: str, longest: int = 220) -> str:
    """The beginning of a story, as many whole sentences as there is room for; all of it where none ends."""
    text = text.removeprefix(SECTION_TITLES["happened"]).strip()
    taken = ""
    for sentence in _SENTENCE.findall(text):
        if taken and len(taken) + len(sentence) > longest:
            break
        taken += sentence
    return taken.strip() if taken and len(taken) <= longest else text
