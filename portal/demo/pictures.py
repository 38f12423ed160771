"""The demo's pictures: drawn when it is loaded, the same each time; no file of them is in the tree."""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select, update

from portal.demo import content
from portal.discussions.models import Post, Upload
from portal.kernel.db import db
from portal.members.models import Member

IN_TEXT = re.compile(r"\(picture:([a-z-]+)\)")
SIDE = 256  # of a portrait
INK, PAPER, LINE, MARK, AMBER = "#1f2a2e", "#fbfaf7", "#c9c5bb", "#246b5e", "#b7791f"
GROUNDS = ("#dfe9e4", "#e9e1d3", "#dbe3ea", "#e8dcd9", "#e3e5d6", "#ddd9e6")
SKINS = ("#f0d0b6", "#d9a877", "#8d5a3b", "#f5dcc8", "#b87d4f", "#5f3d2a")
HAIRS = ("#2b211b", "#5c3d24", "#94643a", "#b9b3aa", "#1d1d22", "#7a2f1c")
CLOTHES = ("#246b5e", "#3a4f6b", "#7a4b57", "#5d6b3a", "#41464b", "#8a6a2f")
# By the hour: files waiting on a working day.
BACKLOG = (18, 20, 22, 21, 24, 26, 31, 38, 44, 52, 71, 260, 420, 330, 21, 24, 22, 20, 19, 18, 17, 18, 17, 18)


class Album:
    """Puts pictures into `folder` and their rows beside the posts that show them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def address(self, name: str) -> str:
        """Where the picture of this name in a text is found."""
        return f"/uploads/{_random(name)}.webp"

    def in_text(self, text: str) -> str:
        """The text with its pictures' addresses: `![words](picture:name)` stands in the file."""
        return IN_TEXT.sub(lambda found: f"({self.address(found[1])})", text)

    def attach(self, text: str, post: Post, moment: datetime) -> None:
        """Draw and keep the pictures of a post whose text in the file is `text`."""
        for name in IN_TEXT.findall(text):
            picture = DRAWN[name]()
            data = _encode(picture)
            (self.folder / f"{_random(name)}.webp").write_bytes(data)
            db.session.add(
                Upload(
                    name=f"{_random(name)}.webp",
                    member_id=post.author_id,
                    post_id=post.id,
                    width=picture.width,
                    height=picture.height,
                    bytes=len(data),
                    created_at=moment,
                )
            )

    def add_portraits(self, people: dict[str, int]) -> None:
        """A picture for about every third person; the others show their initials."""
        for person in content.people():
            username = person["username"]
            draw = hashlib.sha256(f"portrait of {username}".encode()).digest()
            if draw[0] % 3 and not person.get("email", "").startswith(("customer@", "moderator@")):
                continue
            name = _portrait_of(username)
            (self.folder / name).write_bytes(_encode(_portrait(draw)))
            db.session.execute(update(Member).where(Member.id == people[username]).values(picture=name))

    def forget(self) -> None:
        """Remove the files again, but for those of posts that stay."""
        names = {f"{_random(name)}.webp" for name in DRAWN}
        names |= {_portrait_of(person["username"]) for person in content.people()}
        for name in names - set(db.session.execute(select(Upload.name)).scalars()):
            (self.folder / name).unlink(missing_ok=True)


def _portrait_of(username: str) -> str:
    return f"m-{_random(f'portrait {username}')[:24]}.webp"


def _random(name: str) -> str:
    """32 letters that are the same each time."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"demo picture {name}".encode()).digest())[:32].decode()


def _encode(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def _portrait(draw: bytes) -> Image.Image:
    """Head and shoulders of nobody in particular."""
    ground, skin = GROUNDS[draw[1] % len(GROUNDS)], SKINS[draw[2] % len(SKINS)]
    hair, clothes = HAIRS[draw[3] % len(HAIRS)], CLOTHES[draw[4] % len(CLOTHES)]
    picture = Image.new("RGB", (2 * SIDE, 2 * SIDE), ground)
    pen = ImageDraw.Draw(picture)
    wide, long = 100 + draw[5] % 24, draw[6] % 3
    pen.ellipse((256 - wide - 22, 96, 256 + wide + 22, 330 + 60 * long), fill=hair)
    pen.ellipse((96, 380, 416, 760), fill=clothes)
    pen.rectangle((216, 320, 296, 420), fill=skin)
    pen.ellipse((256 - wide, 130, 256 + wide, 372), fill=skin)
    pen.pieslice(
        (256 - wide - 8, 104, 256 + wide + 8, 330), 180 + draw[7] % 20, 360 - draw[8] % 20, fill=hair
    )
    pen.pieslice((256 - wide + 14, 168, 256 + wide - 14, 300), 180, 360, fill=skin)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _backlog() -> Image.Image:
    """Files waiting by the hour, as a monitor draws them."""
    picture = Image.new("RGB", (1200, 560), PAPER)
    pen, small = ImageDraw.Draw(picture), ImageFont.load_default(22)
    pen.text((70, 28), "Files waiting, by hour, Tuesday", fill=INK, font=ImageFont.load_default(30))
    for number in range(0, 500, 100):
        high = 480 - number * 0.9
        pen.line((70, high, 1160, high), fill=LINE, width=2)
        pen.text((14, high - 14), str(number), fill=INK, font=small)
    for hour, waiting in enumerate(BACKLOG):
        left = 78 + hour * 45
        fill = AMBER if waiting > 100 else MARK
        pen.rectangle((left, 480 - waiting * 0.9, left + 32, 480), fill=fill)
        if hour % 4 == 0:
            pen.text((left, 492), f"{hour:02d}:00", fill=INK, font=small)
    return picture


def _lanes() -> Image.Image:
    """Two teams of lanes, one pool of workers, one way out."""
    picture = Image.new("RGB", (1200, 520), PAPER)
    pen, words = ImageDraw.Draw(picture), ImageFont.load_default(26)
    boxes = {
        "customs lanes": (60, 90, 340, 190),
        "finance lanes": (60, 320, 340, 420),
        "one pool, 4 workers": (480, 200, 790, 310),
        "outbound": (920, 205, 1140, 305),
    }
    for name, box in boxes.items():
        pen.rounded_rectangle(box, 14, outline=AMBER if "pool" in name else MARK, width=5, fill="#ffffff")
        pen.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), name, fill=INK, font=words, anchor="mm")
    for start, end in (((340, 140), (478, 235)), ((340, 370), (478, 275)), ((790, 255), (918, 255))):
        pen.line((*start, *end), fill=INK, width=4)
        pen.regular_polygon((*end, 11), 3, rotation=270, fill=INK)
    pen.text((635, 340), "eleven o'clock happens here", fill=AMBER, font=words, anchor="mm")
    return picture


DRAWN: dict[str, Callable[[], Image.Image]] = {"backlog": _backlog, "lanes": _lanes}
