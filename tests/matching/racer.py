"""A process of its own that tries to get places: `python -m tests.matching.racer FOLDER URL NAME MEMBER…`."""

import sys
from datetime import timedelta
from pathlib import Path

from portal import create_app
from portal.kernel import clock
from portal.kernel.db import db
from portal.matching import services
from portal.matching.errors import NoCapacity
from portal.settings import Settings

ROUNDS = 6


def main() -> None:
    folder, url, name, *members = sys.argv[1:]
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
    got = 0
    with app.app_context():
        for number in range(ROUNDS):
            for member in members:
                purpose = f"{name}:{number}:{member}"
                try:
                    services.reserve(
                        int(member), purpose=purpose, expires_at=clock.now() + timedelta(days=2), offered=True
                    )
                except NoCapacity:
                    continue
                got += 1
                if number % 2 == 0:
                    services.hold(purpose)
                elif services.release(purpose):
                    got -= 1
        db.session.remove()
    print(got, flush=True)


if __name__ == "__main__":
    main()
