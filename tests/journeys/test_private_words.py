"""What is written in private stays in its tab while it is written, and nowhere once it is sent or left."""

import uuid
from dataclasses import dataclass

import pytest

from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.services.rules import ensure_rules
from tests.conftest import make_customer, make_prospect
from tests.journeys.people import Opener, Person, signed_in
from tests.support.site import Site

pytestmark = pytest.mark.long

ALL_KEPT = "JSON.stringify([{...sessionStorage}, {...localStorage}])"
NOTE = 'textarea[name="note"]'


@dataclass
class Scene:
    """Two who ask, two who are asked, and a word that stands nowhere else."""

    jonas: int
    pia: int
    ines: int
    mark: str


@pytest.fixture
def scene(site: Site) -> Scene:
    mark = uuid.uuid4().hex[:8]
    with site.inside():
        with unit_of_work():
            ensure_rules()
        jonas, pia = make_prospect("Jonas"), make_prospect("Pia")
        ines = make_customer("Ines Okaforova", username=f"ines-{mark}")
        make_customer("Otto Vance", username=f"otto-{mark}")
    return Scene(jonas, pia, ines, mark)


def kept(person: Person, mark: str) -> bool:
    """Whether the word stands anywhere in what this browser keeps."""
    found: str = person.page.evaluate(ALL_KEPT)
    return f"About the second half, {mark}." in found


def types(person: Person, to: str, mark: str) -> None:
    person.opens(f"/conversations/new?to={to}-{mark}")
    person.page.locator(NOTE).fill(f"About the second half, {mark}.")


def becomes(person: Person, site: Site, member_id: int) -> None:
    """Somebody else is signed in, in the same tab."""
    name, value = site.session_cookie(member_id)
    person.context.add_cookies([{"name": name, "value": value, "url": site.url}])


def test_words_survive_a_reload_and_go_once_they_are_sent(site: Site, somebody: Opener, scene: Scene) -> None:
    jonas = signed_in(somebody, site, scene.jonas)
    types(jonas, "ines", scene.mark)
    jonas.page.reload()
    assert jonas.page.locator(NOTE).input_value() == f"About the second half, {scene.mark}."
    jonas.presses("Ask for a conversation").sees("Nothing is asked of you until then")
    jonas.page.wait_for_function(f"!({ALL_KEPT}).includes('{scene.mark}.')")
    talk = jonas.address.partition("#")[0]

    # What she began to answer goes when she declines.
    ines = signed_in(somebody, site, scene.ines)
    ines.opens(talk)
    ines.page.locator('textarea[name="body"]').fill(f"About the second half, {scene.mark}.")
    assert kept(ines, scene.mark)
    ines.presses("Decline")
    assert not kept(ines, scene.mark)


def test_signing_out_leaves_nothing_behind(site: Site, somebody: Opener, scene: Scene) -> None:
    jonas = signed_in(somebody, site, scene.jonas)
    types(jonas, "otto", scene.mark)
    jonas.opens("/ask").page.locator('textarea[name="body"]').fill(f"About the second half, {scene.mark}.")
    assert kept(jonas, scene.mark)
    with jonas.page.expect_navigation():
        jonas.page.evaluate("document.querySelector('form[action=\"/logout\"]').requestSubmit()")
    assert not kept(jonas, scene.mark)


def test_nobody_else_gets_them_where_a_session_ended(site: Site, somebody: Opener, scene: Scene) -> None:
    jonas = signed_in(somebody, site, scene.jonas)
    types(jonas, "otto", scene.mark)
    assert kept(jonas, scene.mark)
    becomes(jonas, site, scene.pia)
    jonas.opens(f"/conversations/new?to=otto-{scene.mark}")
    jonas.page.wait_for_function(f"!({ALL_KEPT}).includes('{scene.mark}.')")
    assert jonas.page.locator(NOTE).input_value() == ""
