"""`python -m benchmarks [--quick] [--fresh]`: prints its plan, keeps data, continues where it stopped."""

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import data, imports, matching_year, pages, proposing
from benchmarks.servers import RESULTS, ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, one short round")
    parser.add_argument("--fresh", action="store_true", help="measure again what this commit already has")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    plan = [item for item in _plan(quick=arguments.quick) if arguments.only in item[0]]

    kept = RESULTS / f"{'quick' if arguments.quick else 'full'}-{_commit()}.json"
    results: dict[str, Any] = {}
    if kept.exists() and not arguments.fresh:
        results = json.loads(kept.read_text())
        results.pop("machine", None)
    open_cases = [item for item in plan if item[0] not in results]
    minutes = sum(expected for _name, expected, _run in open_cases)
    print(
        f"{len(plan)} cases, {len(plan) - len(open_cases)} measured before, some {minutes:.0f} minutes to go."
    )

    for name, expected, run in open_cases:
        print(f"  {name} (about {expected:.1f} min) ...", end=" ", flush=True)
        begin = time.monotonic()
        results[name] = run()
        print(f"{time.monotonic() - begin:.0f} s")
        RESULTS.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({**results, "machine": _machine()}, indent=1))
    _print_pages({name: result for name, result in results.items() if "ratio" in result})
    for name, result in results.items():
        if "peak_mb" in result:
            parts = ", ".join(f"{part} {seconds}" for part, seconds in result["cpu_seconds"].items())
            print(
                f"\n{name}: {result['posts']:,} posts ({result['source']}): "
                f"{result['total_cpu_s']} processor seconds ({parts}), "
                f"{result['total_s']} s by the clock, peak {result['peak_mb']} MB"
            )
    for result in results.values():
        if "proposing" in result:
            print("\n" + proposing.report(result))
        if "year" in result:
            print("\n" + matching_year.report(result))
    print(f"\n{_machine()}\nEverything: {kept.relative_to(ROOT)}")


def _plan(*, quick: bool) -> list[tuple[str, float, Callable[[], dict[str, Any]]]]:
    """Name, expected minutes, and what to run."""
    sizes = [data.TINY] if quick else [data.S, data.L_LITE]
    seconds, rounds = (1.0, 1) if quick else (4.0, 3)
    plan: list[tuple[str, float, Callable[[], dict[str, Any]]]] = []
    for size in sizes:
        made = (pages.DATA / f"site-{size.name}" / "benchmark.done").exists()
        building = 0 if made else size.posts / 20_000
        for case in pages.CASES:
            plan.append(
                (
                    f"{size.name}: {case}",
                    building + 2 * seconds * rounds / 60 + 0.1,
                    _page(size, case, seconds, rounds),
                )
            )
            building = 0
    plan.append(("import", 1 if quick else 6, lambda: imports.measure(quick=quick)))
    plan.append(("proposing", 0.3 if quick else 1, lambda: proposing.measure(quick=quick)))
    plan.append(("matching, a year", 0.2 if quick else 6, lambda: matching_year.measure(quick=quick)))
    return plan


def _page(size: data.Size, case: str, seconds: float, rounds: int) -> Callable[[], dict[str, Any]]:
    return lambda: pages.measure(size, case, seconds=seconds, rounds=rounds)


def _print_pages(results: dict[str, Any]) -> None:
    print(f"\n{'page':<46}{'÷ hello':>9}{'p50 ms':>9}{'p95 ms':>9}{'req/s':>8}{'KB':>7}")
    for name, result in results.items():
        print(
            f"{name:<46}{result['ratio']:>9.1f}{result['p50_ms']:>9.2f}{result['p95_ms']:>9.2f}"
            f"{result['per_second']:>8.0f}{result['kilobytes']:>7.0f}"
        )


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
