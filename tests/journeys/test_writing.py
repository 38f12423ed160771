"""At the composer: what it will look like, drafts that stay, quotations, names, pictures, two at one post."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Route, expect

from tests.journeys.conftest import Place
from tests.journeys.people import Opener, Person, signed_in
from tests.support.site import Site


def composer(person: Person) -> Locator:
    return person.page.get_by_role("region", name=re.compile("Your (answer|reply)"))


def saved(region: Locator) -> Locator:
    """Where the composer says what it kept."""
    return region.get_by_role("status").last


@pytest.mark.long
def test_a_text_shows_itself_and_is_there_again(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    text = composer(ines).get_by_role("textbox")
    text.fill("Since **7.4.2** it is `calm`.")
    expect(
        composer(ines).get_by_role("region", name="What it will look like").locator("strong")
    ).to_have_text("7.4.2")
    expect(saved(composer(ines))).to_contain_text("Saved")
    ines.looks("composer-with-preview")
    ines.page.reload()
    expect(text).to_have_value("Since **7.4.2** it is `calm`.")
    ines.opens("/me/drafts").looks("drafts").follows("Go on writing")
    expect(composer(ines).get_by_role("textbox")).to_have_value("Since **7.4.2** it is `calm`.")
    composer(ines).get_by_role("button", name="Post your reply").click()
    expect(ines.post(3)).to_contain_text("Since 7.4.2 it is calm.")
    expect(composer(ines).get_by_role("textbox")).to_have_value("")
    ines.opens("/me/drafts").sees("No draft is waiting")


def test_an_older_window_asks_before_it_overwrites(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    other = ines.context.new_page()
    other.goto(site.url + place.thread)
    composer(ines).get_by_role("textbox").fill("From the first window")
    expect(saved(composer(ines))).to_contain_text("Saved")
    region = other.get_by_role("region", name=re.compile("Your reply"))
    region.get_by_role("textbox").fill("From the second window")
    expect(saved(region)).to_contain_text("Another window saved this draft since")
    region.get_by_role("button", name="Keep the text of this one").click()
    expect(saved(region)).to_contain_text("Saved")
    ines.page.reload()
    expect(composer(ines).get_by_role("textbox")).to_have_value("From the second window")


def test_quoting_puts_the_words_into_the_open_composer(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    composer(ines).get_by_role("textbox").fill("As you said:")
    ines.post(2).get_by_role("link", name=re.compile("Quote")).click()
    expect(composer(ines).get_by_role("textbox")).to_have_value(
        re.compile("As you said:\n\n> .*\n> Use a lane")
    )
    assert ines.address.split("#")[0] == place.thread


def test_a_name_is_completed_with_the_keyboard(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    text = composer(ines).get_by_role("textbox")
    text.focus()
    ines.page.keyboard.type(f"Thanks @tomasz-{place.mark[:6]}")
    expect(ines.page.get_by_role("option", name=re.compile("Tomasz Nowak"))).to_be_visible()
    ines.page.keyboard.press("Enter")
    expect(text).to_have_value(f"Thanks @tomasz-{place.mark} ")


def test_who_types_before_the_scripts_are_there_loses_nothing_of_it(
    site: Site, somebody: Opener, place: Place
):
    ines = signed_in(somebody, site, place.asker_id)
    held: list[Route] = []
    ines.page.route(re.compile(r"/composer[^/]*\.js"), lambda route: held.append(route))
    text = composer(ines.opens(place.thread)).get_by_role("textbox")
    text.focus()
    ines.page.keyboard.type(f"Thanks @tomasz-{place.mark[:6]}")
    held[0].continue_()
    expect(ines.page.get_by_role("option", name=re.compile("Tomasz Nowak"))).to_be_visible()
    expect(saved(composer(ines))).to_contain_text("Saved")
    ines.page.keyboard.press("Enter")
    expect(text).to_have_value(f"Thanks @tomasz-{place.mark} ")


def test_a_picture_is_put_into_the_text(site: Site, somebody: Opener, place: Place):
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "PNG")
    picture: FilePayload = {"name": "lanes.png", "mimeType": "image/png", "buffer": out.getvalue()}
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    with ines.page.expect_file_chooser() as chooser:
        composer(ines).get_by_role("button", name="Picture").click()
    chooser.value.set_files(picture)
    text = composer(ines).get_by_role("textbox")
    expect(text).to_have_value(re.compile(r"!\[lanes\]\(/uploads/[\w-]+\.webp\)"))
    shown = composer(ines).get_by_role("img", name="lanes")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.complete && image.naturalWidth") == 60


BRING = """([bytes, how]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], 'lanes.png', { type: 'image/png' }));
  const text = document.activeElement;
  const dispatch = (event) => { text.dispatchEvent(event); return event.defaultPrevented; };
  if (how === 'paste') {
    return dispatch(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }
  const options = { dataTransfer: data, bubbles: true, cancelable: true };
  return dispatch(new DragEvent('dragover', options)) && dispatch(new DragEvent('drop', options));
}"""


@pytest.mark.parametrize("how", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped_where_one_writes(
    site: Site, somebody: Opener, place: Place, how: str
):
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "PNG")
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    text = composer(ines).get_by_role("textbox")
    text.fill("Before and after")
    for _letter in " and after":
        text.press("ArrowLeft")
    taken = ines.page.evaluate(BRING, [list(out.getvalue()), how])
    assert taken, "the browser does nothing of its own with it: it would leave the page for the picture"
    expect(text).to_have_value(re.compile(r"^Before\s*!\[lanes\]\(/uploads/[\w-]+\.webp\)\s*and after$"))
    expect(saved(composer(ines))).to_contain_text(re.compile("lanes.png is in the text|Saved"))
    shown = composer(ines).get_by_role("img", name="lanes")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.complete && image.naturalWidth") == 60


def test_pasted_words_are_left_to_the_browser(site: Site, somebody: Opener, place: Place):
    ines = signed_in(somebody, site, place.asker_id).opens(place.thread)
    composer(ines).get_by_role("textbox").focus()
    taken = ines.page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData('text/plain', 'words');
          const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
          document.activeElement.dispatchEvent(paste);
          return paste.defaultPrevented;
        }"""
    )
    assert not taken


def test_a_thread_that_was_asked_is_shown_while_one_types(site: Site, somebody: Opener, place: Place):
    tomasz = signed_in(somebody, site, place.helper_id).opens(f"/threads/new?board=board-{place.mark}")
    tomasz.writes(f"How can I isolate a slow partner {place.mark}", "Title")
    expect(tomasz.page.get_by_role("link", name=re.compile(re.escape(place.title)))).to_be_visible()
    tomasz.looks("similar-threads").ticks("War story").sees("What it cost")
    tomasz.presses("Post it")
    summary = tomasz.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("“What happened” is empty.")
    tomasz.looks("war-story-refused")
    summary.get_by_role("link", name=re.compile("What it cost")).click()
    expect(tomasz.page.get_by_label("What it cost")).to_be_focused()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_two_at_one_post_lose_nothing(site: Site, somebody: Opener, place: Place, script: bool):
    tomasz = signed_in(somebody, site, place.helper_id, script=script)
    tomasz.opens(f"/posts/{place.answer_id}/edit")
    meanwhile = signed_in(somebody, site, place.helper_id, script=script).opens(
        f"/posts/{place.answer_id}/edit"
    )
    meanwhile.writes("Use a lane for each partner, and a breaker.", "Text").presses("Save the new text")
    tomasz.writes("Use two lanes for each partner.", "Text").presses("Save the new text")
    tomasz.sees_heading("This post was changed while you were writing")
    tomasz.looks("conflict").presses("Edit both into one")
    expect(tomasz.page.get_by_label("Text", exact=True)).to_have_value(
        "Use a lane for each partner, and a breaker.\nUse two lanes for each partner."
    )
    tomasz.presses("Save the new text")
    expect(tomasz.post(2)).to_contain_text("Use two lanes")
    expect(tomasz.post(2)).to_contain_text("and a breaker")
