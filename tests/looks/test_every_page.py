"""Every page of the site, as each role sees it: accessible in both schemes, no wider than a phone.

`pages.py` lists them. SCREENSHOTS=folder keeps a picture of each.
"""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, expect
from playwright.sync_api import Page as Tab

from portal.kernel.db import Base, db
from tests.looks import scene
from tests.looks.judge import WIDER, Judge
from tests.looks.pages import DEMO, FRESH, Page
from tests.support.browser import DESKTOP, take_screenshot
from tests.support.demo import demo_site
from tests.support.site import Site

judge = Judge()

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]

ROLES = sorted({role for page in DEMO for role in page.who})


@dataclass(frozen=True)
class Place:
    """A served site, what fills the addresses of its pages, and who can look at them."""

    site: Site
    names: dict[str, str]
    who: dict[str, int]

    def open_as(self, role: str, context: BrowserContext) -> Tab:
        judge.prepare(context)
        if role != "visitor":
            name, value = self.site.session_cookie(self.who[role])
            context.add_cookies([{"name": name, "value": value, "url": self.site.url}])
        return context.new_page()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site = demo_site(tmp_path_factory, "looks")
    names, who = scene.furnish(site)
    site.start(seconds=180)
    yield Place(site, names, who)
    site.stop()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site = Site(tmp_path_factory.mktemp("fresh") / "instance")
    with site.inside():
        Base.metadata.create_all(db.engine)
    names, who = scene.first_day(site)
    site.start(seconds=180)
    yield Place(site, names, who)
    site.stop()


def look_at(place: Place, pages: tuple[Page, ...], role: str, tab: Tab) -> list[str]:
    problems: list[str] = []
    for page in pages:
        if role not in page.who:
            continue
        answer = tab.goto(place.site.url + page.path.format(**place.names))
        assert answer is not None
        if answer.status != page.status:
            problems.append(f"{page.label}: {answer.status}")
            continue
        problems += judge.look(tab, f"{page.label}-{role}")
    return problems


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_accessible_and_fits(
    demo: Place, open_context: Callable[..., BrowserContext], role: str
) -> None:
    problems = look_at(demo, DEMO, role, demo.open_as(role, open_context()))
    assert not problems, "\n\n".join(problems)


@pytest.mark.parametrize("role", ["visitor", "customer", "admin"])
def test_the_first_day_is_accessible_and_fits(
    fresh: Place, open_context: Callable[..., BrowserContext], role: str
) -> None:
    problems = look_at(fresh, FRESH, role, fresh.open_as(role, open_context()))
    assert not problems, "\n\n".join(problems)


CANDIDATE, CONTEST, WEIGHTS = "/console/candidates/siobhan", "/console/contests/{contest}", "/console/weights"
RELATION = "/console/relations/{relation}"
# (label, who, page, action of the form ("": as the page), what is typed, status): forms that are refused.
REFUSED = (
    ("join", "visitor", "/join", "/join", {}, 422),
    ("login", "visitor", "/login", "/login", {"email": "dana@", "password": "no"}, 422),
    ("new-password", "visitor", "/password/{password_token}", "", {"password": "short"}, 422),
    ("new-thread", "customer", "/threads/new?board=integrations", "/threads/new", {}, 422),
    ("reply", "customer", "/threads/{sftp_id}/posts", "/threads/{sftp_id}/posts", {}, 422),
    ("comment", "customer", "/posts/{answer}/comments", "/posts/{answer}/comments", {}, 422),
    ("edit", "customer", "/posts/{own}/edit", "/posts/{own}", {"body": " "}, 422),
    ("flag", "prospect", "/posts/{answer}/flag", "/posts/{answer}/flags", {}, 422),
    ("profile", "customer", "/settings/profile", "/settings/profile", {"name": " "}, 422),
    ("account", "customer", "/settings/account", "/settings/account/email", {}, 422),
    ("own-data", "customer", "/me/data", "/me/data/erasure", {}, 422),
    ("appeal", "author", "/appeals/new?decision={decision}", "/appeals", {}, 422),
    ("decide", "moderator", "/console/cases/{open_case}", "/console/cases/{open_case}/decision", {}, 422),
    ("company", "moderator", "/console/companies/new", "/console/companies", {}, 422),
    ("rule", "admin", "/console/rules/new", "/console/rules", {}, 422),
    ("board", "admin", "/console/settings/boards/new", "/console/settings/boards", {}, 422),
    ("site", "admin", "/console/settings", "/console/settings", {"name": " "}, 422),
    ("calendar", "admin", "/console/settings/calendar", "", {"days_off": "any day now"}, 422),
    ("ask-settings", "admin", "/console/settings/asks", "", {"ask_responsible": "nobody-of-this-name"}, 422),
    ("ask", "prospect", "/ask", "", {"title": "Prices"}, 422),
    ("proposals", "prospect", "/asks/{ask_private}/connect", "", {}, 422),
    ("pass-on", "customer", "/requests/{request}", "/requests/{request}/colleague", {"email": "x@"}, 422),
    ("invite", "customer", "/invites", "/invites/colleague", {"email": "x@"}, 422),
    ("talk-new", "prospect", "/conversations/new?to={new_talk}", "/conversations", {"note": " "}, 422),
    ("talk-message", "prospect", "/conversations/{talk}", "/conversations/{talk}/messages", {}, 422),
    ("talk-times", "prospect", "/conversations/{talk}/times", "", {"time_1": "soon"}, 422),
    ("talk-people", "prospect", "/conversations/{talk}/people", "", {"username": "nobody-here"}, 422),
    ("talk-report", "prospect", "/conversations/{talk}/report", "", {}, 422),
    ("talk-thanks", "prospect", "/conversations/{talk}/rating", "/conversations/{talk}/thanks", {}, 422),
    ("split", "moderator", "/threads/{sftp_id}/split", "/threads/{sftp_id}/split", {}, 422),
    ("merge", "moderator", "/threads/{sftp_id}/merge", "/threads/{sftp_id}/merge", {}, 422),
    ("score-contest", "customer", "/me/score/contest", "", {}, 422),
    ("contest-answer", "moderator", CONTEST, f"{CONTEST}/answer", {}, 422),
    ("correction", "moderator", "/console/entries/{entry}", "/console/entries/{entry}/correction", {}, 422),
    ("weights-preview", "admin", WEIGHTS, f"{WEIGHTS}/preview", {"half_life_days": "1"}, 422),
    ("weights-moves", "admin", WEIGHTS, f"{WEIGHTS}/preview", {"companies_to_rank": "9"}, 200),
    ("nominate", "moderator", CANDIDATE, f"{CANDIDATE}/nominations", {}, 422),
    ("ask-candidate", "moderator", CANDIDATE, f"{CANDIDATE}/askings", {}, 422),
    ("engagement", "moderator", CANDIDATE, f"{CANDIDATE}/engagements", {}, 422),
    ("move", "moderator", CANDIDATE, f"{CANDIDATE}/stage", {"stage": "retired"}, 422),
    ("note", "moderator", "/console/members/tomaszw", "/console/members/tomaszw/notes", {}, 422),
    ("rota", "moderator", "/console/rota", "", {"weeks": "99"}, 422),
    ("agreement", "moderator", "/console/companies/{company}/agreements", "", {}, 422),
    ("hold", "sales", "/console/holds", "/console/holds", {}, 422),
    ("end-hold", "sales", "/console/holds/{hold}/ending", "", {}, 422),
    ("health", "service", RELATION, f"{RELATION}/health", {}, 422),
    ("escalation", "service", RELATION, f"{RELATION}/escalations", {}, 422),
    ("survey", "service", RELATION, f"{RELATION}/satisfaction", {}, 422),
    ("recognition", "customer", "/me/recognition", "", {"post": "", "badges": ""}, 422),
)


def test_refused_forms_and_errors_are_accessible_and_fit(
    demo: Place, open_context: Callable[..., BrowserContext]
) -> None:
    tabs = {role: demo.open_as(role, open_context()) for role in {role for _label, role, *_rest in REFUSED}}
    problems: list[str] = []
    for label, role, path, action, typed, status in REFUSED:
        tab = tabs[role]
        tab.goto(demo.site.url + path.format(**demo.names))
        given = _send(tab, (action or path).format(**demo.names), typed)
        if given != status:
            problems.append(f"{label}: {given}")
        problems += judge.look(tab, f"{label}-{given}")
    # What a browser without scripts is shown before a thread is opened or an ask made, and as a preview.
    tab = tabs["customer"]
    title = {"title": "A dead SFTP target blocks the whole queue"}
    for label, role, form in (("similar", "customer", "/threads/new"), ("similar-asks", "prospect", "/ask")):
        tab = tabs[role]
        tab.goto(demo.site.url + form + ("?board=integrations" if role == "customer" else ""))
        given = _send(tab, form, {**title, "body": "How do others keep one partner from it?"}, similar="ask")
        problems += [] if given == 200 else [f"{label}: {given}"]
        problems += judge.look(tab, label)
    for label, text, status in (
        ("preview", "- [x] one\n- two\n\n`code` and **more**", 200),
        ("no-preview", "", 200),
    ):
        tab = tabs["customer"]
        tab.goto(f"{demo.site.url}/threads/{demo.names['sftp_id']}/posts")
        tab.locator('main form[method="post"]').first.evaluate("form => form.action = '/preview'")
        given = _send(tab, "/preview", {"body": text})
        problems += [] if given == status else [f"{label}: {given}"]
        problems += judge.look(tab, label)
    # New weights without a reason: their form has two ways.
    tab = tabs["admin"]
    tab.goto(f"{demo.site.url}/console/weights")
    tab.locator('form[action="/console/weights/preview"]').evaluate(
        "form => form.action = '/console/weights'"
    )
    given = _send(tab, "/console/weights", {"half_life_days": "40"})
    problems += [] if given == 422 else [f"weights: {given}"]
    problems += judge.look(tab, "weights-422")
    # Saved elsewhere meanwhile: both texts.
    path = f"/posts/{demo.names['own']}/edit"
    one, other = tabs["customer"], tabs["customer"].context.new_page()
    for tab in (one, other):
        tab.goto(demo.site.url + path)
    _send(other, path.removesuffix("/edit"), {"body": "A lane for each partner, and a breaker."})
    given = _send(one, path.removesuffix("/edit"), {"body": "Two lanes for each partner."})
    problems += [] if given == 409 else [f"saved twice: {given}"]
    problems += judge.look(one, "edit-409")
    # Decided by somebody else meanwhile: what they decided, and the words that were not sent.
    path = f"/console/cases/{demo.names['open_case']}"
    one, other = tabs["moderator"], tabs["admin"]
    for tab in (one, other):
        tab.goto(demo.site.url + path)
        tab.locator('[name="post"][value="none"]').set_checked(True)
        tab.locator('[name="member"][value="none"]').set_checked(True)
    for tab, reason, status in (
        (other, "A fair question.", 200),
        (one, "It stands in the wrong place.", 409),
    ):
        given = _send(tab, f"{path}/decision", {"reason": reason})
        problems += [] if given == status else [f"decided twice: {given}"]
    problems += judge.look(one, "decision-409")
    # Signed out meanwhile: the page that keeps what was typed, and the one after signing in.
    tab = tabs["customer"]
    path = f"/threads/{demo.names['sftp_id']}/posts"
    tab.goto(demo.site.url + path)
    tab.context.clear_cookies()
    text = "What was typed must not be lost."
    problems += [] if _send(tab, path, {"body": text}) == 401 else ["signed out: not 401"]
    expect(tab.locator("body")).to_contain_text(text)
    problems += judge.look(tab, "signed-out-401")
    _send(
        tab, "/login", {"email": "customer@demo.example", "password": demo.site.environment["DEMO_PASSWORD"]}
    )
    expect(tab.locator("body")).to_contain_text(text)
    problems += judge.look(tab, "send-again")
    # Too many tries, and a link asked for by mail.
    tab = tabs["visitor"]
    for _try in range(40):
        tab.goto(demo.site.url + "/login")
        if _send(tab, "/login", {"email": "robin@mailbox.example", "password": "wrong each time"}) == 429:
            break
    else:
        problems.append("no 429 after forty tries")
    problems += judge.look(tab, "login-429")
    tab.goto(demo.site.url + "/join")
    robin = {"email": "robin@mailbox.example", "name": "Robin", "password": "several words in a row"}
    _send(tab, "/join", robin)
    problems += judge.look(tab, "join-sent")
    for path in ("/login/link", "/password"):
        tab.goto(site_url := demo.site.url + path)
        _send(tab, path, {"email": "robin@mailbox.example"})
        expect(tab).to_have_url(site_url + "/sent")
        problems += judge.look(tab, f"sent-{path.rpartition('/')[2]}")
    assert not problems, "\n\n".join(problems)


def _send(tab: Tab, action: str, typed: dict[str, str], **hidden: str) -> int:
    """Send the form with this action past the browser's own checks; gives the answer's status."""
    posted = tab.locator('main form[method="post"]')
    exact = posted.and_(tab.locator(f'[action="{action}"]'))
    near = posted.and_(tab.locator(f'[action^="{action}"], :not([action])'))
    form = exact.first if exact.count() else near.first
    for name, value in typed.items():
        field = form.locator(f'[name="{name}"]')
        kind = field.first.evaluate("field => field.type")
        if kind == "select-one":
            field.select_option(value)
        elif kind == "radio":
            field.and_(tab.locator(f'[value="{value}"]')).set_checked(True)
        elif kind == "checkbox":
            field.set_checked(bool(value))
        else:
            field.fill(value)
    for name, value in hidden.items():
        form.evaluate(
            "(form, [name, value]) => form.append(Object.assign("
            "document.createElement('input'), {type: 'hidden', name, value}))",
            [name, value],
        )
    with tab.expect_navigation() as moved:
        form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
    return moved.value.status if moved.value else 0


def test_the_vendors_colours_are_read_in_both_schemes(
    demo: Place, open_context: Callable[..., BrowserContext]
) -> None:
    """Accents at the edge of what the settings accept."""
    problems = []
    for light, dark in (("#c2185b", "#ffb300"), ("#1d4ed8", "#93b4ff")):
        with demo.site.inside():
            scene.set_accent(light, dark)
        time.sleep(2.5)  # settings are looked up every two seconds
        for role, path in (("visitor", "/"), ("customer", demo.names["sftp"])):
            tab = demo.open_as(role, open_context())
            tab.goto(demo.site.url + path)
            assert tab.locator('link[href^="/theme/"]').count() == 1
            problems += judge.look(tab, f"accent-{light[1:]}-{role}")
    with demo.site.inside():
        scene.set_accent("", "")
    assert not problems, "\n\n".join(problems)


@pytest.mark.parametrize("path", ["/", "{sftp}", "/search?q=lanes", "/threads/new?board=integrations"])
def test_twice_the_size_needs_no_scrolling_sideways(
    demo: Place, open_context: Callable[..., BrowserContext], path: str
) -> None:
    """200 % zoom on a window of 1,280 px is a window of 640; 400 % is one of 320 (WCAG 1.4.10)."""
    for width in (640, 320):
        tab = demo.open_as("customer", open_context(viewport={"width": width, "height": 512}))
        tab.goto(demo.site.url + path.format(**demo.names))
        assert tab.evaluate(WIDER) <= 0, f"{path} at {width}"


def test_the_picture_of_the_readme(demo: Place, open_context: Callable[..., BrowserContext]) -> None:
    tab = open_context(color_scheme="light", viewport=DESKTOP).new_page()
    tab.goto(demo.site.url + demo.names["sftp"])
    accepted = tab.get_by_text("Accepted by Ines Okafor")
    expect(accepted).to_be_in_viewport()
    take_screenshot(tab, "thread", full_page=False)


def test_a_logo_picked_by_an_admin_stands_beside_the_name(
    demo: Place, open_context: Callable[..., BrowserContext]
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (400, 120), "#c2185b").save(out, "PNG")
    tab = demo.open_as("admin", open_context())
    tab.goto(f"{demo.site.url}/console/settings")
    tab.locator("input[type=file]").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": out.getvalue()}
    )
    tab.get_by_role("button", name="Use this logo").click()
    tab.wait_for_load_state()
    time.sleep(2.5)
    visitor = demo.open_as("visitor", open_context())
    visitor.goto(demo.site.url)
    logo = visitor.locator("header img")
    expect(logo).to_be_visible()
    assert logo.evaluate("image => image.complete && image.naturalWidth > 0")
    problems = [*judge.look(tab, "logo-settings"), *judge.look(visitor, "logo-home")]
    assert not problems, "\n\n".join(problems)
