"""Signed links, password hashes, hashes of tokens. One salt per purpose: a token works for nothing else."""

import hashlib
import hmac
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, URLSafeTimedSerializer

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP's second choice for Argon2id
_DUMMY = _hasher.hash("no account has this password")


def hash_password(password: str) -> str:
    """An Argon2id hash; slow on purpose, so never inside a unit of work."""
    return _hasher.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Whether the password is right; without a stored hash a dummy is verified, in the same time."""
    try:
        return _hasher.verify(stored or _DUMMY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    return _hasher.check_needs_rehash(stored)


def token_hash(token: str) -> str:
    """What is stored of a random token (sha256, hex): the token itself is not in the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_hash(key: str, value: str) -> str:
    """A pseudonym of `value` that only the holder of `key` can make (HMAC-SHA256, 32 hex digits)."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]


def sign(key: str, purpose: str, value: Any) -> str:
    """An URL-safe signed token for one purpose."""
    return URLSafeTimedSerializer(key, salt=f"candor.{purpose}").dumps(value)


def unsign(key: str, purpose: str, token: str, max_age_seconds: int | None = None) -> Any | None:
    """The signed value, or None when forged, for another purpose, or too old."""
    try:
        return URLSafeTimedSerializer(key, salt=f"candor.{purpose}").loads(token, max_age=max_age_seconds)
    except BadSignature:
        return None
