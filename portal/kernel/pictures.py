"""Pictures from people: decoded within limits and encoded anew, so that only pixels are kept."""

import io
import struct
import warnings
from dataclasses import dataclass

from flask_babel import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.kernel import colours
from portal.kernel.errors import Invalid

MAX_BYTES = 10 * 2**20
MAX_SIDE = 16_000  # pixels, as the file declares them: checked before anything is decoded
MAX_PIXELS = 24_000_000
MAX_PIXELS_JPEG = 60_000_000  # a JPEG is decoded at a fraction of its size
QUALITY = 82

_SAMPLE = 48
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF87a", b"GIF89a")

WIDEST = 6
"""How many times as wide as high a logo may be."""
VISIBLE = 3.0
"""Contrast that a sign needs, by WCAG 2 AA."""


@dataclass(frozen=True)
class Picture:
    """A WebP file without metadata, and its size in pixels."""

    bytes: bytes
    width: int
    height: int


def reencode(data: bytes, *, max_side: int, square: bool = False) -> Picture:
    """The still picture in `data` (JPEG, PNG, WebP, GIF) as WebP, no side longer than `max_side` pixels.

    It is turned as its camera said, `square` cuts it to the middle, and nothing but pixels is kept. Raises
    Invalid for what is no such picture, moves, or is too large in bytes or declared pixels.
    """
    if not data:
        raise Invalid(_("The file is empty."), "picture")
    if len(data) > MAX_BYTES:
        raise Invalid(_("The picture is larger than 10 MB."), "picture")
    if not data.startswith(_MAGIC) or (data.startswith(b"RIFF") and data[8:12] != b"WEBP"):
        raise Invalid(_("Use a JPEG, PNG, WebP or GIF picture."), "picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _encode(_decode(data, max_side), max_side, square)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid(_("The picture has too many pixels."), "picture") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, UnidentifiedImageError) as error:
        raise Invalid(_("The file is damaged, or is not a picture."), "picture") from error


def mark(data: bytes, *, height: int) -> tuple[Picture, str]:
    """A logo as WebP, uncut, `height` pixels high, and what it is drawn in where it is see-through.

    "ink" is lost on a dark page, "chalk" on a light one, "" is seen on both.

    Raises Invalid as `reencode`, and for a shape that nobody would make out at that height.
    """
    made = reencode(data, max_side=height * WIDEST)
    if made.width > made.height * WIDEST:
        raise Invalid(
            _(
                "This logo is more than %(most)s times as wide as it is high and would be too small to be "
                "seen. Use a shorter form of it.",
                most=WIDEST,
            ),
            "picture",
        )
    if made.height > made.width * 2:
        raise Invalid(
            _(
                "This logo is more than twice as high as it is wide and would be too small to be seen. "
                "Use a flatter form of it."
            ),
            "picture",
        )
    if made.height > height:
        made = reencode(data, max_side=max(height, round(height * made.width / made.height)))
    return made, _drawn_in(made.bytes)


def _drawn_in(webp: bytes) -> str:
    image = Image.open(io.BytesIO(webp), formats=("WEBP",)).convert("RGBA")
    data = image.resize((_SAMPLE, _SAMPLE)).tobytes()
    pixels = [tuple(data[at : at + 4]) for at in range(0, len(data), 4)]
    seen = [(red, green, blue) for red, green, blue, opaque in pixels if opaque > 127]
    if not seen or len(seen) > 0.97 * len(pixels):
        return ""  # fills its whole place: brings its own ground

    def readable_on(paper: colours.Rgb) -> float:
        return sum(colours.contrast(pixel, paper) >= VISIBLE for pixel in seen) / len(seen)

    if readable_on(colours.PAPERS["dark"][0]) < 0.5:
        return "ink"
    return "chalk" if readable_on(colours.PAPERS["light"][0]) < 0.5 else ""


def _decode(data: bytes, max_side: int) -> Image.Image:
    _check_size(*_webp_size(data) if data.startswith(b"RIFF") else (1, 1), MAX_PIXELS)
    image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
    _check_size(*image.size, MAX_PIXELS_JPEG if image.format == "JPEG" else MAX_PIXELS)
    if getattr(image, "is_animated", False):
        raise Invalid(_("Moving pictures cannot be used; choose a still one."), "picture")
    if image.format == "JPEG":
        image.draft("RGB", (max_side, max_side))
        _check_size(*image.size, MAX_PIXELS)
    image.load()
    return image


def _encode(image: Image.Image, max_side: int, square: bool) -> Picture:
    ImageOps.exif_transpose(image, in_place=True)
    see_through = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    image = image.convert("RGBA" if see_through else "RGB")
    if square:
        image = ImageOps.fit(image, (min(max_side, *image.size),) * 2, Image.Resampling.LANCZOS)
    else:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return Picture(out.getvalue(), *image.size)


def _check_size(width: int, height: int, pixels: int) -> None:
    if width > MAX_SIDE or height > MAX_SIDE or width * height > pixels:
        raise Invalid(_("The picture has too many pixels."), "picture")
    if width < 1 or height < 1:
        raise Invalid(_("The file is damaged, or is not a picture."), "picture")


def _webp_size(data: bytes) -> tuple[int, int]:
    """As the header declares it: the decoder sets memory aside before it can be asked."""
    kind, body = data[12:16], data[20:32]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
    width, height = struct.unpack("<HH", body[6:10])
    return width & 0x3FFF, height & 0x3FFF
