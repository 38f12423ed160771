"""Who may do what with one hold."""

from portal.kernel.access import Duty, Permission, Viewer
from portal.relations.models import PlacedAs

_DUTY = {PlacedAs.SALES: Duty.SALES, PlacedAs.SERVICE: Duty.SERVICE}


def placed_as(actor: Viewer) -> PlacedAs:
    """On whose behalf this person places a hold: service's, where they have both duties."""
    return PlacedAs.SERVICE if Duty.SERVICE in actor.duties else PlacedAs.SALES


def may_end(actor: Viewer, held_as: PlacedAs) -> bool:
    """Whoever placed it, a colleague of the same duty, or an admin: people leave, and their holds stay."""
    if actor.may(Permission.ADMINISTER):
        return True
    return actor.may(Permission.PLACE_HOLDS) and _DUTY[held_as] in actor.duties
