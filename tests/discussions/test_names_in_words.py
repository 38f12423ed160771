"""Prospects' names typed as plain words: sales and service read "a prospect", others what was written."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions import digest
from portal.discussions.masking import Mask, Named, whole_names_in
from portal.discussions.models import Audience, Thread
from portal.discussions.queries import lists
from portal.discussions.queries.narrowing import Asked
from portal.discussions.queries.searching import find
from portal.discussions.queries.similar import resembling
from portal.discussions.services import editing, following, tools
from portal.discussions.services.editing import Edit
from portal.kernel import clock
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.members.display import Reader
from portal.moderation.models import Case, MemberMeasure, PostMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post
from portal.moderation.services.rules import name_second
from portal.notifications.queries import notices_of
from portal.search import services as search
from tests.conftest import (
    make_board,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.discussions.factories import make_comment, make_post, make_thread, opening_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
PAULA = Named("paula-g", "Paula Grünwald")
SIGNS = ("paula", "grünwald", "grunwald", "gruenwald")


def betrayed(text: str) -> list[str]:
    return [sign for sign in SIGNS if sign in text.lower()]


# --- the words alone ---


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Thanks Paula Grünwald!", "Thanks a prospect!"),
        ("thanks paula, GRUENWALD and Grunwald's", "thanks a prospect, a prospect and a prospect's"),
        ("<p>Hi <em>Paula</em> <b>Grünwald</b></p>", "<p>Hi <em>a prospect</em> <b>a prospect</b></p>"),
        (
            '<a href="https://work.example/in/paula-grunwald" title="Paula">her</a>',
            '<a href="https://work.example/in/a-prospect" title="a prospect">her</a>',
        ),
        ("[Paula](/members/paula-g), @paula-g, paula-g", "a prospect, a prospect, a prospect"),
        ("the paulaner beer, a < Paula > b", "the paulaner beer, a < a prospect > b"),
        ("Paula Gru\u0308nwald in two signs", "a prospect in two signs"),
    ],
)
def test_every_part_of_a_name_goes_where_the_person_took_part(written: str, read: str) -> None:
    assert Mask("a prospect", [], [PAULA])(written) == read


def test_elsewhere_only_the_whole_name_goes() -> None:
    mask = Mask("a prospect", [PAULA])
    assert mask("Paula of Oslo and paula grunwald, @paula-g") == "Paula of Oslo and a prospect, a prospect"


def test_a_part_that_is_a_word_goes_with_its_capital_only() -> None:
    mask = Mask(
        "a prospect", [], [Named("will", "Will Stone"), Named("t", "田中 太郎"), Named("ob", "Séan O’Brien")]
    )
    assert mask("Ask Will: it will turn to stone") == "Ask a prospect: it will turn to stone"
    assert mask("田中さん、ありがとう") == "a prospectさん、ありがとう"
    assert mask("sean o&#39;brien knows") == "a prospect knows"


def test_names_looked_for_are_bounded() -> None:
    assert "ana de souza" in whole_names_in(["<p>Ask Ana de Souza. It works.</p>"])
    assert whole_names_in(["nobody is named here", None]) == set()
    assert (
        len(whole_names_in([" ".join(f"Word{chr(97 + n % 26)}{n // 26 * 'x'}" for n in range(2_000))])) <= 400
    )


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        '<a b="',
        "<a a",
        "Aa ",
        "P",
        "Paula ",
        "@paula-",
        "[ ",
        "[](/members/",
        " ",
        '<a href="/members/',
    ],
)
def test_64_kb_of_anything_are_looked_through_once(piece: str) -> None:
    text = piece * (65_536 // len(piece))
    begin = time.process_time()
    Mask("a prospect", [PAULA], [PAULA])(text)
    whole_names_in([text])
    assert time.process_time() - begin < 3, "it would take minutes from every place of the text"


# --- every page ---

PAGES = (
    "/",
    "/boards/before",
    "/threads/{thread}",
    "/threads/{thread}/posts?quote={answer}",
    "/threads/{elsewhere}",
    "/posts/{answer}",
    "/posts/{opening}/comments",
    "/posts/{answer}/comments",
    "/posts/{answer}/quotation",
    "/posts/{opening}/history",
    "/posts/{answer}/history",
    "/posts/{opening}/flag",
    "/posts/{answer}/flag",
    "/search?q=restore",
    "/search?q=Gr%C3%BCnwald",
    "/search?q=paula+grunwald",
    "/search?board=before",
    "/tags/restores",
    "/members/{helper}",
    "/members/{helper}/posts",
    "/members/{helper}/threads",
    "/feeds/latest.atom",
    "/boards/before.atom",
    "/notifications",
    "/me/bookmarks",
    "/me/following",
    "/transparency",
)
ECHOES = ("Grünwald", "Gr%C3%BCnwald", "paula grunwald", "paula+grunwald", "paula%20grunwald")


def scene() -> dict[str, object]:
    """A prospect's thread in which everybody calls her by name, and another one that speaks of her."""
    board = make_board("Before you buy", slug="before")
    paula = viewer_of(make_prospect(PAULA.name, username=PAULA.username))
    helper = viewer_of(make_customer("Tomasz"))
    thread = make_thread(
        paula, board, "Paula here: how do you test a restore?", "Regards, Paula Grünwald", tags="restores"
    )
    opening = opening_of(thread)
    answer = make_post(
        helper, thread, "Thanks Paula Grünwald! As Ms Grunwald says, a restore is an art, paula."
    )
    make_comment(helper, opening, "Which restore, Paula?")
    elsewhere = make_thread(
        helper,
        board,
        "What Paula Grünwald asked about a restore",
        "Paula Grünwald asked it.",
        tags="restores",
    )
    with clock.frozen(clock.now() + timedelta(hours=2)):
        for writer, post, title in (
            (paula, opening, "Paula asks: how do you test a restore?"),
            (helper, answer, None),
        ):
            db.session.expire_all()
            edit = Edit(
                body=post.source + "\n\nEdited.", title=title, reason="Paula asked", version=post.version
            )
            editing.edit_post(writer, post.id, edit)
    return {
        "board": board,
        "thread": thread.id,
        "opening": opening.id,
        "answer": answer.id,
        "elsewhere": elsewhere.id,
        "helper": helper.username,
    }


def make_seller(duty: Duty = Duty.SALES) -> Viewer:
    return viewer_of(make_member("Sal", status=Status.VENDOR, duties=(duty,)))


@pytest.mark.parametrize("duty", [Duty.SALES, Duty.SERVICE])
def test_no_page_names_her_to_sales_or_service(app: Flask, sign_in: SignIn, duty: Duty) -> None:
    with app.app_context():
        places = scene()
        seller, carla = make_seller(duty), make_customer("Carla")
        following.follow_board(seller, places["board"])
        following.follow_thread(seller, places["thread"])
        for post in ("opening", "answer"):
            following.bookmark(seller, places[post])
        make_post(carla, places["thread"], "And thanks from me too, Paula.")
        search.drain()
    browser, customer = sign_in(seller.member_id), sign_in(carla)
    named = 0
    for page in PAGES:
        address = page.format(**places)
        answer = browser.get(address)
        seen = f"{answer.headers.get('Location', '')} {answer.text}"
        while answer.location:
            answer = browser.get(answer.location)
            seen += f" {answer.location or ''} {answer.text}"
        assert answer.status_code == 200, page
        for echo in ECHOES if page.startswith("/search") else ():
            seen = seen.replace(echo, "")  # what was asked
        assert betrayed(seen) == [], page
        named += bool(betrayed(customer.get(address, follow_redirects=True).text))
    assert named > 18, "others read what was written"
    text = browser.get(f"/threads/{places['thread']}", follow_redirects=True).text
    assert "Thanks a prospect! As Ms a prospect says, a restore is an art, a prospect." in text
    assert "a prospect asks: how do you test a restore?" in text


def test_notices_digests_and_lists_name_nobody(in_app: Flask) -> None:
    places = scene()
    seller, helper = make_seller(), viewer_of(make_customer("Ida"))
    for reader in (seller, helper):
        following.follow_thread(reader, places["thread"])
    since = clock.now() - timedelta(days=1)
    make_post(make_customer("Carla"), places["thread"], "And thanks from me too, Paula.")
    shown = {
        reader.member_id: repr(
            [
                [one.line for one in notices_of(viewer_of(reader.member_id)).rows],
                digest.items_for(reader, since),
                lists.latest_threads(reader),
            ]
        )
        for reader in (seller, helper)
    }
    assert betrayed(shown[seller.member_id]) == []
    assert betrayed(shown[helper.member_id]) == ["paula", "grünwald", "grunwald"]


def test_looking_for_her_name_finds_nothing(in_app: Flask) -> None:
    scene()
    search.drain()
    seller, customer = make_seller(), viewer_of(make_customer("Carla"))
    for words in ("Grünwald", "grunwald", "Paula Grünwald", "paula-g", '"Paula Grünwald"'):
        found = find(seller, Asked(q=words))
        assert (found.total, found.threads) == (0, []), words
    assert find(customer, Asked(q="Grünwald")).total == 2
    both = find(seller, Asked(q="restore Paula Grünwald"))
    assert both.total == 2
    assert betrayed(repr(both)) == []


def test_who_becomes_a_customer_has_a_name_again(in_app: Flask) -> None:
    thread = make_thread(make_customer("Paula Grünwald"), make_board(), "Paula here: how do you test it?")
    assert [line.title for line in lists.latest_threads(make_seller())] == [thread.title]


def test_a_merged_thread_leads_on_without_the_name(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        places = scene()
        tools.merge_threads(viewer_of(make_moderator()), places["elsewhere"], places["thread"], "Why.")
        seller = make_seller()
    answer = sign_in(seller.member_id).get(f"/threads/{places['elsewhere']}/anything")
    assert answer.status_code == 301
    assert betrayed(answer.location) == []


def test_a_list_takes_one_statement_more_however_many_threads(
    in_app: Flask, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    board = make_board(audience=Audience.PROSPECTS)
    seller = make_seller()
    counts = []
    for number in (1, 12):
        for one in range(number):
            make_thread(make_prospect(f"Paula Berg {one}"), board, f"How do you test a restore, part {one}?")
        db.session.rollback()
        with statements() as seen:
            assert len(lists.latest_threads(seller, 40)) >= number
        counts.append(len(seen.texts))
    assert counts[0] == counts[1] == 2


def test_the_veil_of_everybody_else_asks_nothing(
    in_app: Flask, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    thread = make_thread(make_prospect("Paula Grünwald"), make_board(audience=Audience.PROSPECTS))
    assert db.session.get_one(Thread, thread.id)
    db.session.rollback()
    with statements() as seen:
        lists.latest_threads(viewer_of(make_customer("Carla")))
    assert not any("UNION" in text for text in seen.texts)
    assert Reader.SELLER != Reader.INSIDER


# --- who is close to a text ---


def test_addresses_companies_and_user_names_go_too() -> None:
    ida = Named("ida-w", "Ida Wren", "ida.wren@palimpsest.example", "Palimpsest Works GmbH")
    assert Mask("a prospect", [ida])(
        "Write to IDA.Wren@palimpsest.example. ida-w of Palimpsest Works knows"
    ) == ("Write to a prospect. a prospect of Palimpsest Works knows")
    signed = '<p>Best, Ida<br>Palimpsest Works<br><a href="mailto:ida.wren@palimpsest.example">mail</a></p>'
    assert Mask("a prospect", [], [ida])(signed) == (
        '<p>Best, a prospect<br>a company<br><a href="mailto:a-prospect">mail</a></p>'
    )
    assert Mask("a prospect", [ida]).finds("see ida-w")
    assert not Mask("a prospect", [ida]).finds("see Ida")


def test_a_first_name_goes_beside_the_whole_name_and_beside_a_link_to_her_thread(
    app: Flask, sign_in: SignIn
) -> None:
    with app.app_context():
        places = scene()
        ida = make_customer("Ida", username="ida")
        helper, board = viewer_of(ida), places["board"]
        called = make_thread(helper, board, "About restores", "Ask Paula Grünwald. Paula asked first.")
        make_post(helper, called, "Hi Paula, did it work?")
        link = f"In [that one](/threads/{places['thread']}) Paula asked it."
        linked = make_thread(helper, board, "More of them", link)
        quoting = make_thread(helper, board, "Quotes of it", f"Paula said so in /posts/{places['opening']}.")
        beer = make_thread(helper, board, "Paula, the beer", "Paula is a good beer.").id
        threads = [called.id, linked.id, quoting.id]
        seller = make_seller()
    for thread in threads:
        seen = sign_in(seller.member_id).get(f"/threads/{thread}", follow_redirects=True).text
        seen = seen.replace("Paula, the beer", "").replace("paula-the-beer", "")  # listed beside it
        assert betrayed(seen) == []
        assert "a prospect" in seen
        assert "Paula" in sign_in(ida).get(f"/threads/{thread}", follow_redirects=True).text
    page = sign_in(seller.member_id).get(f"/threads/{beer}", follow_redirects=True).text
    assert "Paula is a good beer" in page, "a first name alone names nobody"


def test_who_appears_as_a_role_has_no_name_in_others_words(in_app: Flask) -> None:
    board = make_board("Before you buy", slug="before")
    asker, helper = viewer_of(make_customer("Zephyrine Quill")), viewer_of(make_customer("Ida"))
    thread = make_thread(asker, board, "Zephyrine asks: who left?", "Best, Zephyrine", author_shown_as="role")
    make_post(helper, thread, "Thanks Zephyrine Quill, we did.")
    line = next(one for one in lists.latest_threads(make_seller()) if one.id == thread.id)
    assert line.title == "a member asks: who left?"
    found = find(make_seller(), Asked(board="before"))
    assert "quill" not in repr(found).lower() + repr(line).lower()


# --- what a search counts ---


def test_a_name_narrows_and_counts_nothing(in_app: Flask) -> None:
    places = scene()
    helper = viewer_of(make_customer("Ida"))
    for number in range(6):
        make_thread(helper, places["board"], f"How long does a restore take, part {number}?")
    search.rebuild()
    seller = make_seller()
    for words in ("grunwald", "grünwalds", "paula", "Grunwlad", '"Ms Grunwald"', "zebra Grünwald"):
        found = find(seller, Asked(q=words))
        assert (found.total, found.threads, found.suggestion) == (0, [], None), words
        assert all(choice.threads == 0 for facet in found.facets.values() for choice in facet), words
    with_name, without = find(seller, Asked(q="restore grunwald")), find(seller, Asked(q="restore zebra"))
    assert with_name.total == without.total == 8
    assert with_name.some_words == without.some_words
    assert [choice.threads for choice in with_name.facets["board"]] == [8]
    assert find(helper, Asked(q="grunwald")).total == 2


def test_a_title_is_not_found_by_a_name_in_it(in_app: Flask) -> None:
    places = scene()
    search.rebuild()
    title = "What Paula Grünwald"
    assert [one.url for one in resembling(viewer_of(make_customer("Ida")), title)] != []
    assert resembling(make_seller(), title) == []
    assert places


# --- what moderators decided ---


def test_decisions_on_what_a_seller_wrote_or_flagged_name_nobody(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        places = scene()
        seller, moderator = make_seller(), viewer_of(make_moderator())
        own = make_post(seller, places["thread"], "Have you thought of our new offer?")
        flagged = flag_post(seller, places["answer"], rule_number=4)
        for case_id in (
            flag_post(viewer_of(make_customer("Ida")), own.id, rule_number=4).case_id,
            flagged.case_id,
        ):
            case = db.session.get_one(Case, case_id)
            decided = decide(
                moderator,
                case_id,
                Verdict(
                    post=PostMeasure.HIDE,
                    member=MemberMeasure.NONE,
                    rule_number=4,
                    reason="Paula Grünwald asked us to; Paula was cross.",
                    note="",
                    version=case.version,
                ),
            )
            if case_id != flagged.case_id:
                decision = decided.id
        lines = [one.line for one in notices_of(seller).rows]
    assert len(lines) == 2
    assert betrayed(repr(lines)) == []
    assert "a prospect" in repr(lines)
    browser = sign_in(seller.member_id)
    for page in (f"/decisions/{decision}", f"/appeals/new?decision={decision}", "/notifications"):
        answer = browser.get(page)
        assert answer.status_code == 200
        assert betrayed(answer.text) == [], page


def test_sales_and_service_decide_no_appeal(in_app: Flask) -> None:
    admin = viewer_of(make_member("Ada", status=Status.VENDOR, duties=(Duty.ADMIN,)))
    seller = make_seller()
    with pytest.raises(Invalid, match="no appeals"):
        name_second(admin, seller.username)
    name_second(admin, viewer_of(make_customer("Ida", username="ida")).username)
