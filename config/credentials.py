"""An account's secrets, resolved when a worker needs them. They go into an adapter, and show nowhere."""

import re
from collections.abc import Iterator, Mapping
from typing import final

from config.errors import ConfigError
from config.placeholders import is_placeholder
from config.validation import is_utf8

_ENV_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


@final
class Credentials(Mapping[str, str]):
    """Resolved secrets by the name of their field: `credentials["api_key"]`. Its repr shows none of them."""

    __slots__ = ("_secrets",)

    def __init__(self, **secrets: str) -> None:
        """Take each secret under its field's name; they can not be changed."""
        self._secrets = secrets

    def __getitem__(self, field: str) -> str:
        return self._secrets[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def __repr__(self) -> str:
        return "Credentials(…)"


def is_env_reference(text: str) -> bool:
    """Tell whether a secret is written "env:NAME", with a name that an environment variable may have."""
    return _ENV_REFERENCE.fullmatch(text) is not None


def resolved(place: str, secret: str, environ: Mapping[str, str]) -> str:
    """Give the secret itself, without white space around it.

    `ConfigError` begins with `place` ("account main: api_key") and names the variable where one is unset, no text, or
    made up.
    """
    reference = _ENV_REFERENCE.fullmatch(secret)
    value = environ.get(reference[1], "") if reference else secret
    if not value.strip():
        raise ConfigError(f"{place} needs the environment variable {reference and reference[1]}")
    if not is_utf8(value):
        raise ConfigError(f"{place} is no text: the environment variable {reference and reference[1]} is not UTF-8")
    if is_placeholder(value):
        where = f"the environment variable {reference[1]}" if reference else "it"
        raise ConfigError(f"{place} is not filled in: {where} is a placeholder")
    return value.strip()


def for_header(place: str, secret: str) -> str:
    """Give a secret that a header can carry as it is: printable ASCII.

    `ConfigError` begins with `place` and names the first other character, which a copy may have brought unseen.
    """
    for number, character in enumerate(secret, start=1):
        if not (character.isascii() and character.isprintable()):
            raise ConfigError(
                f"{place} can not go in a header: its character {number} is U+{ord(character):04X}, no printable ASCII"
            )
    return secret
