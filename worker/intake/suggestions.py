"""A word for people who mistyped a name."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` with the nearest of the known names, or nothing where none is near."""
    nearest = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{nearest[0]}"?' if nearest else ""
