"""Candor: a customer community and advocacy portal."""

import structlog
from flask import Flask, g, request, session
from flask_babel import Babel
from flask_login import LoginManager, UserMixin, current_user
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import settings as settings_module
from portal import wiring
from portal.kernel import (
    access,
    assets,
    clock,
    front_door,
    limits,
    logging,
    parts,
    site,
    template_helpers,
    web,
)  # fmt: skip
from portal.kernel.db import db, engine_options, prepare_engine
from portal.members import queries as members_queries
from portal.members.services import sessions
from portal.settings import Settings

log = structlog.get_logger("candor")

babel = Babel()
csrf = CSRFProtect()
login_manager = LoginManager()
migrate = Migrate()

SESSION_COOKIE = "candor"


class SignedInUser(UserMixin):
    """What Flask-Login holds: the session token as id, and the viewer read with it."""

    def __init__(self, token: str, signed_in: members_queries.SignedIn) -> None:
        self.token = token
        self.signed_in = signed_in

    def get_id(self) -> str:
        return self.token


def create_app(settings: Settings | None = None) -> Flask:
    """The application, ready to serve; everything is put together in `portal.wiring`."""
    settings = settings or settings_module.load()
    logging.configure(production=settings.is_production)
    app = Flask(__name__, static_folder="static")
    https = settings.PUBLIC_URL.startswith("https://")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.SECRET_KEY,
        SQLALCHEMY_DATABASE_URI=settings.DATABASE_URL,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.DATABASE_URL),
        SESSION_COOKIE_NAME=("__Host-" if https else "") + SESSION_COOKIE,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=60 * 86400,
        WTF_I18N_ENABLED=False,  # it would read its catalogue from disk for every form; our messages are ours
        WTF_CSRF_TIME_LIMIT=None,  # bound to the session instead of to an hour
        MAX_CONTENT_LENGTH=12 * 2**20,
        MAX_FORM_MEMORY_SIZE=2 * 2**20,
        MAX_FORM_PARTS=200,
        BABEL_DEFAULT_LOCALE="en",
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    front_door.install(app)
    if settings.TRUSTED_PROXIES:
        hops = settings.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    if settings.SITE_ENV != "development":  # links in mails come from PUBLIC_URL whatever the request says
        app.config["TRUSTED_HOSTS"] = [
            settings.public_host, "localhost", "127.0.0.1", "[::1]", *settings.TRUSTED_HOSTS,
        ]  # fmt: skip
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate.init_app(app, db, directory=str(wiring.MIGRATIONS), render_as_batch=True, compare_type=True)
    babel.init_app(app, locale_selector=lambda: "en", timezone_selector=_time_zone)
    # Its context processor and its remember-cookie read the session for every answer: then no page could be
    # kept and shared. Sessions are rows here and need neither.
    login_manager.init_app(app, add_context_processor=False)
    app.after_request_funcs[None].remove(login_manager._update_remember_cookie)
    login_manager.session_protection = None
    site.set_defaults(
        site.Site(
            name=settings.SITE_NAME,
            vendor_domains=list(settings.VENDOR_DOMAINS),
            posts_per_five_minutes=settings.POSTS_PER_FIVE_MINUTES,
        )
    )
    limits.install(app, limits.storage_uri(settings.DATABASE_URL, settings.REDIS_URL, settings.INSTANCE_PATH))
    web.install(app)
    assets.install(app)
    template_helpers.install(app)
    _install_requests(app)
    csrf.init_app(app)  # after the guard: a signed-out writer is asked to sign in, not told of tokens
    parts.install(app)
    for view in wiring.WITHOUT_TOKEN:
        csrf.exempt(view)
    wiring.wire(app, settings)
    return app


@login_manager.user_loader
def _load_user(token: str) -> SignedInUser | None:
    signed_in = members_queries.signed_in_by_token(token)
    return SignedInUser(token, signed_in) if signed_in else None


def _time_zone() -> str:
    viewer = g.get("viewer")  # not there in the worker, whose mails are in UTC
    return viewer.time_zone if viewer else "UTC"


def _install_requests(app: Flask) -> None:
    cookie = app.config["SESSION_COOKIE_NAME"]

    @app.before_request
    def _look_who_asks() -> None:
        # Without a cookie nothing of the session is touched, so that the page can be kept and shared.
        g.viewer = access.VISITOR
        if request.endpoint != "static" and cookie in request.cookies and current_user.is_authenticated:
            g.viewer = current_user.signed_in.viewer
            session.modified = False
            _touch(current_user.signed_in)

    app.before_request(access.guard)


def _touch(signed_in: members_queries.SignedIn) -> None:
    if clock.now() - signed_in.last_seen_at < sessions.TOUCH_EVERY:
        return
    try:
        sessions.touch_session(signed_in.session_id, signed_in.viewer.member_id or 0)
    except SQLAlchemyError:
        log.warning("a session could not be noted as in use", exc_info=True)  # reading goes on all the same
    session.modified = session.permanent  # the cookie of a remembered browser moves on as well
