"""Who really helps: a score rises, is seen, leads to a question; a second look; other numbers."""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from portal.advocacy.services.weighing import apply_due
from portal.discussions.models import ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock
from tests.conftest import make_admin, make_board, make_company, make_customer, make_moderator, viewer_of
from tests.journeys.people import Opener, Person, signed_in
from tests.support.site import Site

pytestmark = pytest.mark.long

WAYS = [pytest.param({}, id="mouse"), pytest.param({"keyboard": True}, id="keyboard")]


@dataclass(frozen=True)
class Scene:
    """Tomasz helped one company on three days; a second one asks now. Call its methods inside the site."""

    mark: str
    board: int
    helper: int
    username: str
    asker: int
    title: str
    thread: str


def helped(helper: int, board: int, company: int, title: str, days: float) -> None:
    """An answer of the helper that somebody of this company accepted, so many days ago."""
    with clock.frozen(clock.now() - timedelta(days=days)):
        asker = viewer_of(make_customer(company_id=company))
        thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title=title, body="It stopped.")
        accept(asker, thread.id, post_reply(viewer_of(helper), thread.id, f"So it goes: {title}").id)


@pytest.fixture
def scene(site: Site) -> Scene:
    mark = uuid.uuid4().hex[:8]
    username, title = f"tomasz-{mark}", f"Who has retried a dead partner {mark}?"
    with site.inside():
        board, company = make_board(f"Operations {mark}"), make_company(f"Harbour {mark}")
        helper = make_customer(
            f"Tomasz {mark}", username=username, company_id=make_company(f"Huta {mark}", industry="31-33")
        )
        for number, days in enumerate((31, 22, 11)):
            helped(helper, board, company, f"Trouble {number} with lanes {mark}", days)
        asker = make_customer("Ines Okafor", company_id=make_company(f"Tidewater {mark}"))
        thread = open_thread(
            viewer_of(asker), board, kind=ThreadKind.QUESTION, title=title, body="All the others wait."
        )
        path = f"/threads/{thread.id}/{thread.slug}"
    return Scene(mark, board, helper, username, asker, title, path)


def points(person: Person) -> float:
    """Helpfulness as the page about it says."""
    text = person.opens("/me/score").page.get_by_role("main").inner_text()
    found = re.search(r"([\d.]+)\s+Helpfulness now|Helpfulness now\s+([\d.]+)", text)
    assert found, text
    return float(found[1] or found[2])


def look(person: Person, name: str) -> None:
    """Have the page judged, once: it is the same for who uses a keyboard."""
    if not person.uses_keyboard:
        person.looks(f"advocacy-{name}")


@pytest.mark.parametrize("way", WAYS)
def test_from_help_to_what_somebody_agreed_to(site: Site, somebody: Opener, scene: Scene, way: dict):  # type: ignore[type-arg] # options
    mark = scene.mark

    # Tomasz helps, Ines accepts, and his page says what it did and what is missing.
    tomasz = signed_in(somebody, site, scene.helper, **way)
    before = points(tomasz)
    tomasz.sees("2 more companies until you are in the ranking")
    tomasz.opens(scene.thread).replies("A lane for each partner, and a breaker behind it.")
    ines = signed_in(somebody, site, scene.asker, **way).opens(scene.thread)
    ines.presses(re.compile("Accept as the answer")).sees(re.compile("Take the acceptance back"))
    after = points(tomasz)
    assert 1.4 <= after - before <= 1.6, "one for the thanks, a half for the answer"
    tomasz.sees("One more company until you are in the ranking")
    look(tomasz, "score")
    row = tomasz.page.get_by_role("row").filter(has_text=re.compile("Ines Okafor accepted your answer"))
    expect(row).to_contain_text(scene.title)

    # Ruth sees him rise, with the evidence, and nominates him with two pieces of it.
    with site.inside():
        moderator = make_moderator(f"Ruth Alder {mark}")
    ruth = signed_in(somebody, site, moderator, **way).opens("/console/rising?sort=name")
    row = ruth.page.get_by_role("row").filter(has_text=mark)
    expect(row).to_contain_text("not ranked yet")
    expect(row).to_contain_text("thanked by 2 companies in 30 days")
    expect(row).to_contain_text(scene.title)
    look(ruth, "rising")
    ruth.follows(f"Tomasz {mark}", row)
    ruth.writes("Sends the lane set-up along with each answer.", "Why them")
    ruth.ticks(re.compile("Trouble 1")).ticks(re.compile(re.escape(scene.title))).presses("Nominate")

    # What is not met stands there; when a third company has thanked him it is met.
    helper_gates = ruth.page.get_by_role("region", name="Could be asked as a proven helper")
    expect(helper_gates).to_contain_text("2 of 3")
    missing = helper_gates.get_by_role("listitem").filter(has_text="thanked by three other companies")
    expect(missing).to_contain_text("2")
    ruth.sees("Neither way is met yet")
    look(ruth, "candidate")
    with site.inside():
        helped(scene.helper, scene.board, make_company(f"Mill {mark}"), f"The night it stopped {mark}", 0)
    ruth.opens(f"/console/candidates/{scene.username}").does_not_see(re.compile("Neither way is met"))
    expect(helper_gates).to_contain_text("3 of 3")

    # She asks in words of her own for three things; he agrees to one.
    words = f"Tomasz, would you take a call with somebody who is where you were two years ago, {mark}?"
    ruth.writes(words, "What you ask").ticks("Calls").ticks("A quote").ticks("Speaking")
    ruth.presses("Ask Tomasz").sees("not seen yet")
    tomasz.opens("/notifications").follows(re.compile("asks you|would you|open to", re.I))
    tomasz.sees(words).sees("Only what you tick")
    look(tomasz, "asked")
    tomasz.does_not_see(re.compile("candidate|advocate|reference customer", re.I))
    tomasz.ticks("Calls").presses("Send my answer").sees("Thank you: noted for one thing.")

    # Her page shows which, and that he stands under what follows.
    ruth.opens(f"/console/candidates/{scene.username}")
    consents = ruth.page.get_by_role("region", name="Consents")
    expect(consents.get_by_role("row").filter(has_text="Calls")).to_contain_text("in force")
    expect(consents.get_by_role("row")).to_have_count(2)  # the head and one thing
    ruth.sees(re.compile("^Consented"))
    look(ruth, "agreed")


@pytest.mark.parametrize("way", WAYS)
def test_a_post_becomes_evidence_where_it_stands(site: Site, somebody: Opener, scene: Scene, way: dict):  # type: ignore[type-arg] # options
    mark = scene.mark
    with site.inside():
        moderator = make_moderator(f"Ruth Alder {mark}")
        asker = viewer_of(scene.asker)
        posts = [post_reply(viewer_of(scene.helper), open_thread(
            asker, scene.board, kind=ThreadKind.QUESTION, title=f"Lanes again {number}, {mark}?", body="Well?"
        ).id, f"Like this, {number}.") for number in range(2)]  # fmt: skip
        places = [f"/threads/{post.thread_id}" for post in posts]

    # What Ruth reads in a thread she uses there; it is picked in the form, and she is led back to it.
    ruth = signed_in(somebody, site, moderator, **way).opens(places[0])
    ruth.follows(re.compile("Use as evidence"), ruth.post(2))
    ruth.sees_heading(f"Use as evidence for Tomasz {mark}")
    expect(ruth.page.get_by_role("checkbox", name=re.compile(f"Lanes again 0, {mark}"))).to_be_checked()
    look(ruth, "evidence")
    ruth.presses("Nominate").sees("Say in a sentence or two why.")

    # She finds another piece by its words, with nothing lost of what she wrote.
    ruth.writes(f"Never tired of lanes, {mark}.", "Why them")
    ruth.writes("trouble 1", "Find another piece").presses("Find")
    expect(ruth.page.get_by_label("Why them")).to_have_value(f"Never tired of lanes, {mark}.")
    ruth.ticks(re.compile(f"Trouble 1 with lanes {mark}"))
    ruth.presses("Nominate").sees("Nominated.").sees("Like this, 0.")
    assert ruth.address.endswith("#p2")

    # The next post is added to her note; his page has all three.
    ruth.opens(places[1]).follows(re.compile("Use as evidence"), ruth.post(2))
    ruth.sees(f"Never tired of lanes, {mark}.")
    look(ruth, "evidence-further")
    ruth.presses("Add as evidence").sees("Picked as evidence.").sees("Like this, 1.")
    ruth.opens(f"/console/candidates/{scene.username}")
    notes = ruth.page.get_by_role("region", name="Who nominated them")
    for title in (f"Lanes again 0, {mark}?", f"Trouble 1 with lanes {mark}", f"Lanes again 1, {mark}?"):
        expect(notes.get_by_role("link", name=title)).to_have_count(1)

    # Ines suggests him from the same place, with what she read there; the console says by whom.
    ines = signed_in(somebody, site, scene.asker, **way).opens(places[1])
    ines.unfolds(ines.post(2)).follows(re.compile("Suggest the author"), ines.post(2))
    expect(ines.page.get_by_role("checkbox", name=re.compile(f"Lanes again 1, {mark}"))).to_be_checked()
    look(ines, "suggestion")
    ines.writes(f"He wrote ours with us, {mark}.", "Why").presses("Send to the moderators")
    ines.sees("Thank you. A moderator reads it").sees("Like this, 1.")
    ruth.opens(f"/console/candidates/{scene.username}").sees(f"He wrote ours with us, {mark}.")
    expect(notes).to_contain_text("Ines Okafor, by a peer")
    expect(notes.get_by_role("link", name=f"Lanes again 1, {mark}?")).to_have_count(2)


@pytest.mark.parametrize("way", WAYS)
def test_a_second_look_and_being_left_out(site: Site, somebody: Opener, scene: Scene, way: dict):  # type: ignore[type-arg] # options
    mark = scene.mark
    title = f"Trouble 2 with lanes {mark}"
    with site.inside():
        moderator = make_moderator(f"Ruth Alder {mark}")

    # He says that an entry is wrong, and why.
    tomasz = signed_in(somebody, site, scene.helper, **way)
    before = points(tomasz)
    thanks = tomasz.page.get_by_role("region", name=f"Harbour {mark}")
    row = thanks.get_by_role("row").filter(has_text=title)
    tomasz.follows(re.compile("Not right"), row)
    tomasz.sees(title).writes("It was my colleague who knew this.", "What is wrong?")
    look(tomasz, "contest")
    tomasz.presses("Ask").sees(re.compile("You get an answer by"))

    # Ruth finds it, takes the entry out, and he reads her answer beside it.
    ruth = signed_in(somebody, site, moderator, **way).opens("/console/contests")
    ruth.follows(title, ruth.page.get_by_role("row").filter(has_text=mark))
    ruth.sees(re.compile("my colleague who knew"))
    look(ruth, "contested")
    ruth.ticks(re.compile("is reversed")).writes("Your colleague it is: taken out.", "Answer")
    ruth.presses("Send the answer").sees("Answered. The member is told.")
    tomasz.opens("/notifications").follows(re.compile("answer", re.I), tomasz.page.get_by_role("main"))
    assert points(tomasz) < before
    tomasz.sees(re.compile("Your colleague it is"))

    # He is left out of every list: his page keeps all of it, and nobody else finds any.
    tomasz.ticks("Leave me out of every list of helpers").presses("Save")
    tomasz.sees("You are left out of every list of helpers.").sees(f"Trouble 1 with lanes {mark}")
    look(tomasz, "left-out")
    ruth.opens("/console/rising?sort=name").does_not_see(f"Tomasz {mark}")
    ruth.opens(f"/console/scores/{scene.username}").does_not_see(re.compile(f"Trouble 1 with lanes {mark}"))
    ruth.opens(f"/console/members/{scene.username}").sees("not scored, as they chose")


@pytest.mark.parametrize("way", WAYS)
def test_other_numbers_are_tried_out_and_decided(site: Site, somebody: Opener, scene: Scene, way: dict):  # type: ignore[type-arg] # options
    mark = scene.mark
    with site.inside():
        anneke = make_admin(f"Anneke {mark}")

    # With two companies to rank he is not in it yet; one would do.
    admin = signed_in(somebody, site, anneke, **way).opens("/console/weights")
    admin.writes("1", "Companies that have to thank within a year").presses("Show whom it would move")
    moved = admin.page.get_by_role("region", name="Who moves most")
    expect(moved.get_by_role("row").filter(has_text=f"Tomasz {mark}")).to_contain_text("–")
    look(admin, "weights")

    # Nothing is in force yet; it is decided with a reason that members read, dated.
    reason, days = f"Our talk moves faster than a year, {mark}.", "50" if way else "45"
    tomasz = signed_in(somebody, site, scene.helper, **way).opens("/me/score")
    tomasz.does_not_see(f"halves every {days} days")
    admin.writes("3", "Companies that have to thank within a year")
    admin.writes(days, "Days after which a point is worth half")
    admin.writes(reason, "Why").presses("Put in force")
    admin.sees("Look first whom these numbers would move").presses("Put in force").sees(reason)
    with site.inside():
        apply_due()  # as the worker does within minutes
    tomasz.opens("/me/score").sees(re.compile(f"halves every {days} days"))
    changes = tomasz.page.get_by_role("region", name="Changes of the numbers")
    expect(changes.get_by_role("paragraph").filter(has_text=reason)).to_have_text(
        re.compile(rf"^\d+ \w+ 20\d\d, version \d+: {re.escape(reason)}\s*$")
    )
    look(tomasz, "numbers-changed")
