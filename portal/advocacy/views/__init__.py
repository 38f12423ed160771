"""The pages about scores: one's own, and those of the console."""

from portal.advocacy.views import console, own

BLUEPRINTS = (own.blueprint, console.blueprint)
