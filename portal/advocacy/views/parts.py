"""The pages that a statement is continued on, for its member and for moderators."""

from flask import render_template, request

from portal.advocacy.queries.statement import ANSWERS, NOT_COUNTED, company_of, page_of
from portal.kernel.access import viewer
from portal.kernel.errors import NotFound

MOST_PAGES = 1000


def page_wanted() -> int:
    """The page of companies that the address asks for."""
    page = request.args.get("page", "")
    return int(page) if page.isdecimal() and 0 < len(page) < 5 and 0 < int(page) <= MOST_PAGES else 1


def part_page(member_id: int, wanted: str, here: str, back: str, *, theirs: bool = False) -> str:
    """One company, the answers, or what does not count, from the entry on that the address names."""
    after = request.args.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise NotFound("no such place")
    if wanted in (ANSWERS, NOT_COUNTED):
        company = None
        page, weights = page_of(member_id, wanted, viewer(), int(after))
    else:
        company, page, weights = company_of(member_id, wanted, viewer(), int(after))
    return render_template(
        "advocacy/score_part.html",
        statement_url=here,
        back=back,
        company=company,
        kind=wanted,
        lines=page.lines,
        weights=weights,
        next_url=f"{here}?part={wanted}&after={page.next}" if page.next else "",
        theirs=theirs,
    )
