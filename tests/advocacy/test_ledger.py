"""The ledger hears of everything that earns, and of its end; who counts as which company."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert, select

from portal.advocacy.models import Act, Counts, Damped, Entry, Rule
from portal.advocacy.queries.standing import (
    Standing,
    compared_with,
    ranking,
    rising,
    standing_of,
    standings,
    to_remember,
)
from portal.advocacy.queries.yesterday import helped_between
from portal.advocacy.services import choosing, contesting, noting
from portal.advocacy.services.rebuilding import rebuild
from portal.advocacy.services.remembering import remember
from portal.conversations.models import Rating
from portal.conversations.services import afterwards
from portal.discussions.models import Post, Thread, ThreadKind, Vote
from portal.discussions.services.acceptance import accept, withdraw_acceptance
from portal.discussions.services.removal import hide_post, restore_post
from portal.discussions.services.tools import merge_threads
from portal.discussions.services.voting import vote, withdraw_vote
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, VerifiedBy
from portal.members.services.bringing import OPERATOR
from portal.members.services.confirming import confirm_company
from tests.advocacy.scenes import by_ledger, by_sums, helpfulness, make_world, rebuilt
from tests.conftest import make_company, make_customer, make_member, make_moderator, noon, viewer_of
from tests.conversations.conftest import talking
from tests.discussions.factories import make_post, make_thread, opening_of
from tests.exchange.communities import answer, question, run_import, write_lines
from tests.support.statements import Statements


def entries(member: int) -> list[Entry]:
    return list(
        db.session.execute(select(Entry).where(Entry.receiver_id == member).order_by(Entry.id)).scalars()
    )


def counting(member: int) -> list[tuple[Rule, Counts]]:
    last = {(entry.rule, entry.source): entry for entry in entries(member)}
    return [(one.rule, one.counts) for one in last.values() if one.act is not Act.REVERSED]


@pytest.fixture(autouse=True)
def _at_noon(at) -> None:
    at(noon())


def test_an_answer_a_vote_and_an_acceptance_make_an_entry_each(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, reader = world.members
    thread = world.ask(asker)
    post = world.answer(helper, thread)
    assert helpfulness(helper) == pytest.approx(0.5)
    vote(viewer_of(reader), post.id)
    accept(viewer_of(asker), thread.id, post.id)
    assert counting(helper) == [
        (Rule.FIRST_ANSWER, Counts.PARTICIPATION),
        (Rule.VOTE, Counts.THANKS),
        (Rule.ACCEPTED, Counts.THANKS),
    ]
    assert helpfulness(helper) == pytest.approx(2.5)
    withdraw_vote(viewer_of(reader), post.id)
    withdraw_acceptance(viewer_of(asker), thread.id)
    assert helpfulness(helper) == pytest.approx(0.5)


def test_a_point_halves_every_sixty_days_and_what_is_above_a_limit_fades_later(in_app: Flask, at) -> None:
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    for _time in range(4):
        world.thank(asker, helper)
    assert standing_of(helper).thanks == pytest.approx(1)  # four points of one person
    at(noon() + timedelta(days=120))
    assert standing_of(helper).thanks == pytest.approx(1)
    at(noon() + timedelta(days=180))
    assert standing_of(helper).thanks == pytest.approx(0.5)


def test_one_company_counts_three_at_most(in_app: Flask) -> None:
    world = make_world(companies=2, people=5)
    helper = world.members[0]
    for colleague in world.members[5:]:
        world.thank(colleague, helper)
    assert standing_of(helper).thanks == pytest.approx(3)


def test_the_own_company_counts_nothing(in_app: Flask) -> None:
    world = make_world(companies=1, people=3)
    helper, colleague, other = world.members
    world.thank(colleague, helper)
    world.thank(other, helper)
    assert helpfulness(helper) == 0
    assert {entry.damped for entry in entries(helper)} == {Damped.OWN}


def test_free_accounts_are_one_company_however_many(in_app: Flask) -> None:
    helper = make_customer()
    world = make_world(companies=1, people=1)
    for _n in range(6):
        stranger = make_member(status=Status.PROSPECT, company_id=None)
        world.thank(stranger, helper)
    assert standing_of(helper).thanks == pytest.approx(3)
    assert standing_of(helper).companies == 1


def test_people_of_the_vendor_neither_give_nor_rank(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    staff = make_moderator()
    thread = world.ask(asker)
    post = world.answer(helper, thread)
    vote(viewer_of(staff), post.id)
    assert helpfulness(helper) == pytest.approx(0.5)
    by_staff = make_post(staff, thread)
    accept(viewer_of(asker), thread.id, by_staff.id)
    assert not entries(staff)


def test_the_sixth_upvote_waits_until_one_of_the_five_is_withdrawn(in_app: Flask) -> None:
    world = make_world(companies=8, people=1)
    asker, helper, *readers = world.members
    post = world.answer(helper, world.ask(asker))
    for reader in readers:
        vote(viewer_of(reader), post.id)
    assert standing_of(helper).thanks == pytest.approx(5)
    withdraw_vote(viewer_of(readers[0]), post.id)
    assert standing_of(helper).thanks == pytest.approx(5)
    withdraw_vote(viewer_of(readers[1]), post.id)
    assert standing_of(helper).thanks == pytest.approx(4)


def test_two_of_one_company_count_once_on_a_post(in_app: Flask) -> None:
    world = make_world(companies=2, people=2)
    helper = world.members[0]
    asker, other = world.members[2:]
    post = world.answer(helper, world.ask(asker))
    vote(viewer_of(asker), post.id)
    vote(viewer_of(other), post.id)
    assert standing_of(helper).thanks == pytest.approx(1)
    withdraw_vote(viewer_of(asker), post.id)
    assert standing_of(helper).thanks == pytest.approx(1)


def test_a_war_story_earns_and_a_question_does_not(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    teller, reader = world.members
    story = make_thread(teller, world.board, kind=ThreadKind.WAR_STORY)
    vote(viewer_of(reader), opening_of(story).id)
    vote(viewer_of(reader), opening_of(world.ask(teller)).id)
    assert helpfulness(teller) == pytest.approx(1)


def test_answers_add_five_at_most(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    for _n in range(14):
        world.answer(helper, world.ask(asker))
    assert helpfulness(helper) == pytest.approx(5)


def test_a_second_answer_to_a_question_adds_nothing_and_takes_the_place_of_the_first(
    in_app: Flask, at
) -> None:
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    thread = world.ask(asker)
    first = world.answer(helper, thread)
    at(noon() + timedelta(days=60))
    world.answer(helper, thread)
    assert helpfulness(helper) == pytest.approx(0.25)
    from_second = make_moderator()
    hide(first.id, from_second)
    assert helpfulness(helper) == pytest.approx(0.5)


def hide(post_id: int, by: int) -> None:
    hide_post(post_id, rule="a rule", reason="a reason", case_id=1, by_id=by)


def test_a_conversation_found_useful_counts_from_the_first_of_its_month_and_names_nobody(
    in_app: Flask,
) -> None:
    asker, helper = make_customer(), make_customer()
    conversation = talking(asker, helper, "Welcome.", "Thanks.")
    afterwards.rate(viewer_of(asker), conversation.id, useful=True)
    entry = entries(helper)[0]
    assert entry.rule is Rule.CONVERSATION
    assert entry.giver_id is None
    assert entry.occurred_at == entry.at == entry.recorded_at == noon().replace(day=1, hour=0)
    written = f"{entry.source} {entry.giver_key} {entry.giver_company}"
    assert conversation.id not in written
    assert f"m{asker}" not in written
    assert 0.9 < helpfulness(helper) < 1
    afterwards.rate(viewer_of(asker), conversation.id, useful=False)
    assert helpfulness(helper) == 0


def test_the_limits_hold_across_open_and_private_thanks(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    world.thank(asker, helper)
    conversation = talking(asker, helper, "Welcome.", "Thanks.")
    afterwards.rate(viewer_of(asker), conversation.id, useful=True)
    assert standing_of(helper).thanks == pytest.approx(1)
    assert standing_of(helper).companies == 1


def test_rating_again_does_not_make_it_younger(in_app: Flask, at) -> None:
    asker, helper = make_customer(), make_customer()
    conversation = talking(asker, helper, "Welcome.", "Thanks.")
    afterwards.rate(viewer_of(asker), conversation.id, useful=True)
    at(noon() + timedelta(days=60))
    before = helpfulness(helper)
    afterwards.rate(viewer_of(asker), conversation.id, useful=True, honest=True)
    assert helpfulness(helper) == pytest.approx(before)
    assert db.session.execute(select(Rating.at)).scalar_one() == noon()


def test_whoever_moves_stays_one_person_where_they_first_thanked(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, _other = world.members
    world.thank(asker, helper)
    confirm_company(OPERATOR, _username(asker), world.companies[2])
    world.thank(asker, helper)
    assert standing_of(helper).thanks == pytest.approx(1)
    assert standing_of(helper).companies == 1


def test_imported_members_are_a_company_each_until_they_are_claimed(in_app: Flask) -> None:
    world = make_world(companies=1, people=1)
    helper = world.members[0]
    imported = [
        make_member(
            company_id=None,
            status=Status.PROSPECT,
            confirmed=False,
            email=None,
            import_source="jsonl:x",
            external_id=str(n),
            verified_by=VerifiedBy.IMPORTED,
        )
        for n in range(5)
    ]
    for one in imported:
        _accept_as(world, one, helper)
    assert standing_of(helper).thanks == pytest.approx(5)
    company = make_company()
    for one in imported:
        with unit_of_work():
            db.session.get_one(Member, one).email_confirmed_at = clock.now()
        confirm_company(OPERATOR, _username(one), company)
    assert standing_of(helper).thanks == pytest.approx(3)
    assert standing_of(helper, clock.now() - timedelta(seconds=1)).thanks == 0


def test_a_first_answer_that_comes_back_after_a_later_one_went_counts_from_then_on(in_app: Flask, at) -> None:
    """Its event is older than the reversal before it, which the ledger must not read as the last."""
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    thread = world.ask(asker)
    posts = []
    for hour in (1, 2):
        at(noon() + timedelta(hours=hour))
        posts.append(world.answer(helper, thread))
    for day, post in enumerate(posts, start=1):
        at(noon() + timedelta(days=day))
        hide_post(post.id, rule="a rule", reason="a reason", case_id=1, by_id=asker)
        expected = 0.5 if day == 1 else 0
        assert helpfulness(helper) == pytest.approx(expected, abs=0.01)
    at(noon() + timedelta(days=3))
    restore_post(posts[0].id)
    at(noon() + timedelta(days=4))
    running = by_sums([helper])
    assert running[helper] == pytest.approx(0.5, abs=0.03)
    assert by_ledger([helper]) == pytest.approx(running, rel=1e-9)
    assert helpfulness(helper, noon() + timedelta(days=2, hours=1)) == 0
    assert rebuilt([helper], from_nothing=True) == pytest.approx(running, rel=1e-9)


def test_what_members_accept_later_does_not_date_what_was_accepted_where_they_came_from(
    in_app: Flask, at, tmp_path: Path
) -> None:
    """Undated ones take the median wait for the asker's next post; a single acceptance here became that."""
    rows = [
        question("q1", author="u1"),
        answer("a1", thread="q1", parent="q1", author="u2", accepted=True),
        answer("a2", thread="q1", parent="q1", author="u1", created="2024-01-03T10:00:00Z"),
        question("q2", author="u3"),
        answer("a3", thread="q2", parent="q2", author="u4"),
    ]
    assert run_import(in_app, "jsonl", write_lines(tmp_path / "posts.jsonl", *rows)).exit_code == 0
    ids = dict(db.session.execute(select(Member.external_id, Member.id)).tuples().all())
    accepted = {entry.occurred_at for entry in entries(ids["u2"]) if entry.rule is Rule.ACCEPTED}
    assert {moment.isoformat() for moment in accepted} == {"2024-01-03T10:00:00+00:00"}
    thread = db.session.execute(select(Thread).where(Thread.external_id == "q2")).scalar_one()
    post = db.session.execute(select(Post).where(Post.external_id == "a3")).scalar_one()
    accept(viewer_of(ids["u3"]), thread.id, post.id)
    people = [ids["u2"], ids["u4"]]
    at(noon() + timedelta(days=1))
    running = by_sums(people)
    for from_nothing in (False, True):
        assert rebuilt(people, from_nothing=from_nothing) == pytest.approx(running, rel=1e-9)


def _accept_as(world, asker: int, helper: int) -> None:
    """What an import brings: a question of somebody who cannot sign in, with an accepted answer."""
    with unit_of_work():
        db.session.get_one(Member, asker).email_confirmed_at = clock.now()
    thread = world.ask(asker)
    with unit_of_work():
        db.session.get_one(Member, asker).email_confirmed_at = None
    post = world.answer(helper, thread)
    with unit_of_work():
        thread.accepted_post_id, thread.accepted_at = post.id, clock.now()
    rebuild()
    db.session.expire_all()


def _username(member: int) -> str:
    return db.session.get_one(Member, member).username


def test_merging_threads_keeps_votes_and_what_was_answered(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, reader = world.members
    one, other = world.ask(asker), world.ask(reader)
    post = world.answer(helper, one)
    vote(viewer_of(reader), post.id)
    before = helpfulness(helper)
    merge_threads(viewer_of(make_moderator()), one.id, other.id, "Asked twice.")
    assert helpfulness(helper) == pytest.approx(before)
    rebuild()
    db.session.expire_all()
    assert helpfulness(helper) == pytest.approx(before)


def test_standing_ranking_and_rising(in_app: Flask, at) -> None:
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    for asker in others[:2]:
        world.thank(asker, helper)
    found = standings([helper, others[0]])
    assert (found[helper].label, found[helper].companies) == ("rising", 2)
    assert found[others[0]] == Standing(others[0])
    assert ranking(10) == []
    assert [one.member_id for one in rising(10)] == [helper]
    world.thank(others[2], helper)
    assert standing_of(helper).label == "ranked"
    assert standing_of(helper).confidence == "medium"
    assert [one.member_id for one in ranking(10)] == [helper]
    at(noon() + timedelta(days=366))
    assert ranking(10) == []


def test_whoever_opts_out_is_in_no_list_and_loses_nothing(in_app: Flask) -> None:
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    for asker in others:
        world.thank(asker, helper)
    choosing.choose(viewer_of(helper), not_scored=True, not_approached=False)
    assert ranking(10) == []
    assert standings([helper]) == {}
    assert standing_of(helper).companies == 3
    choosing.choose(viewer_of(helper), not_scored=False, not_approached=False)
    assert [one.member_id for one in ranking(10)] == [helper]


def test_who_comes_next_is_found_however_many_above_left_the_list(in_app: Flask) -> None:
    """The database looks among the highest first, three times as many as are wanted."""
    world = make_world(companies=9, people=1)
    *above, following = world.members[:5]
    givers = world.members[5:]
    for helper in above:
        for giver in givers:
            world.thank(giver, helper)
        choosing.choose(viewer_of(helper), not_scored=True, not_approached=False)
    for giver in givers[:3]:
        world.thank(giver, following)
    assert min(helpfulness(helper) for helper in above) > helpfulness(following)
    assert [one.member_id for one in ranking(1)] == [following]


@pytest.mark.parametrize("what", [Rule.VOTE, Rule.ACCEPTED, Rule.FIRST_ANSWER])
def test_what_was_taken_back_meanwhile_is_not_put_in_force_again(in_app: Flask, what: Rule) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, reader = world.members
    thread = world.ask(asker)
    post = world.answer(helper, thread)
    vote(viewer_of(reader), post.id)
    accept(viewer_of(asker), thread.id, post.id)
    moderator = viewer_of(make_moderator())
    entry = next(one.id for one in entries(helper) if one.rule is what)
    contesting.correct_entry(moderator, entry, Act.REVERSED, "A mistake.")
    contesting.correct_entry(moderator, entry, Act.RESTORED, "It was none.")
    contesting.correct_entry(moderator, entry, Act.REVERSED, "It was one.")
    if what is Rule.VOTE:
        withdraw_vote(viewer_of(reader), post.id)
    elif what is Rule.ACCEPTED:
        withdraw_acceptance(viewer_of(asker), thread.id)
    else:
        hide_post(post.id, rule="a rule", reason="a reason", case_id=1, by_id=moderator.member_id or 0)
    before = helpfulness(helper)
    with pytest.raises(Invalid, match="taken back"):
        contesting.correct_entry(moderator, entry, Act.RESTORED, "It was none.")
    assert helpfulness(helper) == before
    rebuild()
    assert helpfulness(helper) == before


def test_one_vote_takes_few_statements(
    in_app: Flask, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    world = make_world(companies=3, people=2)
    asker, _second, helper, _third, reader, later = world.members
    post = world.answer(helper, world.ask(asker))
    vote(viewer_of(reader), post.id)
    most = 9 if db.engine.dialect.name == "postgresql" else 10
    with unit_of_work():
        db.session.execute(insert(Vote).values(post_id=post.id, member_id=later, created_at=clock.now()))
        with statements() as seen:
            noting.note_votes([post.id], [helper])
    assert len(seen) <= most, seen


def test_a_moderator_takes_an_entry_out_and_puts_it_back_and_nothing_else_does(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    asker, helper = world.members
    world.thank(asker, helper)
    entry = next(one for one in entries(helper) if one.rule is Rule.ACCEPTED)
    before = helpfulness(helper)
    contesting.contest(viewer_of(helper), entry.id, "I never answered this.")
    moderator = viewer_of(make_moderator())
    with pytest.raises(Invalid):
        contesting.correct_entry(moderator, entry.id, Act.REVERSED, " ")
    with pytest.raises(Invalid):
        contesting.correct_entry(moderator, entry.id, Act.RESTORED, "It was right.")
    with pytest.raises(Forbidden):
        contesting.correct_entry(viewer_of(asker), entry.id, Act.REVERSED, "No.")
    contesting.correct_entry(moderator, entry.id, Act.REVERSED, "They agreed on it beforehand.")
    assert helpfulness(helper) == pytest.approx(0.5)
    rebuild()
    db.session.expire_all()
    assert helpfulness(helper) == pytest.approx(0.5)
    contesting.correct_entry(moderator, entry.id, Act.RESTORED, "They did not.")
    assert helpfulness(helper) == pytest.approx(before)


def test_a_day_of_help_is_made_of_what_counts(in_app: Flask) -> None:
    world = make_world(companies=2, people=2)
    helper, colleagues = world.members[0], world.members[2:]
    post = world.answer(helper, world.ask(colleagues[0]))
    vote(viewer_of(colleagues[0]), post.id)
    later = clock.now() + timedelta(days=2)
    with clock.frozen(later):
        vote(viewer_of(colleagues[1]), post.id)
    found = helped_between(clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))
    assert [one.member_id for one in found] == [helper]
    assert helped_between(later - timedelta(hours=1), later + timedelta(hours=1)) == []


def test_what_the_number_was_is_kept_for_the_day_and_read_from_there(in_app: Flask, at) -> None:
    at(noon())
    world = make_world(companies=3, people=1)
    helper, *others = world.members
    world.thank(others[0], helper)
    at(noon() + timedelta(days=70))
    world.thank(others[1], helper)
    looked_up = rising(10)
    assert looked_up[0].was == pytest.approx(helpfulness(helper, compared_with(clock.now())))
    assert looked_up[0].was > 0
    assert remember() == 1
    assert remember() == 0
    assert rising(10) == looked_up
    world.thank(others[1], helper)
    assert to_remember(compared_with(clock.now())) == []
    assert [one.was for one in rising(10)] == [looked_up[0].was]
    at(noon() + timedelta(days=71))
    assert to_remember(compared_with(clock.now())) == [helper]
    assert [one.was for one in rising(10)] == [looked_up[0].was], "of the day before, rather than wait"
    assert remember() == 1
    assert [one.was for one in rising(10)] == [
        pytest.approx(helpfulness(helper, compared_with(clock.now()))),
    ]
