"""Skipping, honestly: with a printed reason on a developer's machine, as a failure with CI=true."""

import os

import pytest


def missing(what: str) -> None:
    """Skip the test for want of `what`; with CI=true fail it instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"with CI=true nothing is skipped: {what}", pytrace=False)
    pytest.skip(what)
