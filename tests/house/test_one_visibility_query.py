"""The one visibility query: what reads words of posts for somebody asks it, or stands here with a reason."""

import ast
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[2] / "portal"

WORDS = {
    *(("Post", name) for name in ("source", "html", "excerpt", "sections")),
    *(("PostRevision", name) for name in ("source", "title")),
}
TITLE = {("Thread", "title")}
ASKS = {"text_is_visible"}
ASKS_FOR_A_TITLE = {"text_is_visible", "thread_is_visible", "title_is_visible", "board_is_visible"}

# path::function -> why it reads words without asking
MAY_READ = {
    "asks/queries/lists.py::asks_of": "the asker's own",
    "asks/queries/lists.py::requests_of": "asks thread_is_visible and that the thread is shown",
    "asks/services/connecting.py::_note_for": "goes to the two who are connected, from the asker's own ask",
    "asks/services/connecting.py::_case": "a line for moderators of an ask in the open",
    "asks/services/waves.py::_title": "names a conversation between the asker and whoever was asked",
    "asks/telling.py::resolve_own": "the asker's own",
    "asks/telling.py::resolve_requests": "asks thread_is_visible and that the thread is shown",
    "console/log_queries.py::_fitting": "the log of moderators, who read every board they moderate",
    "discussions/queries/changed_since.py::changed_since": "for who decides an appeal: what stood before",
    "discussions/queries/choosing.py::posts_to_split": "of a thread that was found through the query before",
    "discussions/queries/exporting.py::keepsakes_of": "one's own data: the titles of what one follows",
    "discussions/queries/exporting.py::words_of": "one's own data",
    "discussions/queries/finding.py::_THREAD": "columns for the statements below it, which ask",
    "discussions/queries/history.py::edits_of": "of a post that was found through the query before",
    "discussions/queries/lists.py::COLUMNS": "columns for the statements below it, which ask",
    "discussions/queries/places.py::_THREAD": "columns for the statements below it, which ask",
    "discussions/queries/posts.py::tombstone_of": "its title tells who is to be veiled, and goes no further",
    "discussions/queries/searching.py::_as_read": "of rows that were found through the query before",
    "discussions/queries/searching.py::_rows": "columns for the statements below it, which ask",
    "discussions/searchable.py::_published": "for the index: what is found is asked about when it is shown",
    "discussions/services/erasing.py::_take_name_out": "writes a name out of every text, for nobody to read",
    "demo/asks.py::note_what_is_alike": "asks the index for titles of its own, and shows none",
    "discussions/services/rerendering.py::_next": "makes HTML anew, for nobody to read",
    "discussions/services/uploads.py::_post_naming": "looks for a picture's name, for nobody to read",
    "discussions/services/uploads.py::let_go_pictures": "looks for a picture's name, for nobody to read",
    "moderation/queries/cases.py::_posts_around": "of a case that this moderator may look at",
    "moderation/queries/own.py::own_decision": "the author's own words",
    "moderation/services/screening.py::_lately": "compares with what the author wrote, for nobody to read",
}


def _units(path: Path) -> list[tuple[str, ast.AST]]:
    """Functions, methods and assignments of a module, by name."""
    found: list[tuple[str, ast.AST]] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for unit in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(unit, ast.FunctionDef | ast.ClassDef):
                found.append((unit.name, unit))
            elif isinstance(unit, ast.Assign):
                found.append((ast.unparse(unit.targets[0]), unit))
            else:
                found.append(("", unit))
    return found


def _reads(unit: ast.AST) -> tuple[set[tuple[str, str]], set[str]]:
    """The columns of texts that are read there, and the names that are used."""
    attributes = {
        (node.value.id, node.attr)
        for node in ast.walk(unit)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    return attributes & (WORDS | TITLE), {node.id for node in ast.walk(unit) if isinstance(node, ast.Name)}


def _readers(root: Path) -> tuple[list[str], list[str]]:
    """Who reads words without asking, and who reads them at all."""
    unasked, readers = [], []
    for path in sorted(root.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for name, unit in _units(path):
            columns, names = _reads(unit)
            if not columns:
                continue
            place = f"{path.relative_to(root)}::{name}"
            readers.append(place)
            if not names & (ASKS if columns & WORDS else ASKS_FOR_A_TITLE):
                unasked.append(place)
    return unasked, readers


def test_whoever_reads_words_asks_whether_they_may():
    unasked, readers = _readers(PORTAL)
    assert len(readers) > 40, "the search finds those who read"
    assert [place for place in unasked if place not in MAY_READ] == []


def test_every_exception_is_still_one():
    unasked, _all = _readers(PORTAL)
    assert set(MAY_READ) - set(unasked) == set()


def test_it_finds_one_that_does_not_ask(tmp_path: Path):
    (tmp_path / "leak.py").write_text(
        "def newest(viewer):\n    return select(Post.html, Thread.title)\n"
        "def fine(viewer):\n    return select(Post.html).where(text_is_visible(viewer))\n"
        "def half(viewer):\n    return select(Post.html).where(thread_is_visible(viewer))\n"
    )
    assert _readers(tmp_path)[0] == ["leak.py::newest", "leak.py::half"]
