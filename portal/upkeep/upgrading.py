"""A new version put to work on the data of an old one, with a way back kept first.

What is to be done is found by looking at the data, so that an interrupted run is simply repeated: the note in
`upgrade.json` keeps the backup of the first run as the way back until a run comes to its end.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import upgrade as migrate_up

from portal.advocacy.services import rebuilding, scoping
from portal.discussions.services import rerendering
from portal.kernel import clock
from portal.kernel.db import db
from portal.search import services as search
from portal.search.engines.base import IndexUnavailable
from portal.settings import Settings
from portal.upkeep import backup

FOLDER = "backups"
NOTE = "upgrade.json"


@dataclass(frozen=True)
class Way:
    """The way back: an archive, and the schema it holds."""

    archive: Path
    revision: str


def revisions(migrations: str) -> tuple[str, str]:
    """The schema that is there ("" for none) and the one that this version needs."""
    with db.engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_heads()
    return ",".join(sorted(here)), ",".join(sorted(ScriptDirectory(migrations).get_heads()))


def upgrade(
    settings: Settings,
    migrations: str,
    tell: Callable[[str], None],
    *,
    with_backup: bool = True,
) -> Way | None:
    """Back up, migrate, render old posts again, rebuild the index where it cannot serve. Gives the way back.

    `tell` gets a line for each step. Safe to interrupt and to repeat. Raises BackupError before anything is
    changed, and whatever a migration raises: that one is then taken back whole.
    """
    here, wanted = revisions(migrations)
    note = settings.INSTANCE_PATH / NOTE
    way = _noted(note)
    if here == wanted and way is None and not _old_posts():
        tell(f"schema: {wanted}, nothing to migrate")
    elif way is not None:
        tell(f"a former upgrade was interrupted; its backup is the way back: {way.archive}")
    elif here and with_backup:
        way = _back_up(settings, here)
        note.write_text(json.dumps({"archive": str(way.archive), "revision": way.revision}), encoding="utf-8")
        tell(f"backup: {way.archive}")
    if here != wanted:
        migrate_up(directory=migrations)
        tell(f"schema: {here or 'none'} → {wanted}")
    if rendered := rerendering.render_old():
        tell(f"posts rendered again: {rendered:,}")
    if not _index_serves():
        tell(f"search index: made anew, {search.rebuild():,} posts")
    if rebuilding.is_missing():
        tell(f"scores: made from what is here, {rebuilding.rebuild().entries:,} entries")
    elif scoping.is_missing():
        tell(f"scores by product and tag: made from the ledger, {rebuilding.add_up():,} members")
    note.unlink(missing_ok=True)
    return way


def _noted(note: Path) -> Way | None:
    """The way back of a run that did not come to its end, if its archive is still there."""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        way = Way(Path(known["archive"]), str(known["revision"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return way if way.archive.is_file() else None


def _back_up(settings: Settings, revision: str) -> Way:
    folder = settings.INSTANCE_PATH / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    archive = folder / f"before-upgrade-{clock.now():%Y-%m-%d-%H%M%S}.tar.gz"
    backup.write(settings, archive)
    return Way(archive, revision)


def _old_posts() -> int:
    """Whether posts wait for a new rendering; asked only where the schema is that of this version."""
    try:
        return rerendering.count_old()
    finally:
        db.session.rollback()


def _index_serves() -> bool:
    try:
        search.documents_indexed()
    except IndexUnavailable:
        return False
    return True
