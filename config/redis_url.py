"""What an address of Redis may say: no more than redis-py and kombu both understand, so that neither fails on it later.

The clauses never repeat what was given: a password that is not quoted may stand anywhere in it.
"""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, unquote

_DATABASE = re.compile(r"[0-9]{1,9}")
_TEXT = re.compile(r".+", re.DOTALL)
_OPTIONS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "db": (_DATABASE, "a number"),
    "ssl_cert_reqs": (re.compile(r"none|optional|required"), "none, optional or required"),
    # Other spellings of no are yes to one of the two.
    "ssl_check_hostname": (re.compile(r"true|false", re.IGNORECASE), "true or false"),
    **dict.fromkeys(
        ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_password", "ssl_ciphers"),
        (_TEXT, "a text"),
    ),
}
"""Key of the query → (what its value looks like, the same in words)."""


def check_redis_url(parts: SplitResult) -> None:
    """Raise `ValueError`, a clause that follows the variable's name, for what a client would fail on."""
    if parts.scheme == "unix":
        _check_name(parts.path)
    else:
        check_host(parts)
        if parts.path not in {"", "/"} and _DATABASE.fullmatch(parts.path[1:]) is None:
            raise ValueError("should have the number of a database for its path, as in redis://HOST:PORT/0")
    known = [key for key in _OPTIONS if key == "db" or parts.scheme == "rediss"]
    given = parse_qsl(parts.query, keep_blank_values=True)
    if not {key for key, _ in given} <= set(known) or len(dict(given)) < len(given):
        raise ValueError(f"has more behind its question mark than {parts.scheme}:// may: {', '.join(known)}, each once")
    for key, value in given:
        pattern, words = _OPTIONS[key]
        if pattern.fullmatch(value) is None:
            raise ValueError(f"should have {words} for {key}")


def check_host(parts: SplitResult) -> None:
    """Raise `ValueError` for a host that no resolver can be asked for."""
    host = unquote(parts.hostname or "")
    _check_name(host)
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError("has a host that can not be one") from None


def _check_name(name: str) -> None:
    """Raise `ValueError` where the kernel would take a name for shorter than it is."""
    if "\0" in unquote(name):
        raise ValueError("has a zero byte in it")
