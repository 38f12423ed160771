"""Reads about people and companies."""

from portal.members.queries.own import email_of, picture_is_shown, sessions_of
from portal.members.queries.viewers import SignedIn, signed_in_by_token, viewer_of

__all__ = [
    "SignedIn",
    "email_of",
    "picture_is_shown",
    "sessions_of",
    "signed_in_by_token",
    "viewer_of",
]
