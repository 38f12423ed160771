"""The keys of rows on every list of the console: j and k move, o opens, e is the row's main act."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, expect
from playwright.sync_api import Page as Tab
from sqlalchemy import select

from portal.kernel.db import db
from portal.members.models import Member
from tests.support.demo import demo_site
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]

ROW = "[data-row]:visible"
LISTS = (
    "/console/",
    "/console/queue",
    "/console/rota",
    "/console/practice",
    "/console/log",
    "/console/members",
    "/console/companies",
    "/console/relations",
    "/console/holds",
    "/console/candidates",
    "/console/candidates?view=table",
    "/console/rising",
    "/console/contests?show=all",
    "/console/patterns",
    "/console/rules",
    "/console/settings/boards",
)
ADMINS_ALONE = ("/console/rules", "/console/settings/boards")
MAY_LEAD_NOWHERE = ("/console/log",)  # what the command line did to something that has no page


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = demo_site(tmp_path_factory, "keys").start(seconds=180)
    yield site
    site.stop()


@pytest.fixture
def at(demo: Site, open_context: Callable[..., BrowserContext]) -> Callable[[str], Tab]:
    """at(path): a page of the console, open before somebody who may read it."""

    def go(path: str) -> Tab:
        email = "admin@demo.example" if path in ADMINS_ALONE else "moderator@demo.example"
        with demo.inside():
            member_id = db.session.execute(select(Member.id).where(Member.email == email)).scalar_one()
        name, value = demo.session_cookie(member_id)
        context = open_context()
        context.add_cookies([{"name": name, "value": value, "url": demo.url}])
        tab = context.new_page()
        tab.goto(demo.url + path)
        return tab

    return go


def stands_on(row: Locator) -> None:
    """This row is the present one, and the focus is within it."""
    expect(row).to_have_attribute("aria-current", "true")
    assert row.evaluate("row => row.contains(document.activeElement)")


@pytest.mark.parametrize("path", LISTS)
def test_every_list_of_the_console_is_walked_by_keys(at: Callable[[str], Tab], path: str) -> None:
    tab = at(path)
    rows = tab.locator(ROW)
    assert rows.count() >= 2, f"the demo shows {rows.count()} rows"
    for key, place in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        tab.keyboard.press(key)
        stands_on(rows.nth(place))
        expect(tab.locator('[data-row][aria-current="true"]')).to_have_count(1)
    acts = rows.evaluate_all(
        "rows => rows.map(row => ['open', 'do'].map(act => row.querySelectorAll(`[data-row-${act}]`).length))"
    )
    one_of_each = [[1, 1]] if path not in MAY_LEAD_NOWHERE else [[1, 1], [0, 0]]
    assert not [place for place, found in enumerate(acts) if found not in one_of_each], acts
    tab.keyboard.press("?")
    dialog = tab.get_by_role("dialog", name="Keys")
    for keys, what in (("j k", "next, previous"), ("o", "open"), ("e", "the main action of the row")):
        told = dialog.locator("div", has=tab.get_by_text(what, exact=True))
        expect(told.locator("kbd")).to_have_text(keys.split())


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("key", "act"), [("o", "open"), ("e", "do")])
def test_a_row_is_opened_and_acted_on_by_a_key(
    at: Callable[[str], Tab], path: str, key: str, act: str
) -> None:
    tab = at(path)
    places = tab.locator(ROW).evaluate_all(
        "(rows, act) => rows.flatMap((row, n) => row.querySelector(`[data-row-${act}]`) ? [n] : [])",
        act,
    )
    for _ in range(places[-1] + 1 if len(places) < 8 else places[0] + 1):
        tab.keyboard.press("j")
    control = tab.locator(f'[data-row][aria-current="true"] [data-row-{act}]')
    aim = control.evaluate("one => one.href ?? one.form.action")
    if control.evaluate("one => !one.href && Boolean(one.form.dataset.confirm)"):
        tab.keyboard.press(key)
        expect(tab.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
        return
    with tab.expect_response(lambda answer: answer.url == aim.split("#")[0]) as answered:
        tab.keyboard.press(key)
    assert answered.value.status < 400
    tab.wait_for_load_state()


def test_what_takes_away_is_asked_for_first(at: Callable[[str], Tab]) -> None:
    tab = at("/console/rota")
    shifts = tab.get_by_role("list", name="Shifts").get_by_role("listitem")
    before = shifts.count()
    tab.locator(ROW).first.wait_for()
    while not shifts.first.get_attribute("aria-current"):
        tab.keyboard.press("j")
    tab.keyboard.press("e")
    expect(tab.get_by_role("dialog")).to_contain_text(re.compile("out of the plan"))
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog")).to_have_count(0)
    expect(shifts).to_have_count(before)


def test_a_day_without_anybody_is_planned_by_a_key(at: Callable[[str], Tab]) -> None:
    tab = at("/console/rota")
    free = tab.get_by_role("link", name="nobody yet").first
    address = free.get_attribute("href") or ""
    free.focus()
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    tab.keyboard.press("e")
    tab.wait_for_url("**/console/rota?from=*")
    expect(tab.get_by_label("From", exact=True)).to_have_value(
        address.partition("from=")[2].partition("#")[0]
    )


@pytest.mark.parametrize("path", ["/console/companies", "/console/members", "/console/", "/console/log"])
def test_the_head_of_a_long_list_stays_in_sight_and_covers_no_row(
    at: Callable[[str], Tab], path: str
) -> None:
    tab = at(path)
    tab.set_viewport_size({"width": 1280, "height": 480})
    tab.emulate_media(reduced_motion="reduce")  # it scrolls at once
    head = tab.locator(".dense thead th, .inbox__head").first
    rows = tab.locator(ROW)
    last = rows.count() - 1
    for _ in range(last + 1):
        tab.keyboard.press("j")
    stands_on(rows.nth(last))
    assert tab.evaluate("scrollY") > 200, "the demo's list is longer than the window"
    expect(head).to_be_in_viewport()
    for _ in range(last):
        tab.keyboard.press("k")
        row = tab.locator('[data-row][aria-current="true"]')
        covered = row.evaluate("""row => row.getBoundingClientRect().top
            - Math.max(...['.dense thead th', '.inbox__head', '.consolenav'].flatMap(
                one => [...document.querySelectorAll(one)].map(it => it.getBoundingClientRect().bottom)))""")
        if tab.evaluate("scrollY") > 200:
            assert covered >= -1, row.inner_text()
