"""Directory, profiles and company pages: each reader learns what they may know, and no more."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience, Board, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import (
    Company,
    CompanyKind,
    Member,
    MemberProduct,
    MemberState,
    Product,
    RoleLevel,
    VerifiedBy,
)
from tests.conftest import make_board, make_company, make_customer, make_member, make_prospect, viewer_of

SignIn = Callable[[int], FlaskClient]


@pytest.fixture
def readers(app: Flask, sign_in: SignIn) -> dict[str, FlaskClient]:
    """A browser for each kind of reader."""
    with app.app_context():
        people = {
            "prospect": make_prospect("Pia Prospect", username="pia"),
            "customer": make_customer("Carl Customer", username="carl"),
            "vendor": make_member("Vera Vendor", status=Status.VENDOR, username="vera"),
            "sales": make_member("Sam Sales", status=Status.VENDOR, duties=(Duty.SALES,), username="sam"),
            "service": make_member(
                "Sue Service", status=Status.VENDOR, duties=(Duty.SERVICE,), username="sue"
            ),
        }
    return {"visitor": app.test_client(), **{name: sign_in(number) for name, number in people.items()}}


def castellan(**fields: Any) -> int:
    return make_company(
        "Castellan Foods", **{"industry": "31-33", "size_band": "500-999", "region": "GB", **fields}
    )


def statuses(readers: dict[str, FlaskClient], path: str) -> dict[str, int]:
    return {name: browser.get(path).status_code for name, browser in readers.items()}


def test_a_company_is_named_to_outsiders_only_with_its_permission(
    app: Flask, readers: dict[str, FlaskClient]
) -> None:
    with app.app_context():
        make_customer("Ines Okafor", username="ines", company_id=castellan())
    for name in ("visitor", "prospect"):
        page = readers[name].get("/members/ines").text
        assert "Castellan" not in page
        assert "Manufacturer, 500–999 people, United Kingdom" in page
        assert "Castellan" not in readers["prospect"].get("/members").text
    for name in ("customer", "vendor", "sales"):
        assert "Castellan Foods" in readers[name].get("/members/ines").text


def slug_of(app: Flask, company_id: int) -> str:
    with app.app_context():
        return db.session.get_one(Company, company_id).slug


@pytest.mark.parametrize(
    ("fields", "seen_by"),
    [
        ({}, {"customer", "vendor", "sales", "service"}),
        ({"named_in_public": True}, {"visitor", "prospect", "customer", "vendor", "sales", "service"}),
        (
            {"named_in_public": True, "named_until": date(2020, 1, 1)},
            {"customer", "vendor", "sales", "service"},
        ),
        ({"kind": CompanyKind.PROSPECT}, set()),
        ({"kind": CompanyKind.FORMER}, {"customer", "vendor", "sales", "service"}),
    ],
)
def test_a_company_page_is_there_only_for_those_who_may_know_it(
    app: Flask, readers: dict[str, FlaskClient], fields: dict[str, Any], seen_by: set[str]
) -> None:
    with app.app_context():
        company = castellan(**fields)
        colleague = make_customer("Ines Okafor", company_id=company)
    slug = slug_of(app, company)
    answers = statuses(readers, f"/companies/{slug}")
    assert {name for name, status in answers.items() if status == 200} == seen_by
    assert set(answers.values()) <= {200, 404}
    for name in seen_by:
        page = readers[name].get(f"/companies/{slug}").text
        graph = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
        assert bool(graph) == ("visitor" in seen_by), "only what outsiders may read is described to them"
        if graph:
            assert graph["title"].startswith("Castellan Foods")
            assert graph["url"] == f"http://localhost:8000/companies/{slug}"
    hidden = readers["visitor"].get(f"/companies/{slug}")
    if hidden.status_code == 404:
        missing = readers["visitor"].get("/companies/there-is-none")
        assert _without_number(hidden.text, slug) == _without_number(missing.text, "there-is-none")
    assert colleague


def _without_number(html: str, word: str) -> str:
    kept = [line for line in html.replace(word, "X").splitlines() if 'class="num"' not in line]
    return "\n".join(kept)


def test_to_sales_and_service_a_prospect_has_no_name(app: Flask, readers: dict[str, FlaskClient]) -> None:
    with app.app_context():
        company = castellan(kind=CompanyKind.PROSPECT)
        asker = make_prospect(
            "CANARY Name", username="canary", company_id=company, title="Head of IT",
            verified_by=VerifiedBy.MAIL, picture="m-canary.webp",
        )  # fmt: skip
        board = make_board("Before you buy")
        thread = open_thread(
            viewer_of(asker), board, kind=ThreadKind.QUESTION, title="What breaks first?", body="Tell me."
        )
        places = ["/", f"/threads/{thread.id}/{thread.slug}", f"/boards/{_slug(board)}", "/members"]
        reply_to = thread.id
        answerer = make_customer("Carla Customer")
        post_reply(viewer_of(answerer), reply_to, "The queue.")
    for name in ("sales", "service"):
        for place in [*places, "/members?q=canary", "/members?status=prospect"]:
            text = readers[name].get(place).text.lower()
            assert "canary" not in text.replace("q=canary", "").replace('value="canary"', ""), (name, place)
            assert "castellan" not in text, (name, place)
        assert "Head of IT" in readers[name].get(places[1]).text
        assert "Manufacturer, 500–999 people, United Kingdom" in readers[name].get(places[1]).text
        assert readers[name].get("/members/canary").status_code == 404
    assert "CANARY Name" in readers["customer"].get(places[1]).text
    assert readers["visitor"].get("/members/canary").status_code == 200


def _slug(board_id: int) -> str:
    return db.session.get_one(Board, board_id).slug


PROFILE: dict[str, Any] = {
    "title": "CANARY-title",
    "role_level": RoleLevel.LEAD,
    "region": "IE",
    "languages": ["ga"],
    "use_cases": ["CANARY-use"],
    "replaced": "CANARY-replaced",
    "topics": ["CANARY-topic"],
    "about_html": "<p>CANARY-about</p>",
}
SHOWN_AS = {
    "title": "CANARY-title",
    "about": "CANARY-about",
    "topics": "CANARY-topic",
    "region": "Ireland",
    "languages": "Irish",
    "products": "CANARY-product",
    "use_cases": "CANARY-use",
    "replaced": "CANARY-replaced",
    "company": "Manufacturer",
}


@pytest.mark.parametrize("field", SHOWN_AS)
@pytest.mark.parametrize(("choice", "seen_by"), [("everyone", 2), ("members", 1), ("nobody", 0)])
def test_every_field_is_shown_to_those_whom_its_owner_chose(
    app: Flask, readers: dict[str, FlaskClient], field: str, choice: str, seen_by: int
) -> None:
    with app.app_context():
        member = make_customer(
            "Ines", username="ines", company_id=castellan(), visibility={field: choice}, **PROFILE
        )
        with unit_of_work():
            db.session.add(Product(id=1, name="CANARY-product"))
            db.session.flush()
            db.session.add(MemberProduct(member_id=member, product_id=1, since="2021"))
    seen = [SHOWN_AS[field] in readers[name].get("/members/ines").text for name in ("visitor", "prospect")]
    assert seen == [seen_by == 2, seen_by >= 1]
    if choice == "nobody" and field in ("company", "region", "products"):
        query = {"company": "industry=31-33", "region": "region=IE", "products": "product=1"}[field]
        listed = readers["prospect"].get(f"/members?{query}").text
        assert "/members/ines" not in listed, "a filter tells nothing that the profile hides"


def test_a_person_lists_only_what_the_reader_may_read(app: Flask, readers: dict[str, FlaskClient]) -> None:
    with app.app_context():
        author = make_customer("Ines", username="ines")
        for audience in Audience:
            board = make_board(audience=audience)
            by = author if audience is not Audience.STAFF else make_member(status=Status.VENDOR)
            thread = open_thread(
                viewer_of(by), board, kind=ThreadKind.QUESTION, title=f"CANARY-{audience}", body="Text."
            )
            asked = open_thread(
                viewer_of(make_member(status=Status.VENDOR)),
                board,
                kind=ThreadKind.QUESTION,
                title=f"Asked-{audience}",
                body="Text.",
            )
            if audience is not Audience.STAFF:
                post_reply(viewer_of(author), asked.id, f"ANSWER-{audience}")
            assert thread
    for name, audiences in (
        ("visitor", ["public"]),
        ("prospect", ["public", "prospects"]),
        ("customer", ["public", "prospects", "customers"]),
    ):
        page = readers[name].get("/members/ines").text
        assert [a for a in Audience if f"CANARY-{a}" in page] == audiences
        assert [a for a in Audience if f"ANSWER-{a}" in page] == audiences
        count = len(audiences)
        assert f"{count} thread{'s' if count > 1 else ''}" in page
        assert f"{count} answer{'s' if count > 1 else ''}" in page
        for more in ("threads", "posts"):
            listed = readers[name].get(f"/members/ines/{more}").text
            assert [a for a in Audience if f"-{a}" in listed] == audiences


def test_who_lists_nothing_is_asked_in_vain(app: Flask, readers: dict[str, FlaskClient]) -> None:
    with app.app_context():
        author = make_customer("Ines", username="ines", visibility={"contributions": "nobody"})
        board = make_board()
        open_thread(viewer_of(author), board, kind=ThreadKind.DISCUSSION, title="CANARY title", body="Text.")
    assert "CANARY" not in readers["customer"].get("/members/ines").text
    assert readers["customer"].get("/members/ines/threads").status_code == 404


def test_closed_and_erased_accounts(app: Flask, readers: dict[str, FlaskClient]) -> None:
    with app.app_context():
        make_customer(
            "Banned Person", username="banned", state=MemberState.BANNED, about_html="<p>CANARY</p>"
        )
        make_customer("Erased Person", username="erased", state=MemberState.ERASED)
        make_customer(
            "Imported Person", username="imported-one", confirmed=False, import_source="stackexchange:x"
        )
    page = readers["customer"].get("/members/banned").text
    assert "account is closed" in page
    assert "CANARY" not in page
    assert readers["customer"].get("/members/erased").status_code == 404
    assert "brought here" in readers["visitor"].get("/members/imported-one").text
    listed = readers["customer"].get("/members").text
    assert "Carl Customer" in listed
    assert not any(name in listed for name in ("Banned Person", "Erased Person", "Imported Person"))


def test_the_directory_is_for_members_and_pages_by_name(app: Flask, readers: dict[str, FlaskClient]) -> None:
    with app.app_context():
        for number in range(70):
            make_customer(f"{'Élodie' if number % 2 else 'elmar'} Nummer{number:02}", username=f"nr{number}")
    assert readers["visitor"].get("/members").location == "/login?next=/members"
    browser = readers["customer"]
    seen: list[str] = []
    place = "/members?q=nummer"
    for _ in range(3):
        page = browser.get(place).text
        seen += [part.split('"')[0] for part in page.split('href="/members/nr')[1:]]
        following = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
        if 'rel="next"' not in page:
            break
        place = following
    assert len(seen) == len(set(seen)) == 70
    back = page.split('rel="prev"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert 'rel="next"' in browser.get(back).text
    assert ">70<" in browser.get("/members?q=nummer").text
    assert browser.get("/members?after=made-up").status_code == 404
    assert browser.get("/members?q=ELODIE+nummer01").text.count('href="/members/nr1"') == 1
    assert "Nobody fits" in browser.get("/members?q=%25").text
    assert browser.get("/members?status=nonsense&product=999999999999&region=zz").status_code == 200


def test_filters(app: Flask, readers: dict[str, FlaskClient]) -> None:
    with app.app_context():
        make_customer("In Retail", username="retail", company_id=make_company(industry="44-45", region="NO"))
        make_customer("In Finance", username="finance", company_id=make_company(industry="52", region="PL"))
    browser = readers["customer"]

    def found(query: str) -> list[str]:
        page = browser.get(f"/members?{query}").text
        return [name for name in ("retail", "finance", "pia") if f'href="/members/{name}"' in page]

    assert found("industry=44-45") == ["retail"]
    assert found("region=PL") == ["finance"]
    assert found("status=prospect") == ["pia"]
    assert found("status=customer&industry=52") == ["finance"]
    assert found("industry=52&region=NO") == []


def test_pages_take_the_same_statements_however_many_rows(
    app: Flask, readers: dict[str, FlaskClient], statements: Any
) -> None:
    browser = readers["customer"]

    def count(path: str) -> int:
        taken = []
        for _ in range(3):  # every two seconds one look at the site's version comes on top
            with statements() as seen:
                assert browser.get(path).status_code == 200
            taken.append(len(seen))
        return min(taken)

    def fill(number: int) -> None:
        with app.app_context():
            for _ in range(number):
                member = make_customer(company_id=company)
                open_thread(
                    viewer_of(member), board, kind=ThreadKind.QUESTION, title="A question", body="Text"
                )
                post_reply(viewer_of(author), thread, "An answer.")

    with app.app_context():
        company = castellan()
        author = make_customer("Ines", username="ines", company_id=company)
        board = make_board()
        asker = make_customer()
        thread = open_thread(
            viewer_of(asker), board, kind=ThreadKind.QUESTION, title="A question", body="Text"
        ).id
    fill(1)
    paths = ["/members", "/members/ines", f"/companies/{slug_of(app, company)}"]
    few = [count(path) for path in paths]
    fill(12)
    assert [count(path) for path in paths] == few
    # The member's page also tells what they are happy to talk about, thanks that both sides show,
    # and what the member chose to be shown with.
    assert [few[0] <= 9, few[1] <= 12, few[2] <= 9] == [True] * 3, few


def test_names_and_words_are_escaped_everywhere(app: Flask, readers: dict[str, FlaskClient]) -> None:
    evil = "<img src=x onerror=alert(1)>"
    with app.app_context():
        company = castellan(about=evil, website="")
        number = make_customer("x", username="evil", company_id=company)
        with unit_of_work():
            member = db.session.get_one(Member, number)
            member.name, member.title, member.topics, member.use_cases = evil, evil, [evil], [evil]
    for path in ("/members", "/members/evil", f"/companies/{slug_of(app, company)}"):
        page = readers["customer"].get(path).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
