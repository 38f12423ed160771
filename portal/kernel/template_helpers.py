"""What templates may say about time, numbers and people: Jinja filters, the same for pages, mails and feeds.

Moments are aware UTC datetimes and are shown in the viewer's zone (UTC for visitors). Where one text is kept
for many readers, use `shared_stamp`: it names the zone, and a module shows the reader's own.
"""

import hashlib
import math
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Flask, g
from flask_babel import get_locale, get_timezone, get_translations
from flask_babel import gettext as _
from flask_babel import ngettext as _n
from jinja2 import Template, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from portal.kernel import clock, dates
from portal.kernel.numbers import number

TINTS = "abcd"


def install(app: Flask) -> None:
    """Add the filters to the application's templates."""
    app.jinja_env.filters.update(
        ago=ago,
        stamp=stamp,
        shared_stamp=shared_stamp,
        day=day,
        month=month,
        hour=hour,
        exact=exact,
        short_date=short_date,
        until=until,
        duration=duration,
        number=number,
        counted=counted,
        share=share,
        initials=initials,
        tint=tint,
        dom_id=dom_id,
        highest=highest,
        nice_ceiling=nice_ceiling,
    )

    app.jinja_env.template_class = _Template
    app.jinja_env.globals.update(gettext=_gettext, _=_gettext, ngettext=_ngettext)

    @lru_cache(16)
    def _words_in(_locale: str) -> Markup:
        return Markup(app.jinja_env.get_template("components/words.html").render())  # noqa: S704 - our own text

    app.jinja_env.globals["words_for_scripts"] = lambda: _words_in(locale_name())


class _Template(Template):
    """Macros see the globals of all templates, never those of one rendering: an import need not compare them,
    which took a sixth of a page's time.
    """

    def _get_default_module(self, ctx: Any = None) -> Any:
        return super()._get_default_module(None)


def locale_name() -> str:
    """The language of this request, as what is kept is kept under it."""
    name = g.get("locale_name")
    if name is None:
        name = g.locale_name = str(get_locale() or "en")
    return name


def _catalogue() -> Any:
    """The words of this request's language, asked for once: Babel's own way took a tenth of a page's time."""
    catalogue = g.get("catalogue")
    if catalogue is None:
        catalogue = g.catalogue = get_translations()
    return catalogue


@pass_eval_context
def _gettext(context: EvalContext, text: str, /, **values: Any) -> str:
    return _worded(context, _catalogue().ugettext(text), values)


@pass_eval_context
def _ngettext(context: EvalContext, one: str, many: str, count: int, /, **values: Any) -> str:
    return _worded(context, _catalogue().ungettext(one, many, count), {"num": count, **values})


def _worded(context: EvalContext, text: str, values: dict[str, Any]) -> str:
    """As Jinja's own extension does it: what is put in is escaped where the template escapes."""
    if context.autoescape:
        text = Markup(text)  # noqa: S704 - our own words
    return text % values if "%" in text else text


def ago(moment: datetime | None, *, now: datetime | None = None) -> Markup:
    """`<time>` reading "3 h ago", "yesterday" or "17 Nov", with the exact moment as its title."""
    if moment is None:
        return Markup("")
    return _time(moment, relative(moment, now or clock.now()), "ago")


def if_old(counted_at: datetime) -> datetime | None:
    """The moment, where it is more than a minute ago: so that a page says how old its figures are."""
    return counted_at if clock.now() - counted_at >= timedelta(minutes=1) else None


def relative(moment: datetime, now: datetime) -> str:
    """How long ago in the fewest words; days by the viewer's calendar, a date from one week on."""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return _("just now") if seconds > -60 else short_date(moment, now)
    if seconds < 3600:
        return _("%(n)s min ago", n=int(seconds // 60))
    days = (_local(now).date() - _local(moment).date()).days
    if days == 0 or seconds < 6 * 3600:
        return _("%(n)s h ago", n=int(seconds // 3600))
    if days == 1:
        return _("yesterday")
    if days < 7:
        return _n("%(num)d day ago", "%(num)d days ago", days)
    return short_date(moment, now)


def short_date(moment: datetime | date, now: datetime | None = None) -> str:
    """ "17 Nov" in this year, "2 Mar 2023" otherwise."""
    local = _local(moment).date() if isinstance(moment, datetime) else moment
    this_year = _local(now or clock.now()).year
    return _date(local, "d MMM" if local.year == this_year else "d MMM y")


def stamp(moment: datetime | None) -> Markup:
    """`<time>` reading "17 Nov, 09:12" in the viewer's zone."""
    if moment is None:
        return Markup("")
    return _time(moment, f"{short_date(moment)}, {_local(moment):%H:%M}", "stamp")


def shared_stamp(moment: datetime | None) -> Markup:
    """`<time>` for text that is kept for many readers: "17 Nov 2026, 09:12 UTC"."""
    if moment is None:
        return Markup("")
    text = f"{_date(moment.date(), 'd MMM y')}, {moment:%H:%M} UTC"
    return Markup('<time datetime="{}" data-time="stamp">{}</time>').format(_machine(moment), text)


def day(moment: datetime | date | None) -> Markup:
    """`<time>` reading "17 November 2026"."""
    if moment is None:
        return Markup("")
    local = _local(moment).date() if isinstance(moment, datetime) else moment
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(), _date(local, dates.DAY))


def month(first_day: date) -> str:
    """ "November 2026"."""
    return _date(first_day, dates.MONTH)


def hour(moment: datetime | None) -> Markup:
    """`<time>` reading "12:04" in the viewer's zone."""
    return Markup("") if moment is None else _time(moment, f"{_local(moment):%H:%M}", "hour")


def exact(moment: datetime | None) -> str:
    """ "Tuesday, 17 November 2026, 09:12 CET": plain text, for titles and mails."""
    if moment is None:
        return ""
    local = _local(moment)
    return f"{_date(local.date(), 'EEEE, d MMMM y')}, {local:%H:%M %Z}"


def until(moment: datetime | None, *, now: datetime | None = None) -> Markup:
    """`<time>` reading "in 2 h 05 min", "tomorrow, 09:00" or "overdue 1 h 20 min"."""
    if moment is None:
        return Markup("")
    now = now or clock.now()
    left = (moment - now).total_seconds()
    days = (_local(moment).date() - _local(now).date()).days
    if left < 0:
        text = _("overdue %(time)s", time=duration(-left))
    elif left < 12 * 3600:
        text = _("in %(time)s", time=duration(left))
    elif days <= 1:
        when = _("tomorrow") if days else _("today")
        text = f"{when}, {_local(moment):%H:%M}"
    else:
        text = f"{short_date(moment, now)}, {_local(moment):%H:%M}"
    return _time(moment, text, "until")


def duration(seconds: float | timedelta | None) -> str:
    """ "5 h 10 min", "40 min" or "3 days": at most two units."""
    if seconds is None:
        return ""
    total = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    minutes = max(1, total // 60)
    if minutes < 60:
        return _("%(n)s min", n=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("%(h)s h %(m)s min", h=hours, m=f"{minutes:02d}") if minutes else _("%(h)s h", h=hours)
    return _n("%(num)d day", "%(num)d days", hours // 24)


def counted(value: int | None, cap: int = 1000) -> str:
    """A count that was stopped at `cap`: "1,000+" from there on."""
    if value is None:
        return ""
    return f"{number(cap)}+" if value >= cap else number(value)


def share(part: int, whole: int) -> str:
    """ "83%", rounded; "" of nothing. Never 100% while one is missing, never 0% while there is one."""
    if whole <= 0:
        return ""
    percent = round(100 * part / whole)
    if part < whole:
        percent = min(percent, 99)
    if part > 0:
        percent = max(percent, 1)
    return f"{percent}%"


def initials(name: str | None) -> str:
    """At most two letters: of the first and the last word that begin with a letter or digit."""
    words = ["".join(c for c in word if c.isalnum()) for word in (name or "").split()]
    words = [word for word in words if word]
    if not words:
        return "?"
    if len(words) == 1 or unicodedata.east_asian_width(words[0][0]) in "WF":
        return words[0][:2].upper() if words[0].isascii() else words[0][:1].upper()
    return (words[0][:1] + words[-1][:1]).upper()


def tint(key: object) -> str:
    """One of the four identity tints, always the same for a key such as a username."""
    return TINTS[hashlib.sha256(str(key).encode()).digest()[0] % len(TINTS)]


def dom_id(text: object) -> str:
    """An id for an element, always the same for a text."""
    return "i" + hashlib.sha256(str(text).encode()).hexdigest()[:10]


def highest(values: Iterable[float | None]) -> float:
    """The greatest of the values that are there; 0 of none."""
    return max((value for value in values if value is not None), default=0)


def nice_ceiling(value: float) -> float:
    """The end of an axis: the least of 1, 2, 4, 5, 10, 20 … that is not below `value`; 1 for nothing."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 10) if step * power >= value)


def _time(moment: datetime, text: str, kind: str) -> Markup:
    begin = _kept_begin_of_time(moment, kind, get_timezone(), locale_name())
    return Markup(f"{begin}{escape(text)}</time>")  # noqa: S704 - our own element


@lru_cache(8192)  # what a list says of a moment is said of it again by the next page
def _kept_begin_of_time(moment: datetime, kind: str, _zone: Any, _locale: str) -> str:
    begin = Markup('<time datetime="{}" title="{}" data-time="{}">')
    return str(begin.format(_machine(moment), exact(moment), kind))


def _machine(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _local(moment: datetime) -> datetime:
    zone = get_timezone()
    return moment if zone is None else moment.astimezone(zone)


def _date(value: date, pattern: str) -> str:
    return dates.in_words(value, pattern, locale_name())
