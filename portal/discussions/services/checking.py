"""Everything that is wrong with a text at once, so that nobody sends a form three times to hear it."""

from collections.abc import Callable

from flask_babel import gettext as _

from portal.discussions.services.posting import clean_title
from portal.discussions.services.tagging import parse_tags
from portal.discussions.services.text import SECTION_TITLES, SECTIONS, check_source
from portal.kernel.errors import Invalid


def problems_with(
    *,
    title: str | None = None,
    body: str = "",
    sections: dict[str, str] | None = None,
    tags: str | None = None,
) -> list[Invalid]:
    """What the services would refuse, each beside its field, in the order of the form; empty when nothing."""
    checks: list[Callable[[], object]] = []
    if title is not None:
        checks.append(lambda: clean_title(title))
    if sections is None:
        checks.append(lambda: check_source(body))
    else:
        for name in SECTIONS:
            empty = _("“%(title)s” is empty.", title=SECTION_TITLES[name])
            checks.append(
                lambda name=name, empty=empty: check_source(sections.get(name, ""), name, empty)  # type: ignore[misc] # bound now
            )
    if tags is not None:
        checks.append(lambda: parse_tags(tags))
    return [problem for check in checks if (problem := _problem(check)) is not None]


def _problem(check: Callable[[], object]) -> Invalid | None:
    try:
        check()
    except Invalid as problem:
        return problem
    return None
