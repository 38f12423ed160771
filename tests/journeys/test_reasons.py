"""Reasons to begin from, and what author, flaggers and everybody will read, before anything is decided."""

import re
import uuid

import pytest
from playwright.sync_api import Locator, expect

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Duty, Status
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import PostMeasure
from portal.moderation.services.appeals import appeal
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post
from portal.moderation.services.rules import ensure_rules
from tests.conftest import make_board, make_customer, make_member, viewer_of
from tests.journeys.people import Opener, Person, signed_in
from tests.support.site import Site

pytestmark = pytest.mark.long

WAYS = [pytest.param({}, id="mouse"), pytest.param({"script": False}, id="no script")]
TEMPLATE = "It belittles somebody for asking. Knowing the answer is no licence to belittle."
RULE_2 = "Rule 2, criticise things, not people"


@pytest.fixture
def thread(site: Site) -> tuple[str, int, int]:
    """A question with a flagged answer: its address, the case and the answer."""
    mark = uuid.uuid4().hex[:8]
    with site.inside():
        with unit_of_work():
            ensure_rules()
        asker, board = viewer_of(make_customer("Ines Okafor")), make_board(f"Operations {mark}")
        question = {"kind": ThreadKind.QUESTION, "title": f"Why is it slow, {mark}?", "body": "It is."}
        opened = open_thread(asker, board, **question)  # type: ignore[arg-type] # as named
        answer = post_reply(viewer_of(make_customer("Anke Brandt")), opened.id, f"Learn to read, {mark}.")
        flag = flag_post(viewer_of(make_customer("Lars Tveit")), answer.id, rule_number=2, comment="")
        return f"/threads/{opened.id}", flag.case_id, answer.id


def moderator(somebody: Opener, site: Site, name: str, way: dict) -> Person:  # type: ignore[type-arg] # options
    with site.inside():
        member_id = make_member(name, status=Status.VENDOR, duties=(Duty.MODERATOR,))
    return signed_in(somebody, site, member_id, **way)


def says(person: Person, reason: str, within: Locator, title: str = "Why?") -> None:
    """Begin from a reason where a script runs; without one write it, and ask what they will read."""
    if person.runs_scripts:
        within.locator("summary", has_text="Begin from a reason").click()
        within.get_by_role("button", name=reason).click()
        expect(within.get_by_label(title)).to_have_value(reason)
        expect(within.get_by_label(title)).to_be_focused()
    else:
        expect(within.get_by_text("Begin from a reason")).to_be_hidden()
        within.get_by_label(title).fill(reason)
        within.get_by_role("button", name="Show what they will read").click()


def form_to(person: Person, action: str) -> Locator:
    return person.page.locator(f'form[action="{action}"]')


def reads(within: Locator, who: str, text: str) -> None:
    """What this reader will read, as the preview says."""
    line = within.locator("[data-will-read] dl > div").filter(has=within.page.get_by_text(who, exact=True))
    expect(line).to_contain_text(text)


@pytest.mark.parametrize("way", WAYS)
def test_a_decision_begins_from_a_reason_and_shows_what_is_read(
    site: Site,
    somebody: Opener,
    thread: tuple[str, int, int],
    way: dict,  # type: ignore[type-arg] # options
) -> None:
    ruth = moderator(somebody, site, "Ruth Alder", way).opens(f"/console/cases/{thread[1]}")
    form = form_to(ruth, f"/console/cases/{thread[1]}/decision")
    expect(form.locator("[data-will-read]")).to_contain_text("Choose what happens first.")
    ruth.ticks(re.compile("It is removed"))
    if not ruth.runs_scripts:
        ruth.chooses("2. Criticise things, not people", "Which rule was broken?")
    says(ruth, TEMPLATE, form)
    expect(form.get_by_label("Which rule was broken?")).to_have_value("2")
    reads(form, "The author", f"Your post was removed. {RULE_2}: “{TEMPLATE}”")
    reads(form, "The author", "You can appeal within 14 days")
    reads(form, "Who flagged it", f"What you flagged was removed. {RULE_2}: “{TEMPLATE}”")
    reads(form, "The public log", f"Post removed. {RULE_2}: “{TEMPLATE}”")
    ruth.looks(f"reasons-decision-{'-'.join(way) or 'mouse'}")
    ruth.presses(re.compile("^Decide, and tell")).sees_heading("Decided")


@pytest.mark.parametrize("way", WAYS)
def test_an_appeal_is_answered_from_a_reason_and_shows_what_is_read(
    site: Site,
    somebody: Opener,
    thread: tuple[str, int, int],
    way: dict,  # type: ignore[type-arg] # options
) -> None:
    with site.inside():
        first = viewer_of(make_member("Ruth Alder", status=Status.VENDOR, duties=(Duty.MODERATOR,)))
        verdict = Verdict(post=PostMeasure.HIDE, rule_number=2, reason=TEMPLATE, version=1)
        decision = decide(first, thread[1], verdict)
        made = appeal(decision.member_id, decision.id, "It was meant as a joke.")
        case_id, appeal_id = made.case_id, made.id
    milan = moderator(somebody, site, "Milan Novak", way)
    for page in (f"/appeals/{appeal_id}", f"/console/cases/{case_id}"):
        milan.opens(page)
        form = form_to(milan, f"/appeals/{appeal_id}/decision")
        expect(form.locator("[data-will-read]")).to_contain_text("Choose what happens first.")
        milan.ticks("It stands")
        says(milan, TEMPLATE, form)
        reads(form, "The author", f"the decision stands. {RULE_2}: “{TEMPLATE}”")
        reads(form, "Who flagged it", "Nothing")
        reads(form, "The public log", "Appeal: the decision stands.")
        if page.startswith("/console") and not milan.runs_scripts:
            milan.opens(f"/appeals/{appeal_id}")
    form = form_to(milan, f"/appeals/{appeal_id}/decision")
    if not milan.runs_scripts:
        milan.ticks(re.compile("It was wrong"))
    says(milan, "The rule does not forbid this.", form)
    expect(form.get_by_label(re.compile("It was wrong"))).to_be_checked()
    reads(form, "The author", "You were right: the decision is taken back.")
    reads(form, "Who flagged it", "After an appeal, what you flagged is back.")
    reads(form, "The public log", "“The rule does not forbid this.”")
    milan.looks(f"reasons-appeal-{'-'.join(way) or 'mouse'}")
    milan.presses("Decide, and tell the author").sees(re.compile("^Decided"))


@pytest.mark.parametrize("way", WAYS)
def test_a_thread_is_closed_from_a_reason_and_the_form_shows_what_is_read(
    site: Site,
    somebody: Opener,
    thread: tuple[str, int, int],
    way: dict,  # type: ignore[type-arg] # options
) -> None:
    with site.inside():
        make_board(f"Elsewhere {thread[1]}", slug=f"elsewhere-{thread[1]}")
    ruth = moderator(somebody, site, "Ruth Alder", way).opens(f"{thread[0]}/tools")
    moving = form_to(ruth, f"{thread[0]}/board")
    reads(moving, "The author", "Your thread was moved to another board. (your reason)")
    says(ruth, "The same text already stands in another thread. One place is enough.", moving, "Why it moves")
    reads(moving, "The author", "“The same text already stands in another thread. One place is enough.”")
    if ruth.runs_scripts:
        expect(moving.get_by_label("Which rule does it break?")).to_have_value("1")
    closing = form_to(ruth, f"{thread[0]}/closing")
    reads(closing, "The author", "You can open it again.")
    if not ruth.runs_scripts:
        closing.get_by_label("Which rule does it break?").select_option("2")
    says(ruth, TEMPLATE, closing, "Reason")
    reads(closing, "The author", f"Your thread was closed. {RULE_2}: “{TEMPLATE}”")
    reads(closing, "Everybody, on the thread", f"{RULE_2}: “{TEMPLATE}”")
    reads(closing, "The public log", f"Thread closed. {RULE_2}: “{TEMPLATE}”")
    ruth.looks(f"reasons-tools-{'-'.join(way) or 'mouse'}")
    closing.get_by_role("button", name="Close the thread").click()
    ruth.sees(re.compile("closed", re.I)).sees(re.compile(re.escape(TEMPLATE)))


@pytest.mark.parametrize("way", WAYS)
def test_split_and_merge_begin_from_a_reason_and_show_what_both_authors_read(
    site: Site,
    somebody: Opener,
    thread: tuple[str, int, int],
    way: dict,  # type: ignore[type-arg] # options
) -> None:
    ruth = moderator(somebody, site, "Ruth Alder", way).opens(f"{thread[0]}/split")
    form = form_to(ruth, f"{thread[0]}/split")
    ruth.page.locator(f"#post-{thread[2]}").check()
    own = "It asks something of its own. Under its own title others find it."
    says(ruth, own, form, "Reason")
    reads(form, "Who began this thread", f"A thread with your post was split. “{own}”")
    reads(form, "Who wrote the first post taken along", f"A thread with your post was split. “{own}”")
    expect(ruth.page.locator(f"#post-{thread[2]}")).to_be_checked()
    ruth.looks(f"reasons-split-{'-'.join(way) or 'mouse'}")
    with site.inside():
        other = viewer_of(make_customer("Piet Visser"))
        question = {"kind": ThreadKind.QUESTION, "title": f"Slow again, {thread[1]}?", "body": "It is."}
        target = open_thread(other, make_board(f"Other {thread[1]}"), **question)  # type: ignore[arg-type] # as named
        target_id = target.id
    ruth.opens(f"{thread[0]}/merge")
    form = form_to(ruth, f"{thread[0]}/merge").last
    form.get_by_label("The thread that stays").fill(str(target_id))
    same = "The same is asked there. In one place the answers stand together."
    says(ruth, same, form, "Reason")
    reads(form, "Who began this thread", f"Your thread was merged into another. “{same}”")
    reads(form, "Who began the thread that stays", f"Another thread was merged into yours. “{same}”")
    ruth.looks(f"reasons-merge-{'-'.join(way) or 'mouse'}")
    form.get_by_role("button", name="Find it, or merge by its address").click()
    ruth.sees(re.compile("The posts stand here now"))
