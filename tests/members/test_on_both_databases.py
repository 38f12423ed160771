"""Joining, links, sessions and profiles by their services, on both databases: once is once, also at once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.kernel.access import Status
from portal.kernel.crypto import hash_password, password_matches
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import JoinRequest, Member, Product, RoleLevel, Session, VerifiedBy
from portal.members.queries import own, viewer_of
from portal.members.queries.directory import Wanted, directory, find_visible_member
from portal.members.services import credentials, joining, profiles, sessions
from portal.members.services.profiles import Profile
from tests.conftest import make_company, make_customer, make_prospect, noon
from tests.support.people import PASSWORD, mail_to, path_in
from tests.support.racing import all_at_once, at_once

ADA = "ada@castellan.example"
HERE = "this browser"
HASH = hash_password(PASSWORD)
NEW = "another calm river"


def ask(email: str = ADA, name: str = "Ada Byron") -> str:
    return joining.ask_to_join(email=email, name=name, password=PASSWORD, place="/threads/7", browser=HERE)


def token(app: Flask, start: str, email: str = ADA) -> str:
    """Of the link in the newest mail."""
    return path_in(mail_to(app, email), start).rsplit("/", 1)[1]


def ada(**fields: object) -> int:
    return make_customer("Ada Byron", email=ADA, password_hash=HASH, username="ada-byron", **fields)


def count(what: type[Member] | type[Session] | type[JoinRequest]) -> int:
    return db.session.scalar(select(func.count()).select_from(what)) or 0


def test_joining_takes_one_link_and_finds_the_company(in_app: Flask) -> None:
    company = make_company("Castellan Foods", domain="castellan.example")
    ask(" Ada@Castellan.example ")
    link = token(in_app, "/join/confirm/")
    assert count(Member) == 0
    joined = joining.confirm(link, browser=HERE)
    member = db.session.get_one(Member, joined.member_id)
    assert (joined.place, joined.is_customer) == ("/threads/7", True)
    assert (member.email, member.company_id, member.status) == (ADA, company, Status.CUSTOMER)
    assert (member.username, member.verified_by) == ("ada-byron", VerifiedBy.MAIL)
    with pytest.raises(NotFound):
        joining.confirm(link, browser=HERE)


def test_another_browser_needs_the_password_that_was_chosen(in_app: Flask) -> None:
    ask()
    link = token(in_app, "/join/confirm/")
    with pytest.raises(Invalid):
        joining.confirm(link, browser="another", password="a guess")
    assert joining.confirm(link, browser="another", password=PASSWORD).member_id


def test_of_two_links_to_one_address_used_at_once_one_makes_the_member(in_app: Flask) -> None:
    links = []
    for _time in range(2):
        ask()
        links.append(token(in_app, "/join/confirm/"))
    results = at_once(in_app, lambda number: joining.confirm(links[number], browser=HERE), 2)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Joined"]
    assert count(Member) == 1


def test_people_of_one_name_who_join_at_once_have_names_of_their_own(in_app: Flask) -> None:
    links = []
    for number in range(3):
        email = f"ada{number}@mail.example"
        ask(email)
        links.append(token(in_app, "/join/confirm/", email))
    results = at_once(in_app, lambda number: joining.confirm(links[number], browser=HERE), 3)
    assert [type(result).__name__ for result in results] == ["Joined"] * 3
    assert len(set(db.session.execute(select(Member.username)).scalars())) == 3


def test_old_requests_are_forgotten(in_app: Flask, at: Callable[[datetime], None]) -> None:
    at(noon())
    ask()
    at(noon() + timedelta(days=2))
    assert joining.forget_old_requests() == 0
    at(noon() + timedelta(days=4))
    assert joining.forget_old_requests() == 1
    assert count(JoinRequest) == 0


def test_a_sign_in_link_used_by_two_at_once_lets_one_in(in_app: Flask) -> None:
    member = ada()
    credentials.ask_for_sign_in_link(ADA, place="/me/bookmarks", kept="what was typed", browser=HERE)
    link = token(in_app, "/login/link/")
    results = at_once(in_app, lambda _n: credentials.use_sign_in_link(link, browser=HERE), 4)
    let_in = [result for result in results if not isinstance(result, Exception)]
    assert let_in == [(member, "/me/bookmarks", "what was typed")]
    assert {type(result) for result in results if isinstance(result, Exception)} == {NotFound}


def test_a_new_password_ends_links_and_sessions(in_app: Flask) -> None:
    member = ada()
    sessions.start_session(member)
    credentials.ask_for_sign_in_link(ADA)
    other = token(in_app, "/login/link/")
    credentials.ask_for_new_password(ADA)
    link = token(in_app, "/password/")
    with pytest.raises(Invalid):
        credentials.set_password_by_link(link, "short")
    assert credentials.set_password_by_link(link, NEW) == member
    assert password_matches(db.session.get_one(Member, member).password_hash, NEW)
    assert count(Session) == 0
    for use in (
        lambda: credentials.set_password_by_link(link, NEW),
        lambda: credentials.use_sign_in_link(other),
    ):
        with pytest.raises(NotFound):
            use()


def test_an_address_taken_meanwhile_is_not_taken_over(in_app: Flask) -> None:
    member = ada()
    credentials.ask_for_new_email(member, password=PASSWORD, email="new@castellan.example")
    link = token(in_app, "/settings/account/email/", "new@castellan.example")
    make_customer("Faster", email="new@castellan.example")
    with pytest.raises(Conflict):
        credentials.change_email_by_link(link)
    assert db.session.get_one(Member, member).email == ADA


def test_links_mailed_within_an_hour_are_counted_for_all_senders_at_once(in_app: Flask) -> None:
    ada()
    assert at_once(in_app, lambda _n: credentials.ask_for_new_password(ADA), 6) == [None] * 6
    moments = db.session.execute(select(Member.link_mails).where(Member.email == ADA)).scalar_one()
    assert len(moments) == credentials.MAILS_AN_HOUR


def test_sessions_begin_last_while_used_and_end(in_app: Flask, at: Callable[[datetime], None]) -> None:
    member = ada()
    at(noon())
    for device in ("Firefox", "Chromium"):
        sessions.start_session(member, device=device)
    sessions.start_session(member, device="telephone", remembered=True)
    first, _second, telephone = sorted(own.sessions_of(member), key=lambda row: row.id)
    at(noon() + timedelta(hours=11))
    sessions.touch_session(first.id, member)
    at(noon() + timedelta(hours=13))
    assert sessions.forget_ended() == 1
    assert {row.id for row in own.sessions_of(member)} == {first.id, telephone.id}
    sessions.end_session(member + 1, first.id)
    assert count(Session) == 2, "nobody ends another's"
    sessions.end_all_sessions(member, except_session_id=telephone.id)
    assert {row.id for row in own.sessions_of(member)} == {telephone.id}


def test_a_profile_is_stored_whole_and_found_by_what_it_shows(in_app: Flask) -> None:
    member, reader = ada(), viewer_of(make_customer())
    with unit_of_work():
        db.session.add_all([Product(id=1, name="Flow"), Product(id=2, name="Lanes")])
    wanted = Profile(
        name="Ada King",
        title="Head of IT",
        role_level="manager",
        region="GB",
        time_zone="Europe/London",
        languages=["en", "fr"],
        products={1: "2021-03", 2: ""},
        use_cases=["EDI"],
        replaced="A spreadsheet",
        topics=["lanes", "Größen"],
        about="I count **things**.",
    )
    profiles.change_profile(member, wanted, version=1)
    stored, version = profiles.profile_of(member)
    assert (stored, version) == (wanted, 2)
    assert db.session.get_one(Member, member).role_level is RoleLevel.MANAGER

    def found(**narrowed: object) -> bool:
        page = directory(reader, Wanted(**narrowed))  # type: ignore[arg-type] # as the test names them
        return "Ada King" in [line.person.name for line in page.rows]

    assert found(name="king")
    assert found(region="GB")
    assert found(product=2)
    profiles.choose_visibility(member, {"region": "nobody", "products": "members", "topics": "everyone"})
    assert not found(region="GB")
    assert found(product=2)
    page = find_visible_member(viewer_of(make_prospect()), "ada-byron")
    assert (page.region, page.topics) == ("", ("lanes", "Größen"))


def test_two_windows_that_save_at_once_overwrite_nothing(in_app: Flask) -> None:
    member = ada()
    results = all_at_once(
        in_app,
        [
            lambda title=title: profiles.change_profile(member, Profile(name="Ada", title=title), version=1)
            for title in ("First", "Second")
        ],
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    stored, version = profiles.profile_of(member)
    assert stored.title in ("First", "Second")
    assert version == 2
