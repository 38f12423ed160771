"""The judge itself: it must find what it is there to find."""

import pytest

from tests.kernel.markup.checker import problems


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<p onclick=x>a</p>",
        '<p class="post--vendor">a</p>',
        '<a href="javascript:x">a</a>',
        '<a href=" javascript:x">a</a>',
        '<a href="java\tscript:x">a</a>',
        '<a href="//e.example">a</a>',
        '<a href="/\\e.example">a</a>',
        '<a href="data:text/html,x">a</a>',
        '<a href="https://e.example">a</a>',
        '<img src="https://e.example/p.gif" alt="" loading="lazy">',
        '<img src="/uploads/../login" alt="" loading="lazy">',
        "<svg><a></a></svg>",
        "<math><mi></mi></math>",
        "<!-- a -->",
        '<div class="masthead">a</div>',
        "<style>p{}</style>",
        "<form></form>",
        '<p id="content">a</p>',
        "<span>a</span>",
        '<em><div class="table-scroll">a</div></em>',
    ],
)
def test_the_judge_objects(html: str) -> None:
    assert problems(html)


def test_the_judge_passes_an_ordinary_post() -> None:
    assert problems('<h3>a</h3><p>b <a href="/posts/1">c</a></p><ul><li class="task">☑ d</li></ul>') == []
