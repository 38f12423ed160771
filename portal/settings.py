"""One typed, validated object from the environment and instance/portal.env; a bad value stops the start."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(Exception):
    """A setting has a value that cannot work; the message names it and says what would."""


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured from outside. Each field is the variable of the same name."""

    INSTANCE_PATH: Path
    DATABASE_URL: str
    SECRET_KEY: str = field(repr=False)
    CONVERSATION_KEY: str = field(repr=False)
    PUBLIC_URL: str = "http://localhost:8000"
    REDIS_URL: str = ""
    SITE_ENV: str = "development"
    SITE_NAME: str = "Candor"
    VENDOR_DOMAINS: tuple[str, ...] = ()
    MAIL_URL: str = ""
    MAIL_FROM: str = ""
    METRICS_FROM: tuple[str, ...] = ("127.0.0.1", "::1")
    TRUSTED_PROXIES: int = 0
    POSTS_PER_FIVE_MINUTES: int = 30
    TRUSTED_HOSTS: tuple[str, ...] = ()
    DEMO_PASSWORD: str = field(default="", repr=False)
    FORMER_SECRET_KEYS: tuple[str, ...] = field(default=(), repr=False)
    key_is_in_file: bool = False  # whether CONVERSATION_KEY came from its file; no variable

    @property
    def is_production(self) -> bool:
        return self.SITE_ENV == "production"

    @property
    def is_sqlite(self) -> bool:
        return self.DATABASE_URL.startswith("sqlite")

    @property
    def public_host(self) -> str:
        """Host of PUBLIC_URL without the port."""
        return urlsplit(self.PUBLIC_URL).hostname or "localhost"

    @property
    def mail_from(self) -> str:
        """The sender of mails; an address alone is sent under the name that the site has then."""
        return self.MAIL_FROM or f"community@{self.public_host}"

    @property
    def conversation_key_path(self) -> Path:
        return self.INSTANCE_PATH / "keys" / "conversation.key"

    @property
    def conversation_keys(self) -> str:
        """CONVERSATION_KEY as it is now: one key, or the one in force and former ones behind it.

        In its file it is read anew each time: a running site follows `portal conversations rekey`.
        """
        if self.key_is_in_file and self.conversation_key_path.is_file():
            return self.conversation_key_path.read_text(encoding="ascii").strip()
        return self.CONVERSATION_KEY

    @property
    def uploads_path(self) -> Path:
        return self.INSTANCE_PATH / "uploads"

    @property
    def index_path(self) -> Path:
        return self.INSTANCE_PATH / "index"

    @property
    def outbox_path(self) -> Path:
        return self.INSTANCE_PATH / "outbox"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment over ``instance/portal.env`` over the defaults.

    Makes the instance folder and, where unset, the two keys (files of mode 0600, apart from each other).
    Raises SettingsError with one clear line for a value that cannot work.
    """
    env = dict(os.environ if environ is None else environ)
    instance = Path(env.get("INSTANCE_PATH") or "instance").resolve()
    instance.mkdir(parents=True, exist_ok=True)
    values = {**_read_env_file(instance / "portal.env"), **env}

    port = _whole("PORT", env.get("PORT") or "8000", most=65_535)
    public_url = (values.get("PUBLIC_URL") or f"http://localhost:{port}").rstrip("/")
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"PUBLIC_URL must be an http or https address, not {public_url!r}.")

    site_env = values.get("SITE_ENV", "development")
    if site_env not in ("development", "production", "test"):
        raise SettingsError(f"SITE_ENV must be development, production or test, not {site_env!r}.")

    database_url = values.get("DATABASE_URL") or f"sqlite:///{instance / 'portal.sqlite'}"
    if database_url.startswith(("postgres://", "postgresql://")):
        database_url = "postgresql+psycopg://" + database_url.split("://", 1)[1]
    if not database_url.startswith(("sqlite://", "postgresql+psycopg://")):
        raise SettingsError("DATABASE_URL must begin with sqlite:/// or postgresql://.")

    mail_url = values.get("MAIL_URL", "")
    if mail_url and urlsplit(mail_url).scheme not in ("smtp", "smtps", "smtp+starttls"):
        raise SettingsError("MAIL_URL must begin with smtp://, smtps:// or smtp+starttls://.")

    return Settings(
        INSTANCE_PATH=instance,
        DATABASE_URL=database_url,
        SECRET_KEY=values.get("SECRET_KEY") or _kept_key(instance / "secret.key"),
        CONVERSATION_KEY=values.get("CONVERSATION_KEY") or _kept_key(instance / "keys" / "conversation.key"),
        PUBLIC_URL=public_url,
        REDIS_URL=values.get("REDIS_URL", ""),
        SITE_ENV=site_env,
        SITE_NAME=values.get("SITE_NAME", "").strip() or "Candor",
        VENDOR_DOMAINS=_words(values.get("VENDOR_DOMAINS", "")),
        MAIL_URL=mail_url,
        MAIL_FROM=values.get("MAIL_FROM", ""),
        METRICS_FROM=_words(values.get("METRICS_FROM", "127.0.0.1,::1")),
        TRUSTED_PROXIES=_whole("TRUSTED_PROXIES", values.get("TRUSTED_PROXIES", "0")),
        POSTS_PER_FIVE_MINUTES=_whole(
            "POSTS_PER_FIVE_MINUTES", values.get("POSTS_PER_FIVE_MINUTES", "30"), most=1_000_000
        ),
        TRUSTED_HOSTS=_words(values.get("TRUSTED_HOSTS", "")),
        DEMO_PASSWORD=values.get("DEMO_PASSWORD", ""),
        FORMER_SECRET_KEYS=tuple(
            key.strip() for key in values.get("FORMER_SECRET_KEYS", "").split(",") if key.strip()
        ),
        key_is_in_file=not values.get("CONVERSATION_KEY"),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.replace(";", ",").split(",") if word.strip())


def _whole(name: str, text: str, most: int = 10) -> int:
    if not text.isdecimal() or int(text) > most:
        raise SettingsError(f"{name} must be a whole number from 0 to {most}, not {text!r}.")
    return int(text)


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"{path.name}, line {number}: expected NAME=value.")
        values[name.strip()] = value.strip().strip("\"'")
    return values


def _kept_key(path: Path) -> str:
    """The key kept in ``path``, made on first use; two processes starting at once agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text(encoding="ascii").strip()
        if len(key) < 32:
            raise SettingsError(
                f"{path.name} is damaged: restore it from where you keep your keys."
            ) from None
        return key
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key
