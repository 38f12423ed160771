"""A judge of finished HTML that shares no code with what made it: html5lib's tree, and lists of its own."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib
from pygments.token import STANDARD_TYPES

_BLOCKS = set(re.findall(r"\w+", "p h3 h4 h5 h6 blockquote ul ol li pre hr div table thead tbody tr th td"))
_WORDS = {"strong", "em", "del", "sup", "sub", "a", "cite"}
_TAGS = _BLOCKS | _WORDS | {"code", "span", "br", "img"}
_ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title", "loading"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "code": {"class"},
    "span": {"class"},
    "div": {"class", "tabindex"},
    "li": {"class"},
    "td": {"align"},
    "th": {"align"},
}
_PARENTS = {"li": {"ul", "ol"}, "tr": {"thead", "tbody"}, "td": {"tr"}, "th": {"tr"}, "span": {"code"}}
_TOKENS = set(STANDARD_TYPES.values())


def tree(html: str) -> Element:
    """The fragment as a browser would build it inside a page."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=True)
    return parser.parseFragment(html, container="div")


def tag_of(element: Element) -> str:
    """The local name; foreign elements keep their namespace and so match nothing."""
    tag = element.tag if isinstance(element.tag, str) else "#comment"
    return tag.removeprefix("{http://www.w3.org/1999/xhtml}")


def problems(html: str) -> list[str]:
    """All in this HTML that could run, load, imitate the page, or come out differently when parsed again."""
    found: list[str] = []
    root = tree(html)
    for parent, element in _walk(root):
        found.extend(_of_element(parent, element))
    again = html5lib.serialize(root, quote_attr_values="always", omit_optional_tags=False, tree="etree")
    if shape(tree(again)) != shape(root):
        found.append("parses differently the second time")
    return found


def shape(element: Element) -> object:
    """The tree as plain values, for comparison."""
    return (
        tag_of(element),
        sorted(element.attrib.items()),
        element.text or "",
        [(shape(child), child.tail or "") for child in element],
    )


def _walk(element: Element) -> Iterator[tuple[str, Element]]:
    for child in element:
        yield tag_of(element), child
        yield from _walk(child)


def _of_element(parent: str, element: Element) -> Iterator[str]:
    tag = tag_of(element)
    if tag not in _TAGS:
        yield f"element {tag}"
        return
    if parent in _WORDS | {"p", "h3", "h4", "h5", "h6"} and tag in _BLOCKS:
        yield f"{tag} in {parent}"
    if tag in _PARENTS and parent not in _PARENTS[tag]:
        yield f"{tag} in {parent}"
    for name, value in element.attrib.items():
        if name not in _ATTRIBUTES.get(tag, set()):
            yield f"attribute {name} of {tag}"
        elif not _value_is_fine(tag, name, value):
            yield f'{tag} {name}="{value}"'
    if tag == "a" and "href" not in element.attrib:
        yield "a without href"
    out = tag == "a" and element.attrib.get("href", "").lower().startswith("http")
    if out and element.attrib.get("rel") != "nofollow ugc noopener":
        yield "link out without rel"
    if tag == "img" and not {"src", "alt", "loading"} <= set(element.attrib):
        yield "img incomplete"


def _value_is_fine(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return _address_is_fine(value)
    if name == "src":
        return re.fullmatch(r"/uploads/[\w./-]+", value, re.ASCII) is not None and ".." not in value
    if name == "class":
        return {
            "code": re.fullmatch(r"language-[a-z]+", value) is not None,
            "span": value in _TOKENS,
            "div": value == "table-scroll",
            "li": value == "task",
        }[tag]
    if name in {"tabindex", "start"}:
        return value.isdigit()
    if name == "align":
        return value in {"left", "center", "right"}
    if name == "loading":
        return value == "lazy"
    return True


def _address_is_fine(value: str) -> bool:
    if re.search(r"[\x00-\x20\x7f\\]", value):
        return False
    if value.startswith("/"):
        return not value.startswith("//")
    return re.match(r"(https?://[^/?#]|mailto:[^?]*@)", value, re.IGNORECASE) is not None
