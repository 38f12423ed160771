"""The composition root: blueprints, listeners, registries, jobs. The one file that imports everything."""

from pathlib import Path
from typing import Any

from flask import Flask, request

from portal.kernel import access, form_keys, jobs, nav, site
from portal.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

# Every blueprint of the product, by package.
BLUEPRINTS: list[Any] = []


def wire(app: Flask, settings: Settings) -> None:
    """Put the packages together. Safe to call for several applications in one process."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _subscribe()
    _register(app, settings)
    _register_jobs()
    _install_templates(app, settings)


def _subscribe() -> None:
    """Who reacts to what, in order (portal.kernel.events)."""


def _register(app: Flask, settings: Settings) -> None:
    """Fill the registries: search.sources, notifications.kinds, discussions.screening, nav, personal."""


def _register_jobs() -> None:
    """What the worker does, and how often."""
    jobs.register("forget form keys", form_keys.forget_old, 6 * 3600)


def _install_templates(app: Flask, settings: Settings) -> None:
    @app.context_processor
    def _common() -> dict[str, Any]:
        viewer = access.viewer()
        return {
            "viewer": viewer,
            "site": site.current(),
            "nav": lambda place: nav.entries(place, viewer),
            "public_url": settings.PUBLIC_URL,
            "canonical_url": settings.PUBLIC_URL + request.path,
        }
