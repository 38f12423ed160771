import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.markup import DiffLine, diff_sources
from portal.kernel.markup import diff as module


def shown(lines: list[DiffLine]) -> str:
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "\n".join(
        f"... {line.skipped}" if line.skipped else "".join(marks[s.op].format(s.text) for s in line.segments)
        for line in lines
    )


def side(lines: list[DiffLine], op: str) -> list[str]:
    """The lines of one version, put together again from what is shown."""
    text = ""
    for line in lines:
        pieces = [s.text for s in line.segments if s.op in {"same", op}]
        text += "".join(pieces)
        text += "\n" if pieces else ""
    return text.split()


def test_words_are_marked_inside_their_line() -> None:
    old = "We reload at noon.\nNobody noticed the gap."
    new = "We reload at night.\nNobody noticed the gap.\nTwice a week."
    assert shown(diff_sources(old, new)) == (
        "We reload at [-noon-]{+night+}.\nNobody noticed the gap.\n{+Twice a week.+}"
    )


def test_neighbouring_words_are_one_change() -> None:
    assert shown(diff_sources("keep one old thing here", "keep two new things here")) == (
        "keep [-one old thing-]{+two new things+} here"
    )


def test_lines_that_share_little_are_shown_one_after_the_other() -> None:
    assert shown(diff_sources("the cat sat, on a mat", "any dog, barks under a tree now")) == (
        "[-the cat sat, on a mat-]\n{+any dog, barks under a tree now+}"
    )


def test_far_lines_are_counted() -> None:
    old = "\n".join(f"line {n}" for n in range(20))
    assert shown(diff_sources(old, old.replace("line 10", "line ten"), context=1)) == (
        "... 9\nline 9\nline [-10-]{+ten+}\nline 11\n... 8"
    )


def test_no_change_shows_no_change() -> None:
    assert not any(line.changed for line in diff_sources("a\r\nb", "a\nb\n"))


texts = st.text(st.sampled_from("ab \n."), max_size=60)


@given(texts, texts)
def test_both_versions_can_be_read_from_it(old: str, new: str) -> None:
    lines = diff_sources(old, new, context=None)
    assert "".join(side(lines, "removed")) == "".join(old.split())
    assert "".join(side(lines, "added")) == "".join(new.split())


@pytest.mark.parametrize("join", ["\n", " "])
def test_64_kb_of_noise_stay_within_the_budget(join: str) -> None:
    draw = random.Random(7)
    words = ["the", "quick", "brown", "fox"]
    old, new = (join.join(draw.choices(words, k=13_000)) for _ in range(2))
    budget = [module._BUDGET]
    list(module._hunks(module._WORDS.findall(old), module._WORDS.findall(new), budget))
    assert budget[0] > -2 * module._MAX_EDITS - len(old)
    assert diff_sources(old, new)
