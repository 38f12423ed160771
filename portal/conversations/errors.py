"""What can stand in the way of a conversation, beside what every part of the product knows."""

from flask_babel import gettext as _

from portal.kernel.errors import Conflict, Forbidden


class InTouch(Conflict):
    """The two have a conversation or a request that is not over: `conversation_id`, for either of them."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(_("You are in touch with them already: go on in the conversation that you have."))
        self.conversation_id = conversation_id


class CompanyAddressWanted(Forbidden):
    """The member talks only with people who are here with their company's mail address."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "They talk only with people who are here with their company's mail address. You can add "
                "yours under Settings, Address and password; or ask somebody else."
            )
        )
