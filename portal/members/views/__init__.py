"""What the browser sends and sees of joining, signing in, and one's own settings."""

from portal.members.views import joining, settings, signing_in
from portal.members.views.blueprint import blueprint

__all__ = ["blueprint", "joining", "settings", "signing_in"]
