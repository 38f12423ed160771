"""Talking in private, in several browsers: asked, accepted, said, reported, decided; colleagues; guests."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from portal.asks.models import AnswerRequest
from portal.asks.services import asking, waves
from portal.discussions.models import Audience
from portal.kernel import site as settings
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation.services.rules import ensure_rules
from tests.conftest import (
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.journeys.people import PASSWORD, Opener, Person, signed_in
from tests.support.browser import DESKTOP, PHONE
from tests.support.mail_server import links_in
from tests.support.site import Site

pytestmark = pytest.mark.long


def joins_here(person: Person, name: str, email: str) -> Person:
    """The form to join is on the page; the mail's link and its button, and the steps that can be skipped."""
    person.name, person.email = name, email
    person.writes(name, "Name").writes(email, re.compile("mail", re.I)).writes(PASSWORD, "Password")
    person.presses(re.compile("Send me the link")).sees(email)
    mail = person.post_office.wait_for(email, "Confirm", seconds=60)
    person.opens(next(link for link in links_in(mail) if "/join/confirm/" in link))
    person.presses("Confirm and join")
    main, later = person.page.get_by_role("main"), re.compile("Skip|Later", re.I)
    if main.get_by_role("link", name=later).count():  # which company
        person.follows(later, main)
    if main.get_by_role("button", name=later).count():  # a customer's first minute
        person.presses(later, main)
    return person


def test_from_a_request_to_a_report_and_its_decision(site: Site, somebody: Opener) -> None:
    mark = uuid.uuid4().hex[:8]
    insult = f"You people never read anything, {mark}."
    with site.inside():
        with unit_of_work():
            ensure_rules()
        jonas_id = make_prospect("Jonas Petterlund", email=f"jonas-{mark}@mail.example")
        ines_id = make_customer("Ines Okaforova", username=f"ines-{mark}", email=f"ines-{mark}@mail.example")
        ruth_id = make_moderator(f"Ruth Adeyemi {mark}")

    # He asks her from her page; her mail says that there is a request, and neither who nor what.
    jonas = signed_in(somebody, site, jonas_id)
    jonas.opens(f"/members/ines-{mark}").follows("Ask for a private conversation")
    jonas.writes(f"What did the second half cost, {mark}?", re.compile("talk about")).looks("talk-new")
    jonas.presses("Ask for a conversation").sees("Nothing is asked of you until then")
    talk = jonas.address.partition("#")[0]
    mail = jonas.post_office.wait_for(f"ines-{mark}@mail.example", "request", seconds=90)
    assert "Petterlund" not in str(mail)
    assert mark not in str(mail.get_body(("plain",))).replace(f"ines-{mark}", "")

    # She accepts with a first message; both write, both read.
    ines = signed_in(somebody, site, ines_id, viewport={"width": 390, "height": 844})
    ines.opens(next(link for link in links_in(mail) if "/conversations/" in link)).looks("talk-request")
    ines.writes("Five **more** months.", re.compile("first message"))
    ines.presses("Accept the conversation").sees("months")
    jonas.opens(talk).sees("Five").writes(insult, re.compile("Write to Ines")).presses("Send to Ines")
    ines.opens(talk).sees(insult).looks("talk-open")

    # She shows that one message to the moderators; he is told.
    ines.unfolds(ines.page.get_by_role("main").locator("details", has_text="More"))
    ines.follows("Report messages")
    ines.ticks(re.compile(re.escape(insult))).ticks(re.compile("hostile")).looks("talk-report")
    ines.presses("Show them to the reviewers").sees("You reported Jonas Petterlund")
    jonas.opens(talk).sees("Messages of this conversation were reported").sees("Nobody has read them yet.")

    # A moderator reads that message and nothing else, and decides.
    ruth = signed_in(somebody, site, ruth_id)
    refused = ruth.page.goto(site.url + talk)
    assert refused is not None
    assert refused.status in (403, 404)
    ruth.opens("/console/queue?whose=anyone").follows(re.compile("Messages of a private conversation"))
    ruth.follows("Read the message").sees(insult).does_not_see("second half cost").looks("talk-evidence")
    ruth.ticks("A warning")
    rule = ruth.page.get_by_label("Which rule was broken?").locator("option").filter(
        has_text=re.compile(r"^2\.")
    )  # fmt: skip
    ruth.chooses(rule.inner_text(), "Which rule was broken?")
    ruth.writes("It attacks people, not the matter.", "Why?").presses(re.compile("^Decide, and tell"))

    # Both see who read it, and what was decided.
    for one in (ines, jonas):
        one.opens(talk).sees(re.compile("Moderator .* read them")).sees("It attacks people, not the matter.")
    ines.looks("talk-decided")


def test_a_colleague_knows_better_joins_by_the_mail_and_answers(site: Site, somebody: Opener) -> None:
    mark = uuid.uuid4().hex[:8]
    title = f"Who looks after the certificates at night, {mark}?"
    with site.inside():
        make_board(f"Before you buy {mark}", audience=Audience.PROSPECTS, slug=f"asks-{mark}")
        settings.change(ask_board=f"asks-{mark}", weekend=[])
        company = make_company(f"Tidewater {mark}", domain=f"tidewater-{mark}.example")
        tomasz_id = make_customer("Tomasz", company_id=company, email=f"tomasz@tidewater-{mark}.example")
        with unit_of_work():  # customers of other journeys are not asked
            db.session.execute(
                db.update(Member).where(Member.id.not_in([tomasz_id])).values(verified_by=None)
            )
        asker = make_prospect("Jana")
        ask = asking.ask_openly(viewer_of(asker), title=title, body="We have one person who knows.")
        waves.move_on()
        waves.deliver()
        request = db.session.execute(
            db.select(AnswerRequest.id).where(AnswerRequest.ask_id == ask.id)
        ).scalar_one()
        ask_id = ask.id

    tomasz = signed_in(somebody, site, tomasz_id)
    colleague = f"petra@tidewater-{mark}.example"
    tomasz.opens(f"/requests/{request}").writes(colleague, re.compile("colleague’s mail address"))
    tomasz.presses("Send them a link").sees("You passed it on")
    mail = tomasz.post_office.wait_for(colleague, "thinks you know", seconds=60)

    petra = somebody()
    petra.opens(next(link for link in links_in(mail) if "/invite/" in link)).sees_heading(
        "Tomasz thinks that you know"
    ).looks("invite-colleague")
    petra.follows("Join with this address")
    joins_here(petra, "Petra Novotná", colleague)
    petra.presses("Read the question").sees_heading(title).sees("A colleague of yours thinks that you know")
    petra.follows("Read all of it and answer")
    petra.replies("Two of us, in turns, and a list that a job checks on Mondays.")
    jana = signed_in(somebody, site, asker)
    jana.opens(f"/asks/{ask_id}").sees("A customer answered. The clock stopped.")


def test_a_guest_reads_what_is_reported_and_has_nothing_reported(site: Site, somebody: Opener) -> None:
    mark = uuid.uuid4().hex[:8]
    with site.inside():
        sales_id = make_member(f"Gareth {mark}", status=Status.VENDOR, duties=(Duty.SALES,))
    gareth = signed_in(somebody, site, sales_id)
    gareth.opens("/invites").writes(f"OPP-{mark}", "Your reference").presses("Make the link")
    link = re.findall(r"https?://\S+/invite/[\w-]+", gareth.page.get_by_text("/invite/").first.inner_text())[
        0
    ]

    nora = somebody(viewport={"width": 390, "height": 844})
    nora.opens(site.url + "/invite/" + link.rsplit("/", 1)[1]).sees(f"OPP-{mark}")
    nora.sees("no name, no address, no text, no time").looks("invite-guest")
    nora.ticks("Report nothing").presses("Join")
    joins_here(nora, "Nora", f"nora-{mark}@free.example")
    expect(nora.page.get_by_label("Report nothing")).to_be_checked()
    nora.presses("Go on").sees_heading(re.compile("Ask"))

    gareth.opens("/invites").looks("invites")
    row = gareth.page.get_by_role("row").filter(has_text=f"OPP-{mark}")
    assert row.get_by_role("cell").all_inner_texts()[2:6] == ["no"] * 4


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_words_above_the_lock_stand_apart_from_its_line(
    site: Site, somebody: Opener, viewport: dict[str, int]
) -> None:
    mark = uuid.uuid4().hex[:8]
    with site.inside():
        jonas = make_prospect("Jonas Petterlund")
        ines_id = make_customer("Ines Okaforova", username=f"ines-{mark}")
    person = signed_in(somebody, site, jonas, viewport=viewport)
    person.opens(f"/conversations/new?to=ines-{mark}").looks(f"talk-new-{viewport['width']}")
    line = person.page.locator(".lockline").bounding_box()
    above = person.page.locator(".lockline").locator("xpath=preceding-sibling::*[1]").bounding_box()
    assert line
    assert above
    assert line["y"] - (above["y"] + above["height"]) >= 12

    # The note of a request is what can be reported of it, on its page and once it is declined.
    person.writes(f"Answer me, or your boss hears of it, {mark}.", re.compile("words|talk about", re.I))
    person.presses("Ask for a conversation")
    talk = person.address
    ines = signed_in(somebody, site, ines_id, viewport=viewport)
    ines.opens(talk).looks(f"talk-asked-{viewport['width']}").presses("Decline")
    ines.opens("/requests").looks(f"talk-declined-{viewport['width']}").follows(re.compile("Report the note"))
    ines.looks(f"talk-report-note-{viewport['width']}")
    ines.ticks(re.compile("hostile")).presses("Show it to the reviewers")
    ines.sees("The note was shown to reviewers").looks(f"talk-note-reported-{viewport['width']}")
    person.opens(talk).sees("The note of this request was reported").sees("Nobody has read it yet.")
