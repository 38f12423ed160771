"""What matters most to the asker: it counts more when customers are compared with the situation."""

from collections.abc import Collection

from flask_babel import gettext as _

from portal.asks import policy
from portal.asks.models import Ask, AskMode, ProposalState
from portal.asks.queries.finding import WEIGHED_AWAY, own_ask
from portal.asks.services import connecting, fitting
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.criteria import WEIGHTS


def may_matter(ask: Ask) -> list[str]:
    """The criteria that the asker can weigh: those stated and not given up. Of fewer than two, none."""
    stated = list(fitting.criteria_of(ask).stated)
    return stated if len(stated) > 1 else []


def weigh(asker: Viewer, ask_id: int, names: Collection[str]) -> bool:
    """Keep what matters most to the asker, and propose anew those who were not asked yet.

    Whoever offered to talk or was picked by a moderator stays proposed. Gives whether customers are
    proposed for the ask. The same again changes nothing. Raises NotFound, Forbidden; Invalid for what was
    not stated, for everything at once, and once it was changed `policy.WEIGHINGS` times.
    """
    with unit_of_work():
        ask = own_ask(asker, ask_id, lock=True)
        if not policy.may_connect(asker, ask):
            raise Invalid(_("This ask is no longer there, so nobody can be proposed for it."))
        offered = may_matter(ask)
        chosen = [name for name in WEIGHTS if name in names]
        if set(names) - set(offered):
            raise Invalid(_("Choose among what you said about your situation."), "matters")
        if chosen and len(chosen) == len(offered):
            raise Invalid(_("If everything matters most, nothing does: leave one out at least."), "matters")
        is_proposed = bool(
            connecting.open_proposals(ask) or ask.connect_wanted_at or ask.mode is AskMode.CONVERSATION
        )
        if chosen == list(ask.matters):
            return is_proposed
        if ask.weighed >= policy.WEIGHINGS:
            raise Invalid(
                _(
                    "You have changed it %(most)s times for this ask, which is as often as it can be.",
                    most=policy.WEIGHINGS,
                ),
                "matters",
            )
        ask.matters, ask.weighed = chosen, ask.weighed + 1
        for one in connecting.open_proposals(ask):
            if one.by_id is None and one.chosen_as != "talk":
                # Kept under its number, so that a page opened before asks nobody else by it.
                one.state, one.state_at, one.chosen_as = ProposalState.GONE, clock.now(), WEIGHED_AWAY
        db.session.flush()
        if is_proposed:
            connecting.propose(ask)
            connecting.alert_if_none_is_left(ask)
        return is_proposed
