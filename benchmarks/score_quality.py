"""How well Helpfulness tells who will help: `python -m benchmarks.score_quality FOLDER [...]`.

Each folder is a community (posts.jsonl with users.jsonl and votes.jsonl, or a Stack Exchange dump; .gz or
not). It is imported into the product in an instance of its own, the scores come from `portal score export
--at …`, and they are judged by the protocol of the scoring document beside simple rankings. Then rings are
written into the community, imported the same way, and it is printed what they gain.
"""

import argparse
import csv
import io
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.scoring import attacks, baselines, measuring, reading
from benchmarks.scoring.measuring import Origin, Scores
from benchmarks.servers import ROOT, Place, portal

# What the scoring document says of the communities it was chosen by: NDCG@20 within 0.01.
EXPECTED = {"travel": 0.901, "docusign": 0.807, "stackexchange-beer": 0.637}
TOLERANCE = 0.01
COMPANY, JUNK = 3, 5
SLACK = 1e-6
CONFIRMED = """
import json, sys
from portal import create_app
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import CompanyKind, Member
from portal.members.services.bringing import OPERATOR
from portal.members.services.companies import CompanyFacts, add_company
from portal.members.services.confirming import confirm_company
from portal.kernel.db import db
from portal.members.models import Company
with create_app().app_context():
    for number, accounts in enumerate(json.load(sys.stdin)):
        slug = add_company(OPERATOR, CompanyFacts(name=f"Ring {number}", kind=CompanyKind.CUSTOMER))
        company = db.session.execute(db.select(Company.id).where(Company.slug == slug)).scalar_one()
        for username in db.session.execute(
            db.select(Member.username).where(Member.external_id.in_(accounts))
        ).scalars().all():
            confirm_company(OPERATOR, username, company)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.score_quality", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="one community each")
    parser.add_argument("--rounds", type=int, default=300, help="of the bootstrap (default: 300)")
    parser.add_argument("--keep", type=Path, help="keep the instances here and use what is there already")
    parser.add_argument("--no-attacks", action="store_true", help="leave the rings out")
    arguments = parser.parse_args()
    right = True
    with tempfile.TemporaryDirectory(prefix="score-quality-") as scratch:
        place = arguments.keep or Path(scratch)
        for folder in arguments.folders:
            right &= _judge(folder, place, arguments.rounds)
            if not arguments.no_attacks:
                right &= _attack(folder, place)
    if not right:
        sys.exit(1)


def _judge(folder: Path, place: Path, rounds: int) -> bool:
    name = folder.resolve().name
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    instance = _imported(folder, place / name)
    imported = time.monotonic() - began
    community = reading.read(folder, name)
    found = measuring.origins(community)
    if not found:
        print("no origin with 20 members and a label: nothing to judge")
        return True
    began = time.monotonic()
    exported = _exported(instance, found)
    print(
        f"{len(community.answers):,} answers; import {imported:.0f} s, export of {len(found)} origins "
        f"{time.monotonic() - began:.0f} s"
    )
    right = True
    halves = [("all origins", found)]
    if len(found) >= 20:
        halves.append(("second half", [origin for origin in found if origin.second_half]))
    for title, part in halves:
        print(
            f"\n{title} ({len(part)}){'NDCG@20':>28}{'P@10':>8}{'recall@50':>11}{'stability':>11}"
            "   difference"
        )
        ours = [exported[origin.day] for origin in part]
        of_ours = measuring.measure(part, ours)
        best: Scores | Any = None
        _row("Helpfulness", of_ours, _interval(measuring.bootstrap(part, ours, ours, rounds=rounds)[0]), "")
        for label, baseline in baselines.ALL.items():
            best = [baseline(community, origin.day) for origin in part]
            interval, difference = measuring.bootstrap(part, best, ours, rounds=rounds)
            _row(label, measuring.measure(part, best), _interval(interval), _interval(difference))
        if name in EXPECTED and title == halves[-1][0]:
            off = of_ours.ndcg - EXPECTED[name]
            verdict = "as expected" if abs(off) <= TOLERANCE else "NOT AS EXPECTED"
            print(f"NDCG@20 {of_ours.ndcg:.3f}, expected {EXPECTED[name]:.3f} ± {TOLERANCE}: {verdict}")
            right &= abs(off) <= TOLERANCE
    return right


def _row(label: str, of: measuring.Measures, interval: str, difference: str) -> None:
    print(
        f"{label:<28}{of.ndcg:>6.3f} {interval:>13}{of.precision:>8.3f}{of.recall:>11.3f}"
        f"{of.stability:>11.3f}   {difference}"
    )


def _interval(pair: tuple[float, float]) -> str:
    return (
        f"{pair[0]:+.2f} … {pair[1]:+.2f}" if pair[0] < 0 or pair[1] < 0 else f"{pair[0]:.2f} … {pair[1]:.2f}"
    )


def _attack(folder: Path, place: Path) -> bool:
    """Rings beside the last origin's community; whether they stay within the bounds."""
    name = folder.resolve().name
    community = reading.read(folder, name)
    found = measuring.origins(community)
    if not found:
        return True
    origin = found[-1]
    where = place / f"{name}-rings"
    groups = attacks.write(community, origin.day, where / "files")
    instance = where / "instance"
    if not (instance / "imported").exists():
        _import_rings(where / "files", instance, groups)
    scores = dict(_exported(instance, [origin])[origin.day])
    honest = {one: scores.get(one, 0.0) for one in origin.population}
    order = sorted(honest.values(), reverse=True)
    entry = order[19] if len(order) > 19 else 0.0
    needed = math.ceil(max(0.0, entry - JUNK) / COMPANY)
    count_entry = sorted(baselines.answers_decayed(60)(community, origin.day).values(), reverse=True)
    print(f"\nattacks at {_day(origin.day)}: the 20th honest member has {entry:.1f}")
    print(f"{'':<44}{'points':>8}{'at most':>9}{'best rank':>11}{'pushed out of 20':>18}")
    right, entered = True, []
    for group in groups:
        mine = sorted((scores.get(one, 0.0) for one in group.accounts), reverse=True)
        bound = COMPANY * group.others + JUNK
        rank = 1 + sum(score > mine[0] for score in order)
        inside = sum(1 for n, score in enumerate(mine) if n + sum(one > score for one in order) < 20)
        within = mine[0] <= bound + SLACK
        right &= within
        if inside:
            entered.append(len(group.companies))
        print(f"{group.name:<44}{mine[0]:>8.2f}{bound:>9}{rank:>11}{inside:>18}{'' if within else '  ABOVE'}")
    speed = attacks.pace([answer for answer in community.answers if answer.at < origin.day], origin.day)
    count = sum(2.0 ** (-(attacks.SPAN * n / speed) / 60) for n in range(speed))
    rank = 1 + sum(score > count for score in count_entry)
    print(
        f"companies needed to enter the top 20: {needed} of three people each, "
        f"{math.ceil(max(0.0, entry - JUNK))} of one, by the bounds; the smallest attack here that did: "
        f"{min(entered, default='none')}"
    )
    print(f"one spammer under the answer count with half-life 60: rank {rank}")
    return right


def _import_rings(files: Path, instance: Path, groups: Sequence[attacks.Group]) -> None:
    portal(Place(instance), "db", "upgrade")
    # The rings join first, colleagues are confirmed at their company, and then everything happens.
    accounts = sorted(one for group in groups for one in group.accounts)
    hello = instance / "hello.jsonl"
    instance.mkdir(parents=True, exist_ok=True)
    hello.write_text(
        "".join(
            json.dumps(
                {"id": f"hello-{one}", "kind": "discussion", "author": one, "created": "2001-01-01T00:00:00Z",
                 "title": f"Hello from {one}", "body": None}
            )
            + "\n"
            for one in accounts
        ),
        encoding="utf-8",
    )  # fmt: skip
    users = ["--users", str(files / "users.jsonl"), "--source", "rings"]
    portal(Place(instance), "import", "jsonl", str(hello), *users)
    subprocess.run(
        [sys.executable, "-c", CONFIRMED],
        cwd=ROOT,
        env=Place(instance).environment,
        input=json.dumps([people for group in groups for people in group.companies if len(people) > 1]),
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    portal(
        Place(instance),
        "import",
        "jsonl",
        str(files / "posts.jsonl"),
        *users,
        "--votes",
        str(files / "votes.jsonl"),
    )
    (instance / "imported").touch()


def _imported(folder: Path, instance: Path) -> Path:
    if (instance / "imported").exists():
        return instance
    portal(Place(instance), "db", "upgrade")
    posts = reading.find(folder, "posts.jsonl")
    if posts is None:
        portal(Place(instance), "import", "stackexchange", str(folder.resolve()))
    else:
        more: list[str] = []
        for name in ("users", "votes"):
            if file := reading.find(folder, f"{name}.jsonl"):
                more += [f"--{name}", str(file.resolve())]
        portal(Place(instance), "import", "jsonl", str(posts.resolve()), *more)
    (instance / "imported").touch()
    return instance


def _exported(instance: Path, found: Sequence[Origin]) -> dict[int, dict[str, float]]:
    days = [_day(origin.day) for origin in found]
    run = portal(Place(instance), "score", "export", "--at", *days)
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    text = run.output[run.output.index("origin,member,helpfulness") :]
    for row in csv.DictReader(io.StringIO(text)):
        scores[row["origin"]][row["member"]] = float(row["helpfulness"])
    return {origin.day: scores[day] for origin, day in zip(found, days, strict=True)}


def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


if __name__ == "__main__":
    main()
