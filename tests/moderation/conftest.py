"""People and posts that moderation has to do with."""

import itertools

import pytest
from flask import Flask

from portal.discussions.models import Audience, Post, Thread, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.moderation.models import Case, MemberMeasure, PostMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post
from portal.notifications import queries as notices
from tests.conftest import make_board, make_customer, make_moderator, viewer_of

_numbers = itertools.count(1)
QUESTION = "Who do you call when support is closed?"


def ask(
    asker: Viewer, board: int, title: str = QUESTION, body: str = "Our night shift ends at six."
) -> Thread:
    return open_thread(asker, board, kind=ThreadKind.QUESTION, title=title, body=body)


def answered(asker: Viewer, author: Viewer, board: int, text: str = "") -> Post:
    """An answer in a thread of the asker's; each with another text."""
    text = text or f"Call Alan at desk {next(_numbers)}, mornings are best."
    return post_reply(author, ask(asker, board).id, text)


def flagged(post: Post, *reporters: Viewer, rule: int | None = 4, comment: str = "") -> Case:
    """The case that these members' flags open."""
    for reporter in reporters:
        flag = flag_post(reporter, post.id, rule_number=rule, comment=comment)
    return db.session.get_one(Case, flag.case_id)


def hiding(case: Case, **fields: object) -> Verdict:
    """A decision to remove the post under rule 4."""
    return Verdict(
        **{
            "post": PostMeasure.HIDE,
            "member": MemberMeasure.NONE,
            "rule_number": 4,
            "reason": "It gave the number of a technician.",
            "version": case.version,
            **fields,
        }
    )


def dismissing(case: Case, **fields: object) -> Verdict:
    return Verdict(**{"reason": "Harsh about a product, fair to people.", "version": case.version, **fields})


def hidden(moderator: Viewer, post: Post, reporter: Viewer):
    """A post that was flagged and removed: gives the decision."""
    case = flagged(post, reporter)
    return decide(moderator, case.id, hiding(case))


def told(member: Viewer) -> list[str]:
    """What the member reads in the list of notices, newest first."""
    return [shown.line.sentence for shown in notices.notices_of(viewer_of(member.member_id or 0)).rows]


@pytest.fixture
def board(in_app: Flask) -> int:
    return make_board("Operations")


@pytest.fixture
def staff_room(in_app: Flask) -> int:
    return make_board("Staff room", audience=Audience.STAFF)


@pytest.fixture
def asker(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Dana Kowalski"))


@pytest.fixture
def author(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Tamsin Boyle"))


@pytest.fixture
def reporter(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Lars Tveit"))


@pytest.fixture
def moderator(in_app: Flask) -> Viewer:
    return viewer_of(make_moderator("Ruth Adeyemi"))


@pytest.fixture
def other_moderator(in_app: Flask) -> Viewer:
    return viewer_of(make_moderator("Marijke Brouwer"))
