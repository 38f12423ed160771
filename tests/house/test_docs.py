"""What is documented exists, and what exists is documented."""

import dataclasses
import re
from pathlib import Path

import click

from portal.cli import main
from portal.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BROUGHT_BY_LIBRARIES = {"limiter"}
PAGES = [README, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "deploy").glob("**/*.md")))]


def _commands(group: click.Group, before: str = "") -> set[str]:
    context = click.Context(group)
    found = set()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden or name in BROUGHT_BY_LIBRARIES:
            continue
        if isinstance(command, click.Group):
            found |= _commands(command, f"{before}{name} ")
        else:
            found.add(f"{before}{name}")
    return found


def _section(title: str) -> str:
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_setting_is_documented_and_every_documented_one_exists():
    listed = set(re.findall(r"^\| `([A-Z_]+)`", _section("Settings"), re.MULTILINE))
    assert listed == {field.name for field in dataclasses.fields(Settings) if field.name.isupper()}


def test_every_command_is_documented_and_every_documented_one_exists():
    listed = set(
        re.findall(r"^\| `portal ([a-z -]+?)(?: [A-Z\[<(-].*?)?`", _section("Commands"), re.MULTILINE)
    )
    assert listed == _commands(main)


def test_every_command_says_what_it_does():
    def silent(group: click.Group) -> list[str]:
        context = click.Context(group)
        found = []
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is None or name in BROUGHT_BY_LIBRARIES:
                continue
            if not (command.help or "").strip():
                found.append(name)
            if isinstance(command, click.Group):
                found += silent(command)
        return found

    assert silent(main) == []


def test_every_make_target_in_the_documents_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        name
        for page in [*PAGES, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")]
        for name in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", page, re.MULTILINE)
    }
    assert named
    assert named <= targets


def test_no_address_of_a_registry_stands_in_the_locks():
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in lock
        assert not re.search(r"https?://|file://|--(?:extra-)?index-url|--find-links|--trusted-host", lock), (
            name
        )


def test_the_locks_hold_everything_that_the_project_asks_for():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = re.findall(r'^  "([a-z0-9-]+)', project.split("[project.optional-dependencies]")[0], re.MULTILINE)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    dev = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    assert len(asked) > 20
    assert [name for name in asked if f"\n{name}==" not in f"\n{lock}"] == []
    pinned = set(re.findall(r"^[a-z0-9.-]+==\S+", lock, re.MULTILINE))
    assert pinned <= set(re.findall(r"^[a-z0-9.-]+==\S+", dev, re.MULTILINE)), "make lock writes both"
