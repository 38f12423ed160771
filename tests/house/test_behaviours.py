"""What the modules in static/js do, in a real browser, each on the gallery's pages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.house import gallery
from tests.support.browser import PHONE, assert_accessible

pytestmark = pytest.mark.browser


@pytest.fixture
def context(open_context: Callable[..., BrowserContext]) -> BrowserContext:
    gallery.drafts.clear()
    gallery.sent.clear()
    return open_context()


@pytest.fixture
def thread(context: BrowserContext, gallery_url: str) -> Page:
    """A thread as a member reads it, its modules started."""
    return open_thread(context, gallery_url)


def open_thread(context: BrowserContext, gallery_url: str, place: str = "thread-1") -> Page:
    page = context.new_page()
    page.goto(f"{gallery_url}/thread?as=member&place={place}")
    expect(page.get_by_role("button", name="Bold")).to_be_visible()
    return page


def text_of(page: Page):
    return page.get_by_label("Your answer, in Markdown")


def test_a_menu_closes_on_escape_outside_and_when_another_opens(thread: Page):
    flag = thread.locator("summary", has_text="Flag")
    more = thread.locator("summary", has_text="More")
    send = thread.get_by_role("button", name="Send to the moderators")
    flag.first.click()
    expect(send.first).to_be_visible()
    thread.keyboard.press("Escape")
    expect(send.first).to_be_hidden()
    expect(flag.first).to_be_focused()
    flag.first.click()
    more.first.click()
    expect(send.first).to_be_hidden()
    thread.get_by_role("heading", level=1).click()
    assert thread.locator("details[data-menu][open]").count() == 0


def test_a_menu_stays_on_a_phone_screen(open_context: Callable[..., BrowserContext], gallery_url: str):
    page = open_context(viewport=PHONE).new_page()
    page.goto(f"{gallery_url}/thread?as=member")
    for summary in page.locator("details[data-menu] > summary").all():
        summary.click()
        box = page.locator("details[data-menu][open] > .menu__panel").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"] + 1


def test_helpful_is_switched_without_leaving_and_everywhere_at_once(thread: Page):
    button = thread.locator("#p1").get_by_role("button", name="Helpful")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_contain_text("Helpful to you")
    expect(button).to_contain_text("10")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_contain_text("9")


def test_the_preview_follows_and_takes_no_focus(thread: Page):
    text_of(thread).fill("Lanes <script>alert(1)</script>")
    preview = thread.locator("[data-preview-text]")
    expect(preview).to_have_text("Lanes <script>alert(1)</script>")
    expect(text_of(thread)).to_be_focused()
    text_of(thread).fill("refuse")
    expect(preview).to_have_text("Too many brackets.")
    text_of(thread).fill("")
    expect(thread.locator("[data-preview]")).to_be_hidden()


def test_a_draft_is_saved_and_can_be_discarded(thread: Page):
    text_of(thread).fill("Two lanes.")
    saved = thread.locator("[data-saved]")
    expect(saved).to_have_text("Saved 13:04", timeout=5000)  # 12:04 UTC, read in Warsaw
    assert gallery.drafts["thread-1"] == (1, "Two lanes.")
    text_of(thread).fill("Three lanes.")
    thread.wait_for_timeout(2500)
    assert gallery.drafts["thread-1"] == (2, "Three lanes.")
    thread.get_by_role("button", name="Discard").click()
    expect(text_of(thread)).to_have_value("")
    expect(saved).to_have_text("Discarded.")
    assert gallery.drafts == {}


def test_a_draft_of_another_window_is_not_overwritten_unasked(thread: Page):
    gallery.drafts["thread-1"] = (5, "From the phone.")
    text_of(thread).fill("From the desk.")
    keep = thread.get_by_role("button", name="Keep the text of this one")
    expect(keep).to_be_visible(timeout=5000)
    assert gallery.drafts["thread-1"] == (5, "From the phone.")
    keep.click()
    expect(thread.locator("[data-saved]")).to_have_text("Saved 13:04")
    assert gallery.drafts["thread-1"] == (6, "From the desk.")


def test_signed_out_the_text_stays_in_the_browser_and_comes_back(context: BrowserContext, gallery_url: str):
    page = open_thread(context, gallery_url, "signed-out")
    text_of(page).fill("Long and dear.")
    expect(page.locator("[data-saved]")).to_have_text(
        "You are signed out. Your text is kept in this browser.", timeout=5000
    )
    page.goto(f"{gallery_url}/lists?as=member")
    page = open_thread(context, gallery_url, "signed-out")
    expect(text_of(page)).to_have_value("")
    page.get_by_role("button", name="Bring it back").click()
    expect(text_of(page)).to_have_value("Long and dear.")


def test_off_line_the_text_stays_in_the_browser(context: BrowserContext, gallery_url: str):
    page = open_thread(context, gallery_url)
    context.set_offline(True)
    text_of(page).fill("From a train.")
    expect(page.locator("[data-saved]")).to_have_text(
        "No connection. Your text is kept in this browser.", timeout=5000
    )
    context.set_offline(False)
    page.keyboard.press("Control+b")
    expect(page.locator("[data-saved]")).to_have_text("Saved 13:04", timeout=5000)


def test_what_was_sent_is_not_offered_again(context: BrowserContext, gallery_url: str):
    page = open_thread(context, gallery_url)
    text_of(page).fill("Sent once.")
    page.get_by_role("button", name="Post your answer").click()
    page.wait_for_url("**/gallery/states")
    assert gallery.sent == ["Sent once."]
    page.goto(f"{gallery_url}/thread?as=member")
    expect(page.locator("[data-saved]")).to_have_text("Markdown works here.")


def test_pressed_twice_it_is_sent_once(thread: Page):
    text_of(thread).fill("Once.")
    thread.route("**/gallery/slow", lambda route: (thread.wait_for_timeout(300), route.continue_()))
    thread.evaluate(
        "() => { const button = document.querySelector('.composer__foot .btn-primary');"
        " button.click(); button.click(); button.click(); }"
    )
    thread.wait_for_url("**/gallery/states")
    assert gallery.sent == ["Once."]


def test_control_and_enter_sends(thread: Page):
    text_of(thread).fill("By keyboard.")
    thread.keyboard.press("Control+Enter")
    thread.wait_for_url("**/gallery/states")
    assert gallery.sent == ["By keyboard."]


def test_people_are_completed_from_the_keyboard(thread: Page):
    text_of(thread).press_sequentially("Thanks @tom")
    option = thread.get_by_role("option")
    expect(option).to_have_count(1)
    expect(option).to_contain_text("Tomasz Wiśniewski")
    expect(text_of(thread)).to_have_attribute("aria-activedescendant", option.get_attribute("id") or "none")
    assert_accessible(thread)
    thread.keyboard.press("Enter")
    expect(text_of(thread)).to_have_value("Thanks @tomasz ")
    expect(option).to_have_count(0)
    text_of(thread).press_sequentially("and @")
    thread.keyboard.press("Escape")
    text_of(thread).press_sequentially("nobody@mail.example")
    expect(option).to_have_count(0)


def test_the_toolbar_marks_what_is_chosen(thread: Page):
    text_of(thread).fill("one two")
    text_of(thread).evaluate("text => text.setSelectionRange(4, 7)")
    thread.get_by_role("button", name="Bold").click()
    expect(text_of(thread)).to_have_value("one **two**")
    thread.keyboard.press("Control+z")
    expect(text_of(thread)).to_have_value("one two")
    thread.get_by_role("button", name="List").click()
    expect(text_of(thread)).to_have_value("- one two")
    bold = thread.get_by_role("button", name="Bold")
    bold.focus()
    thread.keyboard.press("ArrowRight")
    expect(thread.get_by_role("button", name="Italic")).to_be_focused()


def test_a_picture_is_put_into_the_text(thread: Page):
    with thread.expect_file_chooser() as chooser:
        thread.get_by_role("button", name="Picture").click()
    chooser.value.set_files({"name": "lanes.png", "mimeType": "image/png", "buffer": b"\x89PNG"})
    expect(text_of(thread)).to_have_value("![lanes.png](/uploads/1.png)")
    expect(thread.locator("[data-saved]")).to_have_text("lanes.png is in the text")


def test_similar_threads_come_while_the_title_is_typed(context: BrowserContext, gallery_url: str):
    page = context.new_page()
    page.goto(f"{gallery_url}/forms?as=member")
    page.get_by_label("Title").fill("SFTP target")
    expect(page.get_by_role("link", name="SFTP target and lanes")).to_be_visible()
    page.get_by_label("Title").fill("")
    expect(page.get_by_role("link", name="SFTP target and lanes")).to_have_count(0)


def test_after_a_failed_send_the_summary_has_the_focus_and_leads_to_the_field(
    context: BrowserContext, gallery_url: str
):
    page = context.new_page()
    page.goto(f"{gallery_url}/forms?as=member")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Say what it is about, in one line.").click()
    expect(page.get_by_label("Title")).to_be_focused()
    page.get_by_role("link", name="Choose one of the three.").click()
    expect(page.get_by_label("A question")).to_be_focused()


def test_rows_are_walked_by_keys_that_can_be_switched_off(context: BrowserContext, gallery_url: str):
    page = context.new_page()
    page.goto(f"{gallery_url}/lists?as=member")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Flow keeps retrying").first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator('[data-row][aria-current="true"]')).to_have_count(1)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jk")
    expect(page.get_by_role("searchbox")).to_have_value("jk")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Letters work as keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.keyboard.press("?")
    page.get_by_label("Letters work as keys").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/gallery/thread")


def test_what_destroys_is_asked_for_first(thread: Page):
    more = thread.locator("#p1 summary", has_text="More")
    more.click()
    thread.locator("#p1").get_by_role("button", name="Delete").click()
    dialog = thread.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete this post?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert_accessible(thread)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert "/gallery/thread" in thread.url


def test_times_kept_for_all_are_shown_in_the_zone_of_the_reader(thread: Page):
    element = thread.locator("#p3 .post__place time")
    expect(element).not_to_contain_text("UTC")
    machine = element.get_attribute("datetime") or ""
    shown = thread.evaluate(
        "moment => new Intl.DateTimeFormat('en-GB', {timeZone: 'Europe/Warsaw', hour: '2-digit',"
        " minute: '2-digit', hourCycle: 'h23'}).format(new Date(moment))",
        machine,
    )
    expect(element).to_contain_text(shown)
