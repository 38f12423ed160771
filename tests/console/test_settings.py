"""The site as an admin sets it up: in force at once, refused in words, recorded."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from portal.discussions.models import Board, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import colours, site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.pictures import mark
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members.models import Member, Product
from portal.members.services import credentials
from portal.notifications.services.mailing import queue_account_mail
from tests.conftest import make_admin, make_board, make_customer, make_member, viewer_of
from tests.support.people import fields_of, sent_mails, submit

SITE = {
    "name": "Flow people",
    "vendor_name": "Northwind",
    "tagline": "customers among themselves",
    "about": "Where customers talk.",
    "contact_email": "hello@northwind.example",
    "vendor_domains": "northwind.example",
    "accent_light": "#7a1f5c",
    "accent_dark": "#e29ac8",
    "edit_grace_minutes": "5",
}


@pytest.fixture
def admin(app: Flask, sign_in: Callable[[int], FlaskClient]) -> FlaskClient:
    with app.app_context():
        return sign_in(make_admin("Anneke", email="anneke@northwind.example"))


def save(admin: FlaskClient, **fields: str) -> Any:
    return submit(admin, "/console/settings", {**SITE, **fields}, "/console/settings")


def test_settings_are_in_force_on_every_page(app: Flask, admin: FlaskClient) -> None:
    assert save(admin).location == "/console/settings"
    page = app.test_client().get("/login").text
    assert "Flow people" in page
    assert "customers among themselves" in page
    style = page.split('rel="stylesheet" href="/theme/')[1].split('"')[0]
    css = app.test_client().get(f"/theme/{style}")
    assert (css.status_code, css.mimetype) == (200, "text/css")
    assert "--c-accent:light-dark(#7a1f5c,#e29ac8)" in css.text
    assert app.test_client().get("/theme/000000/ffffff.css").status_code == 404
    with app.app_context():
        assert site.current().edit_grace_minutes == 5


def test_a_renamed_site_has_one_name_everywhere(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        board = make_board("Interfaces", slug="interfaces")
        ines = viewer_of(make_customer("Ines", email="ines@castellan.example"))
        thread = open_thread(ines, board, kind=ThreadKind.QUESTION, title="Which port?", body="Mine.")
        post_reply(viewer_of(make_customer("Tomasz")), thread.id, "Port 8443.")
    visitor = app.test_client()
    pages = ["/", "/login", "/boards/interfaces", f"/threads/{thread.id}", "/feeds/latest.atom"]
    former = app.config["SETTINGS"].SITE_NAME
    before = [visitor.get(page, follow_redirects=True).text for page in pages]
    assert all(former in text for text in before)

    save(admin, vendor_name="")
    for page in [*pages, "/boards/interfaces.atom", "/nowhere", "/privacy"]:
        text = visitor.get(page, follow_redirects=True).text
        assert "Flow people" in text, page
        assert former not in text, page
    with app.app_context():
        credentials.ask_for_new_password("ines@castellan.example")
    mails = [mail for mail in sent_mails(app) if str(mail["To"]) == "ines@castellan.example"]
    assert len(mails) == 2, "one of a notice, one of the account"
    for mail in mails:
        assert mail["From"].addresses[0].display_name == "Flow people"
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            assert "Flow people" in part.get_content()
            assert former not in part.get_content()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "2 to 60"),
        ({"accent_light": "#ffd400"}, "cannot be read well"),
        ({"accent_dark": "#101010"}, "cannot be read well"),
        ({"accent_light": "red"}, "Write a colour"),
        ({"accent_light": "#000;}body{display:none"}, "Write a colour"),
        ({"contact_email": "nobody"}, "whole mail address"),
        ({"vendor_domains": "gmail.com"}, "Anybody can have"),
        ({"vendor_domains": ""}, "nobody would be the vendor"),
        ({"vendor_domains": "other.example"}, "no longer be the vendor"),
        ({"edit_grace_minutes": "500"}, "0 to 120"),
        ({"edit_grace_minutes": "x"}, "Not a valid integer"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    app: Flask, admin: FlaskClient, fields: dict[str, str], said: str
) -> None:
    answer = save(admin, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert "Where customers talk." in answer.text
    with app.app_context():
        assert site.current().name == "Northwind Flow"


def test_a_new_domain_of_the_vendor_marks_its_people(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        partner = make_customer(email="a@partner.example")
    save(admin, vendor_domains="northwind.example partner.example")
    with app.app_context():
        assert db.session.get_one(Member, partner).status is Status.VENDOR
    save(admin, vendor_domains="northwind.example")
    with app.app_context():
        assert db.session.get_one(Member, partner).status is not Status.VENDOR


def picture(width: int, height: int, colour: object = "teal", mode: str = "RGB") -> io.BytesIO:
    """A PNG; see-through ones have the colour in the middle of nothing."""
    image = Image.new(mode, (width, height), (0, 0, 0, 0) if mode == "RGBA" else colour)
    if mode == "RGBA":
        image.paste(colour, (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    out = io.BytesIO()
    image.save(out, "PNG")
    out.seek(0)
    return out


def test_a_logo_is_encoded_anew(app: Flask, admin: FlaskClient) -> None:
    submit(admin, "/console/settings", {"picture": (picture(300, 200), "logo.png")}, "/console/settings/logo")
    page = app.test_client().get("/login").text
    path = page.split('class="masthead__logo" src="')[1].split('"')[0]
    assert Image.open(io.BytesIO(app.test_client().get(path).data)).size == (144, 96), "uncut"
    token = fields_of(admin.get("/console/settings"), "/console/settings/logo?_method=DELETE")
    admin.post("/console/settings/logo?_method=DELETE", data=token)
    assert app.test_client().get(path).status_code == 404


@pytest.mark.parametrize(("width", "height", "size"), [(600, 100, (576, 96)), (100, 200, (48, 96))])
def test_a_wide_and_a_tall_logo_keep_their_shape(width: int, height: int, size: tuple[int, int]) -> None:
    made, _drawn_in = mark(picture(width, height).read(), height=96)
    assert (made.width, made.height) == size


@pytest.mark.parametrize(("width", "height", "why"), [(2000, 100, "as wide"), (100, 900, "as high")])
def test_a_logo_that_nobody_would_make_out_is_refused(
    admin: FlaskClient, width: int, height: int, why: str
) -> None:
    fields = {"picture": (picture(width, height), "logo.png")}
    answer = submit(admin, "/console/settings", fields, "/console/settings/logo")
    assert answer.status_code == 422
    assert why in answer.text


@pytest.mark.parametrize(
    ("colour", "mode", "drawn_in"),
    [
        ((10, 10, 30, 255), "RGBA", "ink"),
        ((250, 250, 250, 255), "RGBA", "chalk"),
        ((200, 90, 20, 255), "RGBA", ""),
        ("black", "RGB", ""),
    ],
)
def test_a_see_through_logo_gets_a_plate_where_it_would_be_lost(
    app: Flask, admin: FlaskClient, colour: object, mode: str, drawn_in: str
) -> None:
    fields = {"picture": (picture(200, 100, colour, mode), "logo.png")}
    submit(admin, "/console/settings", fields, "/console/settings/logo")
    page = app.test_client().get("/login").text
    for word in ("ink", "chalk"):
        assert (f"masthead__logo--{word}" in page) == (word == drawn_in)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "colour", ["#ffd400", "#ff0000", "#00aaff", "#101010", "#f4f4f4", "#7f7f7f", "#c00080"]
)
def test_what_follows_from_any_colour_can_be_read(scheme: str, colour: str) -> None:
    rgb = colours.parse(colour)
    chosen = colours.as_hex(colours.legible(rgb, scheme))
    light, dark = (chosen, "") if scheme == "light" else ("", chosen)
    for name, accent in colours.accents(light, dark).items():
        for paper in (*colours.PAPERS[name], accent.tint):
            assert colours.contrast(accent.accent, paper) >= colours.READABLE
            assert colours.contrast(accent.strong, paper) >= colours.READABLE
        assert colours.contrast(accent.ink, accent.accent) >= colours.READABLE
        assert colours.contrast(accent.ink, accent.strong) >= colours.READABLE


def test_an_accent_has_to_be_read_on_every_paper_and_the_nearest_that_can_is_said(admin: FlaskClient) -> None:
    rgb = colours.parse("#71717a")
    assert colours.contrast(rgb, colours.PAPERS["light"][0]) > colours.READABLE, "on the page alone it can"
    answer = save(admin, accent_light="#71717a")
    assert answer.status_code == 422
    better = answer.text.split("The nearest that can: ")[1][:7]
    assert save(admin, accent_light=better).status_code == 303


def test_mails_have_the_colours_of_the_site(app: Flask, admin: FlaskClient) -> None:
    save(admin)
    with app.app_context():
        with unit_of_work():
            queue_account_mail(
                "ines@mail.example", subject="Hello", paragraphs=["Read it."], button=("Read", "/rules")
            )
        mail = sent_mails(app)[-1]
    text = mail.get_body(("html",)).get_content()
    assert "background:#7a1f5c;color:#ffffff" in text
    assert "background: #e29ac8" in text
    assert "0b5759" not in text
    assert "74c9c2" not in text


def test_boards_are_made_changed_ordered_and_archived(app: Flask, admin: FlaskClient) -> None:
    board = {"name": "Integrations", "description": "All of it.", "audience": "customers"}
    assert submit(admin, "/console/settings/boards/new", board, "/console/settings/boards").status_code == 303
    submit(admin, "/console/settings/boards/new", {**board, "name": "Operations"}, "/console/settings/boards")
    assert app.test_client().get("/boards/integrations").status_code == 404
    path = "/console/settings/boards/integrations"
    submit(admin, path, {**board, "audience": "public", "archived": "y"}, path)
    assert app.test_client().get("/boards/integrations").status_code == 200
    token = fields_of(admin.get("/console/settings/boards"), f"{path}/place")
    admin.post(f"{path}/place", data={**token, "to": "down"})
    with app.app_context():
        names = db.session.execute(select(Board.name).order_by(Board.position)).scalars().all()
    assert names == ["Operations", "Integrations"]
    refused = submit(
        admin, "/console/settings/boards/new", {**board, "audience": "all"}, "/console/settings/boards"
    )
    assert refused.status_code == 422
    assert submit(admin, path, {**board, "name": "x"}, path).status_code == 422


def test_a_stale_board_form_overwrites_nothing_and_says_what_differs(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        make_board("Lanes", slug="lanes")
    path = "/console/settings/boards/lanes"
    stale = fields_of(admin.get(path), path)
    board = {"name": "Lanes", "description": "First.", "audience": "public"}
    submit(admin, path, {**board, "audience": "customers", "archived": "y"}, path)
    answer = admin.post(path, data={**stale, **board, "description": "Second."})
    assert answer.status_code == 409
    assert "Second." in answer.text
    said = dict(re.findall(r"<li><strong>([^<]*)</strong>: ([^<]*)</li>", answer.text))
    assert list(said.values()) == ["First.", "Customers, former customers, the vendor", "yes"]
    again = {**fields_of(answer, path), **board, "description": "Second."}
    assert admin.post(path, data=again).status_code == 303
    assert "Second." in admin.get(path).text


def rows_of(page: str) -> dict[str, Any]:
    """The fields of the list as the page has them."""
    found: dict[str, Any] = {"key": []}
    for tag in page.split("<input")[1:]:
        tag = tag.split(">")[0]
        if 'name="' not in tag or 'name="csrf' in tag or 'name="q"' in tag:
            continue
        name = tag.split('name="')[1].split('"')[0]
        value = tag.split('value="')[1].split('"')[0] if 'value="' in tag else "on"
        if name == "key":
            found["key"].append(value)
        elif name.startswith(("place-", "label-", "noun-", "code-")):
            found[name] = value.replace("&amp;", "&").replace("&#39;", "'")
    return found


def test_a_closed_list_is_edited_as_a_whole(app: Flask, admin: FlaskClient) -> None:
    path = "/console/settings/lists?list=sizes"
    rows = rows_of(admin.get(path).text)
    assert rows["key"] == ["1-49", "50-199", "200-499", "500-999", "1000-4999", "5000+", ""]
    rows |= {"label-0": "Small", "noun-0": "small company", "retired-1": "on", "place-5": "0"}
    rows |= {"code-6": "10000+", "label-6": "10,000 people and more"}
    assert submit(admin, path, rows, path).status_code == 303
    with app.app_context():
        assert [item.code for item in lists.entries(lists.SIZES)] == [
            "5000+", "1-49", "200-499", "500-999", "1000-4999", "10000+",
        ]  # fmt: skip
        assert lists.noun(lists.SIZES, "1-49") == "small company"
        assert lists.label(lists.SIZES, "50-199") == "50–199 people", "retired, and still known"
        assert len(lists.entries(lists.INDUSTRIES)) == 20


def test_countries_are_a_list_of_the_admins_and_what_was_chosen_stays(
    app: Flask, admin: FlaskClient, sign_in: Callable[[int], FlaskClient]
) -> None:
    path = "/console/settings/lists?list=regions"
    rows = rows_of(admin.get(path).text)
    assert len(rows["key"]) > 240, "every country of ISO 3166, as before"
    at = {code: number for number, code in enumerate(rows["key"])}
    rows |= {f"label-{at['GB']}": "UK", f"place-{at['GB']}": "0", f"retired-{at['DE']}": "on"}
    new = at[""]
    refused = submit(admin, path, {**rows, f"code-{new}": "DACH", f"label-{new}": "German-speaking"}, path)
    assert refused.status_code == 422
    assert "use two capital letters" in refused.text
    with app.app_context():
        member = make_customer("Ada", username="ada", region="DE", visibility={"region": "everyone"})
        make_customer("Bea", username="bea", region="GB", visibility={"region": "everyone"})
    rows |= {f"code-{new}": "EU", f"label-{new}": "European Union"}
    assert submit(admin, path, rows, path).status_code == 303
    ada = sign_in(member)
    form = ada.get("/settings/profile").text
    region = form.split('name="region"')[1].split("</select>")[0]
    offered = re.findall(r'<option (?:selected )?value="(\w*)"', region)
    assert offered[:2] == ["", "GB"], "in the order of the list"
    assert "EU" in offered
    assert "DE" in offered, "retired, but one's own"
    other = admin.get("/settings/profile").text
    assert 'value="DE"' not in other.split('name="region"')[1].split("</select>")[0]
    assert "Germany" in ada.get("/members/ada").text
    assert ">UK<" in re.sub(r"\s+", "", ada.get("/members").text)
    assert "UK" in ada.get("/members/bea").text
    saved = submit(
        ada,
        "/settings/profile",
        {"name": "Ada", "time_zone": "UTC", "region": "EU", "role_level": ""},
        "/settings/profile",
    )
    assert saved.status_code == 303
    with app.app_context():
        assert db.session.get_one(Member, member).region == "EU"
    assert 'value="DE"' in admin.get("/console/settings/calendar").text, "holidays go by ISO"


def test_a_retired_language_survives_a_save_of_the_profile(
    app: Flask, admin: FlaskClient, sign_in: Callable[[int], FlaskClient]
) -> None:
    path = "/console/settings/lists?list=languages"
    rows = rows_of(admin.get(path).text)
    rows[f"retired-{rows['key'].index('de')}"] = "on"
    assert submit(admin, path, rows, path).status_code == 303
    with app.app_context():
        member = make_customer("Ada", languages=["de", "en"])
    ada = sign_in(member)
    checked = re.findall(
        r'name="languages" id="\S+" value="(\w+)" checked', ada.get("/settings/profile").text
    )
    assert set(checked) == {"de", "en"}
    assert 'id="language-de"' not in admin.get("/settings/profile").text
    fields = {"name": "Ada", "time_zone": "UTC", "region": "", "role_level": "", "languages": checked}
    assert submit(ada, "/settings/profile", fields, "/settings/profile").status_code == 303
    with app.app_context():
        assert set(db.session.get_one(Member, member).languages) == {"de", "en"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label-0": ""}, "Write what 1-49 is called"),
        ({"code-6": "<b>", "label-6": "x"}, "cannot be a code"),
        ({"code-6": "1-49", "label-6": "again"}, "same code"),
    ],
)
def test_a_list_that_cannot_be_keeps_what_was_typed(
    app: Flask, admin: FlaskClient, change: dict[str, str], said: str
) -> None:
    path = "/console/settings/lists?list=sizes"
    rows = rows_of(admin.get(path).text) | {"label-3": "CANARY"} | change
    answer = submit(admin, path, rows, path)
    assert answer.status_code == 422
    assert said in answer.text
    assert "CANARY" in answer.text
    without = {**rows_of(admin.get(path).text), "key": ["1-49"]}
    assert "can be retired" in submit(admin, path, without, path).text


def test_products_are_named_ordered_and_retired(app: Flask, admin: FlaskClient) -> None:
    path = "/console/settings/lists?list=products"
    for name in ("Flow", "Lanes"):
        rows = rows_of(admin.get(path).text)
        last = len(rows["key"]) - 1
        assert submit(admin, path, {**rows, f"label-{last}": name}, path).status_code == 303
    rows = rows_of(admin.get(path).text)
    submit(admin, path, {**rows, "label-0": "Lanes", "label-1": "Flow", "retired-1": "on"}, path)
    with app.app_context():
        found = db.session.execute(
            select(Product.id, Product.name, Product.retired).order_by(Product.id)
        ).all()
    assert [tuple(row) for row in found] == [(1, "Lanes", False), (2, "Flow", True)]


def test_settings_are_for_admins_alone(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        browser = sign_in(make_member(status=Status.VENDOR))
    for path in ("", "/boards", "/boards/new", "/lists", "/lists?list=products"):
        assert browser.get(f"/console/settings{path}").status_code == 403
