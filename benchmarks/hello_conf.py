"""gunicorn's settings for hello: those of the product, without what belongs to its application."""

from portal.gunicorn_conf import (  # noqa: F401 - gunicorn reads them here
    accesslog,
    errorlog,
    graceful_timeout,
    loglevel,
    preload_app,
    threads,
    timeout,
    worker_class,
    worker_tmp_dir,
)

wsgi_app = "benchmarks.hello:app"
