"""The last layer by itself: the two before it must not be what holds."""

import pytest

from portal.kernel.markup.urls import is_upload, safe_url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
        "\x01javascript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x", "tel:1",
        "ftp://a.example", "relative", "#top", "?q", "", "http:", "http:a", "https:///a", "/\\e.example",
        "\\\\e.example", "mailto:nobody", "https://a.example/\u202egpj.exe", "https://[bad", "x" * 3000,
    ],
)  # fmt: skip
def test_refused(url: str) -> None:
    assert safe_url(url) is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example/b?c#d", "https://a.example/b?c#d"),
        ("HTTP://A.example", "HTTP://A.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("/threads/7", "/threads/7"),
        ("//a.example/b", "https://a.example/b"),
        (" https://a.example/b c ", "https://a.example/b%20c"),
    ],
)
def test_kept(url: str, kept: str) -> None:
    assert safe_url(url) == kept


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("../a", "https://from.example/a"),
        ("/a", "https://from.example/a"),
        ("#x", "https://from.example/q/1#x"),
        ("//b.example/c", "https://b.example/c"),
        ("javascript:x", None),
    ],
)
def test_resolved_against_the_page_it_came_from(url: str, resolved: str | None) -> None:
    assert safe_url(url, "https://from.example/q/1") == resolved


def test_our_own_origin_becomes_a_path_and_a_look_alike_does_not() -> None:
    own = "https://candor.example"
    assert safe_url("https://candor.example/posts/1", own_origin=own) == "/posts/1"
    assert safe_url("https://candor.example", own_origin=own) == "/"
    assert safe_url("https://candor.example//evil.example", own_origin=own) == "https://evil.example"
    assert safe_url("https://candor.example.evil", own_origin=own) == "https://candor.example.evil"


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("/uploads/a.png", True),
        ("/uploads/2025/ab/c-d_e.webp", True),
        ("/uploads/", False),
        ("/uploads/../login", False),
        ("/uploads/a?b", False),
        ("/logout", False),
        ("https://e.example/uploads/a.png", False),
    ],
)
def test_only_uploads_are_pictures_of_ours(path: str, is_ours: bool) -> None:
    assert is_upload(path) is is_ours
