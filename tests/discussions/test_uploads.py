"""Pictures in posts: taken anew, harmless, and seen by those who may read the post."""

import io
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from portal.conversations.services.preserving import preserve
from portal.discussions.models import Audience, Upload
from portal.discussions.services import uploads
from portal.discussions.services.drafts import drop_draft, save_draft
from portal.discussions.services.editing import Edit, delete_own_post, edit_post
from portal.discussions.services.posting import post_reply
from portal.discussions.services.removal import hide_post
from portal.discussions.views.uploads import alt_text
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.preserving import forget_kept
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.services.erasing import erase_account
from portal.moderation.services.rules import ensure_rules
from tests.conftest import make_board, make_prospect, noon, viewer_of
from tests.discussions.browsing import send, send_as_script, token
from tests.discussions.scenes import Scene
from tests.support.people import get


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient]) -> Scene:
    return Scene(app, sign_in)


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def upload(browser: FlaskClient, data: bytes, name: str = "lanes at night.png"):
    return send_as_script(browser, "/uploads", data={"file": (io.BytesIO(data), name)})


def test_a_picture_goes_into_the_text_and_is_seen_once_posted(scene: Scene, client: FlaskClient):
    answer = upload(scene.helper, picture())
    assert answer.status_code == 200
    url = answer.json["url"]
    assert answer.json["markdown"] == f"![lanes at night]({url})"
    assert scene.helper.get(url).status_code == 200
    for other in (client, scene.asker, scene.moderator):
        assert other.get(url).status_code == 404, "nobody else before it is in a post"
    send(scene.helper, f"/threads/{scene.thread_id}/posts", {"body": f"See {answer.json['markdown']}"})
    assert f'<img src="{url}" alt="lanes at night"' in scene.posts()[-1].html
    shown = client.get(url)
    assert shown.status_code == 200
    assert shown.headers["Content-Type"] == "image/webp"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Disposition"].startswith("inline; filename=")
    assert shown.headers["Cache-Control"] == "public, max-age=86400, immutable"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert Image.open(io.BytesIO(shown.data)).format == "WEBP"


def test_place_and_camera_are_taken_out(scene: Scene):
    image = Image.new("RGB", (40, 30), "teal")
    exif = image.getexif()
    exif[0x010F] = "Canary Cameras"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    assert b"Canary" in out.getvalue()
    url = upload(scene.helper, out.getvalue(), "dsc.jpg").json["url"]
    stored = scene.helper.get(url).data
    assert b"Canary" not in stored
    assert not Image.open(io.BytesIO(stored)).getexif()


def test_large_pictures_are_made_smaller(scene: Scene):
    answer = upload(scene.helper, picture(size=(4000, 1000)))
    assert (answer.json["width"], answer.json["height"]) == (2000, 500)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
POLYGLOT = b"GIF89a/*<html><script>alert(1)</script>*/=1;"


@pytest.mark.parametrize(
    "data",
    [SVG, POLYGLOT, b"<html>", b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 50],
    ids=["svg", "polyglot", "html", "empty", "torn"],
)
def test_what_is_no_picture_is_refused_in_words(scene: Scene, data: bytes):
    refused = upload(scene.helper, data, "x.png")
    assert refused.status_code == 422
    assert refused.json["message"]
    assert scene.count(Upload) == 0
    assert list((scene.app.config["SETTINGS"].uploads_path).glob("*")) == []


def test_a_moving_picture_is_refused(scene: Scene):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert upload(scene.helper, out.getvalue(), "x.gif").status_code == 422


def bomb(side: int = 50_000) -> bytes:
    """A PNG that says it is side × side pixels, in a few kilobytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    rows = zlib.compress(b"\0" * 3_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_at_once_and_in_little_memory(scene: Scene):
    data = bomb()
    token(scene.helper)
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    refused = upload(scene.helper, data)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert refused.status_code == 422
    assert "too many pixels" in refused.json["message"]
    assert time.process_time() - begin < 1
    assert used < 100 * 1024  # kilobytes


def test_a_picture_is_for_those_who_may_read_its_post(scene: Scene, client: FlaskClient):
    with scene.app.app_context():
        board = make_board("Customers only", audience=Audience.CUSTOMERS)
        thread_id, _slug = scene.ask("Something among customers", board)
        prospect = make_prospect("Paul")
    url = upload(scene.helper, picture()).json["url"]
    send(scene.helper, f"/threads/{thread_id}/posts", {"body": f"![x]({url})"})
    shown = scene.asker.get(url)
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "private, no-store")
    for other in (client, scene.sign_in(prospect)):
        hidden = other.get(url)
        missing = other.get("/uploads/nobody-has-this-name.webp")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.headers["Content-Type"] == missing.headers["Content-Type"]


def test_a_hidden_post_takes_its_picture_along(scene: Scene, client: FlaskClient):
    url = upload(scene.helper, picture()).json["url"]
    with scene.app.app_context():
        post = post_reply(viewer_of(scene.helper_id), scene.thread_id, f"![x]({url})")
        hide_post(post.id, rule="Rule 4", reason="A face.", case_id=1, by_id=scene.moderator_id)
    assert client.get(url).status_code == 404
    assert scene.asker.get(url).status_code == 404
    shown = scene.helper.get(url)  # the author gets the whole of the text back
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "private, no-store")


def test_naming_the_picture_of_another_does_not_take_it(scene: Scene, client: FlaskClient):
    url = upload(scene.helper, picture()).json["url"]
    with scene.app.app_context():
        post_reply(viewer_of(scene.asker_id), scene.thread_id, f"![mine?]({url})")
    assert client.get(url).status_code == 404


def test_addresses_that_leave_the_folder_are_not_there(scene: Scene):
    for name in ("..%2fsecret.key", "%2e%2e/secret.key", ".half", "secret.key"):
        assert scene.helper.get(f"/uploads/{name}").status_code == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lanes at night.png", "lanes at night"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\shot_2.PNG", "shot 2"),
        ("a](javascript:alert(1))[b.png", "a javascript alert 1 b"),
        ("x\r\nSet-Cookie: a=b.png", "x Set Cookie a b"),
        ("evil\u202egnp.exe", "evil gnp"),
        ("....", "Picture"),
        ("東京.png", "東京"),
    ],
)
def test_a_file_name_becomes_plain_words(app: Flask, name: str, words: str):
    with app.test_request_context():
        assert alt_text(name) == words


def test_without_a_script_there_is_a_page_for_pictures(scene: Scene):
    sent = send(scene.helper, "/uploads", {"file": (io.BytesIO(picture()), "lanes.png")})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/uploads")
    with scene.app.app_context():
        name = db.session.scalar(select(Upload.name))
    page = scene.helper.get("/uploads").get_data(as_text=True)
    assert f"](/uploads/{name})" in page
    assert name not in scene.asker.get("/uploads").get_data(as_text=True)
    refused = send(scene.helper, "/uploads", {"file": (io.BytesIO(SVG), "x.svg")})
    assert refused.status_code == 422
    assert "data-error-summary" in refused.get_data(as_text=True)
    assert send(scene.helper, "/uploads", {}).status_code == 422
    send(scene.asker, f"/uploads/{name}", method="DELETE")
    assert scene.count(Upload) == 1, "only its owner deletes it"
    send(scene.helper, f"/uploads/{name}", method="DELETE")
    assert scene.count(Upload) == 0
    assert list(scene.app.config["SETTINGS"].uploads_path.glob("*")) == []


def test_pictures_that_no_post_took_go_after_a_week(scene: Scene, at: Callable[[datetime], None]):
    at(noon())
    folder = scene.app.config["SETTINGS"].uploads_path
    with scene.app.app_context():
        helper = viewer_of(scene.helper_id)
        unused = uploads.keep_picture(helper, picture(), folder).name
        used = uploads.keep_picture(helper, picture(), folder).name
        post_reply(helper, scene.thread_id, f"![x](/uploads/{used})")
        at(noon() + timedelta(days=8))
        assert uploads.forget_unused(folder) == 1
    assert (folder / used).exists()
    assert not (folder / unused).exists()


class Kept:
    """A picture in an answer by the helper, and its file."""

    def __init__(self, scene: Scene, body: str = "See ![x]({url})") -> None:
        self.scene, self.folder = scene, scene.app.config["SETTINGS"].uploads_path
        self.author = viewer_of(scene.helper_id)
        self.name = uploads.keep_picture(self.author, picture(), self.folder).name
        self.url = f"/uploads/{self.name}"
        self.post = post_reply(self.author, scene.thread_id, body.format(url=self.url))

    def edit(self, body: str, **more: Any) -> None:
        edit_post(self.author, self.post.id, Edit(body=body, version=self.post.version, **more))

    def is_on_disk(self) -> bool:
        """Whether it still is, once the job has looked."""
        uploads.forget_unused(self.folder)
        return (self.folder / self.name).exists()


def some_days_later(at: Callable[[datetime], None], days: int = 2) -> None:
    """Move the clock; the files are as old as the machine's clock says."""
    at(clock.now() + timedelta(days=days))


@pytest.fixture
def kept(scene: Scene) -> Iterator[Kept]:
    with scene.app.app_context():
        yield Kept(scene)


def test_a_deleted_post_takes_its_picture_off_the_disk(kept: Kept, at: Callable[[datetime], None]):
    delete_own_post(kept.author, kept.post.id)
    assert get(kept.scene.helper, kept.url).status_code == 404, "gone at once, for its author too"
    some_days_later(at)
    assert not kept.is_on_disk()


def test_a_picture_in_another_post_of_its_author_stays_there(kept: Kept, at: Callable[[datetime], None]):
    post_reply(kept.author, kept.scene.thread_id, f"Once more: ![x]({kept.url})")
    delete_own_post(kept.author, kept.post.id)
    some_days_later(at, 10)
    assert kept.is_on_disk()
    assert get(kept.scene.app.test_client(), kept.url).status_code == 200


def test_an_order_keeps_the_file_of_a_deleted_picture(kept: Kept, at: Callable[[datetime], None]):
    with unit_of_work():
        db.session.get_one(Member, kept.scene.helper_id).username = "tomasz"
    preserve("tomasz", reason="Court 7", until=clock.now() + timedelta(days=30))
    loose = uploads.keep_picture(kept.author, picture(), kept.folder).name
    delete_own_post(kept.author, kept.post.id)
    uploads.drop_picture(kept.author, loose, kept.folder)
    assert get(kept.scene.helper, kept.url).status_code == 404
    assert loose not in get(kept.scene.helper, "/uploads").get_data(as_text=True)
    some_days_later(at, 20)
    forget_kept()
    assert kept.is_on_disk()
    assert (kept.folder / loose).exists()
    some_days_later(at, 20)
    forget_kept()
    assert not kept.is_on_disk()
    assert not (kept.folder / loose).exists()


def test_a_picture_that_a_quick_fix_takes_out_is_unused(kept: Kept, at: Callable[[datetime], None]):
    kept.edit("See for yourself.")
    assert get(kept.scene.app.test_client(), kept.url).status_code == 404
    assert kept.name in get(kept.scene.helper, "/uploads").get_data(as_text=True), "it can be used again"
    some_days_later(at, 8)
    assert not kept.is_on_disk()


def test_a_picture_in_the_history_is_for_who_reads_the_history(kept: Kept, at: Callable[[datetime], None]):
    some_days_later(at)
    kept.edit("See for yourself.", reason="Too large.")
    shown = get(kept.scene.app.test_client(), kept.url)
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "private, no-store")
    some_days_later(at, 20)
    assert kept.is_on_disk()


def test_a_picture_that_a_rule_took_out_is_for_its_author_and_moderators(kept: Kept, client: FlaskClient):
    with unit_of_work():
        ensure_rules()
    edit = Edit(body="See for yourself.", reason="A face.", rule=4, version=kept.post.version)
    edit_post(viewer_of(kept.scene.moderator_id), kept.post.id, edit)
    for other in (client, kept.scene.asker):
        assert get(other, kept.url).status_code == 404
    for who in (kept.scene.helper, kept.scene.moderator):
        assert get(who, kept.url).status_code == 200


def test_an_erased_account_leaves_no_picture_in_hidden_posts_and_former_texts(
    kept: Kept, at: Callable[[datetime], None]
):
    other = Kept(kept.scene)
    hide_post(other.post.id, rule="Rule 4", reason="A face.", case_id=1, by_id=kept.scene.moderator_id)
    some_days_later(at)
    kept.edit("See for yourself.", reason="Too large.")
    with unit_of_work():
        erase_account(kept.scene.helper_id, keep_text=True)
    assert not kept.is_on_disk()
    assert not other.is_on_disk()


def test_a_picture_in_a_draft_lives_as_long_as_the_draft(scene: Scene, at: Callable[[datetime], None]):
    with scene.app.app_context():
        helper, folder = viewer_of(scene.helper_id), scene.app.config["SETTINGS"].uploads_path
        name = uploads.keep_picture(helper, picture(), folder).name
        save_draft(scene.helper_id, f"thread:{scene.thread_id}", {"body": f"![x](/uploads/{name})"}, 0)
        at(clock.now() + timedelta(days=30))
        assert uploads.forget_unused(folder) == 0
        drop_draft(scene.helper_id, f"thread:{scene.thread_id}")
        assert uploads.forget_unused(folder) == 1
    assert not (folder / name).exists()


def test_many_pictures_at_once_are_too_many(
    scene: Scene, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
):
    at(noon())
    monkeypatch.setattr(uploads, "MOST_AN_HOUR", 2)
    for _ in range(2):
        assert upload(scene.helper, picture()).status_code == 200
    refused = upload(scene.helper, picture())
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 3600


def test_no_room_on_the_disk_is_said_and_nothing_is_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    folder = scene.app.config["SETTINGS"].uploads_path
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    refused = upload(scene.helper, picture())
    assert refused.status_code == 507
    assert "no room" in refused.json["message"]
    assert scene.count(Upload) == 0
