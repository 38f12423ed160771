"""The time two people agreed on, as a file for any calendar."""

from datetime import datetime, timedelta

from icalendar import Calendar, Event


def file(
    *,
    uid: str,
    title: str,
    starts_at: datetime,
    minutes: int,
    url: str,
    link: str,
    made_at: datetime,
    edition: int,
    called_off: bool = False,
) -> bytes:
    """An .ics file with one event, and nobody invited: each side keeps its own.

    Calendars know the event by its `uid` and let the higher `edition` win: a moved time moves, and one that
    was called off disappears.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Candor//private conversation//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if called_off else "PUBLISH")
    event = Event()
    event.add("uid", uid)
    event.add("summary", title)
    event.add("dtstart", starts_at)
    event.add("dtend", starts_at + timedelta(minutes=minutes))
    event.add("dtstamp", made_at)
    event.add("sequence", edition)
    event.add("status", "CANCELLED" if called_off else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("url", link or url)
    event.add("description", "\n".join(part for part in (link, url) if part))
    if link:
        event.add("location", link)
    calendar.add_component(event)
    return calendar.to_ical()
