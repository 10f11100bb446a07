"""The settings of a process: `BULKSEND_` variables of its environment, then those of a `.env` file beside it.

Read once, at the start of a command or a worker, and passed on from there.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import ConfigError
from config.placeholders import is_placeholder
from config.redis_url import check_host, check_redis_url
from config.validation import complaints, is_utf8

NO_REDIS = "there is no Redis: set BULKSEND_REDIS_URL, or give --data DIR for an embedded one"
"""What is said where one is needed and none is configured."""

NOTHING_SIGNS = (
    "delivery reports need BULKSEND_CALLBACK_SECRET: set it to a long random text, the same for all processes"
)
"""What is said where callback URLs are to be signed or checked without it, as with BULKSEND_PUBLIC_URL alone."""

NO_PUBLIC_URL = "callback URLs need BULKSEND_PUBLIC_URL: set it to where gateways reach `bulksend callbacks`"
"""What is said where URLs are asked for and nobody knows their beginning."""

_PREFIX = "BULKSEND_"
_ENV_FILE = ".env"


def _split(url: str) -> SplitResult:
    try:
        url.encode()
        parts = urlsplit(url)
        parts.port  # noqa: B018 - the property is what checks the port
    except ValueError:
        raise ValueError("is not a URL") from None  # its text repeats the URL, which may hold a password
    return parts


def _with_real_password(url: str, parts: SplitResult) -> str:
    if is_placeholder(unquote(parts.password or "")):
        raise ValueError("has a placeholder for a password")
    return url


def _redis_url(url: str) -> str:
    parts = _split(url)
    reachable = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not reachable:
        raise ValueError("should be redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH?db=DB")
    check_redis_url(parts)
    return _with_real_password(url, parts)


def _broker_url(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in {"amqp", "amqps", "redis", "rediss"} or not parts.hostname:
        raise ValueError("should be amqp://USER:PASSWORD@HOST:PORT/VHOST, amqps:// or as BULKSEND_REDIS_URL")
    if parts.scheme in {"amqp", "amqps"}:
        check_host(parts)
    else:
        check_redis_url(parts)
    return _with_real_password(url, parts)


def _public_url(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("should be https://HOST/PATH, without a query")
    return url.rstrip("/")


def _filled_in(secret: SecretStr) -> SecretStr:
    if is_placeholder(secret.get_secret_value()):
        raise ValueError("is a placeholder: give a long random text")
    return secret


class Settings(BaseSettings):
    """Everything that a deployment may set; each field is the variable `BULKSEND_<FIELD>`. An empty one is unset."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file=_ENV_FILE,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",  # the same .env may hold the credentials that the accounts file names
        frozen=True,
        hide_input_in_errors=True,
    )

    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = Field(default=None, repr=False)
    """Where the ledger and Celery's messages live; may hold a password. `None`: embedded, or refused."""

    broker_url: Annotated[str, AfterValidator(_broker_url)] | None = Field(default=None, repr=False)
    """Where Celery's messages live if not beside the ledger, in Celery's words; may hold a password."""

    accounts_file: Path = Path("config/accounts.toml")

    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    """Where gateways reach the callback service, without a slash at the end. `None`: no reports are asked for."""

    callback_secret: Annotated[SecretStr, AfterValidator(_filled_in)] | None = None
    """Signs the token in callback URLs, so that nobody else can report a delivery."""

    callback_secret_before: Annotated[SecretStr, AfterValidator(_filled_in)] | None = None
    """The secret before the last rotation: what it signed is still believed."""

    log_format: Literal["console", "json"] = "console"

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"

    allow_volatile: bool = False
    """Send although Redis may forget: overrides the refusal to work on a server that does not persist."""

    replicas: int = Field(default=0, ge=0)
    """Replicas that must have a batch's intent on disk before it is sent (`WAITAOF 1 replicas`)."""

    remember_hours: int = Field(default=0, ge=0, le=168)
    """How long the workers remember whom they messaged: the most that a campaign's `not_before_hours` may ask for."""

    jitter_ms: float = Field(default=10.0, ge=0, le=1000)
    """How far two calls may drift on the way to the gateway; the throttle keeps that much distance."""

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, given: object) -> object:
        """Refuse bytes that are no text: they could be given neither to Redis nor to a gateway."""
        if isinstance(given, str) and not is_utf8(given):
            raise ValueError("is not UTF-8")
        return given

    @property
    def messages_url(self) -> str | None:
        """Where Celery's messages live, beside the ledger or apart from it; `None` where no Redis is configured."""
        return self.broker_url or self.redis_url

    @property
    def callback_secrets(self) -> tuple[str, ...]:
        """The secret that signs, then those whose tokens are still believed; `ConfigError` where none signs."""
        if self.callback_secret is None:
            raise ConfigError(NOTHING_SIGNS)
        believed = (self.callback_secret, self.callback_secret_before)
        return tuple(secret.get_secret_value() for secret in believed if secret is not None)


def load_settings() -> Settings:
    """Read the settings; `ConfigError` names the variable and what is wrong with it, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        clauses = "; ".join(f"{_PREFIX}{field.upper()} {clause}" for field, clause in complaints(error))
        raise ConfigError(clauses) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_unreadable(error)) from None


def load_environ() -> Mapping[str, str]:
    """Give the variables that `env:NAME` in the accounts file may name: the process's own, else those of `.env`."""
    try:
        from_file = dotenv_values(_ENV_FILE, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_unreadable(error)) from None
    return {name: value for name, value in from_file.items() if value is not None} | dict(os.environ)


def _unreadable(error: OSError | UnicodeDecodeError) -> str:
    why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    return f"{_ENV_FILE} can not be read: {why}"
