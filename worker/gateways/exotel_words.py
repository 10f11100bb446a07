"""Exotel's own words as part of a reason: one short line in which no credential, number or body is left."""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,}")
_MARKS = re.compile(r"\[number\](?:[\s,;]*\[number\])+")
_BODY_QUOTE = re.compile(r"Msg=\[.*", re.DOTALL)
_SHORTEST_BODY = 8
_LONGEST_WORDS = 200


def discreet(words: str, secrets: Iterable[str], bodies: Iterable[str]) -> str:
    """Trim the gateway's own words to one line of 200 characters without credentials, numbers and bodies."""
    for secret in secrets:
        words = words.replace(secret, "[secret]")
    for body in {body for body in bodies if len(body) >= _SHORTEST_BODY}:
        words = words.replace(body, "[body]")
    # One mark for a list of numbers: reasons are counted, and should be few.
    words = _MARKS.sub("[number]", _NUMBER.sub("[number]", _BODY_QUOTE.sub("Msg=[body]", words)))
    words = " ".join(words.encode("utf-8", "replace").decode().split())
    return words if len(words) <= _LONGEST_WORDS else words[: _LONGEST_WORDS - 1] + "…"


def named(what: str, status: int, code: str) -> str:
    """Add status and code ("" for none) to what happened."""
    return f"{what} ({status}/{code})" if code else f"{what} ({status})"


def with_words(reason: str, words: str) -> str:
    """Add Exotel's own words, discreet already, where there are any."""
    return f"{reason}; Exotel says: {words}" if words else reason
