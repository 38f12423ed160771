"""People at their browsers: what they do in the words of the pages, and what they then see.

Everything is found by role and name, as a screen reader finds it; nothing by class.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Frame, Locator, Page, Request, expect

from tests.support.browser import take_screenshot, violations
from tests.support.mail_server import MailServer, links_in
from tests.support.site import Site

PASSWORD = "a long enough pass phrase"


@dataclass
class Person:
    """Somebody at a browser of their own."""

    site: Site
    post_office: MailServer
    context: BrowserContext
    page: Page
    name: str = "a visitor"
    email: str = ""
    uses_keyboard: bool = False
    runs_scripts: bool = True
    findings: list[str] = field(default_factory=list)

    # --- Moving about ---

    def opens(self, path: str) -> "Person":
        """Go to an address of the site, or to a full one from a mail."""
        self.page.goto(path if path.startswith("http") else self.site.url + path)
        return self

    def follows(self, name: str | re.Pattern[str], within: Locator | None = None) -> "Person":
        """Follow the link of this name."""
        self._use((within or self.page).get_by_role("link", name=name).first)
        return self

    def presses(self, name: str | re.Pattern[str], within: Locator | None = None) -> "Person":
        """Press the button of this name."""
        self._use((within or self.page).get_by_role("button", name=name).first)
        return self

    def unfolds(self, within: Locator) -> "Person":
        """Open the menu in there."""
        self._use(within.locator("summary").first)
        return self

    def writes(self, text: str, into: str | re.Pattern[str]) -> "Person":
        """Write into the field with this label."""
        control = self._field(into)
        if self.uses_keyboard:
            self._move_to(control)
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.type(text)
        else:
            control.fill(text)
        return self

    def chooses(self, option: str, of: str | re.Pattern[str]) -> "Person":
        """Choose an option of the select with this label."""
        control = self._field(of)
        if self.uses_keyboard:
            self._move_to(control)
            self.page.keyboard.type(option)
        else:
            control.select_option(label=option)
        return self

    def ticks(self, label: str | re.Pattern[str]) -> "Person":
        """Choose the radio button or check box with this label."""
        control = self._field(label)
        if self.uses_keyboard:
            group = control.get_attribute("type") == "radio"
            self._move_to(control, within_group=group)
            if not control.is_checked():
                self.page.keyboard.press("Space")
        else:
            control.check()
        expect(control).to_be_checked()
        return self

    def _field(self, label: str | re.Pattern[str]) -> Locator:
        controls = "input:not([type=hidden]), textarea, select"
        return self.page.get_by_role("main").get_by_label(label).and_(self.page.locator(controls)).first

    def _use(self, control: Locator) -> None:
        expect(control).to_be_visible()
        if self.uses_keyboard:
            self._move_to(control)
        with self._arrives():
            if self.uses_keyboard:
                self.page.keyboard.press("Enter")
            else:
                control.click()

    @contextmanager
    def _arrives(self) -> Iterator[None]:
        """Whatever page this leads to is there at the end; the browser sets out a moment after the key."""
        set_out: list[Request] = []
        arrived: list[Frame] = []

        def note_request(request: Request) -> None:
            if request.is_navigation_request() and request.frame == self.page.main_frame:
                set_out.append(request)

        def note_arrival(frame: Frame) -> None:
            arrived.append(frame)

        self.page.on("request", note_request)
        self.page.on("framenavigated", note_arrival)
        try:
            yield
            for _ in range(SETS_OUT_WITHIN_MS // 20):
                if set_out:
                    break
                self.page.wait_for_timeout(20)
            for _ in range(ARRIVES_WITHIN_MS // 20):
                if not set_out or set_out[-1].failure or self.page.main_frame in arrived:
                    break
                self.page.wait_for_timeout(20)
            self.page.wait_for_load_state()
        finally:
            self.page.remove_listener("request", note_request)
            self.page.remove_listener("framenavigated", note_arrival)

    def _move_to(self, control: Locator, *, within_group: bool = False) -> None:
        """Press Tab until the control has the focus, and see that one sees it."""
        handle = control.element_handle()
        assert handle is not None
        for _ in range(250):
            if self.page.evaluate("wanted => document.activeElement === wanted", handle):
                assert self.page.evaluate(FOCUS_IS_SEEN, handle), f"the focus cannot be seen on {control}"
                return
            if within_group and self.page.evaluate(SAME_GROUP, handle):
                self.page.keyboard.press("ArrowDown")
            else:
                self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {control}")

    # --- Looking ---

    def sees(self, text: str | re.Pattern[str]) -> "Person":
        """This text is somewhere in the content."""
        expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible()
        return self

    def sees_heading(self, name: str | re.Pattern[str]) -> "Person":
        expect(self.page.get_by_role("heading", name=name).first).to_be_visible()
        return self

    def does_not_see(self, text: str | re.Pattern[str]) -> "Person":
        expect(self.page.get_by_text(text)).to_have_count(0)
        return self

    def looks(self, name: str) -> "Person":
        """Have axe look at the page in both schemes; what it finds fails the test at its end.

        A picture is kept where SCREENSHOTS says so.
        """
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            if self.runs_scripts and (found := violations(self.page)):
                self.findings.append(f"{name}, {scheme}: {found}")
            take_screenshot(self.page, f"{name}-{scheme}")
        self.page.emulate_media(color_scheme="light")
        return self

    @property
    def address(self) -> str:
        """The path of the page, with what follows it."""
        return self.page.url.removeprefix(self.site.url)

    def post(self, number: int) -> Locator:
        """The article of a post by its number."""
        return self.page.get_by_role("article", name=re.compile(rf"#{number}$"))

    # --- Complete acts ---

    def joins(self, name: str, email: str) -> "Person":
        """Fill in the form and confirm by the mail that was sent."""
        self.name, self.email = name, email
        self.opens("/join").writes(name, "Name").writes(email, re.compile("address|mail", re.I))
        self.writes(PASSWORD, "Password").presses(re.compile("Send me the link"))
        self.sees(email)
        mail = self.post_office.wait_for(email)
        link = next(link for link in links_in(mail) if "/join/confirm/" in link)
        return self.opens(link).presses("Confirm and join")

    def signs_in(self, email: str, password: str = PASSWORD) -> "Person":
        self.email = email
        self.opens("/login").writes(email, re.compile("address|mail", re.I)).writes(password, "Password")
        self.presses("Sign in", self.page.get_by_role("main"))
        assert "/login" not in self.address, self.page.get_by_role("main").inner_text()
        return self

    def asks(self, board: str, title: str, text: str) -> "Person":
        """Start a question on a board; ends on its thread."""
        self.opens("/threads/new").chooses(board, "Board").ticks("Question")
        self.writes(title, "Title").writes(text, "Text")
        self.presses("Post it")
        if self.page.get_by_role("button", name="Post it anyway").count():
            self.presses("Post it anyway")
        return self.sees_heading(title)

    def replies(self, text: str) -> "Person":
        """Write into the composer at the end of the thread and send it."""
        composer = self.page.get_by_role("region", name=re.compile("answer|reply", re.I)).last
        control = composer.get_by_role("textbox")
        if self.uses_keyboard:
            self._move_to(control)
            self.page.keyboard.type(text)
        else:
            control.fill(text)
        return self.presses(re.compile("answer|reply|Post", re.I), composer).sees(text)


SETS_OUT_WITHIN_MS = 200
ARRIVES_WITHIN_MS = 10_000

# An outline or shadow that is drawn round what has the focus.
FOCUS_IS_SEEN = """control => {
  const style = getComputedStyle(control);
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return outlined || style.boxShadow !== 'none' || control.matches(':focus-within');
}"""
SAME_GROUP = """wanted => {
  const now = document.activeElement;
  return now && now.type === 'radio' && now.name === wanted.name;
}"""

Opener = Callable[..., Person]


def signed_in(opener: Opener, site: Site, member_id: int, **options: Any) -> Person:
    """That member, already signed in."""
    person = opener(**options)
    name, value = site.session_cookie(member_id)
    person.context.add_cookies([{"name": name, "value": value, "url": site.url}])
    return person
