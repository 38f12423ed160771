"""An admin puts boards in order on a phone, with the keyboard alone and without a script."""

import uuid

from playwright.sync_api import expect

from tests.conftest import make_admin, make_board
from tests.journeys.people import Opener, signed_in
from tests.support.site import Site

PHONE = {"width": 390, "height": 800}


def test_boards_are_ordered_on_a_phone_by_keyboard_without_a_script(site: Site, somebody: Opener) -> None:
    mark = uuid.uuid4().hex[:8]
    with site.inside():
        for name in ("Lanes", "Partners"):
            make_board(f"{name} {mark}", slug=f"{name.lower()}-{mark}", position=9000)
        admin_id = make_admin("Anneke")
    anneke = signed_in(somebody, site, admin_id, keyboard=True, script=False, viewport=PHONE)
    anneke.opens("/console/settings/boards")
    row = anneke.page.get_by_role("row").filter(has_text=mark)
    assert _names(row.all_inner_texts()) == ["Lanes", "Partners"]
    down = row.first.get_by_role("button", name=f"Down Lanes {mark}")
    expect(down).to_be_visible()
    box = down.bounding_box()
    assert box is not None
    assert box["height"] >= 24, "large enough for a finger"
    assert box["x"] + box["width"] <= PHONE["width"], "no scrolling sideways"
    anneke.looks("boards-on-a-phone").presses(f"Down Lanes {mark}")
    assert _names(row.all_inner_texts()) == ["Partners", "Lanes"]
    anneke.presses(f"Up Lanes {mark}")
    assert _names(row.all_inner_texts()) == ["Lanes", "Partners"]


def _names(rows: list[str]) -> list[str]:
    return [text.split()[0] for text in rows]
