"""A board with a question, and three people with browsers: where most stories about writing begin."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.discussions.models import Post, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.db import db
from tests.conftest import make_board, make_customer, make_moderator, viewer_of


class Scene:
    """The asker's question, a helper, a moderator."""

    def __init__(self, app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
        self.app, self.sign_in = app, sign_in
        with app.app_context():
            self.board_id = make_board("Integrations", slug="integrations")
            self.asker_id, self.helper_id = make_customer("Ines"), make_customer("Tomasz")
            self.moderator_id = make_moderator("Ruth")
            self.thread_id, self.slug = self.ask("How do you isolate one bad partner?")
        self.asker, self.helper = sign_in(self.asker_id), sign_in(self.helper_id)
        self.moderator = sign_in(self.moderator_id)

    def ask(
        self, title: str, board_id: int | None = None, kind: ThreadKind = ThreadKind.QUESTION
    ) -> tuple[int, str]:
        """A thread by the asker: (id, slug). Inside an application context."""
        thread = open_thread(
            viewer_of(self.asker_id),
            board_id or self.board_id,
            kind=kind,
            title=title,
            body="One down, all late.",
            sections=dict.fromkeys(("happened", "cost", "differently"), "One down, all late."),
        )
        return thread.id, thread.slug

    def answer(self, body: str = "Use a lane for each partner.") -> int:
        """An answer by the helper: its id."""
        with self.app.app_context():
            return post_reply(viewer_of(self.helper_id), self.thread_id, body).id

    def posts(self) -> list[Post]:
        """All posts of the thread in the order in which they were written."""
        query = select(Post).where(Post.thread_id == self.thread_id).order_by(Post.id)
        with self.app.app_context():
            return list(db.session.execute(query).scalars())

    def post(self, post_id: int) -> Post:
        with self.app.app_context():
            return db.session.get_one(Post, post_id)

    def count(self, model: type) -> int:
        with self.app.app_context():
            return db.session.scalar(select(func.count()).select_from(model)) or 0
