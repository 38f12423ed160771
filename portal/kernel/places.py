"""Addresses within this site, for `next=` and everything else that says where to go."""

from urllib.parse import unquote, urlsplit


def is_local_path(target: str) -> bool:
    """Whether this is a path on this site, however a browser may read it."""
    plain = unquote(unquote(target))
    if not target.startswith("/") or any(ord(char) <= 32 or ord(char) == 127 for char in plain):
        return False
    for form in (target, plain):
        if form.startswith(("//", "/\\")) or "\\" in form.split("?")[0] or urlsplit(form).netloc:
            return False
    return True


def local_path(target: str | None, default: str = "/") -> str:
    """`target` when it is a path on this site, else `default`: for `next=`."""
    return target if target and len(target) <= 1000 and is_local_path(target) else default
