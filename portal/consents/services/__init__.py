"""Giving and taking back, by the member alone; what companies agreed to is recorded by moderators."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select, update

from portal.consents import texts
from portal.consents.events import ConsentGiven, ConsentWithdrawn
from portal.consents.models import Activity, CompanyConsent, Consent, Ended
from portal.kernel import audit, clock, events, site
from portal.kernel.access import CUSTOMERS, Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member

MONTHS = (3, 6, 12)
MONTH_DAYS = 30.4
LONGEST = timedelta(days=365)
LONGEST_GIVEN_BY, LONGEST_LIMITS = 160, 300  # characters
PAGE = "own page"


def vendor_name() -> str:
    """Who the texts speak of."""
    current = site.current()
    return current.vendor_name or current.name


def give(viewer: Viewer, activities: Iterable[Activity], *, months: int = 12, channel: str = PAGE) -> int:
    """Agree to these activities, each by itself, for so many months; gives how many. One in force is renewed.

    Raises Forbidden for anybody but a customer, and for somebody else than the member themself.
    """
    if viewer.member_id is None or viewer.status not in CUSTOMERS:
        raise Forbidden(_("Only customers are asked for any of this."))
    if months not in MONTHS:
        raise Invalid(_("Choose for how long: at most twelve months."), "months")
    wanted = list(dict.fromkeys(activities))
    with unit_of_work():
        _lock(viewer.member_id)
        now = clock.now()
        for activity in wanted:
            open_one = _open(viewer.member_id, activity)
            if open_one is not None:
                open_one.ended_at, open_one.ended = now, Ended.RENEWED
                db.session.flush()  # one open consent for each activity
            words = texts.words_of(activity, vendor_name())
            db.session.add(
                Consent(
                    member_id=viewer.member_id,
                    activity=activity,
                    text=words,
                    text_hash=hashlib.sha256(words.encode()).hexdigest(),
                    channel=channel,
                    given_at=now,
                    expires_at=now + min(timedelta(days=round(months * MONTH_DAYS)), LONGEST),
                )
            )
            db.session.flush()
            events.publish(ConsentGiven(viewer.member_id, activity))
    return len(wanted)


def withdraw(viewer: Viewer, activity: Activity) -> None:
    """Take a consent back, in force at once. One that is over already stays as it is."""
    if viewer.member_id is None:
        raise NotFound("no such consent")
    with unit_of_work():
        _lock(viewer.member_id)
        open_one = _open(viewer.member_id, activity)
        if open_one is None:
            return
        open_one.ended_at, open_one.ended = clock.now(), Ended.WITHDRAWN
        db.session.flush()
        events.publish(ConsentWithdrawn(viewer.member_id, activity))


def record_company_consent(
    actor: Viewer,
    company_id: int,
    activity: Activity,
    *,
    given_by: str,
    given_on: date,
    expires_on: date,
    limits: str = "",
) -> int:
    """Write down what a company agreed to: who there, when, to what alone, and until when.

    At most twelve months. One in force for the same activity ends: the new one says what holds.
    Raises Forbidden, NotFound, Invalid.
    """
    _check(actor)
    limits = " ".join(limits.replace("\x00", "").split())
    if len(limits) > LONGEST_LIMITS:
        raise Invalid(_("At most %(most)s characters fit.", most=LONGEST_LIMITS), "limits")
    if given_on > clock.now().date():
        raise Invalid(_("It cannot be given in the future."), "given_on")
    given_by = " ".join(given_by.replace("\x00", "").split())
    if len(given_by) > LONGEST_GIVEN_BY:
        raise Invalid(_("At most %(most)s characters fit.", most=LONGEST_GIVEN_BY), "given_by")
    if not given_by:
        raise Invalid(_("Say who agreed, and where it stands: a contract, a mail."), "given_by")
    if not given_on < expires_on <= given_on + LONGEST:
        raise Invalid(_("It ends at most twelve months after it was given."), "expires_on")
    with unit_of_work():
        company = select(Company.id).where(Company.id == company_id).with_for_update()
        if db.session.execute(company).scalar_one_or_none() is None:
            raise NotFound("no such company")
        db.session.execute(
            update(CompanyConsent)
            .where(
                CompanyConsent.company_id == company_id,
                CompanyConsent.activity == activity,
                CompanyConsent.ended_at.is_(None),
            )
            .values(ended_at=clock.now())
        )
        row = CompanyConsent(
            company_id=company_id,
            activity=activity,
            given_by=given_by,
            limits=limits,
            given_on=given_on,
            expires_on=expires_on,
            recorded_by_id=actor.member_id,
            recorded_at=clock.now(),
        )
        db.session.add(row)
        audit.record(actor, "record consent", "company", company_id, activity.value, area="people")
        db.session.flush()
        return row.id


def end_company_consent(actor: Viewer, company_id: int, consent_id: int) -> None:
    """The company took it back; in force at once. Raises Forbidden, NotFound."""
    _check(actor)
    with unit_of_work():
        row = db.session.get(CompanyConsent, consent_id)
        if row is None or row.company_id != company_id:
            raise NotFound("no such consent")
        if row.ended_at is None:
            row.ended_at = clock.now()
            audit.record(actor, "end consent", "company", row.company_id, row.activity.value, area="people")


def _check(actor: Viewer) -> None:
    if not actor.may(Permission.ADVOCACY):
        raise Forbidden(_("Only the vendor's moderators record what companies agreed to."))


def _lock(member_id: int) -> None:
    db.session.execute(select(Member.id).where(Member.id == member_id).with_for_update(key_share=True))


def _open(member_id: int, activity: Activity) -> Consent | None:
    return db.session.execute(
        select(Consent).where(
            Consent.member_id == member_id, Consent.activity == activity, Consent.ended_at.is_(None)
        )
    ).scalar_one_or_none()
