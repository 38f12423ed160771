"""Two texts of one post: what each has alone, and both in one."""

from dataclasses import dataclass

from portal.kernel.markup import DiffLine, diff_sources


@dataclass(frozen=True)
class Difference:
    """One part of a post (its title, its text, a section) in two versions, with every line of both."""

    label: str
    name: str  # of the form field
    mine: str
    saved: str
    lines: list[DiffLine]

    @property
    def differs(self) -> bool:
        return self.mine != self.saved


def compare(label: str, name: str, mine: str, saved: str) -> Difference:
    """The saved text against the one that was typed."""
    mine, saved = _clean(mine), _clean(saved)
    return Difference(label, name, mine, saved, diff_sources(saved, mine, context=None))


def both_in_one(saved: str, mine: str) -> str:
    """The lines that both have once; where they part, the saved line and then the other."""
    out: list[str] = []
    for line in diff_sources(_clean(saved), _clean(mine), context=None):
        versions = [
            "".join(segment.text for segment in line.segments if segment.op in ("same", op))
            for op in ("removed", "added")
        ]
        whole = {segment.op for segment in line.segments}
        if whole == {"removed"} or not line.changed:
            out.append(versions[0])
        elif whole == {"added"}:
            out.append(versions[1])
        else:
            out += list(dict.fromkeys(versions))
    return "\n".join(out)


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
