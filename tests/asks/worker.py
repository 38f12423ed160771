"""A worker in a process of its own: `python -m tests.asks.worker FOLDER URL` does what is due, once."""

import sys
from pathlib import Path

from portal import create_app
from portal.asks.services import waves
from portal.conversations import services as conversations
from portal.kernel.db import db
from portal.settings import Settings


def main() -> None:
    folder, url = sys.argv[1:]
    app = create_app(
        Settings(
            INSTANCE_PATH=Path(folder),
            DATABASE_URL=url,
            SECRET_KEY="a test key that is long enough for signing",
            CONVERSATION_KEY="another test key that is long enough",
            SITE_ENV="test",
        )
    )
    print("ready", flush=True)
    sys.stdin.readline()
    with app.app_context():
        moved = waves.move_on()
        told = waves.deliver()
        brought = conversations.deliver_due()
        released = conversations.release_due()
        db.session.remove()
    print(moved, told, brought, released, flush=True)


if __name__ == "__main__":
    main()
