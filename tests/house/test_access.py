"""The access matrix: every endpoint × every status and duty.

`PERMISSIONS` says by hand what each endpoint needs; `MAY` says by hand who has what. Both are compared with
what the code declares, so a new route, or a wider permission, is a change of this file that somebody reads.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.kernel.access import Permission, permissions_of
from tests.house.people import PEOPLE, Person
from tests.house.routes import NOBODYS_NAME, NOBODYS_NUMBER, Route, routes

(
    VISIT, ACCOUNT, READ, POST, REACT, FLAG, ASK, CONVERSE, INVITE, MODERATE, CONFIRM_MEMBERS, ADMINISTER,
    ADVOCACY,
) = Permission  # fmt: skip
EVERYBODY = {VISIT}
ANY_ACCOUNT = {VISIT, ACCOUNT}
STAFF = {VISIT, ACCOUNT, READ, POST, REACT, FLAG}
MEMBERS = STAFF | {ASK, CONVERSE}

MAY: dict[str, set[Permission]] = {
    "visitor": EVERYBODY,
    "unconfirmed": ANY_ACCOUNT,
    "prospect": MEMBERS,
    "customer": MEMBERS | {INVITE},
    "former customer": MEMBERS,
    "suspended customer": ANY_ACCOUNT | {READ},
    "peer moderator": MEMBERS | {INVITE, MODERATE},
    "vendor": STAFF | {INVITE},
    "vendor moderator": STAFF | {INVITE, MODERATE, CONFIRM_MEMBERS, ADVOCACY},
    "sales": STAFF | {INVITE},
    "service": STAFF | {INVITE},
    "admin": STAFF | {INVITE, MODERATE, CONFIRM_MEMBERS, ADMINISTER, ADVOCACY},
}

PERMISSIONS: dict[str, Permission] = {
    "asks.create": VISIT,
    "asks.found": VISIT,
    "asks.new": VISIT,
    "asks.return_to_form": VISIT,
    "asks.similar": VISIT,
    "ask_page.index": ACCOUNT,
    "ask_page.show": VISIT,
    "ask_page.doubt": ASK,
    "ask_page.settle": REACT,
    "ask_page.consent": ASK,
    "ask_page.withdraw_consent": ASK,
    "ask_page.widen": ASK,
    "ask_page.edit_summary": REACT,
    "ask_page.save_summary": REACT,
    "connecting.connect": ASK,
    "connecting.connect_now": ASK,
    "connecting.approach": ASK,
    "connecting.more": ASK,
    "requests.index": ACCOUNT,
    "requests.show": ACCOUNT,
    "requests.talk": CONVERSE,
    "requests.not_now": ACCOUNT,
    "requests.pass_on": CONVERSE,
    "invites.index": INVITE,
    "invites.create": INVITE,
    "invites.create_for_colleague": CONVERSE,
    "invites.withdraw": INVITE,
    "invites.report_nothing": ACCOUNT,
    "invites.show": VISIT,
    "invites.accept": VISIT,
    "console_asks.show": MODERATE,
    "console_asks.introduce": MODERATE,
    "console_asks.look_again": MODERATE,
    "rota.show": MODERATE,
    "rota.plan": MODERATE,
    "rota.cancel": MODERATE,
    "practice.index": MODERATE,
    "practice.begin_anew": MODERATE,
    "practice.show": MODERATE,
    "practice.answer": MODERATE,
    "ask_settings.show": ADMINISTER,
    "ask_settings.save": ADMINISTER,
    "composing.create_comment": POST,
    "composing.create_post": POST,
    "composing.create_thread": POST,
    "composing.new_comment": POST,
    "composing.new_post": POST,
    "composing.new_thread": POST,
    "composing.preview": POST,
    "composing.quotation": POST,
    "composing.return_to_thread": POST,
    "composing.similar": POST,
    "members.ask_for_password": VISIT,
    "members.ask_to_join": VISIT,
    "today.export": MODERATE,
    "today.index": MODERATE,
    "today.morning": ADVOCACY,
    "today.thank": ADVOCACY,
    "rising.export": ADVOCACY,
    "rising.index": ADVOCACY,
    "candidates.ask": ADVOCACY,
    "candidates.care": ADVOCACY,
    "candidates.export": ADVOCACY,
    "candidates.index": ADVOCACY,
    "candidates.move": ADVOCACY,
    "candidates.nominate": ADVOCACY,
    "candidates.read_nomination": ADVOCACY,
    "candidates.review": ADVOCACY,
    "candidates.show": ADVOCACY,
    "candidates.spot": ADVOCACY,
    "candidates.withdraw_asking": ADVOCACY,
    "recognition.hide": ACCOUNT,
    "recognition.index": ACCOUNT,
    "recognition.save": ACCOUNT,
    "own_consents.answer": ACCOUNT,
    "own_consents.give": ACCOUNT,
    "own_consents.index": ACCOUNT,
    "own_consents.suggest": INVITE,
    "own_consents.suggest_oneself": CONVERSE,
    "own_consents.suggestion": INVITE,
    "own_consents.withdraw": ACCOUNT,
    "community_health.index": ADVOCACY,
    "community_health.export": ADVOCACY,
    "company_consents.end": ADVOCACY,
    "company_consents.index": ADVOCACY,
    "company_consents.record": ADVOCACY,
    "console_people.add_company": CONFIRM_MEMBERS,
    "console_people.change_company": CONFIRM_MEMBERS,
    "console_people.company": CONFIRM_MEMBERS,
    "console_people.export_companies": CONFIRM_MEMBERS,
    "log.export": MODERATE,
    "queue.export": MODERATE,
    "score_console.export_contests": ADVOCACY,
    "score_console.export_patterns": ADVOCACY,
    "console_people.company_list": CONFIRM_MEMBERS,
    "console_people.confirm_company": CONFIRM_MEMBERS,
    "console_people.hand_over": CONFIRM_MEMBERS,
    "console_people.lower_limit": CONFIRM_MEMBERS,
    "console_people.member": CONFIRM_MEMBERS,
    "console_people.add_note": ADVOCACY,
    "console_people.delete_note": ADVOCACY,
    "members_list.index": CONFIRM_MEMBERS,
    "members_list.export": ADVOCACY,
    "console_people.new_company": CONFIRM_MEMBERS,
    "console_people.set_duties": ADMINISTER,
    "console_people.withdraw_company": CONFIRM_MEMBERS,
    "console_settings.add_board": ADMINISTER,
    "console_settings.board": ADMINISTER,
    "console_settings.board_list": ADMINISTER,
    "console_settings.calendar": ADMINISTER,
    "console_settings.change_board": ADMINISTER,
    "console_settings.index": ADMINISTER,
    "console_settings.list_index": ADMINISTER,
    "console_settings.move_board": ADMINISTER,
    "console_settings.new_board": ADMINISTER,
    "console_settings.remove_logo": ADMINISTER,
    "console_settings.save": ADMINISTER,
    "console_settings.save_calendar": ADMINISTER,
    "console_settings.save_list": ADMINISTER,
    "console_settings.save_logo": ADMINISTER,
    "theme.logo": VISIT,
    "theme.style": VISIT,
    "own_data.erase": ACCOUNT,
    "own_data.export": ACCOUNT,
    "own_data.index": ACCOUNT,
    "people.company": VISIT,
    "people.directory": READ,
    "people.member": VISIT,
    "people.posts_of_member": VISIT,
    "people.threads_of_company": VISIT,
    "people.threads_of_member": VISIT,
    "members.account": ACCOUNT,
    "members.ask_for_email": ACCOUNT,
    "members.change_password": ACCOUNT,
    "members.claim_company": ACCOUNT,
    "members.confirm_email": VISIT,
    "members.confirm_email_page": VISIT,
    "members.display": ACCOUNT,
    "members.end_session": ACCOUNT,
    "members.end_sessions": ACCOUNT,
    "members.me": ACCOUNT,
    "members.open_sessions": ACCOUNT,
    "members.picture": VISIT,
    "members.profile": ACCOUNT,
    "members.remove_picture": ACCOUNT,
    "members.save_display": ACCOUNT,
    "members.save_picture": ACCOUNT,
    "members.save_profile": ACCOUNT,
    "members.save_visibility": ACCOUNT,
    "members.settings": ACCOUNT,
    "members.visibility": ACCOUNT,
    "members.confirm": VISIT,
    "members.confirm_page": VISIT,
    "members.join": VISIT,
    "members.join_sent": VISIT,
    "members.login": VISIT,
    "members.logout": ACCOUNT,
    "members.new_password": VISIT,
    "members.password": VISIT,
    "members.send_again": ACCOUNT,
    "members.send_join_again": VISIT,
    "members.set_password": VISIT,
    "members.sign_in": VISIT,
    "members.ask_for_sign_in_link": VISIT,
    "members.sign_in_by_link": VISIT,
    "members.sign_in_link": VISIT,
    "members.use_sign_in_link": VISIT,
    "members.welcome": ACCOUNT,
    "matching.availability": ACCOUNT,
    "matching.close_slot": ACCOUNT,
    "matching.dismiss_first_minute": ACCOUNT,
    "matching.first_minute": ACCOUNT,
    "matching.open_slot": ACCOUNT,
    "matching.save_availability": ACCOUNT,
    "matching.save_first_minute": ACCOUNT,
    "discussions.board": VISIT,
    "discussions.go_to_number": VISIT,
    "discussions.post": VISIT,
    "discussions.tag": VISIT,
    "discussions.thread": VISIT,
    "feeds.board_feed": VISIT,
    "feeds.latest_feed": VISIT,
    "feeds.robots": VISIT,
    "feeds.sitemap": VISIT,
    "feeds.sitemap_boards": VISIT,
    "feeds.sitemap_threads": VISIT,
    "front.home": VISIT,
    "conversations.accept": CONVERSE,
    "conversations.add": CONVERSE,
    "conversations.agree": CONVERSE,
    "conversations.agree_to_person": CONVERSE,
    "conversations.ask_for_person": CONVERSE,
    "conversations.ask_for_times": CONVERSE,
    "conversations.ask_to_add": CONVERSE,
    "conversations.ask_to_leave": CONVERSE,
    "conversations.ask_to_rate": CONVERSE,
    "conversations.ask_to_report": CONVERSE,
    "conversations.block": CONVERSE,
    "conversations.call_off": CONVERSE,
    "conversations.deny": CONVERSE,
    "conversations.calendar_file": CONVERSE,
    "conversations.contributions": CONVERSE,
    "conversations.conversation": CONVERSE,
    "conversations.create": CONVERSE,
    "conversations.decline": CONVERSE,
    "conversations.delete": CONVERSE,
    "conversations.export": CONVERSE,
    "conversations.hide_thanks": CONVERSE,
    "conversations.index": CONVERSE,
    "conversations.join": CONVERSE,
    "conversations.leave": CONVERSE,
    "conversations.new": CONVERSE,
    "conversations.own_messages": CONVERSE,
    "conversations.propose_person": CONVERSE,
    "conversations.propose_times": CONVERSE,
    "conversations.rate": CONVERSE,
    "conversations.refuse_person": CONVERSE,
    "conversations.report": CONVERSE,
    "conversations.send": CONVERSE,
    "conversations.set_link": CONVERSE,
    "conversations.show_thanks": CONVERSE,
    "conversations.stay_away": CONVERSE,
    "conversations.thank": CONVERSE,
    "conversations.unblock": CONVERSE,
    "conversations.who_can_read": VISIT,
    "conversations.withdraw": CONVERSE,
    "drafts.discard": POST,
    "drafts.index": ACCOUNT,
    "drafts.save": POST,
    "editing.ask_to_delete": POST,
    "editing.change": POST,
    "editing.delete": POST,
    "editing.edit": POST,
    "editing.edit_both": POST,
    "editing.history": VISIT,
    "health.figures": VISIT,
    "health.healthz": VISIT,
    "health.readyz": VISIT,
    "keeping.bookmarks": ACCOUNT,
    "keeping.following": ACCOUNT,
    "mentions.complete": POST,
    "notifications.notices": ACCOUNT,
    "notifications.open_notice": ACCOUNT,
    "notifications.read_all": ACCOUNT,
    "notifications.save_settings": ACCOUNT,
    "notifications.settings": ACCOUNT,
    "notifications.unsubscribe": VISIT,
    "notifications.unsubscribe_page": VISIT,
    "reacting.accept": REACT,
    "reacting.bookmark": REACT,
    "reacting.follow_board": REACT,
    "reacting.follow_thread": REACT,
    "reacting.remove_bookmark": REACT,
    "reacting.unfollow_board": REACT,
    "reacting.unfollow_thread": REACT,
    "reacting.vote": REACT,
    "reacting.withdraw_acceptance": REACT,
    "reacting.withdraw_vote": REACT,
    "searching.search": VISIT,
    "tools.choose_posts": MODERATE,
    "tools.choose_target": MODERATE,
    "tools.close": MODERATE,
    "tools.index": MODERATE,
    "tools.merge": MODERATE,
    "tools.move": MODERATE,
    "tools.pin": MODERATE,
    "tools.reopen": MODERATE,
    "tools.split": MODERATE,
    "tools.unpin": MODERATE,
    "uploads.drop": POST,
    "uploads.picture": VISIT,
    "uploads.pictures": POST,
    "uploads.upload": POST,
    "log.index": MODERATE,
    "score.ask": ACCOUNT,
    "score.choose": ACCOUNT,
    "score.contest": ACCOUNT,
    "score.show": ACCOUNT,
    "score_console.answer_contest": ADVOCACY,
    "score_console.correct_entry": ADVOCACY,
    "score_console.decide_weights": ADMINISTER,
    "score_console.show_contest": ADVOCACY,
    "score_console.show_contests": ADVOCACY,
    "score_console.show_entry": ADVOCACY,
    "score_console.show_patterns": ADVOCACY,
    "score_console.show_score": ADVOCACY,
    "score_console.show_weights": ADVOCACY,
    "score_console.try_weights": ADVOCACY,
    "moderation.answer_appeal": FLAG,
    "moderation.appeal": VISIT,
    "moderation.appeal_sent": VISIT,
    "moderation.decision": ACCOUNT,
    "moderation.flag": FLAG,
    "moderation.flag_page": FLAG,
    "moderation.new_appeal": VISIT,
    "moderation.reopen": ACCOUNT,
    "moderation.show_appeal": ACCOUNT,
    "moderation.withdraw_appeal": ACCOUNT,
    "moderation.withdraw_flag": FLAG,
    "queue.case": MODERATE,
    "queue.claim": MODERATE,
    "queue.decide": MODERATE,
    "queue.hand_back": MODERATE,
    "queue.index": MODERATE,
    "queue.preview": MODERATE,
    "queue.read_evidence": MODERATE,
    "queue.undo": MODERATE,
    "rules.add": ADMINISTER,
    "rules.change": ADMINISTER,
    "rules.edit": ADMINISTER,
    "rules.index": ADMINISTER,
    "rules.new": ADMINISTER,
    "rules.second": ADMINISTER,
    "transparency.entry": VISIT,
    "transparency.how_it_works": VISIT,
    "transparency.numbers": VISIT,
    "transparency.privacy": VISIT,
    "transparency.show_rules": VISIT,
}


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_who_has_which_permission(person: Person):
    held = permissions_of(
        person.status,
        frozenset(person.duties),
        confirmed=person.confirmed,
        suspended=person.suspended,
    )
    assert held == MAY[person.name]


def test_every_endpoint_needs_what_the_table_says(app: Flask):
    declared = {
        route.endpoint: getattr(app.view_functions[route.endpoint], "permission", None)
        for route in routes(app)
    }
    undeclared = [endpoint for endpoint, permission in declared.items() if permission is None]
    assert undeclared == [], "views without @access.requires are closed to everybody"
    assert declared == PERMISSIONS, "the table PERMISSIONS above is not what the routes declare"


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_the_guard_lets_in_exactly_those(app: Flask, sign_in: Callable[[int], FlaskClient], person: Person):
    # Whether a form carries its token is another test's question (test_csrf.py).
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        member_id = person.make()
    wrong = []
    for route in routes(app):
        # A browser of its own for each: signing out, or a new password, ends a session.
        browser = app.test_client() if member_id is None else sign_in(member_id)
        answer = browser.open(route.path, method=route.method)
        let_in = not _is_refusal(
            answer.status_code, answer.headers.get("Location", ""), signed_in=member_id is not None
        )
        needed = PERMISSIONS.get(route.endpoint, VISIT)
        expected = needed in MAY[person.name]
        if needed == CONVERSE and _names_a_thing(route) and member_id is not None:
            # What is private is not there for the vendor, existing or not (conversations/test_pages.py).
            let_in = answer.status_code != 404 if not expected else let_in
        if let_in != expected or _is_broken(route, answer.status_code):
            wrong.append(f"{route} {route.path}: {answer.status_code} {answer.headers.get('Location', '')}")
    assert wrong == []


def _names_a_thing(route: Route) -> bool:
    return NOBODYS_NAME in route.path or str(NOBODYS_NUMBER) in route.path


def _is_broken(route: Route, status: int) -> bool:
    # Without a worker beside it the site is not ready, and says so.
    return status >= 500 and (route.endpoint, status) != ("health.readyz", 503)


def _is_refusal(status: int, location: str, *, signed_in: bool) -> bool:
    if signed_in:
        return status == 403
    return status == 401 or (status in (302, 303) and location.startswith("/login?next="))
