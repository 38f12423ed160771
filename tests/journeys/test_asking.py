"""Join, confirm by the mail that was sent, ask, be answered, accept, be told: by mouse, keys, no script."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from portal.kernel.access import Status
from tests.conftest import make_board, make_company, make_member
from tests.journeys.people import Opener, signed_in
from tests.support.site import Site

WAYS = [
    pytest.param({}, id="mouse"),
    pytest.param({"keyboard": True}, id="keyboard"),
    pytest.param({"script": False}, id="no script"),
    pytest.param({"viewport": {"width": 390, "height": 844}, "has_touch": True}, id="phone"),
]


@pytest.mark.parametrize("way", WAYS)
def test_from_joining_to_an_accepted_answer(site: Site, somebody: Opener, way: dict):  # type: ignore[type-arg] # options
    mark = uuid.uuid4().hex[:8]
    board = f"Integrations {mark}"
    with site.inside():
        make_board(board)
        company = make_company(f"Tidewater {mark}", domain=f"tidewater-{mark}.example")
        helper_email = f"helper-{mark}@mail.example"
        helper_id = make_member(
            "Tomasz Wiśniewski",
            status=Status.CUSTOMER,
            company_id=company,
            email=helper_email,
            username=f"tomasz-{mark}",
        )
    way_name = "-".join(map(str, way)) or "mouse"

    # Ines joins with her company's address and is a customer at once.
    ines = somebody(**way).joins("Ines Okafor", f"ines-{mark}@tidewater-{mark}.example")
    ines.looks(f"joined-{way_name}")
    ines.presses("Save and go on")

    # She asks.
    title = f"How do you keep one slow partner from delaying all others, {mark}?"
    ines.asks(board, title, "Since the upgrade one partner that times out delays every other partner.")
    thread = ines.address
    ines.looks(f"asked-{way_name}")

    # Tomasz finds it on the board and answers.
    tomasz = signed_in(somebody, site, helper_id, **way)
    tomasz.opens("/").follows(re.compile(board)).follows(re.compile(re.escape(title)))
    tomasz.replies("A lane for each partner, two workers at most, and a breaker behind it.")
    expect(tomasz.post(2)).to_contain_text("A lane for each partner")

    # She is told by mail and in the site, and the notice leads to the answer.
    mail = ines.post_office.wait_for(ines.email, "How do you keep one slow partner")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    ines.opens("/notifications").looks(f"notices-{way_name}")
    ines.follows(re.compile("Tomasz Wiśniewski answered your question"))
    expect(ines.page).to_have_url(re.compile(re.escape(thread.split("?")[0].split("#")[0])))
    expect(ines.post(2)).to_be_in_viewport()

    # She accepts it, and it stands under the question.
    ines.presses(re.compile("Accept as the answer")).sees(re.compile("Take the acceptance back"))
    ines.opens(thread).sees(re.compile("Accepted"))
    ines.looks(f"accepted-{way_name}")

    # He is told, and a visitor sees the accepted answer.
    mail = tomasz.post_office.wait_for(helper_email, "")
    assert "accepted" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has a plain part
    tomasz.opens("/notifications").sees(re.compile("Your answer was accepted"))
    visitor = somebody(**way).opens(thread)
    visitor.sees_heading(title).sees(re.compile("Accepted")).looks(f"thread-visitor-{way_name}")
    assert visitor.context.cookies() == [], "a visitor who reads gets no cookie"
