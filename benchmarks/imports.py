"""100,000 posts by the JSONL importer into SQLite, index included."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.servers import DATA, ROOT, Place, portal

POSTS = 100_000
QUICK_POSTS = 5_000
# What was promised for all of them, on two cores.
MOST_SECONDS = 300
MOST_MB = 1000


def _source(posts: int) -> tuple[Path, str, str]:
    """The posts' file, how its bodies are written, and where they come from."""
    real = (
        Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
        / "thunderbird-2024"
        / "posts.jsonl.gz"
    )
    DATA.mkdir(parents=True, exist_ok=True)
    if real.exists():
        return (
            data.repeated(real, DATA / f"thunderbird-{posts}.jsonl.gz", posts),
            "html",
            "thunderbird-2024, repeated",
        )
    size = data.Size(f"import-{posts}", 5_000, posts // 10, posts)
    return data.write(size, DATA / size.name)[0], "markdown", "generated"


def too_much(result: dict[str, Any]) -> list[str]:
    """One line for each promise that the measured import breaks."""
    limits = (("seconds", MOST_SECONDS, "s"), ("peak_mb", MOST_MB, "MB"))
    return [
        f"the import of {result['posts']:,} posts took {result[name]} {unit}, at most {most} were promised"
        for name, most, unit in limits
        if result[name] > most
    ]


def measure(*, quick: bool) -> dict[str, Any]:
    """Seconds, processor seconds and peak memory of the import, which makes counters and index too.

    Nothing of it is kept. Raises RuntimeError where a counter is wrong afterwards.
    """
    posts = QUICK_POSTS if quick else POSTS
    path, body, origin = _source(posts)
    place = Place(Path(tempfile.mkdtemp(prefix="import-", dir=DATA)))
    try:
        portal(place, "db", "upgrade")
        options = ["--body", body, "--board", "imported", "--json"]
        run = portal(place, "import", "jsonl", str(path), *options)
        if "every counter is right" not in (counted := portal(place, "recount").output):
            raise RuntimeError(f"the import left counters that are wrong:\n{counted}")
    finally:
        shutil.rmtree(place.instance)
    return {
        "posts": posts,
        "source": origin,
        "made": json.loads(run.output[run.output.index("{") :]).get("made"),
        "seconds": round(run.seconds, 1),
        "cpu_seconds": round(run.cpu_seconds, 1),
        "peak_mb": round(run.peak_mb),
    }
