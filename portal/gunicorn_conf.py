"""How gunicorn serves the application: loaded once, forked, no thread waiting for a client."""

import gc
import os
import resource
from typing import Any

from portal.kernel import renewing
from portal.kernel.db import db

wsgi_app = "portal:create_app()"
preload_app = True
worker_class = "portal.gunicorn_worker.WaitressWorker"
threads = int(os.environ.get("WEB_THREADS", "4"))
# A slow client costs up to three open files: take as many as the system lets us, up to some thousand.
_files = resource.getrlimit(resource.RLIMIT_NOFILE)
_most = 4096 if _files[1] == resource.RLIM_INFINITY else min(4096, _files[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (max(_files[0], _most), _files[1]))
worker_connections = max(64, (_most - 512) // 3)
timeout = 60
graceful_timeout = 25
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeat files only
accesslog = None
errorlog = "-"
loglevel = "warning"
forwarded_allow_ips = "*"  # the application itself trusts only the configured number of proxies


def when_ready(server: Any) -> None:
    """What was loaded stays shared with the processes to come: their collector never goes through it."""
    gc.collect()
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """No connection of the master is used by a child; each child keeps its figures ready."""
    application = worker.app.wsgi()
    with application.app_context():
        db.engine.dispose(close=False)
    renewing.stay_ready()
