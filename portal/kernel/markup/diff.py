"""What changed between two versions of a text, word by word, in bounded time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Op = Literal["same", "removed", "added"]

_WORDS = re.compile(r"\w+|[^\w\n]|\n")
#: Steps that the search for the shortest change may take over a whole text; beyond, whole lines are shown.
_BUDGET = 300_000
_MAX_EDITS = 600


@dataclass(frozen=True)
class Segment:
    """A run of text that stayed, went or came."""

    op: Op
    text: str


@dataclass(frozen=True)
class DiffLine:
    """One line to show; `skipped` is how many unchanged lines were left out in its place, else 0."""

    segments: tuple[Segment, ...]
    skipped: int = 0

    @property
    def changed(self) -> bool:
        return any(segment.op != "same" for segment in self.segments)


def diff_sources(old: str, new: str, *, context: int | None = 3) -> list[DiffLine]:
    """Lines with their words marked same, removed or added, for people to read.

    Unchanged lines further than `context` lines from a change are counted instead of shown (None: all shown).
    The segments "same" and "removed" joined give the old text, "same" and "added" the new one.
    Texts too different to compare word by word come as whole lines removed and added.
    """
    budget = [_BUDGET]
    segments: list[Segment] = []
    for op, removed, added in _hunks(_lines(old), _lines(new), budget):
        if op == "same":
            segments.append(Segment("same", "".join(removed)))
        else:
            segments.extend(_word_segments("".join(removed), "".join(added), budget))
    lines = list(_by_line(segments))
    return lines if context is None else list(_collapsed(lines, context))


def _lines(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    return re.findall(r"[^\n]*\n", text)


def _word_segments(removed: str, added: str, budget: list[int]) -> list[Segment]:
    if not removed or not added:
        return [s for s in (Segment("removed", removed), Segment("added", added)) if s.text]
    segments: list[Segment] = []
    kept = 0
    for op, gone, come in _hunks(_WORDS.findall(removed), _WORDS.findall(added), budget):
        if op == "same":
            segments.append(Segment("same", "".join(gone)))
            kept += sum(len(word) for word in gone if word[0].isalnum())
        else:
            if gone:
                segments.append(Segment("removed", "".join(gone)))
            if come:
                segments.append(Segment("added", "".join(come)))
    # Two sentences that share only "the" and commas read better one after the other.
    if kept * 4 < min(len(removed), len(added)):
        return [Segment("removed", removed), Segment("added", added)]
    return _joined(segments)


def _joined(segments: list[Segment]) -> list[Segment]:
    """Without lone spaces between changed words: "two new words" is one change, not two."""
    out: list[Segment] = []
    i = 0
    while i < len(segments):
        removed = added = ""
        while i < len(segments):
            segment = segments[i]
            if segment.op == "removed":
                removed += segment.text
            elif segment.op == "added":
                added += segment.text
            elif segment.text == " " and (removed or added) and i + 1 < len(segments):
                removed, added = removed + " ", added + " "
            else:
                break
            i += 1
        out.extend(s for s in (Segment("removed", removed), Segment("added", added)) if s.text)
        if i < len(segments):
            out.append(segments[i])
            i += 1
    return out


def _hunks(
    old: Sequence[str], new: Sequence[str], budget: list[int]
) -> Iterator[tuple[Op | Literal["changed"], Sequence[str], Sequence[str]]]:
    """Alternating unchanged and changed stretches of two sequences."""
    start = 0
    while start < len(old) and start < len(new) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    if start:
        yield "same", old[:start], new[:start]
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    if middle_old or middle_new:
        yield from _middle(middle_old, middle_new, budget)
    if end:
        yield "same", old[len(old) - end :], new[len(new) - end :]


def _middle(
    old: Sequence[str], new: Sequence[str], budget: list[int]
) -> Iterator[tuple[Op | Literal["changed"], Sequence[str], Sequence[str]]]:
    pairs = _common(old, new, budget) if old and new else []
    i = j = 0
    for first_old, first_new, length in pairs:
        if first_old > i or first_new > j:
            yield "changed", old[i:first_old], new[j:first_new]
        i, j = first_old + length, first_new + length
        yield "same", old[first_old:i], new[first_new:j]
    if i < len(old) or j < len(new):
        yield "changed", old[i:], new[j:]


def _common(old: Sequence[str], new: Sequence[str], budget: list[int]) -> list[tuple[int, int, int]]:
    """Stretches that both have, by Myers' greedy search (Algorithmica 1, 1986); none over budget.

    It takes time in proportion to length × edits, unlike difflib, which repeated lines make cubic.
    """
    n, m = len(old), len(new)
    frontier = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(n + m, _MAX_EDITS) + 1):
        trace.append(frontier.copy())
        budget[0] -= 2 * edits + 1
        if budget[0] < 0:
            return []
        for k in range(-edits, edits + 1, 2):
            if k == -edits or (k != edits and frontier[k - 1] < frontier[k + 1]):
                x = frontier[k + 1]
            else:
                x = frontier[k - 1] + 1
            y = x - k
            begin = x
            while x < n and y < m and old[x] == new[y]:
                x, y = x + 1, y + 1
            budget[0] -= x - begin
            frontier[k] = x
            if x >= n and y >= m:
                return _backtrack(trace, n, m)
    return []


def _backtrack(trace: list[dict[int, int]], n: int, m: int) -> list[tuple[int, int, int]]:
    x, y = n, m
    stretches: list[tuple[int, int, int]] = []
    for edits in range(len(trace) - 1, -1, -1):
        frontier = trace[edits]
        k = x - y
        down = k == -edits or (k != edits and frontier[k - 1] < frontier[k + 1])
        previous_k = k + 1 if down else k - 1
        before_x = frontier[previous_k]
        before_y = before_x - previous_k
        start_x = before_x if down else before_x + 1
        if edits == 0:
            start_x = 0
        if x > start_x:
            stretches.append((start_x, start_x - k, x - start_x))
        x, y = before_x, before_y
    return stretches[::-1]


def _by_line(segments: list[Segment]) -> Iterator[DiffLine]:
    line: list[Segment] = []
    for segment in segments:
        for piece in re.findall(r"[^\n]*\n|[^\n]+", segment.text):
            text = piece.removesuffix("\n")
            if text or piece.endswith("\n"):
                line.append(Segment(segment.op, text))
            if piece.endswith("\n"):
                yield DiffLine(tuple(line))
                line = []
    if line:
        yield DiffLine(tuple(line))


def _collapsed(lines: list[DiffLine], context: int) -> Iterator[DiffLine]:
    near = [False] * len(lines)
    for i, line in enumerate(lines):
        if line.changed:
            for j in range(max(0, i - context), min(len(lines), i + context + 1)):
                near[j] = True
    skipped = 0
    for line, shown in zip(lines, near, strict=True):
        if not shown:
            skipped += 1
            continue
        if skipped:
            yield DiffLine((), skipped)
            skipped = 0
        yield line
    if skipped:
        yield DiffLine((), skipped)
