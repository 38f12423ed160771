"""Flag, decision, tombstone, notice, appeal, another moderator's answer, public log."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Duty, Status
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.services.rules import ensure_rules
from tests.conftest import make_board, make_customer, make_member, viewer_of
from tests.journeys.people import Opener, signed_in
from tests.support.site import Site

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    "way",
    [
        pytest.param({}, id="mouse"),
        pytest.param({"keyboard": True}, id="keyboard"),
        pytest.param({"script": False}, id="no script"),
    ],
)
def test_from_a_flag_to_an_appeal_that_succeeds(site: Site, somebody: Opener, way: dict):  # type: ignore[type-arg] # options
    mark = uuid.uuid4().hex[:8]
    words = f"Call Mr Example at home, he never answers at work, {mark}."
    with site.inside():
        with unit_of_work():
            ensure_rules()
        author_id = make_customer("Anke Brandt", email=f"anke-{mark}@mail.example")
        flagger_id = make_customer("Ines Okafor", email=f"ines-{mark}@mail.example")
        first_id = make_member("Ruth Alder", status=Status.VENDOR, duties=(Duty.MODERATOR,))
        second_id = make_member("Milan Novak", status=Status.VENDOR, duties=(Duty.MODERATOR,))
        thread = open_thread(
            viewer_of(flagger_id),
            make_board(f"Operations {mark}"),
            kind=ThreadKind.QUESTION,
            title=f"Who can be reached at night, {mark}?",
            body="Our pager went off.",
        )
        post_reply(viewer_of(author_id), thread.id, words)
        path = f"/threads/{thread.id}/{thread.slug}"
    way_name = "-".join(map(str, way)) or "mouse"

    # A customer flags the answer and says why.
    ines = signed_in(somebody, site, flagger_id, **way).opens(path)
    ines.unfolds(ines.post(2).locator("details", has_text="Flag")).looks(f"flag-menu-{way_name}")
    ines.follows(re.compile("^Something else"), ines.post(2)).looks(f"flag-{way_name}")
    ines.ticks(re.compile("rule 4|personal", re.I)).writes(
        "A private number.", re.compile("Anything that helps")
    )
    ines.presses("Send to the moderators")
    expect(ines.page).to_have_url(re.compile(re.escape(path)))

    # A moderator finds it in the queue and removes it, with a rule and a reason.
    ruth = signed_in(somebody, site, first_id, **way).opens("/console/queue").looks(f"queue-{way_name}")
    row = ruth.page.get_by_role("listitem").filter(has_text=mark).first
    ruth.follows(re.compile(mark), row)
    expect(ruth.page.get_by_role("heading", name="Your decision")).to_be_visible()
    ruth.looks(f"case-{way_name}")
    ruth.ticks(re.compile("It is removed")).ticks("Nothing")
    rule = (
        ruth.page.get_by_label("Which rule was broken?")
        .locator("option")
        .filter(has_text=re.compile(r"^4\."))
    )
    ruth.chooses(rule.inner_text(), "Which rule was broken?")
    ruth.writes("A person outside the talk is named with a private number.", "Why?")
    ruth.presses(re.compile("^Decide, and tell"))
    ruth.sees_heading("Decided")

    # What is left is a tombstone with the reason; the words are gone for everybody.
    visitor = somebody(**way).opens(path)
    visitor.sees_heading(re.compile("#2 was removed")).sees(re.compile("private number")).does_not_see(words)
    visitor.looks(f"tombstone-{way_name}")

    # The one who flagged and the author are told; the author appeals.
    ines.opens("/notifications").looks(f"told-{way_name}")
    anke = signed_in(somebody, site, author_id, **way)
    mail = anke.post_office.wait_for(f"anke-{mark}@mail.example", "removed")
    assert "private number" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    anke.opens("/notifications").follows(re.compile("Your post was removed"))
    anke.sees_heading("Your post was removed").sees(words).looks(f"decision-{way_name}")
    anke.follows("Appeal").writes("Mr Example is me: it is my own number.", re.compile("Why should it"))
    anke.presses("Send the appeal").looks(f"appealed-{way_name}")

    # The first moderator cannot answer it, another can, and agrees.
    ruth.opens("/console/queue?whose=anyone")
    expect(ruth.page.get_by_role("main")).not_to_contain_text("Anke Brandt appeals")
    milan = signed_in(somebody, site, second_id, **way).opens("/console/queue")
    milan.follows(re.compile(mark), milan.page.get_by_role("listitem").filter(has_text=mark).first)
    milan.ticks(re.compile("It was wrong")).writes("It is the author's own number.", "Why?")
    milan.presses("Decide, and tell the author").sees(re.compile("^Decided"))

    # Everything is back, and the public log says so.
    visitor.opens(path).sees(words)
    visitor.opens("/transparency").sees(re.compile(r"own number|overturned", re.I)).looks(f"log-{way_name}")
    anke.opens("/notifications").sees(re.compile("You were right"))
