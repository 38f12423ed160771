"""What can go wrong with a request, as values that a view or a command can show."""

from datetime import datetime


class DomainError(Exception):
    """A rule of the product was not met; `message` says it in plain words."""

    status = 422

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class Invalid(DomainError):
    """An input cannot be taken; `field` names the form field it belongs to, or is empty."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotFound(DomainError):
    """The object is not there, or not for this viewer: both look alike."""

    status = 404


class Forbidden(DomainError):
    """The viewer may see this but not do that."""

    status = 403


class Conflict(DomainError):
    """Somebody changed the row meanwhile: `version` is the one in force."""

    status = 409

    def __init__(self, message: str, version: int = 0) -> None:
        super().__init__(message)
        self.version = version


class TooMany(DomainError):
    """A limit was reached; `retry_after` is in seconds."""

    status = 429

    def __init__(self, message: str, retry_after: int = 60, until: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.until = until


class Repeated(DomainError):
    """This form was already taken; `place` is where its result stands."""

    status = 303

    def __init__(self, place: str) -> None:
        super().__init__("already done")
        self.place = place
