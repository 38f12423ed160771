"""Licences of everything the product runs on; exit 1 for one that does not go with Apache-2.0."""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Permissive, or weak copyleft used as a library that stays replaceable.
FINE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python|Zlib|Unlicense|MPL|Mozilla|LGPL|Lesser|HPND|CMU|0BSD|CC0|Public Domain",
    re.IGNORECASE,
)
# Packages whose metadata says nothing usable, each as its own licence file says.
SAID_ELSEWHERE = {"huey": "MIT", "pysqlite3": "zlib"}


def licence_of(name: str) -> str:
    """What the package's metadata says: the expression, the classifiers, or the first line of the text."""
    about = metadata(name)
    classifiers = [
        line.rsplit("::", 1)[1].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    first_line = (about.get("License") or "").strip().split("\n")[0][:60]
    said = about.get("License-Expression") or ", ".join(classifiers) or first_line
    return said or SAID_ELSEWHERE.get(name, "")


def main() -> int:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE)
    doubtful = []
    for name in names:
        try:
            licence = licence_of(name)
        except PackageNotFoundError:
            print(f"{name:<28}not installed here")
            continue
        print(f"{name:<28}{licence}")
        if not FINE.search(licence):
            doubtful.append(name)
    if doubtful:
        print(f"\nlook at the licence of: {', '.join(doubtful)}", file=sys.stderr)
    return 1 if doubtful else 0


if __name__ == "__main__":
    sys.exit(main())
