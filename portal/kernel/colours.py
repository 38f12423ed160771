"""Colours as an admin chooses them: contrast by WCAG, and what follows from one accent."""

import re

_HEX = re.compile(r"#?([0-9a-f]{6})", re.IGNORECASE)

Rgb = tuple[int, int, int]


def parse(text: str) -> Rgb | None:
    """ "#0b5759" as three numbers, or None."""
    match = _HEX.fullmatch(text.strip())
    if match is None:
        return None
    return tuple(int(match[1][place : place + 2], 16) for place in (0, 2, 4))  # type: ignore[return-value]


def as_hex(colour: Rgb) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG 2 contrast ratio, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix(colour: Rgb, into: Rgb, share: float) -> Rgb:
    """`colour` with `share` (0 to 1) of `into` in it."""
    return tuple(  # type: ignore[return-value]
        round(a * (1 - share) + b * share) for a, b in zip(colour, into, strict=True)
    )


def _luminance(colour: Rgb) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
