"""The audit log: a chain that shows what was done to it, and without which nothing privileged is done."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update

from portal.cli import main
from portal.console import audit_heads
from portal.discussions.models import Audience, Post, PostState, Thread
from portal.discussions.services import tools
from portal.discussions.services.boards import create_board
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import post_reply
from portal.kernel import audit, clock
from portal.kernel.access import Duty
from portal.kernel.audit import AuditEntry, Head
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member
from portal.members.services.confirming import confirm_company
from portal.moderation.models import Case, CaseState, Decision
from portal.moderation.services import cases
from portal.moderation.services.deciding import decide
from portal.notifications.models import Mail
from portal.settings import Settings
from tests.conftest import (
    make_admin,
    make_board,
    make_company,
    make_customer,
    make_moderator,
    noon,
    viewer_of,
)
from tests.moderation.conftest import answered, ask, flagged, hidden, hiding


def entries(count: int) -> list[str]:
    """Record so many actions; gives what each said."""
    said = [f"thing {n}" for n in range(count)]
    for words in said:
        with unit_of_work():
            audit.record(7, "try", "thing", 1, words, area="settings")
    return said


def test_an_untouched_chain_is_whole(in_app: Flask) -> None:
    assert audit.verify().problems == []
    entries(5)
    found = audit.verify()
    assert (found.rows, found.problems, found.head) == (5, [], audit.head())


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (update(AuditEntry).where(AuditEntry.number == 3).values(action="other"), "entry 3 was changed"),
        (update(AuditEntry).where(AuditEntry.number == 3).values(actor_id=8), "entry 3 was changed"),
        (update(AuditEntry).where(AuditEntry.number == 3).values(details="x"), "the words of entry 3"),
        (update(AuditEntry).where(AuditEntry.number == 3).values(at=noon()), "entry 3 was changed"),
        (delete(AuditEntry).where(AuditEntry.number == 3), "entries 3 to 3 are missing"),
        (delete(AuditEntry).where(AuditEntry.number == 1), "entries 1 to 1 are missing"),
    ],
    ids=["action", "actor", "words", "time", "a deletion", "the first"],
)
def test_an_edit_or_a_deletion_shows(in_app: Flask, tampering: object, said: str) -> None:
    entries(5)
    with unit_of_work():
        db.session.execute(tampering)  # type: ignore[call-overload]
    assert any(problem.startswith(said) for problem in audit.verify().problems)


def test_another_order_shows(in_app: Flask) -> None:
    entries(4)
    with unit_of_work():
        for before, after in ((2, 99), (3, 2), (99, 3)):
            db.session.execute(update(AuditEntry).where(AuditEntry.number == before).values(number=after))
    assert audit.verify().problems != []


def test_what_was_cut_off_shows_against_a_signed_head(in_app: Flask, settings: Settings) -> None:
    entries(5)
    signed = audit.sign_head(settings.SECRET_KEY, audit.head())
    with unit_of_work():
        db.session.execute(delete(AuditEntry).where(AuditEntry.number > 3))
    assert audit.verify().problems == []
    head = audit.read_head(settings.SECRET_KEY, signed)
    assert head is not None
    assert "entry 5" in audit.verify([head]).problems[0]
    entries(4)  # written anew: the numbers are there again, the hashes are not
    assert "entry 5 is another one" in audit.verify([head]).problems[0]
    assert audit.read_head("another key that is long enough to sign", signed) is None
    assert audit.read_head(settings.SECRET_KEY, "made up") is None


def test_an_erasure_blanks_words_and_the_chain_stays_whole(in_app: Flask) -> None:
    entries(3)
    with unit_of_work():
        audit.blank_details([2])
    found = audit.verify()
    assert (found.problems, found.blanked) == ([], 1)


def delete_through_the_product() -> None:
    with unit_of_work():
        db.session.delete(db.session.get_one(AuditEntry, 1))


def test_entries_are_not_deleted_by_the_product(in_app: Flask) -> None:
    entries(1)
    with pytest.raises(RuntimeError):
        delete_through_the_product()
    with pytest.raises(RuntimeError):
        audit.record(1, "try", "thing", 1)


def test_what_people_with_a_duty_do_is_recorded_once_with_who_and_where(in_app: Flask) -> None:
    admin, moderator = viewer_of(make_admin()), viewer_of(make_moderator())
    board = create_board(admin, name="Operations", description="", audience=Audience.PUBLIC)
    asker, author = viewer_of(make_customer()), viewer_of(make_customer())
    thread = ask(asker, board.id)
    post = post_reply(author, thread.id, "Call the desk.")
    edit_post(author, post.id, Edit(body="Call the night desk.", version=post.version))
    tools.close_thread(moderator, thread.id, "Answered.")
    tools.reopen_thread(moderator, thread.id)
    version = db.session.get_one(Post, post.id).version
    edit = Edit(body="Call the desk at night.", version=version, reason="A name in it.", rule=4)
    edit_post(moderator, post.id, edit)
    rows = db.session.execute(select(AuditEntry).order_by(AuditEntry.number)).scalars().all()
    assert [(row.action, row.actor_id, row.target_kind, row.target_id, row.board_id) for row in rows] == [
        ("create board", admin.member_id, "board", board.id, board.id),
        ("thread closed", moderator.member_id, "thread", thread.id, board.id),
        ("thread reopened", moderator.member_id, "thread", thread.id, board.id),
        ("edit post", moderator.member_id, "post", post.id, board.id),
    ]
    assert rows[1].details == "Answered."


def unwritable() -> None:
    """Drill 14: a trigger that refuses every row."""
    with unit_of_work():
        if db.engine.dialect.name == "sqlite":
            db.session.execute(
                text(
                    "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries "
                    "BEGIN SELECT RAISE(ABORT, 'no more rows'); END"
                )
            )
            return
        db.session.execute(
            text(
                "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql "
                "AS $$ BEGIN RAISE EXCEPTION 'no more rows'; END $$"
            )
        )
        db.session.execute(
            text(
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries "
                "FOR EACH ROW EXECUTE FUNCTION no_audit()"
            )
        )


def test_without_a_log_privileged_actions_are_refused_and_posting_goes_on(in_app: Flask) -> None:
    moderator, admin = viewer_of(make_moderator()), viewer_of(make_admin())
    asker, author, reporter = (viewer_of(make_customer()) for _ in range(3))
    board = make_board()
    post = answered(asker, author, board)
    case = flagged(post, reporter)
    unwritable()
    for act in (
        lambda: decide(moderator, case.id, hiding(case)),
        lambda: cases.claim(moderator, case.id),
        lambda: tools.close_thread(moderator, post.thread_id, "Enough."),
        lambda: create_board(admin, name="Another board", description="", audience=Audience.PUBLIC),
    ):
        with pytest.raises(audit.AuditUnavailable):
            act()
    assert db.session.get_one(Post, post.id).state is PostState.VISIBLE
    assert db.session.get_one(Case, case.id).state is CaseState.OPEN
    assert db.session.get_one(Thread, post.thread_id).closed_at is None
    assert db.session.execute(select(Decision.id)).all() == []
    assert post_reply(asker, post.thread_id, "Still talking.").state is PostState.VISIBLE
    assert flagged(post, asker).flags_count == 2


def test_the_moderator_reads_why_nothing_is_done(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        moderator = make_moderator()
        asker, author, reporter = (viewer_of(make_customer()) for _ in range(3))
        case_id = flagged(answered(asker, author, make_board()), reporter).id
        unwritable()
    browser = sign_in(moderator)
    token = browser.get("/console/queue").text.split('name="csrf-token" content="')[1].split('"')[0]
    answer = browser.post(f"/console/cases/{case_id}/claim", data={"csrf_token": token})
    assert answer.status_code == 503
    assert "audit log cannot be written" in answer.text


def test_the_command_says_whether_the_chain_is_whole(app: Flask, settings: Settings) -> None:
    with app.app_context():
        entries(3)
    runner = app.test_cli_runner()
    audit_command = main.commands["audit"]
    head = runner.invoke(audit_command, ["head"]).output.strip()
    whole = runner.invoke(audit_command, ["verify", "--head", head])
    assert (whole.exit_code, "the chain is whole" in whole.output) == (0, True)
    with app.app_context():
        audit_heads.keep_head(settings.INSTANCE_PATH, settings.SECRET_KEY)
        with unit_of_work():
            db.session.execute(delete(AuditEntry).where(AuditEntry.number == 3))
    # The head in the file beside the database is enough.
    cut = runner.invoke(audit_command, ["verify"])
    assert (cut.exit_code, "entry 3, which was there" in cut.output) == (1, True)
    assert runner.invoke(audit_command, ["verify", "--head", "made up"]).exit_code == 1


def test_a_head_is_kept_when_the_log_grew_and_mailed_to_admins_once_a_week(
    in_app: Flask, settings: Settings, at: Callable
) -> None:
    def keep() -> int:
        return audit_heads.keep_head(settings.INSTANCE_PATH, settings.SECRET_KEY)

    at(noon())
    make_admin()
    make_moderator()
    make_customer(duties=(Duty.MODERATOR,))
    assert keep() == 0
    entries(2)
    assert (keep(), keep()) == (1, 0)
    assert len(db.session.execute(select(Mail.id)).all()) == 1
    entries(1)
    at(noon() + timedelta(days=1))
    assert keep() == 1
    assert len(db.session.execute(select(Mail.id)).all()) == 1
    entries(1)
    at(noon() + timedelta(days=8))
    assert keep() == 1
    assert len(db.session.execute(select(Mail.id)).all()) == 2
    heads = audit_heads.kept_heads(settings.INSTANCE_PATH, settings.SECRET_KEY)
    assert heads[-1] == audit.head() != Head(0, audit.FIRST)
    assert audit.verify(heads).problems == []
    assert clock.now()


def test_a_peer_reads_of_the_log_what_was_done_to_posts_on_boards_they_read(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    with app.app_context():
        admin, moderator = viewer_of(make_admin("Marijke")), viewer_of(make_moderator("Ruth"))
        create_board(admin, name="Plans for the board", description="", audience=Audience.STAFF)
        staff = make_board("Staff room", audience=Audience.STAFF)
        asker, author, reporter = (viewer_of(make_customer()) for _ in range(3))
        hidden(moderator, answered(asker, author, make_board()), reporter)
        hidden(moderator, answered(moderator, admin, staff, "A secret of the staff room."), moderator)
        peer, staff_member = make_customer(duties=(Duty.MODERATOR,)), moderator.member_id or 0
    seen = sign_in(peer).get("/console/log").text
    assert seen.count('<td class="wide">Rule 4') == 1
    assert "create board" not in seen
    whole = sign_in(staff_member).get("/console/log").text
    assert whole.count('<td class="wide">Rule 4') == 2
    assert "create board" in whole
    only = sign_in(staff_member).get("/console/log?action=hide+post&since=2000-01-01&until=2001-01-01").text
    assert "Nothing that fits" in only
    for query in (
        "?before=abc",
        "?since=yesterday",
        "?target=case+x",
        "?target=case+1",
        "?actor=%00",
        "?before=-1",
    ):
        assert sign_in(staff_member).get(f"/console/log{query}").status_code == 200


def test_the_log_names_whom_something_was_done_to(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        moderator, helper = viewer_of(make_moderator("Ruth")), make_customer("Dana Kowalski")
        username = db.session.get_one(Member, helper).username
        acme = make_company("Acme Foods")
        slug = db.session.get_one(Company, acme).slug
        confirm_company(moderator, username, acme)
        with unit_of_work():
            audit.record(moderator, "record consent", "company", acme, "case_study", area="people")
    page = sign_in(moderator.member_id or 0).get("/console/log").text
    assert re.search(rf'<a href="/console/members/{username}"[^>]*>Dana Kowalski</a>', page)
    assert re.search(rf'<a href="/console/companies/{slug}"[^>]*>Acme Foods</a>', page)
    assert '<td class="wide">Acme Foods</td>' in page  # what was said of the member, by name
    assert "a written story" in page
    for raw in (f"member {helper}", f"company {acme}", "case_study"):
        assert raw not in page
