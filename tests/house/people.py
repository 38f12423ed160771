"""One person of every status and duty, and of every way of being held back."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from portal.kernel import clock
from portal.kernel.access import Duty, Status
from tests.conftest import make_member


@dataclass(frozen=True)
class Person:
    """A kind of person; `make()` stores one and gives its id (None: nobody is signed in)."""

    name: str
    status: Status
    duties: tuple[Duty, ...] = ()
    confirmed: bool = True
    suspended: bool = False
    fields: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def make(self) -> int | None:
        if self.status is Status.VISITOR:
            return None
        until = clock.now() + timedelta(days=7) if self.suspended else None
        return make_member(
            self.name,
            status=self.status,
            duties=self.duties,
            confirmed=self.confirmed,
            **({"suspended_until": until} if until else {}),
        )


PEOPLE = [
    Person("visitor", Status.VISITOR),
    Person("unconfirmed", Status.PROSPECT, confirmed=False),
    Person("prospect", Status.PROSPECT),
    Person("customer", Status.CUSTOMER),
    Person("former customer", Status.FORMER),
    Person("suspended customer", Status.CUSTOMER, suspended=True),
    Person("peer moderator", Status.CUSTOMER, (Duty.MODERATOR,)),
    Person("vendor", Status.VENDOR),
    Person("vendor moderator", Status.VENDOR, (Duty.MODERATOR,)),
    Person("sales", Status.VENDOR, (Duty.SALES,)),
    Person("service", Status.VENDOR, (Duty.SERVICE,)),
    Person("admin", Status.VENDOR, (Duty.ADMIN,)),
]
