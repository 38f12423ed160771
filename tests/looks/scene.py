"""The demo with one of everything that a page can show, and the addresses of all that."""

from datetime import timedelta

from sqlalchemy import func, select

from portal.advocacy.models import Contest, Entry, Rule
from portal.discussions.models import Audience, Board, Post, PostKind, PostRevision, PostState, Thread
from portal.discussions.services import tools
from portal.kernel import clock
from portal.kernel import site as settings
from portal.kernel.access import VISITOR
from portal.kernel.crypto import hash_password, token_hash
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, CompanyKind, JoinRequest, LinkPurpose, MailedLink, Member
from portal.members.queries import viewer_of
from portal.moderation.models import Appeal, AppealOutcome, Case, CaseKind, CaseState, Decision, PostMeasure
from portal.moderation.queries import log
from portal.notifications.services import preferences
from portal.relations.models import Hold, PlacedAs
from portal.relations.queries import is_open
from tests.conftest import make_admin, make_board, make_customer, make_prospect
from tests.looks import talks
from tests.support.site import Site

NAMED = {
    "sftp": "sftp-lanes",
    "war_story": "b-connected-eleven-hours",
    "tombstone": "c-mod-carrier-technician",
    "moved": "c-st-clearing-window",
}


def furnish(site: Site) -> tuple[dict[str, str], dict[str, int]]:
    """Add what the demo lacks; gives what fills the addresses, and members by role."""
    with site.inside():
        who = _accounts()
        admin = viewer_of(who["moderator"])
        named: dict[str, str] = {}
        for name, key in NAMED.items():
            row = db.session.execute(select(Thread.id, Thread.slug).where(Thread.external_id == key)).one()
            named[name], named[f"{name}_id"] = f"/threads/{row.id}/{row.slug}", str(row.id)
        waiting = _threads(Thread.answers_count == 0, Thread.kind == "question")
        named["unanswered"] = f"/threads/{waiting[0]}"
        tools.close_thread(admin, waiting[1], "The question was settled by the 7.6 release.")
        tools.merge_threads(admin, waiting[2], waiting[3], "The same question, asked twice.")
        named["closed"], named["merged"] = f"/threads/{waiting[1]}", f"/threads/{waiting[2]}"
        crowded = db.session.execute(
            select(Thread.id)
            .join(Board, Board.id == Thread.board_id)
            .where(Board.audience == Audience.PUBLIC, Thread.state == PostState.VISIBLE)
            .order_by(Thread.posts_count.desc())
            .limit(1)
        ).scalar_one()
        named["crowded"] = f"/threads/{crowded}"
        named |= _posts(int(named["sftp_id"]), who["customer"])
        named |= _cases(who)
        named |= _links(site, who["customer"])
        named |= talks.asks(who)
        named |= talks.talks(who)
        companies = select(Company.slug).where(Company.kind == CompanyKind.CUSTOMER).order_by(Company.id)
        named["logged_case"] = str(log.entries(VISITOR).rows[0].case_id)
        named["company"] = (
            db.session.execute(companies.where(Company.named_in_public)).scalars().first() or ""
        )
        named["company_unnamed"] = (
            db.session.execute(companies.where(~Company.named_in_public)).scalars().first() or ""
        )
        for name, is_it in (
            ("contest", Contest.answered_at.is_(None)),
            ("contest_answered", ~Contest.answered_at.is_(None)),
        ):
            named[name] = str(db.session.execute(select(func.max(Contest.id)).where(is_it)).scalar_one())
        named["entry"] = str(
            db.session.execute(select(func.max(Entry.id)).where(Entry.rule != Rule.CONVERSATION)).scalar_one()
        )
        open_hold = (
            select(Hold.id).where(Hold.placed_as == PlacedAs.SALES, is_open()).order_by(Hold.id).limit(1)
        )
        named["hold"] = str(db.session.execute(open_hold).scalar_one())
        named["relation"], named["relation_unknown"] = "ostrava-rolling", "talleres-ebro"
        who["newcomer"] = make_prospect("Robin Newcomer")
        return named, who


def first_day(site: Site) -> tuple[dict[str, str], dict[str, int]]:
    """An empty site: one admin, one customer, one board."""
    with site.inside():
        make_board("First board", slug="first", description="What comes first.")
        who = {"admin": make_admin("Ada Admin"), "customer": make_customer("Cara Customer")}
        username = db.session.execute(
            select(Member.username).where(Member.id == who["customer"])
        ).scalar_one()
        return {"customer": username}, who


def _accounts() -> dict[str, int]:
    rows = db.session.execute(select(Member.email, Member.id).where(Member.email.like("%@demo.example")))
    return {email.split("@")[0]: member_id for email, member_id in rows}


def _threads(*conditions: object) -> list[int]:
    open_boards = select(Board.id).where(Board.audience == Audience.PUBLIC, Board.archived_at.is_(None))
    query = select(Thread.id).where(
        Thread.state == PostState.VISIBLE, Thread.board_id.in_(open_boards), *conditions
    )
    return list(db.session.execute(query.order_by(Thread.id).limit(8)).scalars())


def _posts(thread_id: int, member_id: int) -> dict[str, str]:
    def one(*conditions: object) -> str:
        visible = select(Post.id).where(Post.state == PostState.VISIBLE, *conditions).order_by(Post.id.desc())
        return str(db.session.execute(visible.limit(1)).scalar_one())

    answer = one(Post.thread_id == thread_id, Post.kind == PostKind.ANSWER, Post.author_id != member_id)
    with unit_of_work():
        post = db.session.get_one(Post, int(answer))
        post.edited_at, post.version, post.revisions_count = clock.now(), 2, 1
        former = post.source.replace("lanes", "queues") + "\n\nAnd restart it at night."
        db.session.add(
            PostRevision(
                post_id=post.id,
                version=1,
                source=former,
                editor_id=post.author_id,
                reason="The last step is not needed",
                created_at=clock.now(),
            )
        )
    return {"answer": answer, "own": one(Post.author_id == member_id, Post.kind != PostKind.COMMENT)}


def _cases(who: dict[str, int]) -> dict[str, str]:
    def case(*conditions: object) -> Case:
        return db.session.execute(select(Case).where(*conditions).order_by(Case.id).limit(1)).scalar_one()

    may_appeal = select(Decision).where(
        Decision.post_measure == PostMeasure.HIDE,
        Decision.decided_at > clock.now() - timedelta(days=13),
        Decision.id.not_in(select(Appeal.decision_id)),
    )
    decided = db.session.execute(may_appeal.limit(1)).scalar_one()
    pending = select(Appeal).where(Appeal.outcome == AppealOutcome.PENDING)
    appeal = db.session.execute(pending.limit(1)).scalar_one()
    held = case(Case.kind == CaseKind.HELD, Case.state == CaseState.OPEN)
    who |= {"author": decided.member_id, "appellant": appeal.member_id, "held": held.member_id}
    return {
        "decision": str(decided.id),
        "decided_case": str(decided.case_id),
        "appealed": str(appeal.decision_id),
        "appeal": str(appeal.id),
        "held": f"/threads/{held.thread_id}",
        "held_case": str(held.id),
        "open_case": str(case(Case.kind == CaseKind.FLAGS, Case.state == CaseState.OPEN).id),
    }


def _links(site: Site, member_id: int) -> dict[str, str]:
    now, soon = clock.now(), clock.now() + timedelta(hours=1)
    with unit_of_work():
        for purpose in (LinkPurpose.PASSWORD, LinkPurpose.EMAIL, LinkPurpose.SIGN_IN):
            db.session.add(
                MailedLink(
                    token_hash=token_hash(f"link-{purpose.value}"),
                    member_id=member_id,
                    purpose=purpose,
                    email="dana@castellan-foods.example",
                    created_at=now,
                    expires_at=soon,
                )
            )
        db.session.add(
            JoinRequest(
                token_hash=token_hash("link-join"),
                email="robin@mailbox.example",
                name="Robin",
                password_hash=hash_password("a password of several words"),
                browser_hash=token_hash("another browser"),
                created_at=now,
                expires_at=soon,
            )
        )
    key = (site.instance / "secret.key").read_text().strip()
    return {
        "join_token": "link-join",
        "password_token": f"link-{LinkPurpose.PASSWORD.value}",
        "sign_in_token": f"link-{LinkPurpose.SIGN_IN.value}",
        "email_token": f"link-{LinkPurpose.EMAIL.value}",
        "unsubscribe_token": preferences.unsubscribe_token(key, member_id, "mention"),
    }


def set_accent(light: str, dark: str) -> None:
    """The vendor's own colours; "" for the product's."""
    with unit_of_work():
        settings.change(accent_light=light, accent_dark=dark)
