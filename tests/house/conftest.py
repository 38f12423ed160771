"""The gallery of components as a running site, for tests in the browser."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from portal import create_app
from portal.kernel.db import Base, db
from portal.settings import Settings
from tests.house import gallery


@pytest.fixture(scope="module")
def gallery_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the gallery, on a port of its own."""
    instance: Path = tmp_path_factory.mktemp("gallery")
    app = create_app(
        Settings(
            INSTANCE_PATH=instance,
            DATABASE_URL=f"sqlite:///{instance / 'portal.sqlite'}",
            SECRET_KEY="a test key that is long enough for signing",
            CONVERSATION_KEY="another test key that is long enough",
            SITE_ENV="test",
            SITE_NAME="Northwind Flow",
        )
    )
    gallery.install(app)
    with app.app_context():
        Base.metadata.create_all(db.engine)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/gallery"
    server.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()
