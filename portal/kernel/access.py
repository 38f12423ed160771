"""Who may do what: statuses, duties, permissions, and the one guard in front of every view.

Status is derived, duties are granted, permissions are the union, declared in the two tables below. A view
without a declared permission is closed to everybody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from portal.kernel.dates import zone_named


class Status(StrEnum):
    """What a person is to the vendor; derived from company and confirmation, never granted."""

    VISITOR = "visitor"
    PROSPECT = "prospect"
    CUSTOMER = "customer"
    FORMER = "former"
    VENDOR = "vendor"


CUSTOMERS = (Status.CUSTOMER, Status.FORMER)  # who runs the product, or ran it


class Duty(StrEnum):
    """What a person was asked to look after."""

    MODERATOR = "moderator"
    SALES = "sales"
    SERVICE = "service"
    ADMIN = "admin"


class Permission(StrEnum):
    """What can be permitted. Views declare one each."""

    VISIT = "visit"  # open to everybody: reading what is public, joining, signing in
    ACCOUNT = "account"  # one's own settings, sessions, notices, data: any account, suspended ones too
    READ = "read"  # the directory and boards beyond the public ones
    POST = "post"  # threads, posts, comments, drafts, uploads
    REACT = "react"  # votes, acceptance, follows, bookmarks
    FLAG = "flag"  # flags and appeals
    ASK = "ask"  # asks with a clock: what a prospect starts
    CONVERSE = "converse"  # private conversations: never an account of the vendor, whatever its duties
    INVITE = "invite"
    MODERATE = "moderate"  # queue, cases, log, tools on threads
    CONFIRM_MEMBERS = "confirm_members"  # companies and customer status by hand
    ADMINISTER = "administer"  # settings, duties, boards, closed lists
    ADVOCACY = "advocacy"  # members' facts, standing, candidates, community health: never a peer moderator
    RELATIONS = "relations"  # reading what sales and service know of customers' companies: never a peer
    PLACE_HOLDS = "place_holds"  # asking colleagues not to approach a customer's company for a while
    KEEP_HEALTH = "keep_health"  # health, escalations and satisfaction of customers' companies


_CONFIRMED = {
    Permission.VISIT,
    Permission.ACCOUNT,
    Permission.READ,
    Permission.POST,
    Permission.REACT,
    Permission.FLAG,
}

_AMONG_THEMSELVES = {Permission.ASK, Permission.CONVERSE}

BY_STATUS: dict[Status, frozenset[Permission]] = {
    Status.VISITOR: frozenset({Permission.VISIT}),
    Status.PROSPECT: frozenset(_CONFIRMED | _AMONG_THEMSELVES),
    Status.CUSTOMER: frozenset(_CONFIRMED | _AMONG_THEMSELVES | {Permission.INVITE}),
    Status.FORMER: frozenset(_CONFIRMED | _AMONG_THEMSELVES),
    Status.VENDOR: frozenset(_CONFIRMED | {Permission.INVITE}),
}

BY_DUTY: dict[Duty, frozenset[Permission]] = {
    Duty.MODERATOR: frozenset({Permission.MODERATE}),
    Duty.SALES: frozenset({Permission.RELATIONS, Permission.PLACE_HOLDS}),
    Duty.SERVICE: frozenset({Permission.RELATIONS, Permission.PLACE_HOLDS, Permission.KEEP_HEALTH}),
    Duty.ADMIN: frozenset(
        {
            Permission.MODERATE,
            Permission.CONFIRM_MEMBERS,
            Permission.ADMINISTER,
            Permission.ADVOCACY,
            Permission.RELATIONS,
        }
    ),
}

# A suspended or unconfirmed account keeps these and loses the rest.
_WHEN_HELD_BACK = frozenset({Permission.VISIT, Permission.ACCOUNT})
_WHEN_SUSPENDED = _WHEN_HELD_BACK | {Permission.READ}


def permissions_of(
    status: Status, duties: frozenset[Duty], *, confirmed: bool = True, suspended: bool = False
) -> frozenset[Permission]:
    """The union of what status and duties permit, cut down for accounts that are held back.

    Vendor moderators also confirm members, see who helps, and read what sales and service know; peer
    moderators (customers with that duty) do not.
    """
    if not confirmed:
        return _WHEN_HELD_BACK
    allowed = BY_STATUS[status].union(*(BY_DUTY[duty] for duty in duties))
    if status is Status.VENDOR and Duty.MODERATOR in duties:
        allowed |= {Permission.CONFIRM_MEMBERS, Permission.ADVOCACY, Permission.RELATIONS}
    return allowed & _WHEN_SUSPENDED if suspended else allowed


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking: what pages, queries and policies need to know, read once per request."""

    member_id: int | None = None
    username: str = ""
    display_name: str = ""
    picture_url: str = ""
    status: Status = Status.VISITOR
    duties: frozenset[Duty] = frozenset()
    company_id: int | None = None
    company_name: str = ""
    confirmed: bool = False
    suspended_until: datetime | None = None
    session_id: int | None = None
    time_zone: str = "UTC"
    theme: str = ""
    language: str = ""
    unread_notices: int = 0
    waiting: Mapping[str, int] = field(default_factory=dict, hash=False)  # by name; of a signed-in browser
    csrf_seed: str = field(default="", repr=False)
    permissions: frozenset[Permission] = BY_STATUS[Status.VISITOR]

    @property
    def is_member(self) -> bool:
        return self.member_id is not None

    @property
    def is_staff(self) -> bool:
        return self.status is Status.VENDOR

    def may(self, permission: Permission | str) -> bool:
        return permission in self.permissions


VISITOR = Viewer()


def zone_of(viewer: Viewer) -> ZoneInfo:
    """The viewer's time zone; UTC where the stored name is unknown here."""
    return zone_named(viewer.time_zone)


F = TypeVar("F", bound=Callable[..., Any])


def requires(permission: Permission, otherwise: str = "") -> Callable[[F], F]:
    """Declare what a view needs. Without this the guard answers 404.

    `otherwise` is an endpoint that members who lack the permission are led to, where they may open that.
    """

    def declare(view: F) -> F:
        @wraps(view)
        def declared(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

        declared.permission = permission  # type: ignore[attr-defined]
        declared.otherwise = otherwise  # type: ignore[attr-defined]
        return declared  # type: ignore[return-value]

    return declare


def viewer() -> Viewer:
    """The viewer of this request."""
    return g.viewer


def guard() -> Response | None:
    """Before every request: deny unless the view declares a permission that the viewer has."""
    if request.endpoint is None:
        return None  # no such address: the 404 page
    view = current_app.view_functions[request.endpoint]
    permission = getattr(view, "permission", None)
    if request.endpoint == "static":
        permission = Permission.VISIT
    if permission is None:
        abort(404)
    if viewer().may(permission):
        return None
    if viewer().is_member:
        elsewhere = getattr(view, "otherwise", "")
        if elsewhere and viewer().may(getattr(current_app.view_functions[elsewhere], "permission", "")):
            return redirect(url_for(elsewhere), 303)
        # A private thing by its address is not there for who may have none; an area is closed.
        abort(404 if permission is Permission.CONVERSE and request.view_args else 403)
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("members.login", next=request.full_path.rstrip("?")), 303)
    return abort(401)  # a signed-out writer: the page keeps what was typed and offers to sign in
