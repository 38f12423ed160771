"""An imported person who was erased: known again by the next run of the import, and by nobody else.

Their row keeps a keyed hash of source and id, so that the same person is not made anew. Without the key of
the site it says nothing; under another key it is no longer recognised.
"""

import hashlib
import hmac

WORDS_LEFT, WORDS_DELETED = "erased", "emptied"

_key: list[bytes] = []


def use(secret: str) -> None:
    """Hash with this secret from now on; called by `portal.wiring`."""
    _key[:] = [hashlib.sha256(b"candor.imported." + secret.encode()).digest()]


def mark(source: str, external_id: str, *, keep_text: bool) -> str:
    """What stands in the row instead of the id (HMAC-SHA256), and whether the words stayed."""
    word = WORDS_LEFT if keep_text else WORDS_DELETED
    return f"{word}:{hmac.digest(_key[0], f'{source}|{external_id}'.encode(), 'sha256').hex()}"
