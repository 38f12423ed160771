"""Many at once, on both databases: one case for a post, one decision, one letter for each moderator."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Post, PostState
from portal.kernel import audit
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict
from portal.moderation.models import Case, Decision, Flag, ModeratorAlias
from portal.moderation.queries import queue as queries
from portal.moderation.queries.queue import Filters
from portal.moderation.services.deciding import decide
from portal.moderation.services.flags import flag_post
from tests.conftest import make_customer, make_moderator, viewer_of
from tests.discussions.test_races import at_once
from tests.moderation.conftest import answered, dismissing, flagged, hiding

MANY = 8


def test_flags_at_once_are_one_case(in_app: Flask, board: int, asker: Viewer, author: Viewer) -> None:
    post_id = answered(asker, author, board).id
    reporters = [viewer_of(make_customer()) for _ in range(MANY)]
    results = at_once(in_app, lambda n: flag_post(reporters[n], post_id, rule_number=4), MANY)
    assert [type(result) for result in results] == [Flag] * MANY
    case = db.session.execute(select(Case)).scalar_one()
    assert (case.flags_count, case.weight) == (MANY, MANY * 100)


def test_the_first_flags_of_a_site_at_once(in_app: Flask, board: int, asker: Viewer, author: Viewer) -> None:
    posts = [answered(asker, author, board).id for _ in range(MANY)]
    reporters = [viewer_of(make_customer()) for _ in range(MANY)]
    results = at_once(in_app, lambda n: flag_post(reporters[n], posts[n], rule_number=4), MANY)
    assert [type(result) for result in results] == [Flag] * MANY


def test_decisions_at_once_are_one(
    in_app: Flask, board: int, asker: Viewer, author: Viewer, reporter: Viewer
) -> None:
    post = answered(asker, author, board)
    case = flagged(post, reporter)
    moderators = [viewer_of(make_moderator()) for _ in range(MANY)]
    verdicts = [hiding(case) if n % 2 else dismissing(case) for n in range(MANY)]
    case_id, post_id = case.id, post.id
    results = at_once(in_app, lambda n: decide(moderators[n], case_id, verdicts[n]), MANY)
    assert sum(isinstance(result, Decision) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == MANY - 1
    first = next(n for n, result in enumerate(results) if isinstance(result, Decision))
    hides = first % 2 == 1
    assert (db.session.get_one(Post, post_id).state is PostState.HIDDEN) is hides
    assert len(db.session.execute(select(Decision.id)).all()) == 1
    assert len(db.session.execute(select(ModeratorAlias.letter)).all()) == 1
    assert audit.verify().problems == []


def test_different_cases_decided_at_once_make_one_chain(
    in_app: Flask, board: int, asker: Viewer, author: Viewer
) -> None:
    found = [flagged(answered(asker, author, board), viewer_of(make_customer())) for _ in range(MANY)]
    moderators = [viewer_of(make_moderator()) for _ in range(MANY)]
    sent = [(case.id, dismissing(case)) for case in found]
    results = at_once(in_app, lambda n: decide(moderators[n], *sent[n]), MANY)
    assert [type(result) for result in results] == [Decision] * MANY
    chain = audit.verify()
    assert (chain.rows, chain.problems) == (MANY, [])
    letters = db.session.execute(select(ModeratorAlias.letter)).scalars().all()
    assert sorted(letters) == list("ABCDEFGH")


@pytest.mark.long
def test_a_crowded_queue_has_pages(in_app: Flask, board: int, asker: Viewer, author: Viewer) -> None:
    for _ in range(queries.PAGE + 3):
        flagged(answered(asker, author, board), viewer_of(make_customer()))
    moderator = viewer_of(make_moderator())
    first = queries.queue(moderator, Filters())
    rest = queries.queue(moderator, Filters(), after=first.page.next)
    assert (len(first.page.rows), len(rest.page.rows), rest.page.next) == (queries.PAGE, 3, "")
    assert first.shown == first.total == rest.total == queries.PAGE + 3
    ids = [line.case.id for line in [*first.page.rows, *rest.page.rows]]
    assert len(set(ids)) == queries.PAGE + 3
