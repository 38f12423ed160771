"""100,000 posts by the JSONL importer into SQLite, index included."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.servers import DATA, ROOT, portal

POSTS = 100_000
QUICK_POSTS = 5_000


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


def measure(*, quick: bool) -> dict[str, Any]:
    """Seconds, processor seconds and peak memory of import, recount and index; nothing of it is kept."""
    posts = QUICK_POSTS if quick else POSTS
    path, body, origin = _source(posts)
    instance = Path(tempfile.mkdtemp(prefix="import-", dir=DATA))
    try:
        portal(instance, "db", "upgrade")
        options = ["--body", body, "--board", "imported", "--json"]
        imported = portal(instance, "import", "jsonl", str(path), *options)
        counted = portal(instance, "recount")
        indexed = portal(instance, "search", "rebuild")
    finally:
        shutil.rmtree(instance)
    runs = {"import": imported, "recount": counted, "index": indexed}
    return {
        "posts": posts,
        "source": origin,
        "made": json.loads(imported.output[imported.output.index("{") :]).get("made"),
        "seconds": {name: round(run.seconds, 1) for name, run in runs.items()},
        "cpu_seconds": {name: round(run.cpu_seconds, 1) for name, run in runs.items()},
        "total_s": round(sum(run.seconds for run in runs.values()), 1),
        "total_cpu_s": round(sum(run.cpu_seconds for run in runs.values()), 1),
        "peak_mb": round(max(run.peak_mb for run in runs.values())),
    }
