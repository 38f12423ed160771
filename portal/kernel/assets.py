"""Style sheets, modules and icons: put together from the sources and Bootstrap-Flask, under one version.

Sources are `static/css`, `static/js` and `static/img`; the result is `static/vendor`, which is not kept in
version control. Every file of it is served below `/static/<version>/`, where the version is a hash of all of
them: so browsers keep each for a year, and modules may import one another by relative names.
"""

import contextlib
import gzip
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import flask_bootstrap
from flask import Flask
from whitenoise import WhiteNoise

# Every icon that a template, a menu entry or a module uses, by its name in Bootstrap Icons. A house test
# holds this list against the templates.
ICONS = (
    "arrow-left",
    "arrow-right",
    "arrow-up-right",
    "bell",
    "bookmark",
    "bookmark-fill",
    "building",
    "chat-square-text",
    "check2",
    "clipboard-check",
    "clock",
    "door-open",
    "download",
    "envelope",
    "exclamation-triangle",
    "eye-slash",
    "flag",
    "gear",
    "grid",
    "house",
    "info-circle",
    "journal-text",
    "key",
    "link-45deg",
    "list-ul",
    "lock",
    "moon",
    "paperclip",
    "patch-check",
    "pencil",
    "people",
    "person",
    "person-plus",
    "pin-angle",
    "question-circle",
    "search",
    "shield-check",
    "sun",
    "tag",
    "three-dots",
    "trash",
    "x-lg",
)

STATIC = Path(__file__).resolve().parents[1] / "static"
STAMP = "build.json"
ORDER = ("tokens.css", "base.css", "layout.css")  # then components/*.css by name
_COMPRESSED = {".css", ".js", ".svg"}


@dataclass(frozen=True)
class Assets:
    """What was built: the version that stands in every address."""

    version: str
    folder: Path

    def url(self, path: str) -> str:
        """The address of a built file, such as `candor.css` or `js/app.js`."""
        return f"/static/{self.version}/{path}"


def build(static: Path = STATIC) -> Assets:
    """Bring `static/vendor` up to date and say its version; does nothing when it is.

    Safe to run in several processes at once: every file is written aside and moved into its place, the stamp
    last. Raises OSError when the folder is out of date and cannot be written.
    """
    folder = static / "vendor"
    state = _state_of_sources(static)
    stamp = _read_stamp(folder)
    if stamp.get("state") == state and all((folder / name).is_file() for name in stamp["files"]):
        return Assets(stamp["version"], folder)

    made = dict(sorted(_make(static)))
    version = hashlib.sha256(b"".join(name.encode() + data for name, data in made.items())).hexdigest()[:12]
    for name, data in made.items():
        _put(folder / name, data)
        if Path(name).suffix in _COMPRESSED:
            _put(folder / f"{name}.gz", gzip.compress(data, 9, mtime=0))
    stamp = {"version": version, "state": state, "files": list(made)}
    _put(folder / STAMP, json.dumps(stamp, indent=1).encode())
    return Assets(version, folder)


def install(app: Flask, static: Path = STATIC) -> Assets:
    """Build what is out of date, serve it, and give templates `asset(path)` and `icon_url`."""
    built = build(static)
    served = WhiteNoise(
        app.wsgi_app,
        immutable_file_test=lambda _path, url: url.startswith(f"/static/{built.version}/"),
        allow_all_origins=False,
        add_headers_function=_headers,
    )
    served.add_files(str(built.folder), prefix=f"static/{built.version}/")
    app.wsgi_app = served  # type: ignore[method-assign]
    app.jinja_env.globals["asset"] = built.url
    app.jinja_env.globals["icon_url"] = built.url("icons.svg")
    return built


def light_first(css: str) -> str:
    """`css` with each light-dark(a, b) as plain a, and again as written for browsers that know it.

    A custom property with an unknown function in it counts as valid until it is used, so a second declaration
    in the same rule would win everywhere: the second set stands in an @supports block.
    """
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    modern = []
    for selector, body in _rules(css):
        both = [line.strip() for line in body.split(";") if "light-dark(" in line]
        if both:
            modern.append(f"  {selector} {{ {'; '.join(both)}; }}")
    if not modern:
        return css
    return (
        _without_dark(css) + "\n@supports (color: light-dark(#000, #fff)) {\n" + "\n".join(modern) + "\n}\n"
    )


def cut_icons(sprite: str, names: tuple[str, ...] = ICONS) -> str:
    """A sprite of only these symbols. Raises KeyError with the name of one that is not there."""
    symbols = {
        match[1]: match[0] for match in re.finditer(r'<symbol\b[^>]*\bid="([^"]+)".*?</symbol>', sprite, re.S)
    }
    chosen = "".join(re.sub(r' class="[^"]*"', "", symbols[name], count=1) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{chosen}</svg>\n'


def _make(static: Path) -> Iterator[tuple[str, bytes]]:
    bootstrap = _bootstrap()
    sheet = (bootstrap / "css" / "bootstrap.min.css").read_text(encoding="utf-8")
    yield "bootstrap.css", re.sub(r"/\*# sourceMappingURL=.*?\*/\s*", "", sheet).encode()
    yield "candor.css", _candor_css(static / "css").encode()
    sprite = (bootstrap / "icons" / "bootstrap-icons.svg").read_text(encoding="utf-8")
    yield "icons.svg", cut_icons(sprite).encode()
    for kind in ("js", "img"):
        for path in sorted((static / kind).rglob("*")):
            if path.is_file():
                yield path.relative_to(static).as_posix(), path.read_bytes()


def _candor_css(folder: Path) -> str:
    sheets = [folder / name for name in ORDER] + sorted((folder / "components").glob("*.css"))
    parts = [light_first(path.read_text(encoding="utf-8")) for path in sheets]
    return re.sub(r"\s*\n\s*", "\n", "\n".join(parts)).strip() + "\n"


def _bootstrap() -> Path:
    return Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"


def _state_of_sources(static: Path) -> str:
    """Changes whenever a source, this file or Bootstrap does."""
    bootstrap = _bootstrap()
    paths = [
        Path(__file__),
        bootstrap / "css" / "bootstrap.min.css",
        bootstrap / "icons" / "bootstrap-icons.svg",
    ]
    for kind in ("css", "js", "img"):
        paths += sorted(path for path in (static / kind).rglob("*") if path.is_file())
    seen = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def _read_stamp(folder: Path) -> dict:
    with contextlib.suppress(OSError, ValueError):
        stamp = json.loads((folder / STAMP).read_text())
        if {"version", "state", "files"} <= stamp.keys():
            return stamp
    return {}


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".build-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """(selector, body) of the top-level rules that hold declarations only."""
    for match in re.finditer(r"(?:^|[}])\s*([^{}@]+?)\s*\{([^{}]*)\}", css):
        yield re.sub(r"\s+", " ", match[1]), match[2]


def _without_dark(css: str) -> str:
    """`css` with every light-dark(a, b) outside a condition replaced by a."""
    out, rest = [], css
    while (at := re.search(r"(?<!color: )light-dark\(", rest)) is not None:
        out.append(rest[: at.start()])
        depth, comma, index = 1, -1, at.end()
        while depth:
            character = rest[index]
            depth += {"(": 1, ")": -1}.get(character, 0)
            if character == "," and depth == 1 and comma < 0:
                comma = index
            index += 1
        out.append(rest[at.end() : comma].strip())
        rest = rest[index:]
    return "".join(out) + rest


def _headers(headers: dict, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if path.endswith(".svg"):
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
