"""An imported person who was erased: known again by the next run of the import, and by nobody else.

Their row keeps a keyed hash of source and id, so that the same person is not made anew. Without the key of
the site it says nothing; under another key it is recognised as long as the former one is known.
"""

import hashlib
import hmac

WORDS_LEFT, WORDS_DELETED = "erased", "emptied"

_keys: list[bytes] = []  # the one in force, then former ones


def use(secret: str, *former: str) -> None:
    """Hash with this secret from now on, and recognise by the former ones; called by `portal.wiring`."""
    _keys[:] = [hashlib.sha256(b"candor.imported." + one.encode()).digest() for one in (secret, *former)]


def mark(source: str, external_id: str, *, keep_text: bool) -> str:
    """What stands in the row instead of the id (HMAC-SHA256), and whether the words stayed."""
    return marks(source, external_id, keep_text=keep_text)[0]


def marks(source: str, external_id: str, *, keep_text: bool) -> list[str]:
    """What may stand there: by the key in force, and by each former one."""
    word, person = WORDS_LEFT if keep_text else WORDS_DELETED, f"{source}|{external_id}".encode()
    return [f"{word}:{hmac.digest(key, person, 'sha256').hex()}" for key in _keys]
