"""Loading the demo community into an empty site, and taking it away again."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from sqlalchemy import delete, func, or_, select, update

from portal.advocacy.models import WeightsDecision
from portal.advocacy.services.rebuilding import rebuild
from portal.demo import (
    asks,
    cases,
    cast,
    choices,
    content,
    conversations,
    dates,
    desk,
    invites,
    pictures,
    relations,
    states,
    talk,
    willing,
)
from portal.demo.availability import add_availability, close_at_night
from portal.discussions.models import Board, Follow, Post, Tag, Thread
from portal.discussions.services.recount import recount
from portal.kernel import clock, site
from portal.kernel.db import db
from portal.kernel.errors import DomainError
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member, MemberProduct, Product
from portal.members.services.erasing import erase_account
from portal.members.services.standing import count_company
from portal.moderation.models import Case, Decision

SEED = 20_261_122
SITE = {
    "name": "Northwind Flow",
    "vendor_name": "Northwind Flow",
    "about": "Where people who run Flow help each other, and answer those who think of buying it.",
    "vendor_domains": ["northwind-flow.example"],
    "ask_responsible": "ruth-adeyemi",
}


class DemoRefused(DomainError):
    """The demo community does not mix with real people, or has no place in production."""


def load(
    password: str, folder: Path, *, production: bool = False, say: Callable[[str], None] = lambda _line: None
) -> int:
    """Load the demo community, its pictures into `folder`; gives the number of its members.

    The same seed gives the same community, with times counted back from now. Raises DemoRefused beside real
    members, when it is loaded already, and in production.
    """
    if production:
        raise DemoRefused("The demo community cannot be loaded when SITE_ENV=production.")
    _check_empty()
    now = clock.now()
    draw = Random(SEED)  # noqa: S311 - a draw that is the same each time
    with unit_of_work():
        told_before = dates.last_told()
        say("companies and people")
        companies = cast.add_companies(now)
        people = cast.add_people(companies, talk.first_seen(now), draw, now, password)
        add_availability(people, SEED, now)
        choices.weigh(people, now)
        boards = cast.add_boards(now)
        for company_id in companies.values():
            count_company(company_id)
        joined = {row.id: row.created_at for row in db.session.execute(select(Member.id, Member.created_at))}
        say(f"{len(content.threads())} threads")
        album = pictures.Album(folder)
        album.add_portraits(people)
        written = talk.Writer(people, boards, joined, draw, now, album).write_all()
        db.session.flush()
        recount()
        say("flags, decisions, an appeal")
        cases.settle(written, people, draw, now)
        cases.look_twice(written, people, now)
        cases.plan_duty(people)
        say("threads merged, split and taken back, and thanks that go to and fro")
        states.use_tools(written, people, now)
        states.thank_each_other(people, now)
        db.session.flush()
        site.change(**{name: SITE[name] for name in ("name", "vendor_name", "ask_responsible")})
        say("invites, and asks in every state")
        invites.add(people, now)
        asks.add(written, people, draw, now)
        db.session.flush()
        say("conversations in every state")
        conversations.add(people, now)
        close_at_night(people)
        db.session.flush()
        say("the ledger of thanks")
        rebuild()
        say("who is asked, and what they agreed to")
        willing.add(people, now)
        say("what sales and service know of companies")
        relations.add(people, now)
        states.contest_entries(people, now)
        states.change_votes(now)
        say("what members and moderators chose for themselves")
        choices.add(people, now)
        db.session.flush()
        say("what the six accounts have read, kept and been told")
        desk.furnish(people, draw, now)
        choices.choose_digests(people)
        db.session.flush()
        recount()
        site.change(**SITE)
        dates.tell_in_order(told_before)
    return len(people)


def remove(folder: Path) -> int:
    """Take the demo community away, and nothing of real people's; gives how many members left.

    Its pictures go from `folder`. What somebody else wrote in stays: such boards and threads, the demo's
    words in them under no name.
    """
    with unit_of_work():
        members = select(Member.id).where(Member.import_source == cast.SOURCE)
        gone = db.session.execute(select(func.count()).select_from(members.subquery())).scalar_one()
        _leave_talk_of_others()
        db.session.execute(delete(WeightsDecision).where(WeightsDecision.decided_by_id.in_(members)))
        db.session.execute(delete(Case).where(Case.member_id.in_(members)))
        db.session.execute(delete(Decision).where(Decision.decided_by_id.in_(members)))
        db.session.execute(delete(Thread).where(Thread.import_source == cast.SOURCE))
        db.session.execute(delete(Post).where(Post.author_id.in_(members)))
        db.session.execute(delete(Thread).where(Thread.author_id.in_(members)))
        db.session.execute(delete(Member).where(Member.import_source == cast.SOURCE))
        slugs = [row["slug"] for row in content.boards()]
        filed = select(Thread.id).where(Thread.board_id == Board.id).correlate(Board)
        db.session.execute(delete(Board).where(Board.slug.in_(slugs), ~filed.exists()))
        names = [row["slug"] for row in content.companies()]
        employed = select(Member.id).where(Member.company_id == Company.id).correlate(Company)
        db.session.execute(delete(Company).where(Company.slug.in_(names), ~employed.exists()))
        used = select(MemberProduct.product_id)
        named = {use["name"] for person in content.people() for use in person.get("products", [])}
        db.session.execute(delete(Product).where(Product.name.in_(named), Product.id.not_in(used)))
        db.session.execute(delete(Follow).where(Follow.thread_id.is_(None), Follow.board_id.is_(None)))
        recount()
        db.session.execute(delete(Tag).where(Tag.threads_count == 0))
        site.reset(*SITE)
    pictures.Album(folder).forget()
    return gone


def _leave_talk_of_others() -> None:
    """Threads in which somebody else wrote are no longer the demo's; its people lose their names in them."""
    members = select(Member.id).where(Member.import_source == cast.SOURCE)
    answered = select(Post.thread_id).where(Post.author_id.not_in(members))
    threads = select(Thread.id).where(
        Thread.id.in_(answered), or_(Thread.import_source == cast.SOURCE, Thread.author_id.in_(members))
    )
    kept = set(db.session.execute(threads).scalars())
    written = select(Post.author_id).where(Post.thread_id.in_(kept), Post.author_id.in_(members))
    opened = select(Thread.author_id).where(Thread.id.in_(kept), Thread.author_id.in_(members))
    for member_id in sorted(db.session.execute(written.union(opened)).scalars()):
        erase_account(member_id, keep_text=True, even_last_admin=True)
    values = {"import_source": None, "external_id": None}
    db.session.execute(update(Thread).where(Thread.id.in_(kept)).values(values))
    db.session.execute(update(Post).where(Post.thread_id.in_(kept)).values(values))
    db.session.flush()


def is_loaded() -> bool:
    """Whether the demo community is here."""
    found = select(Member.id).where(Member.import_source == cast.SOURCE).limit(1)
    return db.session.execute(found).first() is not None


def is_empty() -> bool:
    """Whether nobody and nothing is here yet."""
    return not any(
        db.session.execute(select(model.id).limit(1)).first() for model in (Member, Board, Company)
    )


def _check_empty() -> None:
    if is_loaded():
        raise DemoRefused("The demo community is loaded already.")
    real = select(Member.id).where(or_(Member.import_source.is_(None), Member.import_source != cast.SOURCE))
    if db.session.execute(real.limit(1)).first() is not None:
        raise DemoRefused("There are real members here: the demo community is only for an empty site.")
    if db.session.execute(select(Board.id).limit(1)).first() is not None:
        raise DemoRefused("There are boards here: the demo community is only for an empty site.")
