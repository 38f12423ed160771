"""Only the pixels of a picture are kept, and reading one costs little whatever it claims to be."""

import io
import struct
import time
import tracemalloc
import zlib

import pytest
from PIL import Image

from portal.kernel.errors import Invalid
from portal.kernel.pictures import MAX_BYTES, reencode


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header declares a size; its data is one compressed run of zeros."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = zlib.compress(b"\0" * 2_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_webp_within_the_size(kind: str) -> None:
    picture = reencode(encoded(Image.new("RGB", (900, 600), "teal"), kind), max_side=300)
    assert (picture.width, picture.height) == (300, 200)
    again = Image.open(io.BytesIO(picture.bytes))
    assert again.format == "WEBP"
    assert again.size == (300, 200)


def test_a_square_is_cut_from_the_middle_and_never_enlarged() -> None:
    assert reencode(encoded(Image.new("RGB", (900, 600)), "PNG"), max_side=256, square=True).width == 256
    small = reencode(encoded(Image.new("RGB", (90, 60)), "PNG"), max_side=256, square=True)
    assert (small.width, small.height) == (60, 60)


def test_place_and_camera_are_not_kept_but_the_turn_is() -> None:
    image = Image.new("RGB", (80, 40), "teal")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "CANARY-CAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    picture = reencode(encoded(image, "JPEG", exif=exif.tobytes()), max_side=256)
    assert (picture.width, picture.height) == (40, 80)
    assert b"CANARY" not in picture.bytes
    assert b"EXIF" not in picture.bytes
    assert not Image.open(io.BytesIO(picture.bytes)).getexif()


def test_what_hides_behind_a_picture_is_gone() -> None:
    polyglot = encoded(Image.new("RGB", (40, 40), "teal"), "GIF") + b"<script>alert(1)</script>"
    assert b"<script" not in reencode(polyglot, max_side=256).bytes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html>",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"RIFF\x00\x00\x00\x00WEBPVP8X",
        b"\xff\xd8\xff" + b"\0" * 50,
        encoded(Image.new("RGB", (400, 400)), "PNG")[:200],
        b"%PDF-1.7",
        b"\xff\xd8\xff" + b"\0" * MAX_BYTES,
    ],
    ids=["empty", "svg", "html", "gif header", "wave", "short webp", "zeros", "cut off", "pdf", "too long"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        reencode(data, max_side=256)
    assert refused.value.field == "picture"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_what_moves_is_refused(kind: str) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    with pytest.raises(Invalid, match="Moving"):
        reencode(encoded(frames[0], kind, save_all=True, append_images=frames[1:]), max_side=256)


def webp_claiming(side: int) -> bytes:
    canvas = (side - 1).to_bytes(3, "little")
    body = b"\x02\0\0\0" + canvas + canvas
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + body


@pytest.mark.parametrize(
    "bomb", [png_claiming(50_000, 50_000), png_claiming(15_000, 15_000), webp_claiming(16_000)]
)
def test_a_bomb_costs_nothing(bomb: bytes) -> None:
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(Invalid, match="too many pixels"):
        reencode(bomb, max_side=256)
    assert time.perf_counter() - begin < 1
    assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    tracemalloc.stop()
