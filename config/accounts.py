"""The accounts file: credentials, sender and limits of each account at a gateway, parsed once at the edge.

What each table may say is in `config.account_models`; here the file is read, and every mistake in it becomes one
sentence with its place.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from config.account_models import Account
from config.errors import ConfigError
from config.toml import parse_toml
from config.validation import complaints

_NAME = re.compile(r"(?!-)[a-z0-9._-]{1,64}")
_MODELS = {get_args(model.model_fields["gateway"].annotation)[0]: model for model in get_args(Account)}


def load_accounts(path: Path) -> dict[str, Account]:
    """Read and check the whole file, in its order; `ConfigError` names the file and the line or `table.field`."""
    tables = _account_tables(path, _toml(path))
    accounts = {name: _account(path, name, table) for name, table in tables.items()}
    seen: dict[tuple[str, str, str], str] = {}
    for name, account in accounts.items():
        twin = seen.setdefault(account.identity, name)
        if twin != name:
            twins, same = f"accounts.{twin} and accounts.{name}", f"gateway, host and {account.limited_by}"
            raise ConfigError(f"{path}: {twins} have the same {same}: they would double the limit")
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
        return parse_toml(path, text)
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
            raise ConfigError(f"{path}: accounts.{name!r}: a name has only a-z 0-9 - _ . (not - first), at most 64")
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: accounts.{name} should be a table [accounts.{name}]")
    return accounts


def _account(path: Path, name: str, table: Mapping[str, object]) -> Account:
    place = f"{path}: accounts.{name}"
    if "name" in table:
        raise ConfigError(f"{place}.name is not a known key: the table's own name is the account's")
    gateway = table.get("gateway")
    if not isinstance(gateway, str) or gateway not in _MODELS:
        should = "is missing" if gateway is None else f"should be one of {', '.join(sorted(_MODELS))}"
        raise ConfigError(f"{place}.gateway {should}")
    model: type[Account] = _MODELS[gateway]
    try:
        return model.from_table(name, table)
    except ValidationError as error:
        clauses = "; ".join(f"accounts.{name}.{key} {clause}" for key, clause in complaints(error))
        raise ConfigError(f"{path}: {clauses}") from None
