"""The page `/search`: words, filters as a sentence, results by thread."""

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from portal.discussions.models import ThreadKind
from portal.discussions.queries import searching
from portal.discussions.queries.narrowing import Asked, Choice
from portal.discussions.queries.searching import Found
from portal.discussions.rows import found_rows
from portal.kernel import page_cache
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.template_helpers import locale_name

blueprint = Blueprint("searching", __name__)

MAX_PAGES = 50
_FIELDS = ("q", "author", "after", "before")


@blueprint.get("/search")
@requires(Permission.VISIT)
def search() -> tuple[str, int]:
    """What the viewer finds; 422 with a line for each filter that cannot be, 404 beyond the last page."""
    asked, errors = _asked(request.args)
    page = request.args.get("page", "1")
    if not page.isdecimal() or not 1 <= int(page[:9]) <= MAX_PAGES or len(page) > 9:
        abort(404)
    found = searching.find(viewer(), asked, int(page)) if asked and not errors else Found()
    if found.page > max(1, found.pages):
        abort(404)
    return render_template(
        "discussions/search.html",
        asked=asked,
        given=request.args,
        errors=errors,
        summary=[(name if name in _FIELDS else "", message) for name, message in errors],
        found=found,
        filters=_sentence(asked, found),
        found_rows=found_rows,
        page_url=lambda number: _address(asked, page=number if number > 1 else None),
        without_filters=_address(Asked(q=asked.q)),
        suggested=_address(replace(asked, q=found.suggestion.text)) if found.suggestion else "",
    ), 422 if errors else 200


def _asked(args: MultiDict[str, str]) -> tuple[Asked, list[tuple[str, str]]]:
    """The question in the address, and (field, what is wrong with it) where it cannot be understood."""
    errors: list[tuple[str, str]] = []

    def one_of(name: str, allowed: tuple[str, ...]) -> str:
        value = args.get(name, "").strip()
        if value and value not in allowed:
            errors.append((name, _("“%(value)s” is not a choice here.", value=value[:40])))
            return ""
        return value

    def day(name: str) -> date | None:
        value = args.get(name, "").strip()
        if not value:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = date.min
        if not 1970 <= found.year <= 9998:
            errors.append((name, _("Write the day as year-month-day, for example 2026-03-31.")))
            return None
        return found

    kind = one_of("kind", tuple(ThreadKind))
    answered = one_of("answered", ("yes", "no"))
    asked = Asked(
        q=args.get("q", "").replace("\x00", "")[:1000],
        board=args.get("board", "").strip()[:60],
        kind=ThreadKind(kind) if kind else None,
        author=args.get("author", "").strip().lower()[:40],
        tag=args.get("tag", "").strip().lower()[:40],
        answered={"yes": True, "no": False}.get(answered),
        after=day("after"),
        before=day("before"),
        sort=one_of("sort", searching.SORTS) or ("relevance" if args.get("q", "").strip() else "newest"),
    )
    return asked, errors


def _address(asked: Asked, **changes: Any) -> str:
    """The address of this question, or of it with changes."""
    values: dict[str, Any] = {
        "q": asked.q or None,
        "board": asked.board or None,
        "kind": asked.kind.value if asked.kind else None,
        "author": asked.author or None,
        "tag": asked.tag or None,
        "answered": {True: "yes", False: "no", None: None}[asked.answered],
        "after": asked.after.isoformat() if asked.after else None,
        "before": asked.before.isoformat() if asked.before else None,
        "sort": asked.sort if asked.sort != ("relevance" if asked.q else "newest") else None,
    }
    given = {name: value for name, value in (values | changes).items() if value is not None}
    query = urlencode(given, safe="!$'()*,/:;?@")
    return f"/search?{query}" if query else "/search"


def kind_word(kind: str) -> str:
    """A kind of thread as a filter reads."""
    return {
        ThreadKind.QUESTION: _("questions"),
        ThreadKind.DISCUSSION: _("discussions"),
        ThreadKind.WAR_STORY: _("war stories"),
    }[ThreadKind(kind)]


def _sentence(asked: Asked, found: Found) -> Markup:
    """The filters with their choices; kept, since it is the same on every page of the results."""
    key = ("filters", asked, bool(found.total), locale_name(), *((n, *c) for n, c in found.facets.items()))

    def make() -> str:
        filters = _filters(asked, found)
        sorts = _sorts(asked) if found.total else []
        if not filters:
            return ""
        return render_template("discussions/_search_filters.html", filters=filters, sorts=sorts)

    return Markup(page_cache.fragments.get(key, make))  # noqa: S704 - our own template's text


def _filters(asked: Asked, found: Found) -> list[dict[str, Any]]:
    """The filters as the words of a sentence: what each is about, how it reads now, and its choices."""
    return [
        word
        for word in (
            _word("board", _("Board"), _("in any board"), _("in %(name)s"), asked, found),
            _word("kind", _("Kind"), _("of any kind"), "%(name)s", asked, found, kind_word),
            _word("answered", _("Answered"), _("answered or not"), "%(name)s", asked, found, _answered_word),
            _word("tag", _("Tag"), _("with any tag"), _("tagged %(name)s"), asked, found),
            _word("author", _("Author"), _("by anybody"), _("by %(name)s"), asked, found),
            _word("date", _("Date"), _("from any time"), "%(name)s", asked, found, _span_word),
        )
        if word
    ]


def _word(
    name: str,
    about: str,
    anything: str,
    reads: str,
    asked: Asked,
    found: Found,
    label: Any = str,
) -> dict[str, Any] | None:
    choices: list[Choice] = found.facets.get(name, [])
    field = "after" if name == "date" else name
    set_now = {"date": asked.after or asked.before, "answered": asked.answered is not None}.get(
        name, getattr(asked, field)
    )
    if not set_now and (not choices or not any(choice.threads for choice in choices)):
        return None
    cleared = {"after": None, "before": None} if name == "date" else {field: None}
    options = [(anything, _address(asked, **cleared), not set_now)]
    now = anything
    for choice in choices:
        reading = reads % {"name": label(choice.label)}
        options.append(
            (
                f"{reading} ({choice.threads})",
                _address(asked, **(cleared | {field: choice.value})),
                choice.chosen,
            )
        )
        if choice.chosen:
            now = reading
    if set_now and now == anything:
        now = _named(name, asked)
    return {"about": about, "now": now, "options": options, "set": bool(set_now)}


def _named(name: str, asked: Asked) -> str:
    """How a filter reads that nothing found has."""
    if name == "date":
        parts = []
        if asked.after:
            parts.append(_("since %(day)s", day=asked.after.isoformat()))
        if asked.before:
            parts.append(_("before %(day)s", day=asked.before.isoformat()))
        return " ".join(parts)
    return {
        "board": lambda: _("in %(name)s", name=asked.board),
        "kind": lambda: kind_word(asked.kind.value if asked.kind else "question"),
        "answered": lambda: _answered_word("yes" if asked.answered else "no"),
        "tag": lambda: _("tagged %(name)s", name=asked.tag),
        "author": lambda: _("by %(name)s", name=asked.author),
    }[name]()


def _answered_word(value: str) -> str:
    return _("with an accepted answer") if value == "yes" else _("without an accepted answer")


def _span_word(days: str) -> str:
    return {
        "7": _("from the last week"),
        "31": _("from the last month"),
        "365": _("from the last year"),
    }[days]


def _sorts(asked: Asked) -> list[tuple[str, str, bool]]:
    words = {"relevance": _("best first"), "newest": _("newest first"), "helpful": _("most helpful first")}
    names = [name for name in searching.SORTS if asked.q or name != "relevance"]
    return [(words[name], _address(asked, sort=name), asked.sort == name) for name in names]
