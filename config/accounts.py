"""The accounts file: credentials, sender and limits of each account at a gateway, parsed once at the edge.

Secrets given as `env:NAME` stay names until a worker asks for them: `status` needs no credentials, and a worker
that lacks one account's can serve the others.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from config.errors import ConfigError
from config.placeholders import is_placeholder
from config.rate import Rate
from config.validation import complaints

_NAME = re.compile(r"[a-z0-9._-]{1,64}")
_ENV_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_EXOTEL_HOSTS: Mapping[str, str] = {"mumbai": "https://api.in.exotel.com", "singapore": "https://api.exotel.com"}
_NOT_YET = frozenset({"exotel-whatsapp", "xtend-sms", "xtend-whatsapp", "skycore-sms"})


def _rate(value: object) -> Rate:
    return value if isinstance(value, Rate) else Rate.parse(str(value))


def _base_url(url: str) -> str:
    message = "should be http://HOST:PORT or https://HOST, without credentials and without a query"
    try:
        parts = urlsplit(url)
        odd = parts.username or parts.password or parts.query or parts.fragment or parts.port == 0
    except ValueError:
        raise ValueError(message) from None  # its text repeats the URL
    if parts.scheme not in {"http", "https"} or not parts.hostname or odd:
        raise ValueError(message)
    return url.rstrip("/")


def _secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("is empty")
    if value.startswith("env:") and not _ENV_REFERENCE.fullmatch(value):
        raise ValueError('should be "env:NAME" with the name of an environment variable')
    return secret


RateField = Annotated[Rate, BeforeValidator(_rate)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An Exotel account's key and token, resolved. For headers only; its repr shows neither."""

    api_key: str = field(repr=False)
    api_token: str = field(repr=False)


class ExotelSmsAccount(BaseModel):
    """One account at Exotel's bulk SMS API: a table `[accounts.NAME]` with `gateway = "exotel-sms"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: str
    gateway: Literal["exotel-sms"]
    region: Literal["mumbai", "singapore"] | None = None
    base_url: Annotated[str, AfterValidator(_base_url)] | None = None
    sid: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    api_key: Secret
    api_token: Secret
    requests: RateField = Rate.parse("50/minute")
    """Ceiling on calls, all workers together."""
    messages: RateField | None = None
    """Ceiling on messages, an average; both ceilings hold at once."""
    concurrency: int = Field(default=8, ge=1, le=1000)
    """Calls on the wire at once, all workers together."""
    timeout: float = Field(default=30.0, gt=0, le=600, allow_inf_nan=False)
    """Seconds for one call, whole."""
    status_callbacks: bool = True
    retry_503: Literal["any", "documented"] = "any"
    """Whether a bare 503 counts as throttled (`any`), or only one that Exotel documents."""

    @property
    def host_url(self) -> str:
        """Scheme and host of the gateway, without a slash at the end: `base_url`, else the region's (mumbai)."""
        return self.base_url or _EXOTEL_HOSTS[self.region or "mumbai"]

    @property
    def identity(self) -> tuple[str, str, str]:
        """What the gateway limits: two accounts with the same one would double the limit."""
        parts = urlsplit(self.host_url)
        port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
        return self.gateway, f"{(parts.hostname or '').rstrip('.')}{port}", self.sid.casefold()

    def credentials(self, environ: Mapping[str, str]) -> Credentials:
        """Resolve key and token; `ConfigError` names account, field and variable where one is unset or made up."""
        return Credentials(
            api_key=self._resolved("api_key", self.api_key, environ),
            api_token=self._resolved("api_token", self.api_token, environ),
        )

    def _resolved(self, place: str, secret: SecretStr, environ: Mapping[str, str]) -> str:
        value = secret.get_secret_value()
        reference = _ENV_REFERENCE.fullmatch(value)
        if reference is not None:
            value = environ.get(reference[1], "")
        if not value.strip():
            raise ConfigError(
                f"account {self.name}: {place} needs the environment variable {reference and reference[1]}"
            )
        if is_placeholder(value):
            where = f"the environment variable {reference[1]}" if reference else "it"
            raise ConfigError(f"account {self.name}: {place} is not filled in: {where} is a placeholder")
        return value.strip()

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, object]) -> Self:
        """Build the account from its TOML table; pydantic's `ValidationError` where a key is wrong."""
        return cls.model_validate({**table, "name": name})


Account = ExotelSmsAccount
"""An account at any gateway that is supported."""


def load_accounts(path: Path) -> dict[str, Account]:
    """Read and check the whole file, in its order; `ConfigError` names the file and the line or `table.field`."""
    tables = _account_tables(path, _toml(path))
    accounts = {name: _account(path, name, table) for name, table in tables.items()}
    seen: dict[tuple[str, str, str], str] = {}
    for name, account in accounts.items():
        twin = seen.setdefault(account.identity, name)
        if twin != name:
            twins = f"accounts.{twin} and accounts.{name}"
            raise ConfigError(f"{path}: {twins} have the same gateway, host and sid: they would double the limit")
    return accounts


def _toml(path: Path) -> dict[str, object]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: copy config/accounts.example.toml, or set BULKSEND_ACCOUNTS_FILE"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} can not be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_sentence(path, text, str(error))) from None


def _syntax_sentence(path: Path, text: str, message: str) -> str:
    what, _, where = message.rpartition(" (at ")
    line = re.match(r"line (\d+), column (\d+)\)", where)
    place = f"line {line[1]}, column {line[2]}" if line else f"line {text.count(chr(10)) + 1}"
    return f"{path}, {place}: {what[:1].lower()}{what[1:]}"


def _account_tables(path: Path, document: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    accounts = document.get("accounts")
    stray = next((key for key in document if key != "accounts"), None)
    if stray is not None:
        raise ConfigError(f"{path}: {stray} is not a known key: accounts stand in tables [accounts.NAME]")
    if not isinstance(accounts, dict) or not accounts:
        raise ConfigError(f"{path}: there is no account: each is a table [accounts.NAME]")
    for name, table in accounts.items():
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{path}: accounts.{name!r}: a name has only a-z 0-9 - _ . and at most 64 characters")
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: accounts.{name} should be a table [accounts.{name}]")
    return accounts


def _account(path: Path, name: str, table: Mapping[str, object]) -> Account:
    place = f"{path}: accounts.{name}"
    if "name" in table:
        raise ConfigError(f"{place}.name is not a known key: the table's own name is the account's")
    gateway = table.get("gateway", "exotel-sms")
    if isinstance(gateway, str) and gateway in _NOT_YET:
        raise ConfigError(f"{place}.gateway: {gateway} is not yet supported, only exotel-sms is")
    try:
        return ExotelSmsAccount.from_table(name, table)
    except ValidationError as error:
        clauses = "; ".join(f"accounts.{name}.{key} {clause}" for key, clause in complaints(error))
        raise ConfigError(f"{path}: {clauses}") from None
