"""One archive of a site, consistent while it serves, and back from it.

The archive holds the database, the uploads and the settings, never the keys: only their fingerprints, which
restore compares with the keys that are there. The search index is not in it: it is made anew.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from portal.kernel import clock
from portal.kernel.db import sqlite_module
from portal.settings import Settings

FORMAT = 1
KEYS = ("SECRET_KEY", "CONVERSATION_KEY")
KEPT_APART = (*KEYS, "FORMER_SECRET_KEYS")  # lines of portal.env that no archive holds
MANIFEST = "manifest.json"
DATABASE = {"sqlite": "database.sqlite", "postgresql": "database.dump"}


class BackupError(Exception):
    """The archive cannot be made, or not be trusted; the message is one clear line."""


@dataclass(frozen=True)
class Report:
    """What was put into an archive, or taken out of it."""

    files: int
    bytes: int
    database: str


def fingerprint(key: str) -> str:
    """Tells keys apart without telling anything of them."""
    return hashlib.sha256(b"candor key fingerprint:" + key.encode()).hexdigest()[:16]


def write(settings: Settings, target: Path) -> Report:
    """Write the archive to `target`; an earlier file there is replaced only by a whole new one.

    Raises BackupError.
    """
    if not target.parent.is_dir():
        raise BackupError(f"the folder {target.parent} is not there.")
    kind = "sqlite" if settings.is_sqlite else "postgresql"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        database = Path(folder) / DATABASE[kind]
        if kind == "sqlite":
            _copy_sqlite(settings, database)
        else:
            _dump_postgresql(settings, database)
        part = Path(folder) / "archive"
        files = [(DATABASE[kind], database), *_uploads(settings)]
        hashes: dict[str, str] = {}
        with tarfile.open(part, "w:gz", compresslevel=6) as archive:
            for name, path in files:
                try:
                    hashes[name] = _hash(path)
                    archive.add(path, arcname=name, recursive=False)
                except FileNotFoundError:
                    continue  # removed meanwhile, and by then from the database as well
            for name, content in _settings_files(settings):
                hashes[name] = hashlib.sha256(content).hexdigest()
                _add_bytes(archive, name, content)
            manifest = {
                "format": FORMAT,
                "made": clock.now().isoformat(),
                "database": kind,
                "files": hashes,
                "keys": {name: fingerprint(getattr(settings, name)) for name in KEYS},
            }
            _add_bytes(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
        part.chmod(0o600)
        part.replace(target)
    return Report(len(hashes), target.stat().st_size, kind)


def restore(settings: Settings, source: Path, *, replace: bool = False) -> Report:
    """Put everything of the archive into place; the site must not be running.

    First all of it is read and compared with its hashes: a damaged file changes nothing. Raises BackupError
    for that, for other keys than those it was made with, for another kind of database, and where there is
    already a site (unless `replace`).
    """
    kind = "sqlite" if settings.is_sqlite else "postgresql"
    with tempfile.TemporaryDirectory(dir=settings.INSTANCE_PATH, prefix=".restore-") as folder:
        manifest = _unpack(source, Path(folder))
        if manifest["database"] != kind:
            raise BackupError(f"this backup is of {manifest['database']}, the site is set up for {kind}.")
        for name, known in manifest["keys"].items():
            if fingerprint(getattr(settings, name)) != known:
                raise BackupError(
                    f"{name} is not the one this backup was made with: put the kept key back first."
                )
        if kind == "sqlite":
            _restore_sqlite(settings, Path(folder) / DATABASE[kind], replace=replace)
        else:
            _restore_postgresql(settings, Path(folder) / DATABASE[kind], replace=replace)
        _restore_uploads(settings, Path(folder) / "uploads")
        kept = Path(folder) / "portal.env"
        if kept.is_file() and not (settings.INSTANCE_PATH / "portal.env").exists():
            shutil.move(kept, settings.INSTANCE_PATH / "portal.env")
    shutil.rmtree(settings.index_path, ignore_errors=True)
    return Report(len(manifest["files"]), source.stat().st_size, kind)


def _copy_sqlite(settings: Settings, target: Path) -> None:
    path = sqlite_path(settings)
    if not path.is_file():
        raise BackupError(f"there is no database at {path}.")
    with sqlite_module.connect(str(path)) as live, sqlite_module.connect(str(target)) as copy:
        live.execute("PRAGMA busy_timeout=30000")
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    live.close()
    copy.close()
    if verdict != "ok":
        raise BackupError(f"the database is damaged ({verdict}): no backup was made of it.")


def _restore_sqlite(settings: Settings, source: Path, *, replace: bool) -> None:
    target = sqlite_path(settings)
    if target.exists() and not replace and _has_members(target):
        raise BackupError(
            f"there is already a site in {target.parent}: use --replace to put this in its place."
        )
    source.chmod(0o600)
    for ending in ("-wal", "-shm"):
        Path(f"{target}{ending}").unlink(missing_ok=True)
    os.replace(source, target)


def _has_members(path: Path) -> bool:
    connection = sqlite_module.connect(str(path))
    try:
        return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM members)").fetchone()[0])
    except sqlite_module.Error:
        return False
    finally:
        connection.close()


def sqlite_path(settings: Settings) -> Path:
    """The file of a SQLite database."""
    return Path(settings.DATABASE_URL.removeprefix("sqlite:///"))


# Of no use elsewhere: the clockwork's own tables, counters of tries, and the index, which is made anew.
NOT_DUMPED = (
    "--exclude-table=public.huey_*",
    "--exclude-table=public.limit_hits",
    "--exclude-schema=portal_search",
)

# Whatever is there goes first, tables of a newer version too: those would stand in the way of the older ones.
CLEAR = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user LOOP
    EXECUTE format('DROP TABLE public.%I CASCADE', one.tablename);
  END LOOP;
END $$
"""


def _dump_postgresql(settings: Settings, target: Path) -> None:
    options = ["--format=custom", "--no-owner", "--no-privileges", *NOT_DUMPED]
    _run(["pg_dump", *options, f"--file={target}"], settings)


def _restore_postgresql(settings: Settings, source: Path, *, replace: bool) -> None:
    psql = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
    empty = _run([*psql, "--command=SELECT to_regclass('members') IS NULL"], settings)
    if empty.strip() != "t" and not replace:
        raise BackupError("there is already a site in this database: use --replace to put this in its place.")
    script = source.with_suffix(".sql")
    _run(["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source)], settings)
    _run([*psql, "--single-transaction", f"--command={CLEAR}", f"--file={script}"], settings)


def _run(command: list[str], settings: Settings) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own tools, the address goes by the environment
            command,
            env={**os.environ, **_postgres_environment(settings)},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise BackupError(
            f"{command[0]} is needed (on Debian or Ubuntu: apt install postgresql-client)."
        ) from None
    if done.returncode:
        raise BackupError(
            f"{command[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )
    return done.stdout


def _postgres_environment(settings: Settings) -> dict[str, str]:
    """The address in the words of PostgreSQL's tools, so that no password stands in a list of processes."""
    parts = urlsplit(settings.DATABASE_URL)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    found = {
        "PGHOST": host,
        "PGPORT": str(parts.port or ""),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": parts.path.lstrip("/"),
        "PGCONNECT_TIMEOUT": "10",
        "PGOPTIONS": "-c lock_timeout=10000",  # a site that still serves is said, not waited for
    }
    return {name: value for name, value in found.items() if value}


def _uploads(settings: Settings) -> Iterator[tuple[str, Path]]:
    for path in sorted(settings.uploads_path.rglob("*")):
        if path.is_file():
            yield f"uploads/{path.relative_to(settings.uploads_path)}", path


def _settings_files(settings: Settings) -> Iterator[tuple[str, bytes]]:
    path = settings.INSTANCE_PATH / "portal.env"
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        yield (
            "portal.env",
            "".join(line for line in lines if line.split("=")[0].strip() not in KEPT_APART).encode(),
        )


def _restore_uploads(settings: Settings, source: Path) -> None:
    if not source.is_dir():
        return
    for path in source.rglob("*"):
        if path.is_file():
            target = settings.uploads_path / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Everything of the archive in `folder`, compared with the manifest's hashes. Raises BackupError."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        what = "is not there" if error.filename == str(source) else "is cut off: its last part is missing"
        raise BackupError(f"{source.name} {what}.") from None
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
        raise BackupError(f"{source.name} is damaged or no backup of a site ({error}).") from None
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{source.name} has a format that this version does not know.")
    for name, known in manifest["files"].items():
        path = folder / name
        if not path.is_file() or _hash(path) != known:
            raise BackupError(f"{source.name} is damaged: {name} is not what was put in.")
    return manifest


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o600
    entry.mtime = int(clock.now().timestamp())
    stream: IO[bytes] = io.BytesIO(content)
    archive.addfile(entry, stream)
