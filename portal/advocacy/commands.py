"""`portal score …`."""

import csv
import gc
import json
import sys
import time
from concurrent.futures import BrokenExecutor
from datetime import datetime

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from portal.advocacy.models import Damped
from portal.advocacy.queries import exporting, scopes
from portal.advocacy.queries.statement import Line, statement_of
from portal.advocacy.services import rebuilding
from portal.kernel.db import db
from portal.kernel.progress import bars
from portal.members.models import Member


@click.group()
def score() -> None:
    """Helpfulness: who really helps, and why."""


@score.command("rebuild")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_appcontext
def rebuild(as_json: bool) -> None:
    """Make ledger and sums anew from posts, votes, acceptances, ratings, engagements. Can be repeated."""
    began = time.monotonic()
    gc.disable()  # nothing here makes circles, and looking for them would walk over all rows again and again
    try:
        with bars() as progress:
            report = rebuilding.rebuild(progress)
    except BrokenExecutor:
        click.echo(
            "portal: a process that took part was ended, perhaps for want of memory; run it again", err=True
        )
        sys.exit(1)
    seconds = time.monotonic() - began
    if as_json:
        click.echo(json.dumps({**report.__dict__, "seconds": round(seconds, 1)}))
        return
    click.echo(
        f"{report.entries:,} entries ({report.added:,} new) of {report.members:,} members in {seconds:.0f} s"
    )


@score.command("export")
@click.option(
    "--at",
    "days",
    multiple=True,
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day: only what happened before its 00:00 UTC counts. May be repeated.",
)
@click.option("--product", default="", help="Only what happened in threads about this product.")
@click.option("--tag", default="", help="Only what happened in threads with this tag.")
@click.argument("more", nargs=-1, type=click.DateTime(["%Y-%m-%d"]))
@with_appcontext
def export(days: tuple[datetime, ...], product: str, tag: str, more: tuple[datetime, ...]) -> None:
    """Print the scores of these days as CSV: origin, member, helpfulness. Only scores above 0."""
    scope = _scope(product, tag)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["origin", "member", "helpfulness"])
    wanted = [moment.date() for moment in (*days, *more)]
    for day, member, helpfulness in exporting.scores_at(wanted, scope):
        writer.writerow([day.isoformat(), member, f"{helpfulness:.12g}"])


@score.command("explain")
@click.argument("username")
@click.option("--page", default=1, type=click.IntRange(1, 1000), help="Further companies, 15 on a page.")
@with_appcontext
def explain(username: str, page: int) -> None:
    """Say what a member's Helpfulness is made of: by company and person, with what was limited and why."""
    member_id = db.session.execute(
        select(Member.id).where(Member.username == username.lower())
    ).scalar_one_or_none()
    if member_id is None:
        click.echo(f"portal: nobody has the user name {username}", err=True)
        sys.exit(1)
    told = statement_of(member_id, page=page)
    standing = told.standing
    click.echo(
        f"{username}: Helpfulness {standing.helpfulness:.3f} = thanks {standing.thanks:.3f} "
        f"+ answering {standing.participation:.3f}; {standing.label}, confidence {standing.confidence}, "
        f"thanked by {standing.companies} companies in 365 days"
    )
    for company in told.companies:
        limit = f" of {company.total:.3f}, the most one company counts" if company.is_limited else ""
        click.echo(f"  {company.name or COMPANY_WORDS[company.kind]}: {company.counted:.3f}{limit}")
        if company.has_limited_people:
            click.echo(f"    entries worth {company.by_itself:.3f}, each person held to their limit")
        for person in company.people:
            click.echo(f"    {person.name}: {person.accepted} accepted, {person.worth:.3f} by themselves")
            for line in person.lines:
                click.echo(f"      {_line(line)}")
        for line in company.lines:
            click.echo(f"    {_line(line)}")
        if company.entries > company.shown:
            click.echo(f"    {company.entries - company.shown} more entries")
    if told.has_more:
        click.echo("  more companies: --page 2 and so on")
    if told.older and not told.has_more:
        others = " and votes or people told under no company" if told.older.others else ""
        click.echo(
            f"  {told.older.companies} more companies{others}, older: {told.older.points:.3f} together"
        )
    if told.conversations.months:
        months = ", ".join(f"{month:%Y-%m}: {count}" for month, count in told.conversations.months)
        click.echo(f"  private conversations found useful: {told.conversations.counted:.3f} ({months})")
    limit = f" of {told.answers_total:.3f}, the most answering counts" if told.answers_are_limited else ""
    click.echo(f"  answering {told.answers_count} questions: {standing.participation:.3f}{limit}")
    for line in told.answers.lines:
        click.echo(f"    {_line(line)}")
    for line in told.not_counted.lines:
        why = f"reversed: {line.reason}" if line.reversed else DAMPED_WORDS[line.damped]
        click.echo(f"  not counted: {_line(line)} ({why})")
    for part in told.parts:
        kind = "product" if part.is_product else "tag"
        click.echo(
            f"  {kind} {part.name}: {part.value.helpfulness:.3f} = thanks {part.value.thanks:.3f} "
            f"+ answering {part.value.participation:.3f}"
        )
    click.echo(f"  in 30 days, if nothing is added: {told.in_a_month:.3f}")


def _scope(product: str, tag: str) -> str:
    """The scope of these words, "" for the whole; ends the command where there is none, or two."""
    if product and tag:
        raise click.UsageError("either --product or --tag")
    found = scopes.find_product(product) if product else scopes.find_tag(tag) if tag else ""
    if (product or tag) and not found:
        click.echo(f"portal: there is no {'product' if product else 'tag'} {product or tag}", err=True)
        sys.exit(1)
    return found


COMPANY_WORDS = {
    "named": "a company",
    "unnamed": "a company that is not named",
    "free": "people whose company is not confirmed",
    "imported": "an imported member",
    "roles": "people who asked as a role",
    "unknown": "votes whose voter is unknown, each a company of its own",
}
DAMPED_WORDS = {
    Damped.NOTHING: "shown, never counted",
    Damped.FIVE: "enough votes on this post count already",
    Damped.COMPANY: "a vote from this company on this post counts already",
    Damped.OWN: "from the own company",
}


def _line(line: Line) -> str:
    return f"{line.at:%Y-%m-%d} {line.rule.value.replace('_', ' ')} {line.worth:.3f} {line.called}".rstrip()
