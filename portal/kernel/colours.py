"""Colours as an admin chooses them: contrast by WCAG, and what follows from one accent."""

import re
from dataclasses import dataclass

_HEX = re.compile(r"#?([0-9a-f]{6})", re.IGNORECASE)

Rgb = tuple[int, int, int]

READABLE = 4.5
"""Contrast that text needs, by WCAG 2 AA."""
PAPERS: dict[str, tuple[Rgb, ...]] = {
    "light": ((0xFA, 0xF8, 0xF3), (0xFF, 0xFE, 0xFB), (0xF2, 0xEE, 0xE5)),
    "dark": ((0x17, 0x16, 0x14), (0x1F, 0x1D, 0x1B), (0x26, 0x24, 0x21)),
}
"""What an accent is read on, by scheme: page, sheet and shade, as tokens.css has them."""
OWN: dict[str, Rgb] = {"light": (0x0B, 0x57, 0x59), "dark": (0x74, 0xC9, 0xC2)}
"""The product's own accent."""
_TINT = {"light": 0.11, "dark": 0.16}
_ENDS: dict[str, Rgb] = {"light": (0, 0, 0), "dark": (255, 255, 255)}


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


@dataclass(frozen=True, slots=True)
class Accent:
    """An accent in one scheme and what follows from it."""

    accent: Rgb
    strong: Rgb
    ink: Rgb  # what is written on a filled button
    tint: Rgb


def legibility(colour: Rgb, scheme: str) -> float:
    """The least contrast that text in this colour has on anything it is written on in the scheme."""
    papers = (*PAPERS[scheme], _tint(colour, scheme))
    return min(contrast(colour, paper) for paper in papers)


def legible(colour: Rgb, scheme: str) -> Rgb:
    """The colour nearest to this one, darker or lighter, that can be read in the scheme."""
    for step in range(101):
        nearest = mix(colour, _ENDS[scheme], step / 100)
        if legibility(nearest, scheme) >= READABLE:
            return nearest
    return _ENDS[scheme]


def accents(light: str, dark: str) -> dict[str, Accent]:
    """By scheme, of two colours as an admin wrote them.

    Where one is empty it follows from the other; where both are it is the product's own.
    """
    given = {"light": parse(light), "dark": parse(dark)}
    either = given["light"] or given["dark"]
    found = {}
    for scheme, colour in given.items():
        accent = colour or (legible(either, scheme) if either else OWN[scheme])
        strong = mix(accent, _ENDS[scheme], 0.3 if scheme == "light" else 0.35)
        found[scheme] = Accent(accent, strong, _ink_on(accent), _tint(accent, scheme))
    return found


def _tint(colour: Rgb, scheme: str) -> Rgb:
    return mix(PAPERS[scheme][0], colour, _TINT[scheme])


def _ink_on(colour: Rgb) -> Rgb:
    """White or near-black, whichever is read better on the colour."""
    white, black = (255, 255, 255), (10, 20, 20)
    return white if contrast(white, colour) >= contrast(black, colour) else black


def _luminance(colour: Rgb) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
