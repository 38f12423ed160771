"""A post becomes evidence from its place in a thread; a note takes more pieces, and says what went since."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.models import Nomination, Stage
from portal.advocacy.queries import candidates as queries
from portal.advocacy.queries.routes import routes
from portal.advocacy.services import candidates, choosing
from portal.consents.models import Activity
from portal.discussions.models import Post, PostState, ShownAs, Thread, ThreadKind
from portal.discussions.services.editing import delete_own_post
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import audit
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.services.erasing import erase_account
from tests.conftest import (
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.console.test_candidates import answers
from tests.support.people import fields_of, submit

SignIn = Callable[[int], FlaskClient]


@pytest.fixture
def ruth(app: Flask) -> int:
    with app.app_context():
        return make_moderator("Ruth", username="ruth")


@pytest.fixture
def moderator(sign_in: SignIn, ruth: int) -> FlaskClient:
    return sign_in(ruth)


@pytest.fixture
def tomasz(app: Flask) -> int:
    with app.app_context():
        return make_customer("Tomasz", username="tomasz", company_id=make_company("Huta"))


@pytest.fixture
def posts(app: Flask, tomasz: int) -> list[int]:
    with app.app_context():
        return answers(tomasz, 2)


def place_of(app: Flask, post: int) -> str:
    """The address of the page on which a post stands."""
    with app.app_context():
        thread = db.session.get_one(Thread, db.session.get_one(Post, post).thread_id)
        return f"/threads/{thread.id}/{thread.slug}"


def picked(app: Flask) -> list[list[int]]:
    """The pieces of each nomination, in the order in which they were written."""
    with app.app_context():
        return [list(one.post_ids) for one in db.session.query(Nomination).order_by(Nomination.id)]


def set_state(app: Flask, post: int, state: PostState) -> None:
    with app.app_context(), unit_of_work():
        db.session.get_one(Post, post).state = state


def link(post: int) -> str:
    return f'href="/console/posts/{post}/evidence"'


class TestInTheThread:
    def test_it_stands_under_an_answer_for_vendor_moderators_alone(
        self, app: Flask, posts: list[int], tomasz: int, sign_in: SignIn
    ) -> None:
        with app.app_context():
            company = viewer_of(tomasz).company_id
            readers = {
                "moderator": make_moderator(),
                "customer": make_customer(),
                "colleague": make_customer(company_id=company),
                "peer moderator": make_customer(duties=(Duty.MODERATOR,)),
                "prospect": make_prospect(),
                "sales": make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
                "vendor": make_member(status=Status.VENDOR),
                "oneself": tomasz,
            }
        path = place_of(app, posts[0])
        seen = {name: sign_in(number).get(path).text for name, number in readers.items()}
        seen["visitor"] = app.test_client().get(path).text
        assert {name for name, page in seen.items() if "/evidence" in page} == {"moderator"}
        assert link(posts[0]) in seen["moderator"]
        assert seen["moderator"].count("/evidence") == 1, "a question is no evidence"
        for name, number in readers.items():
            if name != "moderator":
                browser = sign_in(number)
                assert browser.get(f"/console/posts/{posts[0]}/evidence").status_code == 403, name

    def test_not_under_what_cannot_be_evidence(self, app: Flask, moderator: FlaskClient, tomasz: int) -> None:
        with app.app_context():
            board, guest = make_board(), make_prospect()
            asker = viewer_of(make_customer())
            thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title="Who has done it?", body="So?")
            by_guest = post_reply(viewer_of(guest), thread.id, "I would like to know as well.").id
            by_vendor = post_reply(viewer_of(make_moderator()), thread.id, "We did.").id
            unnamed = post_reply(viewer_of(tomasz), thread.id, "I did, and will not say where.").id
            talk = open_thread(asker, board, kind=ThreadKind.DISCUSSION, title="Only a talk", body="Well.")
            reply = post_reply(viewer_of(tomasz), talk.id, "Well, well.").id
            with unit_of_work():
                db.session.get_one(Post, unnamed).author_shown_as = ShownAs.ROLE
        for post in (by_guest, by_vendor, unnamed, reply):
            assert link(post) not in moderator.get(place_of(app, post)).text
            assert moderator.get(f"/console/posts/{post}/evidence").status_code == 404

    def test_a_war_story_is_evidence(self, app: Flask, moderator: FlaskClient, tomasz: int) -> None:
        with app.app_context():
            story = open_thread(
                viewer_of(tomasz),
                make_board(),
                kind=ThreadKind.WAR_STORY,
                title="The night it stopped",
                sections={"happened": "It stopped.", "cost": "A night.", "differently": "A breaker."},
            )
            post = db.session.query(Post.id).filter_by(thread_id=story.id).scalar()
        assert link(post) in moderator.get(place_of(app, post)).text
        assert "The night it stopped" in moderator.get("/console/candidates/tomasz").text


class TestTheForm:
    def test_nominates_with_the_post_picked_and_leads_back_to_it(
        self, app: Flask, moderator: FlaskClient, posts: list[int], tomasz: int
    ) -> None:
        page = f"/console/posts/{posts[0]}/evidence"
        shown = moderator.get(page).text
        assert re.search(rf'value="{posts[0]}" checked', shown)
        assert not re.search(rf'value="{posts[1]}" checked', shown)
        form = f"/console/posts/{posts[0]}/nomination"
        empty = submit(moderator, page, {"note": " ", "evidence": [str(posts[0])]}, form)
        assert empty.status_code == 422
        assert "Say in a sentence or two why." in empty.text
        both = {"note": "Says what it cost.", "evidence": [str(one) for one in posts]}
        sent = submit(moderator, page, both, form)
        assert sent.status_code == 303
        assert sent.location.startswith(place_of(app, posts[0]))
        assert sent.location.endswith("#p2")
        assert picked(app) == [posts]
        with app.app_context():
            assert queries.line_of(tomasz).stage is Stage.NOMINATED
            assert routes([tomasz])[tomasz].helper[2].met

    def test_adds_to_a_note_that_is_there(
        self, app: Flask, moderator: FlaskClient, posts: list[int], tomasz: int, ruth: int
    ) -> None:
        with app.app_context():
            other = make_moderator("Olga")
            candidates.nominate(viewer_of(ruth), tomasz, "Ruth's note.", post_ids=posts[:1])
            candidates.nominate(viewer_of(other), tomasz, "Olga's note.")
        page = f"/console/posts/{posts[1]}/evidence"
        shown = moderator.get(page).text
        assert "Add it to your note" in shown
        assert "Ruth&#39;s note." in shown
        sent = submit(moderator, page, {}, page)
        assert sent.status_code == 303
        assert "#p2" in sent.location
        assert picked(app) == [posts, []], "to one's own, though another one is newer"
        assert "added by" not in moderator.get("/console/candidates/tomasz").text
        with app.app_context():
            entry = db.session.query(audit.AuditEntry).order_by(audit.AuditEntry.number.desc()).first()
            assert (entry.action, entry.actor_id) == ("add evidence", ruth)
        again = submit(moderator, page, {}, f"/console/posts/{posts[1]}/nomination")
        assert "This is evidence already." in again.text

    def test_to_the_latest_note_of_others_where_one_wrote_none(
        self, app: Flask, moderator: FlaskClient, posts: list[int], tomasz: int
    ) -> None:
        with app.app_context():
            candidates.nominate(viewer_of(make_moderator("Olga")), tomasz, "Olga's note.")
        page = f"/console/posts/{posts[0]}/evidence"
        assert "Add it to the note of Olga" in moderator.get(page).text
        assert submit(moderator, page, {}, page).status_code == 303
        assert picked(app) == [posts[:1]]
        assert "added by Ruth" in moderator.get("/console/candidates/tomasz").text, (
            "it is not Olga who picked it"
        )

    def test_what_went_while_it_was_open_is_said_and_the_note_is_kept(
        self, app: Flask, moderator: FlaskClient, posts: list[int], tomasz: int, sign_in: SignIn
    ) -> None:
        page = f"/console/posts/{posts[0]}/evidence"
        form = f"/console/posts/{posts[0]}/nomination"
        data = {"note": "Typed with care.", "evidence": [str(one) for one in posts]}
        fields = fields_of(moderator.get(page), form) | data
        set_state(app, posts[0], PostState.HIDDEN)
        assert moderator.get(page).status_code == 404
        refused = moderator.post(form, data=fields)
        assert refused.status_code == 422
        assert "stands there no more" in refused.text
        assert "Typed with care." in refused.text
        set_state(app, posts[0], PostState.VISIBLE)
        with app.app_context():
            delete_own_post(viewer_of(tomasz), posts[1])
        refused = moderator.post(form, data=fields)
        assert refused.status_code == 422
        assert "what stands there still" in refused.text
        assert "Typed with care." in refused.text
        assert f'value="{posts[1]}"' not in refused.text
        with app.app_context(), unit_of_work():
            erase_account(tomasz, keep_text=True)
        refused = moderator.post(form, data=fields)
        assert refused.status_code == 422
        assert "Typed with care." in refused.text
        assert picked(app) == []

    def test_whoever_does_not_want_to_be_approached_is_not_nominated(
        self, app: Flask, moderator: FlaskClient, posts: list[int], tomasz: int, ruth: int
    ) -> None:
        page = f"/console/posts/{posts[0]}/evidence"
        form = f"/console/posts/{posts[0]}/nomination"
        fields = fields_of(moderator.get(page), form) | {
            "note": "Typed with care.",
            "evidence": str(posts[0]),
        }
        with app.app_context():
            candidates.nominate(viewer_of(ruth), tomasz, "Before.")
            choosing.choose(viewer_of(tomasz), not_scored=False, not_approached=True)
        shown = moderator.get(page).text
        assert "They chose not to be approached" in shown
        assert form not in shown
        refused = moderator.post(form, data=fields)
        assert refused.status_code == 422
        assert "Typed with care." in refused.text
        assert moderator.post(page, data=fields).status_code == 422
        assert picked(app) == [[]]
        assert "Nominate with a note and evidence" not in moderator.get("/console/candidates/tomasz").text
        with app.app_context():  # which no peer learns
            candidates.nominate(viewer_of(make_customer()), tomasz, "Helped us.", post_ids=posts[:1])

    def test_a_decline_stands(
        self, app: Flask, moderator: FlaskClient, posts: list[int], tomasz: int, ruth: int
    ) -> None:
        with app.app_context():
            candidates.nominate(viewer_of(ruth), tomasz, "Before.")
            asked = candidates.ask(viewer_of(ruth), tomasz, "Would you?", [Activity.CALL], reason="Offered")
            candidates.answer(viewer_of(tomasz), asked.id, [])
            before = queries.line_of(tomasz)
        page = f"/console/posts/{posts[0]}/evidence"
        assert "They said no. That stands until" in moderator.get(page).text
        assert submit(moderator, page, {}, page).status_code == 303
        with app.app_context():
            after = queries.line_of(tomasz)
            assert (after.stage, after.declined_until) == (Stage.RESTING, before.declined_until)

    def test_an_old_form_is_sent_again_with_everything_in_it(
        self, app: Flask, moderator: FlaskClient, posts: list[int]
    ) -> None:
        form = f"/console/posts/{posts[0]}/nomination"
        fields = {"note": "Typed with care.", "evidence": [str(one) for one in posts], "csrf_token": "old"}
        stale = moderator.post(form, data=fields)
        assert stale.status_code == 400
        assert "Typed with care." in stale.text
        assert stale.text.count('name="evidence"') == 2


class TestBeyondTheNewest:
    @pytest.fixture
    def many(self, app: Flask, tomasz: int) -> list[int]:
        with app.app_context():
            return answers(tomasz, 15)

    def test_older_pieces_are_found_with_nothing_typed_lost(
        self, app: Flask, moderator: FlaskClient, many: list[int], tomasz: int
    ) -> None:
        page, form = "/console/candidates/tomasz", "/console/candidates/tomasz/nominations"
        shown = moderator.get(page).text
        assert f'value="{many[14]}"' in shown
        assert f'value="{many[0]}"' not in shown
        typed = {"note": "Typed with care.", "evidence": str(many[14])}
        cursor = re.search(r'name="older_than" value="([^"]+)"', shown)
        older = submit(moderator, page, {**typed, "look": "older", "older_than": cursor[1]}, form)
        assert older.status_code == 200
        assert "Typed with care." in older.text
        assert f'value="{many[14]}" checked' in older.text
        assert f'value="{many[0]}"' in older.text
        found = submit(moderator, page, {**typed, "look": "find", "find": "number 1"}, form).text
        assert {one for one in many if f'value="{one}"' in found} == {many[1], *many[10:15]}
        nothing = submit(moderator, page, {**typed, "look": "find", "find": "zebra"}, form).text
        assert "Nothing else has these words: zebra" in nothing
        assert picked(app) == [], "looking further writes nothing"
        data = {"note": "Typed with care.", "evidence": [str(many[14]), str(many[0])], "find": "zebra"}
        assert submit(moderator, page, data, form).status_code == 303
        assert picked(app) == [[many[14], many[0]]]

    def test_the_members_page_goes_back_to_the_first(
        self, app: Flask, moderator: FlaskClient, many: list[int]
    ) -> None:
        first = moderator.get("/console/members/tomasz").text
        assert link(many[14]) in first
        assert link(many[0]) not in first
        older = re.search(r'href="(/console/members/tomasz\?older=[^"#]+)#evidence"', first)
        second = moderator.get(older[1]).text
        assert {one for one in many if link(one) in second} == set(many[:3])
        assert "Show the newest" in second
        found = moderator.get("/console/members/tomasz?find=number+14").text
        assert {one for one in many if link(one) in found} == {many[14]}
        assert moderator.get("/console/members/tomasz?older=nonsense").status_code == 404

    def test_what_went_since_is_said_without_a_word_of_it(
        self, app: Flask, moderator: FlaskClient, many: list[int], tomasz: int, ruth: int
    ) -> None:
        with app.app_context():
            candidates.nominate(viewer_of(ruth), tomasz, "A note.", post_ids=many[:4])
            delete_own_post(viewer_of(tomasz), many[1])
            with unit_of_work():
                db.session.get_one(Post, many[2]).author_shown_as = ShownAs.ROLE
        set_state(app, many[0], PostState.HIDDEN)
        page = moderator.get("/console/candidates/tomasz").text
        notes = page.split('id="nominations"')[1].split('<fieldset class="field" id="evidence"')[0]
        assert "A post that was taken down since" in notes
        assert "A post that was deleted since" in notes
        assert "A post that is not to be read here any more" in notes
        assert "Question number 3" in notes
        for number in range(3):
            assert f"Question number {number}" not in notes
        with app.app_context():
            gate = routes([tomasz])[tomasz].helper[2]
            assert (gate.met, gate.have) == (False, 1), "what went is no evidence any more"
