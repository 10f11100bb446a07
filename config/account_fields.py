"""The kinds of value in the accounts file: each checked when the file is read, and never repeated in a complaint."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BeforeValidator, SecretStr

from config.credentials import is_env_reference
from config.rate import Rate


def _rate(value: object) -> Rate:
    return value if isinstance(value, Rate) else Rate.parse(str(value))


def _url(url: str) -> str:
    message = "should be http://HOST:PORT or https://HOST, without credentials, a query, blanks and control characters"
    try:
        parts = urlsplit(url)
        odd = parts.username or parts.password or parts.query or parts.fragment or parts.port == 0
        httpx.URL(url)  # what it refuses no call can be made to
    except (ValueError, httpx.InvalidURL):
        raise ValueError(message) from None  # its text repeats the URL
    # urlsplit drops line ends, and httpx escapes blanks.
    odd = odd or " " in url or not url.isprintable()
    if parts.scheme not in {"http", "https"} or not parts.hostname or odd:
        raise ValueError(message)
    return url


def _base_url(url: str) -> str:
    return _url(url).rstrip("/")


def _secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("is empty")
    if value.startswith("env:") and not is_env_reference(value):
        raise ValueError('should be "env:NAME" with the name of an environment variable')
    return secret


def _pattern(value: object) -> re.Pattern[str]:
    message = 'should be a regular expression with a group, as in "id: ([0-9]+)"'
    try:
        pattern = re.compile(value) if isinstance(value, str) else None
    except (re.error, OverflowError, RecursionError):  # a repetition, or a nesting, beyond what `re` can hold
        raise ValueError(message) from None
    if pattern is None or pattern.groups == 0:
        raise ValueError(message)
    return pattern


def _shaped(pattern: str, words: str) -> AfterValidator:
    """Refuse what does not match as a whole; `words` say for people what would."""
    shape = re.compile(pattern)

    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise ValueError(f"should be {words}")
        return text

    return AfterValidator(check)


RateField = Annotated[Rate, BeforeValidator(_rate)]
"""A ceiling, written "N/second", "N/minute" or "N/hour"."""

BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""Scheme and host of a gateway, with a path where it has one; without a slash at the end."""

EndpointUrl = Annotated[str, AfterValidator(_url)]
"""The whole address of a gateway's one call, to the letter."""

Secret = Annotated[SecretStr, AfterValidator(_secret)]
"""A credential, or "env:NAME" for one that stands in the environment."""

Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]
"""A regular expression of which the first group that matches is what was looked for."""

Sid = Annotated[
    str,
    _shaped(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        "1 to 64 of the characters A-Z a-z 0-9 . _ - and begin with a letter or a digit",
    ),
]
"""What names an account at Exotel; it stands in the path of each call."""

UserName = Annotated[str, _shaped(r"\S{1,128}", "1 to 128 characters without a blank")]
"""What names an account at Xtend."""

PlainId = Annotated[str, _shaped(r"[A-Za-z0-9_-]{1,64}", "1 to 64 of the characters A-Z a-z 0-9 _ -")]
"""An id that a gateway or an operator gave."""

SenderNumber = Annotated[str, _shaped(r"(\+?[0-9]{3,15})?", "3 to 15 digits, with or without a + before them")]
"""A short code, a toll-free or a long number; "" for none."""
