"""How gunicorn serves the application: loaded once, forked, threads for slow clients."""

import os
from typing import Any

from portal.kernel.db import db

wsgi_app = "portal:create_app()"
preload_app = True
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
keepalive = 5
timeout = 60
graceful_timeout = 25
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeat files only
accesslog = None
errorlog = "-"
loglevel = "warning"
forwarded_allow_ips = "*"  # the application itself trusts only the configured number of proxies


def post_fork(server: Any, worker: Any) -> None:
    """No connection of the master is used by a child."""
    application = worker.app.wsgi()
    with application.app_context():
        db.engine.dispose(close=False)
