"""Members as CSV: read, checked and brought in line by line; written so that no spreadsheet runs a cell."""

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TextIO, TypeVar

from sqlalchemy import select

from portal.exchange import reading
from portal.exchange.records import Damaged, Report, chunks, moment
from portal.kernel import audit
from portal.kernel.access import Status
from portal.kernel.db import db, end_reading
from portal.kernel.errors import DomainError
from portal.kernel.progress import Progress
from portal.kernel.spreadsheets import escaped, unescaped
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, CompanyDomain, CompanyKind, Member, MemberState
from portal.members.services import bringing
from portal.members.services.bringing import Brought, Newcomer

BATCH = 200  # people in one transaction
COLUMNS = (
    "email", "name", "username", "status", "company", "company_domains", "company_kind", "company_claim",
    "title", "role_level", "country", "time_zone", "languages", "joined", "confirmed", "duties",
)  # fmt: skip
NOT_TAKEN = "duties"  # powers are given one by one: portal member grant
STATUSES = {status.value: status for status in Status if status is not Status.VISITOR}
KINDS = {kind.value: kind for kind in CompanyKind}
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Row:
    """One person of the file, and the line where the row begins."""

    line: int
    person: Newcomer


@dataclass(frozen=True)
class Line:
    """What became of one line, for the report."""

    line: int
    words: str


class _TakenBack(Exception):
    """Ends a unit of work without storing anything."""


def read(path: Path, report: Report) -> list[Row]:
    """The people of a CSV file, those that make no sense left out with their reasons.

    The first line names the columns, in any order; email and name are needed, others of `COLUMNS` may be
    there, and what is unknown is counted and ignored. Commas, semicolons or tabs part the cells. Raises
    Damaged for a file that is not such a table.
    """
    found: list[Row] = []
    lines_of: dict[str, int] = {}
    for line, cells in table(path, report, COLUMNS, ("email", "name"), but=(NOT_TAKEN,)):
        report.count("rows")
        try:
            person = _person(cells)
        except ValueError as error:
            report.skip(path.name, line, str(error))
            continue
        key = person.email.lower()
        if key in lines_of:
            report.skip(path.name, line, f"the same address as in line {lines_of[key]}")
            continue
        lines_of[key] = line
        found.append(Row(line, person))
    return found


def check(rows: list[Row], report: Report, file: str, progress: Progress) -> tuple[list[Row], list[Line]]:
    """Bring everybody and take it back: the rows that will do, and what would become of each line."""
    good: list[Row] = []
    lines: list[Line] = []
    for batch in chunks(rows, BATCH):
        with suppress(_TakenBack), unit_of_work():
            for row in batch:
                outcome = _bring(row, report, file, invite=False)
                if outcome is not None:
                    good.append(row)
                    lines.append(Line(row.line, outcome.words))
            raise _TakenBack
        progress("checked", len(good) + len(report.skipped), len(rows))
    return good, lines


def bring_in(rows: list[Row], report: Report, file: str, progress: Progress, *, invite: bool) -> list[Line]:
    """Bring everybody in, each batch one transaction; what is here already stays as it is."""
    lines: list[Line] = []
    for batch in chunks(rows, BATCH):
        with unit_of_work():
            touched: set[int] = set()
            for row in batch:
                outcome = _bring(row, report, file, invite=invite)
                if outcome is None:
                    continue
                lines.append(Line(row.line, outcome.words))
                report.make("members", int(outcome.made))
                report.make("companies", int(outcome.company_made))
                report.make("invitations", int(outcome.invited))
                if outcome.difference:
                    report.skip(file, row.line, f"left as it is: {outcome.difference}", lost=False)
                if outcome.company_id is not None:
                    touched.add(outcome.company_id)
            bringing.count_companies(touched)
        progress("members", len(lines), len(rows))
    return lines


def _bring(row: Row, report: Report, file: str, *, invite: bool) -> Brought | None:
    savepoint = db.session.begin_nested()
    try:
        outcome = bringing.bring(row.person, invite=invite)
    except DomainError as error:
        savepoint.rollback()
        report.skip(file, row.line, error.message)
        return None
    savepoint.commit()
    return outcome


def table(
    path: Path,
    report: Report,
    columns: Collection[str],
    needed: Sequence[str],
    but: Collection[str] = (),
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by the names of its first line, each with the line where it begins.

    Columns `but` for these, and unknown ones, are counted and ignored. Raises Damaged for no such table.
    """
    line = 1
    try:
        with reading.open_bytes(path) as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            rows = csv.reader(text, delimiter=_delimiter(text), strict=True)
            names = [cell.strip().lower() for cell in next(rows, [])]
            if not set(needed) <= set(names):
                among = f"{', '.join(needed[:-1])} and {needed[-1]} among them"
                raise Damaged(path.name, 1, f"the first line has to name the columns, {among}")
            if twice := sorted({name for name in names if name and names.count(name) > 1}):
                raise Damaged(path.name, 1, f"the column {twice[0]} is there twice")
            for name in names:
                if name not in columns or name in but:
                    report.ignore(f"column {name or 'without a name'}")
            line = rows.line_num + 1
            for cells in rows:
                if len(cells) > len(names):
                    raise Damaged(path.name, line, f"{len(cells)} cells, but {len(names)} columns")
                if any(cell.strip() for cell in cells):
                    yield line, {name: unescaped(cell) for name, cell in zip(names, cells, strict=False)}
                line = rows.line_num + 1
    except UnicodeDecodeError:
        raise Damaged(path.name, line, "not UTF-8") from None
    except (csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(path.name, line, str(error)) from error


def _delimiter(text: IO[str]) -> str:
    """What parts the cells of the first line."""
    first = text.readline(4096)
    text.seek(0)
    return max(",;\t", key=first.count)


def _person(cells: dict[str, str]) -> Newcomer:
    """Raises ValueError with the reason."""
    cell = {name: " ".join(text.split()) for name, text in cells.items()}
    if not cell.get("email"):
        raise ValueError("no mail address")
    if any("\0" in text for text in cell.values()):
        raise ValueError("a cell holds a character that is none")
    confirmed = cell.get("confirmed", "")
    return Newcomer(
        email=cell["email"],
        name=cell.get("name", ""),
        username=cell.get("username", "").lower(),
        status=_one_of(STATUSES, cell.get("status", ""), "status"),
        company=cell.get("company", ""),
        domains=tuple(cell.get("company_domains", "").replace(",", " ").replace(";", " ").split()),
        kind=_one_of(KINDS, cell.get("company_kind", ""), "company_kind"),
        claim=cell.get("company_claim", ""),
        title=cell.get("title", ""),
        role_level=cell.get("role_level", "").lower(),
        region=cell.get("country", ""),
        time_zone=cell.get("time_zone", ""),
        languages=tuple(cell.get("languages", "").lower().replace(",", " ").split()),
        joined=_moment(cell.get("joined", ""), "joined"),
        confirmed=_moment(confirmed, "confirmed"),
    )


def _one_of(known: dict[str, Kind], text: str, column: str) -> Kind | None:
    if not text:
        return None
    if text.lower() not in known:
        raise ValueError(f"{column} has to be one of {', '.join(known)}, not “{text[:40]}”")
    return known[text.lower()]


def _moment(text: str, column: str) -> datetime | None:
    try:
        return moment(text) if text else None
    except ValueError:
        raise ValueError(f"{column} has to be a date such as 2026-03-01, not “{text[:40]}”") from None


def export(file: TextIO, report: Report, progress: Progress) -> None:
    """Every account with a mail address, one a line; passwords, pictures and texts are not in it.

    Accounts that are erased are left out, and people who were imported without an address (they are in
    `export jsonl`). That it was written stands in the audit log.
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with unit_of_work():
        audit.record(None, "export members", "members", None, area="people")
    domains = _domains()
    total = db.session.execute(select(db.func.count()).select_from(Member).where(*_WITH_ACCOUNT)).scalar_one()
    last, done = 0, 0
    while rows := _next(last):
        for member, company in rows:
            writer.writerow([escaped(cell) for cell in _cells(member, company, domains)])
            last, done = member.id, done + 1
        report.make("members", len(rows))
        progress("members", done, total)
        end_reading()


_WITH_ACCOUNT = (Member.email.is_not(None), Member.state != MemberState.ERASED)


def _next(last: int) -> list[tuple[Member, Company | None]]:
    rows = db.session.execute(
        select(Member, Company)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(*_WITH_ACCOUNT, Member.id > last)
        .order_by(Member.id)
        .limit(BATCH)
    )
    return [(row[0], row[1]) for row in rows]


def _domains() -> dict[int, str]:
    found: dict[int, str] = {}
    query = select(CompanyDomain.company_id, CompanyDomain.domain).order_by(CompanyDomain.domain)
    for row in db.session.execute(query):
        found[row.company_id] = f"{found.get(row.company_id, '')} {row.domain}".strip()
    return found


def _cells(member: Member, company: Company | None, domains: dict[int, str]) -> list[str]:
    return [
        member.email or "", member.name, member.username, member.status.value,
        company.name if company else "",
        domains.get(company.id, "") if company else "",
        company.kind.value if company else "",
        member.company_claim, member.title, member.role_level.value if member.role_level else "",
        member.region, member.time_zone, " ".join(member.languages), member.created_at.isoformat(),
        member.email_confirmed_at.isoformat() if member.email_confirmed_at else "",
        " ".join(member.duties),
    ]  # fmt: skip
