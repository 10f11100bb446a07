"""What a gateway says may be shown to people only without credentials, numbers and bodies."""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,}")
_MARKS = re.compile(r"\[number\](?:[\s,;]*\[number\])+")
_BODY_QUOTE = re.compile(r"Msg=\[.*", re.DOTALL)
_SHORTEST_BODY = 8
_LONGEST_WORDS = 200


class Discretion:
    """Keeps one account's secrets, and everybody's numbers and bodies, out of what is shown."""

    def __init__(self, *secrets: str) -> None:
        """Take the texts that may never be shown; those that contain others come first."""
        self._secrets = tuple(secret for secret in secrets if secret)

    def discreet(self, words: str, bodies: Iterable[str]) -> str:
        """Trim the gateway's own words to one line of 200 characters without credentials, numbers and bodies.

        Nor what is not printed, which a terminal would obey; half a surrogate pair, which has no UTF-8, becomes "?".
        """
        for secret in self._secrets:
            words = words.replace(secret, "[secret]")
        # The longest first: one may stand in another.
        for body in sorted({body for body in bodies if len(body) >= _SHORTEST_BODY}, key=len, reverse=True):
            words = words.replace(body, "[body]")
        # One mark for a list of numbers: reasons are counted, and should be few.
        words = _MARKS.sub("[number]", _NUMBER.sub("[number]", _BODY_QUOTE.sub("Msg=[body]", words)))
        words = words.encode("utf-8", "replace").decode()
        words = " ".join("".join([letter if letter.isprintable() else " " for letter in words]).split())
        return words if len(words) <= _LONGEST_WORDS else words[: _LONGEST_WORDS - 1] + "…"
