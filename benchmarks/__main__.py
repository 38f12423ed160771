"""`python -m benchmarks [--quick] [--fresh]`: prints its plan, keeps data, continues where it stopped.

Ends with 1 where the import takes more than was promised.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import console, data, imports, ledger, matching_year, pages, proposing
from benchmarks.servers import DATABASES, RESULTS, ROOT

Case = tuple[str, float, Callable[[], dict[str, Any]]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, one short round")
    parser.add_argument("--fresh", action="store_true", help="measure again what this commit already has")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    with pages.Stage() as stage:
        plan = [item for item in _plan(stage, quick=arguments.quick) if arguments.only in item[0]]
        kept = RESULTS / f"{'quick' if arguments.quick else 'full'}-{_commit()}.json"
        results = {} if arguments.fresh or not kept.exists() else json.loads(kept.read_text())
        _measure(plan, results, kept)
    _print({name: results[name] for name, _minutes, _run in plan})
    print(f"\n{_machine()}\nEverything: {kept.relative_to(ROOT)}")
    if broken := imports.too_much(results["import"]) if "import" in results else []:
        sys.exit("\n".join(broken))


def _plan(stage: pages.Stage, *, quick: bool) -> list[Case]:
    """Name, expected minutes, and what to run."""
    sizes = [data.TINY] if quick else [data.S, data.L]
    seconds, rounds = (0.7, 1) if quick else (2.0, 3)
    return [
        *pages.plan(stage, sizes, seconds=seconds, rounds=rounds),
        ("import", 1 if quick else 6, lambda: imports.measure(quick=quick)),
        ("proposing", 0.3 if quick else 1, lambda: proposing.measure(quick=quick)),
        *(
            (
                f"{name}, {database}",
                0.5 if quick else minutes,
                partial(measure, quick=quick, database=database),
            )
            for database in DATABASES
            for name, minutes, measure in (
                ("score", 8, ledger.score),
                ("console", 3, console.measure),
                ("console served", 3, console.measure_served),
            )
        ),
        ("matching, a year", 0.2 if quick else 6, lambda: matching_year.measure(quick=quick)),
    ]


def _measure(plan: list[Case], results: dict[str, Any], kept: Path) -> None:
    """Run what has no result yet; each is written at once, so that the next call goes on from there."""
    to_do = [case for case in plan if case[0] not in results]
    left = sum(minutes for _name, minutes, _run in to_do)
    print(f"{len(plan)} cases, {len(plan) - len(to_do)} measured before, some {left:.0f} minutes to go.")
    for number, (name, minutes, run) in enumerate(to_do, 1):
        print(f"  {number}/{len(to_do)} {name} (about {minutes:.1f} min) ...", end=" ", flush=True)
        begin = time.monotonic()
        results[name] = run()
        print(f"{time.monotonic() - begin:.0f} s", flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({**results, "machine": _machine()}, indent=1))


def _print(results: dict[str, Any]) -> None:
    if of_pages := [result for result in results.values() if "page" in result]:
        print("\n" + pages.report(of_pages))
    for name, result in results.items():
        if "posts" in result:
            print(
                f"\n{name}: {result['posts']:,} posts ({result['source']}), counters and index included: "
                f"{result['seconds']} s by the clock, {result['cpu_seconds']} s of processors, "
                f"peak {result['peak_mb']} MB"
            )
        if "proposing" in result:
            print("\n" + proposing.report(result))
        if "ledger" in result:
            print("\n" + ledger.report(result))
        if "console" in result:
            print("\n" + console.report(result))
        if "year" in result:
            print("\n" + matching_year.report(result))


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{os.cpu_count()} × {cpu}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"


if __name__ == "__main__":
    main()
