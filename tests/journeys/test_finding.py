"""From a few words to the very post, far down a long thread; and what is found depends on who looks."""

import re
import time
import uuid

import pytest
from playwright.sync_api import expect

from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.search import services as search
from tests.conftest import make_board, make_customer, make_member, make_prospect, viewer_of
from tests.journeys.people import Opener, signed_in
from tests.support.site import Site

POSTS = 60


def wait_for_the_index(seconds: float = 30) -> None:
    """Until nothing is queued; the worker of the site does the work, or this process where it is idle."""
    end = time.monotonic() + seconds
    while search.waiting():
        assert time.monotonic() < end, "the index does not catch up"
        search.drain()
        db.session.rollback()
        time.sleep(0.1)


@pytest.mark.parametrize(
    "way", [{}, {"keyboard": True}, {"script": False}], ids=["mouse", "keyboard", "no script"]
)
def test_from_a_search_to_a_post_in_a_long_thread(site: Site, somebody: Opener, way: dict):  # type: ignore[type-arg] # options
    mark = uuid.uuid4().hex[:10]
    with site.inside():
        asker = viewer_of(make_customer("Ines Okafor"))
        helper = viewer_of(make_customer("Tomasz Wiśniewski"))
        thread = open_thread(
            asker,
            make_board("Long threads"),
            kind=ThreadKind.DISCUSSION,
            title="What do you watch at night?",
            body="Tell.",
        )
        for number in range(2, POSTS + 1):
            extra = f"The counter is called q{mark}." if number == 47 else ""
            post_reply(helper if number % 2 else asker, thread.id, f"Thing number {number} to watch. {extra}")
        wait_for_the_index()

    visitor = somebody(**way).opens("/")
    box = visitor.page.get_by_role("searchbox").first
    if visitor.uses_keyboard:
        visitor._move_to(box)
        visitor.page.keyboard.type(f"q{mark}")
        visitor.page.keyboard.press("Enter")
    else:
        box.fill(f"q{mark}")
        box.press("Enter")
    expect(visitor.page).to_have_url(re.compile("/search"))
    visitor.sees(re.compile("1 thread")).follows(re.compile("What do you watch at night"))
    expect(visitor.page).to_have_url(re.compile(r"#p47$"))
    expect(visitor.post(47)).to_be_in_viewport()
    expect(visitor.post(47)).to_contain_text(f"q{mark}")
    assert visitor.context.cookies() == []


def test_who_finds_what(site: Site, somebody: Opener):
    mark = uuid.uuid4().hex[:10]
    with site.inside():
        staff = viewer_of(make_member(status=Status.VENDOR))
        for audience in Audience:
            open_thread(
                staff,
                make_board(f"For {audience}", audience=audience),
                kind=ThreadKind.DISCUSSION,
                title=f"A thread for {audience}",
                body=f"It says z{mark} and nothing more.",
            )
        wait_for_the_index()
        prospect, customer = make_prospect(), make_customer()

    expected = {
        "visitor": (somebody(), ["public"]),
        "prospect": (signed_in(somebody, site, prospect), ["public", "prospects"]),
        "customer": (signed_in(somebody, site, customer), ["public", "prospects", "customers"]),
        "staff": (signed_in(somebody, site, staff.member_id or 0), [str(audience) for audience in Audience]),
    }
    for who, (person, audiences) in expected.items():
        person.opens(f"/search?q=z{mark}")
        titles = person.page.get_by_role("main").get_by_role("link", name=re.compile("A thread for"))
        assert sorted(titles.all_inner_texts()) == sorted(f"A thread for {one}" for one in audiences), who
        person.sees(re.compile(rf"^{len(audiences)} threads?$"))
