"""Picking evidence in a form: what a member wrote, page by page or by words, with nothing typed lost.

Looking further sends the whole form, so that it works without a script: the page comes back with the note,
what was picked, and other pieces to pick from. Nothing is written by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import request

from portal.discussions.queries.deeds import Deed, deeds, deeds_by, may_find
from portal.kernel.access import Viewer
from portal.kernel.numbers import number_in

MOST_SENT = 100
FIND, OLDER = "find", "older"


@dataclass(frozen=True)
class Picker:
    """What stands in the form: first what was chosen, then what else can be."""

    chosen: list[Deed] = field(default_factory=list)
    others: list[Deed] = field(default_factory=list)
    words: str = ""
    older: str = ""  # the cursor of the next page
    looked: bool = False  # the page came of looking further
    narrowed: bool = False  # it is not the beginning of the list
    may_find: bool = True
    lists: bool = True  # whether anything but what was chosen may be listed here


def sent_ids() -> list[int]:
    """The pieces that were picked in the form that came in."""
    sent = (number_in(one) for one in request.form.getlist("evidence")[:MOST_SENT])
    return [one for one in dict.fromkeys(sent) if one]


def looks_further() -> bool:
    """Whether the form came in only to see other pieces: nothing is to be written then."""
    return request.form.get("look") in (FIND, OLDER)


def picker(viewer: Viewer, member_id: int, chosen: Iterable[int] = (), *, lists: bool = True) -> Picker:
    """What this viewer may pick of what the member did. `chosen`: picked before anything was sent.

    `lists`: whether the member lets others list what they wrote; what was met in a thread can be picked all
    the same.
    """
    ids = list(dict.fromkeys([*chosen, *sent_ids()]))
    first = [one for one in deeds(viewer, ids) if one.author_id == member_id]
    if not lists:
        return Picker(first, looked=looks_further(), lists=False)
    words = " ".join(request.form.get("find", "").replace("\0", "").split())[:80]
    after = request.form.get("older_than", "")[:300] if request.form.get("look") == OLDER else ""
    page = deeds_by(viewer, member_id, words=words, after=after)
    known = {one.post_id for one in first}
    return Picker(
        chosen=first,
        others=[one for one in page.rows if one.post_id not in known],
        words=words,
        older=page.next,
        looked=looks_further(),
        narrowed=bool(words or after),
        may_find=may_find(viewer),
    )
