"""What the tables of discussions hold about people: exported, erased and kept how long (kernel.personal)."""

from portal.discussions.queries.exporting import keepsakes_of, votes_of, words_of
from portal.discussions.services.drafts import KEPT
from portal.discussions.services.erasing import erase_keepsakes, erase_words
from portal.kernel.personal import Personal


def _votes_stay(_member_id: int, _keep_text: bool) -> None:
    """A vote is somebody else's thanks by now; it names nobody once the account has no name."""


WORDS = Personal(
    name="discussions: words",
    tables=("threads", "posts", "post_revisions"),
    export=words_of,
    erase=erase_words,
)
VOTES = Personal(name="discussions: votes", tables=("votes",), export=votes_of, erase=_votes_stay)
KEEPSAKES = Personal(
    name="discussions: drafts and keepsakes",
    tables=("drafts", "bookmarks", "follows", "read_marks", "uploads"),
    export=keepsakes_of,
    erase=erase_keepsakes,
    retention_days=KEPT.days,
    retention_job="forget old drafts",
)

CLASSES = (WORDS, VOTES, KEEPSAKES)
