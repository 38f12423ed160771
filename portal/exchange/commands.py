"""`portal import …` and `portal export …`."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import with_appcontext

from portal.advocacy.services import rebuilding
from portal.discussions.models import Audience
from portal.exchange import exporting, jsonl, loading, members, satisfaction, stackexchange
from portal.exchange.records import Community, Damaged, Report, source_name
from portal.kernel.progress import Progress, bars
from portal.search import services as search
from portal.search.engines.base import IndexBusy

AUDIENCES = click.Choice([audience.value for audience in Audience])


@click.group("import")
def import_group() -> None:
    """Bring a community or members in. A second run changes nothing; an interrupted one can be repeated."""


@click.group("export")
def export_group() -> None:
    """Write what is here to files."""


@import_group.command("stackexchange")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--board", default="", help="Address of the board to file it under; made when it is not there.")
@click.option("--audience", type=AUDIENCES, default="public", show_default=True)
@click.option("--site", default="", help="Host it comes from, e.g. beer.stackexchange.com, for links back.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_appcontext
def import_stackexchange(folder: Path, board: str, audience: str, site: str, as_json: bool) -> None:
    """A Stack Exchange dump: Posts.xml, Users.xml, Comments.xml, Votes.xml … in FOLDER, .gz or not."""
    source = source_name("stackexchange", folder)

    def read(report: Report) -> Community:
        return stackexchange.read(folder, report, source=source, site=site)

    _import(read, board or folder.resolve().name.removeprefix("stackexchange-"), audience, as_json)


@import_group.command("jsonl")
@click.argument("posts", type=click.Path(path_type=Path))
@click.option("--users", type=click.Path(path_type=Path), help="Who wrote it.")
@click.option("--votes", type=click.Path(path_type=Path), help="Votes and acceptances.")
@click.option("--board", default="", help="Board for posts that name none; made when it is not there.")
@click.option("--audience", type=AUDIENCES, default="public", show_default=True)
@click.option("--body", type=click.Choice(jsonl.FORMATS), default="html", show_default=True)
@click.option("--source", default="", help="Name of the origin; the same name means the same import.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_appcontext
def import_jsonl(
    posts: Path,
    users: Path | None,
    votes: Path | None,
    board: str,
    audience: str,
    body: str,
    source: str,
    as_json: bool,
) -> None:
    """A community as JSON, one object a line, .gz or not."""
    name = source or _name_of(posts)
    origin = f"jsonl:{name}"[:80]

    def read(report: Report) -> Community:
        return jsonl.read(posts, users, votes, report, source=origin, body_format=body)

    _import(read, board or name, audience, as_json)


def _name_of(posts: Path) -> str:
    """A name for where the posts come from: of the file, or of its folder when that says no more."""
    name = posts.name.removesuffix(".gz").removesuffix(".jsonl")
    return posts.resolve().parent.name if name == "posts" else name


@import_group.command("members")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would become of each line, and write nothing.")
@click.option("--skip-bad", is_flag=True, help="Take the good lines; else one bad line stops all of it.")
@click.option("--invite", is_flag=True, help="Mail everybody who is new a link to set a password.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_appcontext
def import_members(file: Path, dry_run: bool, skip_bad: bool, invite: bool, as_json: bool) -> None:
    """People and their companies from a CSV file; who has an account already is left as they are.

    Columns: email, name; username, status, company, company_domains, company_kind, company_claim, title,
    role_level, country, time_zone, languages, joined, confirmed. A status vouches for the company; without
    one it is a claim that a moderator confirms. Nobody is mailed unless asked.
    """
    report = Report()
    lines: list[members.Line] = []
    try:
        with bars() as progress:
            rows = members.read(file, report)
            good, lines = members.check(rows, report, file.name, progress)
            write = not dry_run and (skip_bad or not report.lost)
            if write:
                lines = members.bring_in(good, report, file.name, progress, invite=invite)
    except Damaged as damaged:
        click.echo(f"portal: {damaged.message}. Nothing was written.", err=True)
        sys.exit(1)
    if as_json:
        told = [{"line": line.line, "result": line.words} for line in lines]
        click.echo(json.dumps({**report.as_json(), "written": write, "lines": told}))
    else:
        for line in lines if dry_run else ():
            click.echo(f"line {line.line}: {line.words}")
        _print(report, as_json=False, nothing="" if not write else "made: nothing, they are all here")
        if not write:
            click.echo("nothing was written" + ("" if dry_run else ": mend these lines, or use --skip-bad"))
    if report.lost:
        sys.exit(1)


@import_group.command("satisfaction")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would become of each line, and write nothing.")
@click.option("--skip-bad", is_flag=True, help="Take the good lines; else one bad line stops all of it.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_appcontext
def import_satisfaction(file: Path, dry_run: bool, skip_bad: bool, as_json: bool) -> None:
    """What surveys gave, from a CSV file; a survey that is here is corrected, or left where nothing differs.

    Columns: company (its name, or one of its mail domains), measure (csat in percent, or nps), value, sample
    (how many people answered), surveyed_on (2026-03-01), source (which survey). Only of companies that are or
    were customers.
    """
    report = Report()
    lines: list[members.Line] = []
    try:
        surveys = satisfaction.read(file, report)
    except Damaged as damaged:
        click.echo(f"portal: {damaged.message}. Nothing was written.", err=True)
        sys.exit(1)
    write = not dry_run and (skip_bad or not report.lost)
    lines = satisfaction.bring_in(surveys, report, write=write)
    if as_json:
        told = [{"line": line.line, "result": line.words} for line in lines]
        click.echo(json.dumps({**report.as_json(), "written": write, "lines": told}))
    else:
        for line in lines if dry_run else ():
            click.echo(f"line {line.line}: {line.words}")
        _print(report, as_json=False, nothing="" if not write else "made: nothing, they are all here")
        if not write:
            click.echo("nothing was written" + ("" if dry_run else ": mend these lines, or use --skip-bad"))
    if report.lost:
        sys.exit(1)


@export_group.command("members")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (with FILE).")
@with_appcontext
def export_members(file: Path | None, as_json: bool) -> None:
    """Every account with a mail address as CSV, to FILE (for its owner alone) or to standard output."""
    report = Report()
    try:
        if file is None:
            members.export(sys.stdout, report, lambda _what, _done, _of: None)
            return
        part = file.with_name(f"{file.name}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened, bars() as progress:
            members.export(opened, report, progress)
        part.replace(file)
    except OSError as error:
        click.echo(f"portal: {file} cannot be written ({error.strerror})", err=True)
        sys.exit(1)
    _print(report, as_json)


@export_group.command("jsonl")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_appcontext
def export_jsonl(folder: Path, as_json: bool) -> None:
    """The community that customers read, as posts.jsonl, users.jsonl and votes.jsonl in FOLDER."""
    report = Report()
    try:
        exporting.export(folder, report)
    except OSError as error:
        click.echo(f"portal: {folder} cannot be written ({error.strerror})", err=True)
        sys.exit(1)
    _print(report, as_json)


def _import(read: Callable[[Report], Community], board: str, audience: str, as_json: bool) -> None:
    report = Report()
    try:
        community = read(report)
    except Damaged as damaged:
        click.echo(f"portal: {damaged.message}. Nothing was written.", err=True)
        sys.exit(1)
    with bars() as progress:
        rebuild = loading.store(
            community,
            report,
            board_slug=board,
            board_name=board.replace("-", " ").capitalize(),
            audience=Audience(audience),
            progress=progress,
        )
        if rebuild:
            rebuilding.rebuild(progress)
        indexed = not rebuild or _index(progress)
    _print(report, as_json)
    if not indexed:
        click.echo("portal: the index is in use elsewhere; run: portal search rebuild", err=True)
    if report.lost or not indexed:
        sys.exit(1)


def _index(progress: Progress) -> bool:
    """Make the index anew, waiting for a worker that is writing it; False when it goes on for too long."""
    for _try in range(30):
        try:
            search.rebuild(lambda done, of: progress("index", done, of))
        except IndexBusy:
            time.sleep(2)
        else:
            loading.finish()
            return True
    return False


def _print(report: Report, as_json: bool, nothing: str = "made: nothing, it is all here") -> None:
    if as_json:
        click.echo(json.dumps(report.as_json()))
        return
    for title, counts in (("read", report.read), ("made", report.made), ("of no use here", report.ignored)):
        if counts:
            click.echo(f"{title}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items()))
    if not report.made and nothing:
        click.echo(nothing)
    for row in report.skipped[:50]:
        line = f", line {row['line']}" if row["line"] else ""
        click.echo(f"left out: {row['file']}{line}: {row['reason']}", err=True)
    if len(report.skipped) > 50:
        click.echo(f"left out: {len(report.skipped) - 50:,} more (--json lists them all)", err=True)
