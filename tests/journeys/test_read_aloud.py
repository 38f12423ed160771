"""What somebody hears who does not see the page, and reaches with the keys alone."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.conftest import Place
from tests.journeys.people import Opener, Person, signed_in
from tests.support.site import Site

pytestmark = pytest.mark.long

# The nearest part of the page whose changes are read out, "" where there is none.
LIVE = """element => {
  const live = element.closest('[aria-live], [role=status], [role=alert], [role=log]');
  const byRole = { status: 'polite', log: 'polite', alert: 'assertive' };
  return live ? live.getAttribute('aria-live') ?? byRole[live.role] : '';
}"""
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(h => h.checkVisibility())"


def levels(person: Person) -> list[int]:
    """The levels of the headings in their order."""
    return list(person.page.evaluate(f"{HEADINGS}.map(h => Number(h.tagName[1]))"))


def composer(person: Person) -> Locator:
    return person.page.get_by_role("region", name=re.compile("Your (answer|reply)"))


def test_a_thread_can_be_walked_by_its_headings(site: Site, somebody: Opener, place: Place):
    for person in (somebody(), signed_in(somebody, site, place.asker_id)):
        person.opens(place.thread)
        found = levels(person)
        assert found.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(found)), found
        posts = person.page.get_by_role("main").get_by_role("article")
        expect(posts).to_have_count(2)
        for number, author in ((1, "Ines Okafor"), (2, "Tomasz Nowak")):
            name = re.compile(f"^{author} ?, #{number}$")
            expect(person.post(number)).to_have_accessible_name(name)
            expect(person.post(number).get_by_role("heading").first).to_have_accessible_name(name)


def test_the_keys_lead_past_the_menus_and_back_out_of_one(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id, keyboard=True).opens(place.thread)
    ines.page.keyboard.press("Tab")
    skip = ines.page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    ines.page.keyboard.press("Enter")
    ines.page.keyboard.press("Tab")
    in_content = "document.getElementById('content').contains(document.activeElement)"
    assert ines.page.evaluate(in_content), "the next stop is in the content"

    ines.opens(place.thread)
    menu = ines.page.locator("summary").filter(has_text="your menu")
    ines._move_to(menu)
    ines.page.keyboard.press("Enter")
    expect(ines.page.get_by_role("link", name="Your page")).to_be_visible()
    ines.page.keyboard.press("Escape")
    expect(ines.page.get_by_role("link", name="Your page")).to_be_hidden()
    expect(menu).to_be_focused()


def test_what_was_pressed_says_so_and_keeps_the_focus(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id, keyboard=True).opens(place.thread)
    helpful = ines.post(2).get_by_role("button", name=re.compile(r"^Helpful.* #2"))
    expect(helpful).to_have_attribute("aria-pressed", "false")
    ines._move_to(helpful)
    ines.page.keyboard.press("Enter")
    expect(helpful).to_have_attribute("aria-pressed", "true")
    expect(helpful).to_be_focused()
    ines.page.reload()
    expect(helpful).to_have_attribute("aria-pressed", "true")


def test_a_refused_form_says_what_is_wrong_at_once_and_beside_the_field(
    site: Site, somebody: Opener, place: Place
):
    tomasz = signed_in(somebody, site, place.helper_id, keyboard=True)
    tomasz.opens(f"/threads/new?board=board-{place.mark}").ticks("Question").presses("Post it")
    summary = tomasz.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(tomasz.page).to_have_title(re.compile("^Error:"))
    first = summary.get_by_role("link").first
    title = tomasz.page.get_by_label("Title", exact=True)
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(title).to_have_accessible_description(re.compile(f"Error: {re.escape(first.inner_text())}"))
    tomasz.page.keyboard.press("Tab")
    expect(first).to_be_focused()
    tomasz.page.keyboard.press("Enter")
    expect(title).to_be_focused()


def test_what_it_will_look_like_does_not_disturb_the_writing(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id, keyboard=True).opens(place.thread)
    region = composer(ines)
    text = region.get_by_role("textbox")
    ines._move_to(text)
    ines.page.keyboard.type("Since **7.4.2** it is calm.")
    preview = region.get_by_role("region", name="What it will look like")
    expect(preview.locator("strong")).to_have_text("7.4.2")
    expect(text).to_be_focused()
    assert preview.evaluate(LIVE) == "", "a preview is looked up, not read out"
    saved = region.get_by_role("status").filter(has_text="Saved")
    expect(saved).to_be_visible()
    assert saved.evaluate(LIVE) == "polite"
    expect(text).to_have_accessible_description(re.compile("Saved"))
    ines.page.keyboard.type(" Thank you.")
    expect(text).to_have_value("Since **7.4.2** it is calm. Thank you.")


def test_names_are_offered_as_a_list_that_the_text_steers(site: Site, somebody: Opener, place: Place):
    """A text area may not be a combobox by ARIA in HTML; it behaves as one with a list box."""
    ines = signed_in(somebody, site, place.asker_id, keyboard=True).opens(place.thread)
    text = composer(ines).get_by_role("textbox")
    expect(text).to_have_attribute("aria-autocomplete", "list")
    ines._move_to(text)
    ines.page.keyboard.type(f"Thanks @tomasz-{place.mark[:6]}")
    people = ines.page.get_by_role("listbox", name="People")
    option = people.get_by_role("option", selected=True)
    expect(option).to_have_accessible_name(re.compile("Tomasz Nowak"))
    for names, part in (("aria-controls", people), ("aria-activedescendant", option)):
        part_id = part.get_attribute("id")
        assert part_id
        expect(text).to_have_attribute(names, part_id)
    expect(text).to_be_focused()
    told = composer(ines).get_by_role("status").filter(has_text=re.compile("arrow keys"))
    assert told.evaluate(LIVE) == "polite"
    ines.page.keyboard.press("Escape")
    expect(people).to_be_hidden()
    expect(text).not_to_have_attribute("aria-activedescendant", re.compile("."))
    ines.page.keyboard.type(place.mark[6:7])
    expect(people).to_be_visible()
    ines.page.keyboard.press("Tab")
    expect(text).to_have_value(f"Thanks @tomasz-{place.mark} ")
    expect(text).to_be_focused()
