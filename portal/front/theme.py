"""The vendor's own colours and logo."""

from flask import Blueprint, Response, current_app, send_file

from portal.kernel import colours, site
from portal.kernel.access import Permission, requires
from portal.kernel.errors import NotFound
from portal.kernel.site import Site

blueprint = Blueprint("theme", __name__)

_YEAR = 31_536_000


def address() -> str:
    """Where the style of this site stands, or "" while it has the product's own colours."""
    now = site.current()
    if not now.accent_light and not now.accent_dark:
        return ""
    return f"/theme/{(now.accent_light or '-').lstrip('#')}/{(now.accent_dark or '-').lstrip('#')}.css"


@blueprint.get("/theme/<light>/<dark>.css")
@requires(Permission.VISIT)
def style(light: str, dark: str) -> Response:
    """The accent and what follows from it, as custom properties; for the colours in force only."""
    now = site.current()
    if address() != f"/theme/{light}/{dark}.css":
        raise NotFound("no such style")
    response = Response(_css(now), mimetype="text/css")
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


@blueprint.get("/logo/<name>")
@requires(Permission.VISIT)
def logo(name: str) -> Response:
    """The logo in force."""
    if site.current().logo_url != f"/logo/{name}":
        raise NotFound("no such logo")
    path = current_app.config["SETTINGS"].uploads_path / name
    if not path.is_file():
        raise NotFound("no such logo")
    response = send_file(path, mimetype="image/webp", max_age=_YEAR)
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _css(now: Site) -> str:
    accents = colours.accents(now.accent_light, now.accent_dark)
    light, dark = accents["light"], accents["dark"]
    pairs = {
        "accent": (light.accent, dark.accent),
        "accent-strong": (light.strong, dark.strong),
        "accent-ink": (light.ink, dark.ink),
        "accent-tint": (light.tint, dark.tint),
    }
    lines = [
        f"--c-{name}:{colours.as_hex(one)};--c-{name}:light-dark({colours.as_hex(one)},{colours.as_hex(other)});"
        for name, (one, other) in pairs.items()
    ]
    return f":root,[data-bs-theme]{{{''.join(lines)}}}\n"
