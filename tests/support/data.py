"""The real data beside the project: never in it, so tests that use it say so where it is absent."""

import os
from pathlib import Path

import pytest


def real_data(name: str) -> Path:
    """The folder of one set of real data; skips the test where it is not there.

    Looked for in SHARED_DATA, else in `shared/data` beside the project or above it.
    """
    here = Path(__file__).resolve()
    places = [Path(place) for place in [os.environ.get("SHARED_DATA")] if place]
    places += [parent / "shared" / "data" for parent in here.parents]
    for place in places:
        if (place / name).is_dir():
            return place / name
    pytest.skip(f"the real data {name} is not beside the project")
