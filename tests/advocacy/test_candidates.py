"""From a nomination to a consent and back: what is met, who may ask, how long a no stands."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask

from portal.advocacy.models import Asking, Candidate, NominatedBy, Nomination, ScoreChoice, Stage
from portal.advocacy.policy import left_alone
from portal.advocacy.queries import candidates as queries
from portal.advocacy.queries import candidates_waiting
from portal.advocacy.queries.routes import routes
from portal.advocacy.services import candidates, choosing
from portal.consents import queries as consents
from portal.consents import services as consent_services
from portal.consents.models import Activity
from portal.discussions.models import Post, PostState, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import audit
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.notifications.models import Notice
from portal.relations import services as relations
from portal.relations.models import Health
from tests.conftest import (
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.relations.scenes import escalated, health, held, service
from tests.support.racing import all_at_once

At = Callable[[datetime], None]
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


def help_others(helper: int, companies: int, at: At, *, days_apart: int = 1) -> list[int]:
    """The helper answers a customer of each company, who accepts; gives the posts."""
    board, posts = make_board(), []
    for number in range(companies):
        at(NOW - timedelta(days=20 - number * days_apart))
        asker = viewer_of(make_customer())
        thread = open_thread(
            asker, board, kind=ThreadKind.QUESTION, title=f"Question {number} of many", body="Why?"
        )
        post = post_reply(viewer_of(helper), thread.id, f"Because of {number}.")
        accept(asker, thread.id, post.id)
        posts.append(post.id)
    at(NOW)
    return posts


def stage_of(member_id: int) -> Stage | None:
    line = queries.line_of(member_id)
    return line.stage if line else None


def test_a_proven_helper_is_nominated_asked_and_says_yes_to_some(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, helper = viewer_of(make_moderator()), make_customer("Tomasz")
    posts = help_others(helper, 4, at)
    ways = routes([helper])[helper]
    assert [gate.met for gate in ways.helper] == [True, True, False]
    assert not ways.is_met
    with pytest.raises(Invalid, match="Neither way is met"):
        candidates.ask(moderator, helper, "Would you?", [Activity.CALL])
    candidates.nominate(moderator, helper, "Helps everybody with lanes.", post_ids=posts[:2])
    assert stage_of(helper) is Stage.NOMINATED
    assert routes([helper])[helper].is_met
    asked = candidates.ask(moderator, helper, "Would you talk to one?", [Activity.CALL, Activity.QUOTE])
    assert stage_of(helper) is Stage.ASKED
    assert db.session.query(Notice).filter_by(member_id=helper, kind=candidates.ASKED).count() == 1
    with pytest.raises(Conflict):
        candidates.ask(moderator, helper, "And this?", [Activity.PRESS])
    assert candidates.answer(viewer_of(helper), asked.id, [Activity.CALL, Activity.PRESS]) == 1
    assert [one.activity for one in consents.in_force([helper])[helper]] == [Activity.CALL]
    assert stage_of(helper) is Stage.CONSENTED
    candidates.move(moderator, helper, Stage.ACTIVE)
    consent_services.withdraw(viewer_of(helper), Activity.CALL)
    assert consents.in_force([helper]) == {}
    assert stage_of(helper) is Stage.RESTING


def test_a_decline_stands_for_six_months(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer()
    asked = candidates.ask(moderator, member, "Would you?", [Activity.CALL], reason="Offered at a fair")
    assert candidates.answer(viewer_of(member), asked.id, []) == 0
    assert stage_of(member) is Stage.RESTING
    at(NOW + timedelta(days=180))
    with pytest.raises(Invalid, match="They said no"):
        candidates.ask(moderator, member, "Now?", [Activity.CALL], reason="Again")
    at(NOW + timedelta(days=184))
    candidates.ask(moderator, member, "Now?", [Activity.CALL], reason="Half a year later")
    assert stage_of(member) is Stage.ASKED


def test_an_override_is_logged_with_its_reason(in_app: Flask) -> None:
    moderator, member = viewer_of(make_moderator()), make_customer()
    candidates.ask(moderator, member, "Would you?", [Activity.SPEAKING], reason="Spoke at our meeting")
    entry = db.session.query(audit.AuditEntry).order_by(audit.AuditEntry.number.desc()).first()
    assert entry is not None
    assert (entry.action, entry.details) == (
        "ask member",
        "before the conditions were met: Spoke at our meeting",
    )
    step = queries.story_of(member).steps[0][0]
    assert step.unmet == ["ranked", "days", "note", "nominated", "opened", "introduced"]


def test_whoever_does_not_want_to_be_approached_is_not_asked(in_app: Flask) -> None:
    moderator, member = viewer_of(make_moderator()), make_customer()
    with unit_of_work():
        db.session.add(ScoreChoice(member_id=member, not_approached=True, changed_at=NOW))
    with pytest.raises(Invalid, match="not to be approached"):
        candidates.ask(moderator, member, "Would you?", [Activity.CALL], reason="Really")
    assert db.session.query(Asking).count() == 0


def test_who_nominates_in_which_part(in_app: Flask) -> None:
    member = make_customer()
    sales = make_member(status=Status.VENDOR, duties=(Duty.SALES,))
    for who, part in (
        (make_moderator(), NominatedBy.MODERATOR),
        (sales, NominatedBy.ACCOUNT_OWNER),
        (make_customer(), NominatedBy.PEER),
        (member, NominatedBy.SELF),
    ):
        assert candidates.nominate(viewer_of(who), member, "Worth hearing.").part is part
    for nobody in (make_prospect(), make_member(status=Status.VENDOR)):
        with pytest.raises(Forbidden):
            candidates.nominate(viewer_of(nobody), member, "Worth hearing.")
    with pytest.raises(Invalid, match="Only customers"):
        candidates.nominate(viewer_of(make_moderator()), make_prospect(), "Worth hearing.")
    assert len(candidates_waiting.nominations_waiting()) == 3
    assert routes([member])[member].supporter[0].met


def test_evidence_is_the_members_own(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, helper, other = viewer_of(make_moderator()), make_customer(), make_customer()
    of_other = help_others(other, 2, at)
    with pytest.raises(Invalid, match="Pick from what this member wrote"):
        candidates.nominate(moderator, helper, "Helps.", post_ids=of_other)


def test_a_card_counts_the_evidence_that_stands(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, helper = viewer_of(make_moderator()), make_customer()
    posts = help_others(helper, 3, at)
    candidates.nominate(moderator, helper, "Helps everybody with lanes.", post_ids=posts)
    with unit_of_work():
        db.session.get_one(Post, posts[0]).state = PostState.HIDDEN
    line = queries.line_of(helper)
    assert line is not None
    assert line.nominations == [(NominatedBy.MODERATOR, 2)]


def test_only_moderators_of_the_vendor_move_anybody(in_app: Flask) -> None:
    moderator, member = viewer_of(make_moderator()), make_customer()
    candidates.spot(moderator, member)
    peer = viewer_of(make_customer(duties=(Duty.MODERATOR,)))
    sales = viewer_of(make_member(status=Status.VENDOR, duties=(Duty.SALES,)))
    for nobody in (peer, sales, viewer_of(member)):
        with pytest.raises(Forbidden):
            candidates.move(nobody, member, Stage.ACTIVE, reason="Because")
        with pytest.raises(Forbidden):
            candidates.ask(nobody, member, "Would you?", [Activity.CALL], reason="Because")
    with pytest.raises(Invalid, match="not agreed"):
        candidates.move(moderator, member, Stage.ACTIVE, reason="Because")
    with pytest.raises(Invalid, match="Say why"):
        candidates.move(moderator, member, Stage.RETIRED)
    version = candidates.move(moderator, member, Stage.RETIRED, reason="Changed jobs").version
    with pytest.raises(Conflict):
        candidates.move(moderator, member, Stage.SPOTTED, version=version - 1)


def test_nobody_answers_for_somebody_else(in_app: Flask) -> None:
    moderator, member = viewer_of(make_moderator()), make_customer()
    asked = candidates.ask(moderator, member, "Would you?", [Activity.CALL], reason="Offered")
    with pytest.raises(NotFound):
        candidates.answer(viewer_of(make_customer()), asked.id, [Activity.CALL])
    candidates.withdraw_asking(moderator, member)
    with pytest.raises(Conflict):
        candidates.answer(viewer_of(member), asked.id, [Activity.CALL])


def test_a_fall_to_half_and_a_year_call_for_a_look(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, helper = viewer_of(make_moderator()), make_customer()
    help_others(helper, 4, at)
    candidates.nominate(moderator, helper, "Helps.")
    assert queries.line_of(helper).review == ""
    at(NOW + timedelta(days=70))
    assert queries.line_of(helper).review == "fallen"
    candidates.review(moderator, helper)
    assert queries.line_of(helper).review == ""
    quiet = make_customer()
    candidates.nominate(moderator, quiet, "Spoke well.")
    at(NOW + timedelta(days=70 + 366))
    assert queries.line_of(quiet).review == "yearly"


def test_what_was_declined_beside_a_yes_stands_and_no_other_yes_wipes_it(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer()
    both = [Activity.CALL, Activity.QUOTE]
    asked = candidates.ask(moderator, member, "Would you?", both, reason="Offered")
    candidates.answer(viewer_of(member), asked.id, [Activity.CALL])
    at(NOW + timedelta(days=1))
    assert queries.story_of(member).declined == {Activity.QUOTE: NOW + timedelta(days=183)}
    with pytest.raises(Invalid, match="They said no to a quote; that stands until 17 September 2026"):
        candidates.ask(moderator, member, "A quote?", [Activity.QUOTE], reason="Again")
    speaking = candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Asked for it")
    candidates.answer(viewer_of(member), speaking.id, [])
    consent_services.give(viewer_of(member), [Activity.PRESS])
    line = queries.line_of(member)
    assert line is not None
    assert line.declined_until is None
    with pytest.raises(Invalid, match="They said no"):
        candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Again")
    consent_services.give(viewer_of(member), [Activity.QUOTE])
    assert list(queries.story_of(member).declined) == [Activity.SPEAKING]
    at(NOW + timedelta(days=185))
    assert queries.story_of(member).declined == {}
    candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Half a year later")


def active(moderator: Viewer, member: int) -> None:
    candidates.spot(moderator, member)
    consent_services.give(viewer_of(member), [Activity.CALL], months=12)
    candidates.move(moderator, member, Stage.ACTIVE, reason="Spoke before")


def test_whoever_is_asked_for_one_more_thing_is_counted_on_as_before(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer("Tomasz")
    active(moderator, member)
    candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Offered")
    assert stage_of(member) is Stage.ACTIVE
    candidates.withdraw_asking(moderator, member)
    assert stage_of(member) is Stage.ACTIVE
    at(NOW + timedelta(days=1))
    asked = candidates.ask(moderator, member, "For another year?", [Activity.CALL], reason="Ends soon")
    candidates.answer(viewer_of(member), asked.id, [Activity.CALL])
    assert stage_of(member) is Stage.ACTIVE
    assert [one.name for one in candidates_waiting.answered_lately(NOW)] == ["Tomasz"]


def test_a_no_to_one_more_thing_takes_nothing_else_back(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer("Tomasz")
    active(moderator, member)
    asked = candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Offered")
    candidates.answer(viewer_of(member), asked.id, [])
    line = queries.line_of(member)
    assert line is not None
    assert (line.stage, line.declined_until) == (Stage.ACTIVE, None)
    assert list(queries.story_of(member).declined) == [Activity.SPEAKING]
    with pytest.raises(Invalid, match="They said no to"):
        candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Again")
    candidates.ask(moderator, member, "A quote?", [Activity.QUOTE], reason="Offered")


def test_a_no_rests_whoever_has_agreed_to_nothing_that_holds(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer("Tomasz")
    active(moderator, member)
    at(NOW + timedelta(days=400))
    asked = candidates.ask(moderator, member, "On a stage?", [Activity.SPEAKING], reason="Offered")
    assert stage_of(member) is Stage.ASKED
    candidates.answer(viewer_of(member), asked.id, [])
    assert stage_of(member) is Stage.RESTING


def test_nobody_is_active_on_consents_that_have_ended(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer("Tomasz")
    candidates.spot(moderator, member)
    consent_services.give(viewer_of(member), [Activity.CALL], months=3)
    candidates.move(moderator, member, Stage.ACTIVE, reason="Spoke before")
    assert (stage_of(member), candidates_waiting.over()) == (Stage.ACTIVE, [])
    at(NOW + timedelta(days=92))
    assert stage_of(member) is Stage.RESTING
    wanted = queries.Wanted(stage="active")
    assert queries.table(wanted) == []
    assert queries.counts(queries.Wanted()) == {Stage.RESTING: 1}
    assert [line.name for line in queries.board(queries.Wanted())[Stage.RESTING]] == ["Tomasz"]
    assert [(one.name, one.lapsed) for one in candidates_waiting.over()] == [("Tomasz", True)]
    consent_services.give(viewer_of(member), [Activity.CALL], months=3)
    assert (stage_of(member), candidates_waiting.over()) == (Stage.ACTIVE, [])


def test_a_rest_that_is_over_is_noticed(in_app: Flask, at: At) -> None:
    at(NOW)
    moderator, member = viewer_of(make_moderator()), make_customer("Tomasz")
    candidates.spot(moderator, member)
    candidates.move(moderator, member, Stage.RESTING, until=(NOW + timedelta(days=30)).date())
    at(NOW + timedelta(days=29))
    assert candidates_waiting.over() == []
    at(NOW + timedelta(days=31))
    assert [(one.name, one.lapsed) for one in candidates_waiting.over()] == [("Tomasz", False)]
    assert queries.line_of(member).has_rested
    choosing.choose(viewer_of(member), not_scored=False, not_approached=True)
    assert candidates_waiting.over() == []


def race(app: Flask, *actions: Callable[[], object]) -> list[type]:
    """What each of these gave, all at the same moment: the kinds of their answers or refusals, sorted."""
    return sorted((type(one) for one in all_at_once(app, actions)), key=str)


def test_of_many_who_ask_at_once_one_asks_and_the_others_are_told(in_app: Flask) -> None:
    member, moderators = make_customer(), [viewer_of(make_moderator()) for _n in range(4)]
    kinds = race(
        in_app,
        *(
            partial(candidates.ask, one, member, "Would you?", [Activity.CALL], reason="Offered")
            for one in moderators
        ),
    )
    assert kinds == [Asking, *[Conflict] * 3]
    assert db.session.query(Asking).count() == 1


def test_many_may_nominate_somebody_new_at_once(in_app: Flask) -> None:
    member, peers = make_customer(), [viewer_of(make_customer()) for _n in range(4)]
    kinds = race(in_app, *(partial(candidates.nominate, one, member, "Helped me.") for one in peers))
    assert kinds == [Nomination] * 4
    assert stage_of(member) is Stage.NOMINATED


def test_of_two_who_move_somebody_at_once_one_is_told(in_app: Flask) -> None:
    member, moderators = make_customer(), [viewer_of(make_moderator()) for _n in range(4)]
    version = candidates.spot(moderators[0], member).version
    kinds = race(
        in_app,
        *(partial(candidates.move, one, member, Stage.RESTING, version=version) for one in moderators),
    )
    assert kinds == [Candidate, *[Conflict] * 3]


def test_a_question_is_answered_or_taken_back_never_both(in_app: Flask) -> None:
    moderator = viewer_of(make_moderator())
    for _time in range(4):
        member = make_customer()
        asked = candidates.ask(moderator, member, "Would you?", [Activity.CALL], reason="Offered").id
        kinds = race(
            in_app,
            partial(candidates.answer, viewer_of(member), asked, [Activity.CALL]),
            partial(candidates.withdraw_asking, moderator, member),
        )
        assert set(kinds) in ({int, NotFound}, {Conflict, type(None)})
        row = db.session.get_one(Asking, asked)
        assert (row.answered_at is None) != (row.withdrawn_at is None)
        assert bool(consents.in_force([member])) is (row.answered_at is not None)


def test_a_yes_to_one_thing_and_a_withdrawal_of_another_at_once_wait_for_each_other(in_app: Flask) -> None:
    moderator = viewer_of(make_moderator())
    for _time in range(3):
        member = make_customer()
        active(moderator, member)
        asked = candidates.ask(moderator, member, "A quote?", [Activity.QUOTE], reason="Offered").id
        kinds = race(
            in_app,
            partial(candidates.answer, viewer_of(member), asked, [Activity.QUOTE]),
            partial(consent_services.withdraw, viewer_of(member), Activity.CALL),
        )
        assert set(kinds) == {int, type(None)}
        assert [one.activity for one in consents.in_force([member])[member]] == [Activity.QUOTE]
        assert stage_of(member) in (Stage.CONSENTED, Stage.ACTIVE)


def member_of(company_id: int) -> int:
    return make_customer("Tomasz", company_id=company_id)


@pytest.mark.parametrize("why", ["held", "red", "escalated"])
def test_whose_company_is_to_be_left_alone_is_asked_with_a_reason_alone(
    in_app: Flask, at: At, why: str
) -> None:
    at(NOW)
    company = make_company("Castellan")
    helper = member_of(company)
    moderator = viewer_of(make_moderator())
    posts = help_others(helper, 4, at)
    candidates.nominate(moderator, helper, "Helps everybody with lanes.", post_ids=posts[:2])
    {
        "held": lambda: held(company),
        "red": lambda: health(company, Health.RED),
        "escalated": lambda: escalated(company),
    }[why]()
    ask = partial(candidates.ask, moderator, helper, "Would you?", [Activity.CALL])
    with pytest.raises(Invalid, match="Look at their company first"):
        ask(reason="He offered it.")  # the hold came after the page was read
    with pytest.raises(Invalid, match="to be left alone"):
        ask(knowing=[why])
    ask(reason="He offered it.", knowing=[why])
    step = queries.story_of(helper).steps[0][0]
    assert (step.stage, step.unmet) == (Stage.ASKED, [why])
    assert step.was_to_be_left_alone
    assert not step.was_early
    said = db.session.query(audit.AuditEntry).filter_by(action="ask member").one().details
    assert said == f"although the company is to be left alone ({why}): He offered it."


def test_the_log_keeps_that_an_ask_was_early_and_of_a_company_to_be_left_alone(in_app: Flask, at: At) -> None:
    at(NOW)
    company, moderator = make_company("Castellan"), viewer_of(make_moderator())
    helper = member_of(company)
    held(company)
    candidates.ask(
        moderator, helper, "Would you?", [Activity.CALL], reason="He offered it.", knowing=["held"]
    )
    said = db.session.query(audit.AuditEntry).filter_by(action="ask member").one().details
    why = "before the conditions were met, although the company is to be left alone (held)"
    assert said == f"{why}: He offered it."


def test_what_ended_keeps_nobody_from_being_asked(in_app: Flask, at: At) -> None:
    at(NOW)
    company = make_company("Castellan")
    helper, moderator, colleague = member_of(company), viewer_of(make_moderator()), service()
    held(company, days=2)
    health(company, Health.RED, colleague)
    one = escalated(company, colleague)
    line = queries.line_of(candidates.spot(moderator, helper).member_id)
    assert line is not None
    assert left_alone(line.relations) == ["held", "red", "escalated"]
    at(NOW + timedelta(days=4))
    health(company, Health.AMBER, colleague)
    relations.close_escalation(colleague, one.company_id, one.id, "Orders arrive once.", version=one.version)
    line = queries.line_of(helper)
    assert line is not None
    assert left_alone(line.relations) == []
    candidates.ask(moderator, helper, "Would you?", [Activity.CALL], reason="He offered it.")


def test_an_answer_is_taken_whatever_became_of_the_company(in_app: Flask, at: At) -> None:
    at(NOW)
    company = make_company("Castellan")
    helper, moderator = member_of(company), viewer_of(make_moderator())
    asked = candidates.ask(moderator, helper, "Would you?", [Activity.CALL], reason="He offered it.")
    held(company)
    assert candidates.answer(viewer_of(helper), asked.id, [Activity.CALL]) == 1


def test_of_many_who_pick_the_same_post_at_once_one_adds_it(in_app: Flask, at: At) -> None:
    at(NOW)
    member, moderators = make_customer(), [viewer_of(make_moderator()) for _ in range(4)]
    posts = help_others(member, 2, at)
    note = candidates.nominate(moderators[0], member, "A note.").id
    adds = [partial(candidates.add_evidence, who, member, posts[0]) for who in moderators]
    done = all_at_once(in_app, adds)
    assert sum(isinstance(one, Invalid) for one in done) == 3
    assert db.session.get_one(Nomination, note).post_ids == posts[:1]


def test_nothing_that_two_moderators_pick_at_once_is_lost(in_app: Flask, at: At) -> None:
    at(NOW)
    member, moderators = make_customer(), [viewer_of(make_moderator()) for _ in range(4)]
    posts = help_others(member, 4, at)
    note = candidates.nominate(viewer_of(make_moderator()), member, "A note.").id
    pairs = zip(moderators, posts, strict=True)
    all_at_once(in_app, [partial(candidates.add_evidence, who, member, post) for who, post in pairs])
    assert sorted(db.session.get_one(Nomination, note).post_ids) == posts


def test_a_note_takes_six_pieces_of_moderators_alone(in_app: Flask, at: At) -> None:
    at(NOW)
    member, moderator = make_customer(), viewer_of(make_moderator())
    posts = help_others(member, 7, at)
    with pytest.raises(Invalid, match="Say in a sentence"):
        candidates.add_evidence(moderator, member, posts[0])
    candidates.nominate(moderator, member, "A note.", post_ids=posts[:5])
    sales = make_member(status=Status.VENDOR, duties=(Duty.SALES,))
    for nobody in (sales, make_customer(), make_customer(duties=(Duty.MODERATOR,)), member):
        with pytest.raises(Forbidden):
            candidates.add_evidence(viewer_of(nobody), member, posts[5])
    candidates.add_evidence(moderator, member, posts[5])
    with pytest.raises(Invalid, match="takes no more"):
        candidates.add_evidence(moderator, member, posts[6])
    with pytest.raises(Invalid, match="evidence already"):
        candidates.add_evidence(moderator, member, posts[0])
