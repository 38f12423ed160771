"""What is served: built once, under one version, the light scheme first."""

import re
import shutil
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.kernel import assets


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A copy of the sources, not built yet."""
    shutil.copytree(assets.STATIC, tmp_path / "static", ignore=shutil.ignore_patterns("vendor"))
    return tmp_path / "static"


def test_a_build_is_complete_and_is_not_repeated(static: Path):
    built = assets.build(static)
    before = {path: path.stat().st_mtime_ns for path in built.folder.rglob("*")}
    again = assets.build(static)
    assert again == built
    assert {path: path.stat().st_mtime_ns for path in built.folder.rglob("*")} == before
    assert "sourceMappingURL" not in (built.folder / "bootstrap.css").read_text()
    icons = re.findall(r'<symbol[^>]* id="([^"]+)"', (built.folder / "icons.svg").read_text())
    assert sorted(icons) == sorted(assets.ICONS)


def test_a_changed_source_gives_another_version(static: Path):
    built = assets.build(static)
    with (static / "css" / "base.css").open("a") as sheet:
        sheet.write("em { font-style: italic; }\n")
    assert assets.build(static).version != built.version
    assert "em { font-style: italic; }" in (built.folder / "candor.css").read_text()


def test_what_is_missing_is_made_again(static: Path):
    built = assets.build(static)
    (built.folder / "candor.css").unlink()
    assert assets.build(static) == built
    assert (built.folder / "candor.css").is_file()


def test_two_builds_at_once_give_one_result(static: Path):
    found: list[assets.Assets] = []
    threads = [threading.Thread(target=lambda: found.append(assets.build(static))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert not list(found[0].folder.rglob(".build-*"))


def test_browsers_without_light_dark_get_the_light_scheme():
    css = assets.light_first(":root { --a: light-dark(#fff, rgb(0 0 0 / .5)); --b: 1px; }")
    plain, modern = css.split("@supports")
    assert "--a: #fff;" in plain
    assert "--b: 1px;" in plain
    assert "light-dark(#fff, rgb(0 0 0 / .5))" in modern
    assert "--b" not in modern


def test_an_unknown_icon_stops_the_build():
    with pytest.raises(KeyError, match="no-such-icon"):
        assets.cut_icons('<svg><symbol id="a"></symbol></svg>', ("no-such-icon",))


def test_a_page_loads_two_style_sheets_that_are_kept_for_a_year(client: FlaskClient):
    page = client.get("/no-such-page").text
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    scripts = re.findall(r'<script type="module" src="([^"]+)"', page)
    assert len(sheets) == 2
    assert len(scripts) == 1
    for address in sheets + scripts:
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_modules_import_only_what_is_there():
    folder = assets.STATIC / "js"
    for path in folder.glob("*.js"):
        for name in re.findall(r"(?:from|import\()\s*'(\./[^']+)'", path.read_text()):
            assert (folder / name).is_file(), f"{path.name} imports {name}"
