"""Surveys among customers as CSV: read, checked and entered line by line, as a person of service would."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import func, select

from portal.exchange.members import Line, table
from portal.exchange.records import Report
from portal.kernel.db import db
from portal.kernel.errors import DomainError
from portal.kernel.lines import line_of
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, CompanyDomain
from portal.relations import services
from portal.relations.models import Measure
from portal.relations.queries import is_known
from portal.relations.queries.companies import find_survey
from portal.relations.services.keeping import check_figures

COLUMNS = ("company", "measure", "value", "sample", "surveyed_on", "source")
MEASURES = {measure.value: measure for measure in Measure}


@dataclass(frozen=True)
class Survey:
    """One survey of the file, and the line where it begins."""

    line: int
    company_id: int
    company: str
    measure: Measure
    value: int
    sample: int
    surveyed_on: date
    source: str


def read(path: Path, report: Report) -> list[Survey]:
    """The surveys of a CSV file, those that make no sense left out with their reasons. Raises Damaged.

    All columns have to be there, in any order. A company is named by its name or by one of its mail domains.
    """
    found: list[Survey] = []
    known = _companies()
    for line, cells in table(path, report, COLUMNS, COLUMNS):
        report.count("rows")
        try:
            found.append(_survey(line, cells, known))
        except (ValueError, DomainError) as error:
            report.skip(path.name, line, error.message if isinstance(error, DomainError) else str(error))
    return found


def bring_in(surveys: Iterable[Survey], report: Report, *, write: bool) -> list[Line]:
    """Enter them, each in a transaction of its own; gives what became, or would become, of each line."""
    lines = []
    for one in surveys:
        before = find_survey(one.company_id, one.measure, one.surveyed_on, one.source)
        words = "entered" if before is None else f"corrected, was {before.value} of {before.sample} people"
        if before is not None and (before.value, before.sample) == (one.value, one.sample):
            words = "here already"
        elif write:
            with unit_of_work():
                services.record_satisfaction(
                    None,
                    one.company_id,
                    one.measure,
                    one.value,
                    sample=one.sample,
                    surveyed_on=one.surveyed_on,
                    source=one.source,
                )
            report.make("surveys" if before is None else "surveys corrected")
        what = f"{one.company}, {one.measure.value} {one.value} of {one.surveyed_on}"
        lines.append(Line(one.line, f"{what}: {words}"))
    return lines


def _survey(line: int, cells: dict[str, str], known: dict[str, list[tuple[int, str]]]) -> Survey:
    """Raises ValueError or Invalid with the reason."""
    cell = {name: " ".join(cells.get(name, "").split()) for name in COLUMNS}
    companies = known.get(cell["company"].lower(), [])
    if len(companies) != 1:
        many = "several customers are" if companies else "no customer is"
        raise ValueError(f"{many} called, or found by the domain, “{cell['company'][:60]}”")
    if cell["measure"].lower() not in MEASURES:
        raise ValueError(f"measure has to be one of {', '.join(MEASURES)}, not “{cell['measure'][:40]}”")
    measure = MEASURES[cell["measure"].lower()]
    value, sample = _number(cell["value"], "value"), _number(cell["sample"], "sample")
    day = _day(cell["surveyed_on"])
    check_figures(measure, value, sample, day)
    source = line_of(cell["source"], "source", "no source: say which survey it was", 200)
    company_id, name = companies[0]
    return Survey(line, company_id, name, measure, value, sample, day, source)


def _number(text: str, column: str) -> int:
    try:
        return int(text.replace("−", "-").removesuffix("%").strip())
    except ValueError:
        raise ValueError(f"{column} has to be a whole number, not “{text[:40]}”") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"surveyed_on has to be a day such as 2026-03-01, not “{text[:40]}”") from None


def _companies() -> dict[str, list[tuple[int, str]]]:
    """Id and name of every customer's company, by name and by mail domain."""
    found: dict[str, list[tuple[int, str]]] = {}
    named = select(func.lower(Company.name), Company.id, Company.name).where(is_known())
    by_domain = (
        select(CompanyDomain.domain, Company.id, Company.name)
        .join(Company, Company.id == CompanyDomain.company_id)
        .where(is_known())
    )
    for query in (named, by_domain):
        for key, company_id, name in db.session.execute(query):
            if (company_id, name) not in found.setdefault(key.lower(), []):
                found[key.lower()].append((company_id, name))
    return found
