"""What a vendor moderator may know of one member, each fact with where it comes from, and their timeline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String, cast, or_, select

from portal.advocacy.models import NominatedBy
from portal.advocacy.queries import candidates, engagements, scopes, standing
from portal.advocacy.queries.candidates import Story
from portal.advocacy.queries.readiness import Readiness, readiness_of
from portal.advocacy.queries.scopes import Part
from portal.advocacy.queries.standing import Standing
from portal.asks.models import Ask, AskMode
from portal.consents import queries as consents
from portal.consents.models import Ended
from portal.consents.texts import NAMES
from portal.console.candidate_forms import STAGE_WORDS
from portal.discussions.authors import named_in_thread
from portal.discussions.models import Board, Thread
from portal.discussions.policy import thread_is_visible
from portal.discussions.queries.deeds import Deed, deeds_of
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.audit import AuditEntry
from portal.kernel.dates import day_in_words
from portal.kernel.db import db
from portal.members.models import Company, Member, MemberProduct, Product
from portal.moderation.models import Decision, MemberMeasure, PostMeasure

TIMELINE = 40
GROUPS = ("help", "asked", "moderation")  # what the timeline can be narrowed to
HELPS_WITH = 5


@dataclass(frozen=True)
class Facts:
    """About one member. `standing` is None for the vendor's people and whoever opted out of scoring."""

    company: Company | None
    products: list[tuple[str, str]]  # name, since
    standing: Standing | None
    helps_with: list[Part]  # the most within products and tags
    deeds: list[Deed]
    timeline: list[dict[str, Any]]
    readiness: Readiness | None  # what stands beside the score of a customer
    engagements: engagements.Summary | None  # what they did for the vendor


def facts_of(viewer: Viewer, member: Member, group: str = "") -> Facts:
    """The facts, in a number of statements that does not depend on what the member did.

    With `group` (one of `GROUPS`) the timeline holds the newest of that kind alone.
    """
    deeds = deeds_of(viewer, member.id)
    story = candidates.story_of(member.id)
    used = db.session.execute(
        select(Product.name, MemberProduct.since)
        .join(Product, Product.id == MemberProduct.product_id)
        .where(MemberProduct.member_id == member.id)
        .order_by(Product.position)
    )
    return Facts(
        company=db.session.get(Company, member.company_id) if member.company_id else None,
        products=[(row.name, row.since) for row in used],
        standing=standing.standings([member.id]).get(member.id) if not is_vendors(member) else None,
        helps_with=scopes.highest_of(member.id, HELPS_WITH) if not is_vendors(member) else [],
        deeds=deeds,
        timeline=_timeline(viewer, member, deeds, story, group),
        readiness=readiness_of(viewer, member),
        engagements=engagements.summaries([member.id]).get(member.id)
        if viewer.may(Permission.ADVOCACY) and not is_vendors(member)
        else None,
    )


def is_vendors(member: Member) -> bool:
    """Whether the member is one of the vendor's people: they neither rank nor are asked."""
    return member.status.value == "vendor"


def _timeline(
    viewer: Viewer, member: Member, deeds: list[Deed], story: Story, group: str
) -> list[dict[str, Any]]:
    """What happened, newest first: as the timeline component reads it, of one group or of all."""
    lines: list[tuple[datetime, str, str, str, str]] = []  # at, group, text, url, title
    for deed in deeds:
        if deed.is_story:
            lines.append((deed.at, "help", _("Told a war story"), deed.url, deed.title))
        else:
            lines.append((deed.at, "help", _("Answered"), deed.url, deed.title))
        if deed.accepted_at is not None:
            lines.append((deed.accepted_at, "help", _("The answer was accepted"), deed.url, deed.title))
    for row in _decisions(member.id):
        lines.append(
            (
                row.decided_at,
                "moderation",
                _("A post was taken away") if row.post_measure is PostMeasure.HIDE else _("Was held back"),
                f"/console/cases/{row.case_id}",
                row.rule_label,
            )
        )
    lines += [
        (at, "help", _("Asked customers"), url, title) for at, url, title in _own_asks(viewer, member.id)
    ]
    lines += _asked(member, story)
    lines += [(at, "", text, "", title) for at, text, title in _confirmed(member.id)]
    lines.append((member.created_at, "", _("Joined"), "", ""))
    wanted = [line for line in lines if group in ("", line[1])]
    wanted.sort(key=lambda line: line[0], reverse=True)
    return [
        {"at": at, "text": text, "url": url, "title": title}
        for at, _group, text, url, title in wanted[:TIMELINE]
    ]


def _asked(member: Member, story: Story) -> list[tuple[datetime, str, str, str, str]]:
    """Who nominated them, what they were asked and answered, what they agreed to, and every move."""
    page = f"/console/candidates/{member.username}"
    by_words = {
        NominatedBy.MODERATOR: _("Nominated by a moderator"),
        NominatedBy.ACCOUNT_OWNER: _("Nominated by sales or service"),
        NominatedBy.PEER: _("Nominated by a peer"),
        NominatedBy.SELF: _("Nominated themselves"),
    }
    found = [(one.at, by_words[one.part], page, one.note[:120]) for one in story.nominations]
    for asking, _by in story.askings:
        found.append((asking.at, _("Was asked for"), page, _listed(asking.activities)))
        if asking.answered_at is not None:
            said_no = [name for name in asking.activities if name not in asking.agreed]
            if asking.agreed:
                found.append((asking.answered_at, _("Said yes to"), page, _listed(asking.agreed)))
            if said_no:
                found.append((asking.answered_at, _("Said no to"), page, _listed(said_no)))
    for step, _by in story.steps:
        stage = str(STAGE_WORDS[step.stage]).lower()
        text = _("Moved to “%(stage)s”", stage=stage)
        found.append((step.at, f"{text}: {step.reason}" if step.reason else text, page, ""))
    now = clock.now()
    for consent in consents.history(member.id):
        name = str(NAMES[consent.activity])
        found.append((consent.given_at, _("Agreed to"), page, name))
        if consent.ended is Ended.WITHDRAWN and consent.ended_at is not None:
            found.append((consent.ended_at, _("Took an agreement back"), page, name))
        elif consent.ended_at is None and consent.expires_at <= now:
            found.append((consent.expires_at, _("An agreement ended"), page, name))
    for at, activity, day, words in engagements.newest_of(member.id):
        text = _("Took part on %(day)s, %(what)s", day=day_in_words(day), what=str(NAMES[activity]).lower())
        found.append((at, text, page, words))
    return [(at, "asked", text, url, title) for at, text, url, title in found]


def _own_asks(viewer: Viewer, member_id: int) -> list[tuple[datetime, str, str]]:
    """What they asked in the open under their name: nobody is found out by what they asked as a role."""
    rows = db.session.execute(
        select(Ask.asked_at, Ask.id, Thread.title)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Ask.asker_id == member_id,
            Ask.mode == AskMode.OPEN,
            Ask.asked_at.is_not(None),
            named_in_thread(),
            thread_is_visible(viewer),
        )
        .order_by(Ask.asked_at.desc())
        .limit(20)
    )
    return [(row.asked_at, f"/console/asks/{row.id}", row.title) for row in rows]


def _listed(activities: list[str]) -> str:
    return ", ".join(str(name) for activity, name in NAMES.items() if activity.value in activities)


def _confirmed(member_id: int) -> list[tuple[datetime, str, str]]:
    """When a moderator confirmed their company, or took that back, with its name."""
    words = {
        "confirm company": _("Company confirmed by a moderator"),
        "left company": _("Left the company"),
        "company by mistake": _("The company was taken back"),
    }
    rows = db.session.execute(
        select(AuditEntry.at, AuditEntry.action, Company.name)
        .outerjoin(Company, AuditEntry.details == "company " + cast(Company.id, String))
        .where(
            AuditEntry.target_kind == "member",
            AuditEntry.target_id == member_id,
            AuditEntry.action.in_(words),
        )
        .order_by(AuditEntry.number.desc())
        .limit(20)
    )
    return [(row.at, words[row.action], row.name or "") for row in rows]


def _decisions(member_id: int) -> list[Any]:
    harsh = or_(Decision.post_measure == PostMeasure.HIDE, Decision.member_measure != MemberMeasure.NONE)
    return list(
        db.session.execute(
            select(Decision.decided_at, Decision.post_measure, Decision.case_id, Decision.rule_label)
            .where(
                Decision.member_id == member_id,
                harsh,
                Decision.undone_at.is_(None),
                Decision.overturned_at.is_(None),
            )
            .order_by(Decision.decided_at.desc())
            .limit(20)
        )
    )
