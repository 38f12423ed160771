"""The benchmarks say where a promise is broken."""

from benchmarks import imports


def test_an_import_beyond_what_was_promised_is_named():
    fine = {"posts": 100_000, "seconds": 292.0, "peak_mb": 504}
    assert imports.too_much(fine) == []
    assert len(imports.too_much({**fine, "seconds": 300.1})) == 1
    assert "1001 MB" in imports.too_much({**fine, "peak_mb": 1001})[0]
