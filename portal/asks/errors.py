"""What can go wrong with an ask, beside what every part of the product knows."""

from flask_babel import gettext as _

from portal.kernel.errors import Invalid


class NoBoard(Invalid):
    """There is no board for asks yet."""

    def __init__(self) -> None:
        super().__init__(_("There is no board for asks yet. Somebody was told; ask in private meanwhile."))
