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
    """Minutes and peak memory of import, recount and index; the instance is thrown away."""
    posts = QUICK_POSTS if quick else POSTS
    path, body, origin = _source(posts)
    instance = Path(tempfile.mkdtemp(prefix="import-", dir=DATA))
    try:
        portal(instance, "db", "upgrade")
        report, import_seconds, import_mb = portal(
            instance, "import", "jsonl", str(path), "--body", body, "--board", "imported", "--json"
        )
        _out, recount_seconds, recount_mb = portal(instance, "recount")
        _out, index_seconds, index_mb = portal(instance, "search", "rebuild")
    finally:
        shutil.rmtree(instance)
    total = import_seconds + recount_seconds + index_seconds
    return {
        "posts": posts,
        "source": origin,
        "made": json.loads(report[report.index("{") :]).get("made"),
        "import_s": round(import_seconds, 1),
        "recount_s": round(recount_seconds, 1),
        "index_s": round(index_seconds, 1),
        "total_s": round(total, 1),
        "posts_per_second": round(posts / total),
        "peak_mb": round(max(import_mb, recount_mb, index_mb)),
    }
