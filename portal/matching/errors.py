"""What can stand in the way of a match."""

from flask_babel import gettext as _

from portal.kernel.errors import DomainError


class NoCapacity(DomainError):
    """A member cannot be asked at present. Why is theirs to say: the words are the same for every reason."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "They cannot take another conversation at the moment. It has nothing to do with you or your "
                "question; others can be proposed."
            )
        )


class SlotTaken(DomainError):
    """The time was booked by somebody else, or is no longer open."""

    status = 409

    def __init__(self) -> None:
        super().__init__(_("This time is no longer open. Choose another one, or propose times yourself."))
