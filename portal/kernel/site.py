"""What an admin can set from the pages: kept in the process, refreshed when its version number changes."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import JSON, Integer, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import in_unit_of_work, unit_of_work


class SiteSetting(Base):
    """One changed setting; what is not here has its default."""

    __tablename__ = "site_settings"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class SiteVersion(Base):
    """One row: counts changes of the settings and of whatever every page shows (boards, menus)."""

    __tablename__ = "site_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True)
class Site:
    """The settings of the site. Defaults come from the environment (`portal.settings`)."""

    name: str = "Candor"
    vendor_name: str = ""
    tagline: str = ""
    about: str = ""
    logo_url: str = ""
    accent_light: str = ""
    accent_dark: str = ""
    contact_email: str = ""
    vendor_domains: list[str] = field(default_factory=list)
    appeal_second: str = ""  # username of the named second who decides appeals
    edit_grace_minutes: int = 10
    posts_per_five_minutes: int = 30  # of one member; 0: as many as they like
    # Working time (kernel.working_time): what is promised in hours is counted on these days only.
    calendar_zone: str = "UTC"
    weekend: list[int] = field(default_factory=lambda: [5, 6])  # Monday is 0
    holidays_of: str = ""  # ISO 3166 country, or a part of one: "DE-BY"
    days_off: list[str] = field(default_factory=list)  # ISO dates
    # Asks: hours of the promise, the boards they are opened on ("": the first that fits), who is responsible.
    ask_hours: int = 24
    ask_board: str = ""  # slug
    ask_public_board: str = ""  # slug; for those who let search engines read it
    ask_responsible: str = ""  # username; "": the moderators
    version: int = 0


_REFRESH_SECONDS = 2.0
_state: dict[str, Any] = {"site": None, "checked": 0.0, "defaults": Site()}


def set_defaults(site: Site) -> None:
    """What the environment says; called once at start."""
    _state.update(site=None, checked=0.0, defaults=site)


def current() -> Site:
    """The settings in force, at most two seconds old."""
    if _state["site"] is None or time.monotonic() - _state["checked"] > _REFRESH_SECONDS:
        version = db.session.execute(select(SiteVersion.version)).scalar() or 0
        if _state["site"] is None or _state["site"].version != version:
            loaded = _load(version)
            if in_unit_of_work():
                return loaded  # what the unit itself changed is kept only once it is stored
            _state["site"] = loaded
        _state["checked"] = time.monotonic()
    return _state["site"]


def _load(version: int) -> Site:
    rows = db.session.execute(select(SiteSetting.name, SiteSetting.value))
    stored = {row.name: row.value for row in rows}
    known = asdict(_state["defaults"])
    return Site(**{**known, **{name: stored[name] for name in known if name in stored}, "version": version})


def change(**values: Any) -> None:
    """Store settings; every process shows them within two seconds."""
    unknown = values.keys() - asdict(Site()).keys() - {"version"}
    if unknown:
        raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
    with unit_of_work():
        for name, value in values.items():
            db.session.merge(SiteSetting(name=name, value=value))
        touch()


def reset(*names: str) -> None:
    """Take settings back to what the environment says."""
    with unit_of_work():
        db.session.execute(delete(SiteSetting).where(SiteSetting.name.in_(names)))
        touch()


def touch() -> None:
    """Say that something which every page shows has changed. Inside a unit of work."""
    result = db.session.execute(update(SiteVersion).values(version=SiteVersion.version + 1))
    if result.rowcount == 0:  # type: ignore[attr-defined]
        db.session.add(SiteVersion(id=1, version=1))
    _state["checked"] = 0.0
