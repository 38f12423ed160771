"""What makes a new site ready for people: for its admins, on Today, until all of it is done."""

from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from portal.asks.queries.boards import boards_for_asks
from portal.kernel import site
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.members.models import Company, CompanyDomain, CompanyKind
from portal.moderation.queries.evidence import moderators


@dataclass(frozen=True)
class Step:
    """One thing to do, why, and where; without an address it is done outside the site."""

    done: bool
    what: str
    why: str
    url: str = ""


def steps_for(viewer: Viewer) -> list[Step]:
    """Every step, in order; empty for those who are no admin, and as soon as all is done."""
    if not viewer.may(Permission.ADMINISTER):
        return []
    here, boards = site.current(), boards_for_asks()
    steps = [
        Step(
            bool(here.vendor_name),
            _("Say who runs this place"),
            _("The vendor’s name stands beside the posts of its people, and on the first page."),
            "/console/settings",
        ),
        Step(
            "public" in boards,
            _("Make a board that everyone can read"),
            _("Visitors and search engines find the community by it."),
            "/console/settings/boards/new",
        ),
        Step(
            "prospects" in boards,
            _("Make a board for people who are thinking of buying"),
            _("Their asks stand there; until then they can ask in private alone."),
            "/console/settings/boards/new",
        ),
        Step(
            _has_customers(),
            _("Add a company that is your customer, with its mail domains"),
            _("Whoever confirms such an address is a customer. Many at once: portal import members."),
            "/console/companies/new",
        ),
        Step(
            len(moderators()) > 1 or bool(here.appeal_second),
            _("Find a second moderator"),
            _("An appeal is decided by somebody other than the one who decided first."),
            "/console/members",
        ),
        Step(
            bool(here.ask_responsible),
            _("Choose who connects people when nobody answers"),
            _("They are told at once, and named on the page where people ask."),
            "/console/settings/asks",
        ),
    ]
    settings = current_app.config["SETTINGS"]
    if settings.is_production:
        steps.insert(
            0,
            Step(
                bool(settings.MAIL_URL),
                _("Set a mail server"),
                _("Nobody can join before mail is sent: MAIL_URL in the file of settings, then start again."),
            ),
        )
    return [] if all(one.done for one in steps) else steps


def _has_customers() -> bool:
    query = (
        select(Company.id)
        .join(CompanyDomain, CompanyDomain.company_id == Company.id)
        .where(Company.kind == CompanyKind.CUSTOMER)
    )
    return db.session.execute(query.limit(1)).first() is not None
