"""Pydantic's findings in words: one short clause each, made of the field's place and the rule it breaks.

The value itself is never repeated, because it may be a credential or a phone number. Beside it the one rule for all
that comes from an environment: it is text.
"""

import re
from collections.abc import Mapping

from pydantic import ValidationError

_CLAUSES: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "frozen_instance": "can not be changed",
    "string_type": "should be text in quotes",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
}
_REPHRASED = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should "), "should "),
    (re.compile(r"^(String|Value) should "), "should "),
    (re.compile(r", unable to parse string as an? \w+$"), ""),
)


def complaints(error: ValidationError) -> list[tuple[str, str]]:
    """Each finding as `(dotted place, clause)`, in pydantic's order: `("timeout", "should be greater than 0")`."""
    return [
        (".".join(str(part) for part in finding["loc"]), _clause(finding["type"], finding["msg"]))
        for finding in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def is_utf8(text: str) -> bool:
    """Tell whether what the environment has is text; other bytes are half surrogates here, which nothing can encode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clause(kind: str, message: str) -> str:
    clause = _CLAUSES.get(kind, message)
    for pattern, replacement in _REPHRASED:
        clause = pattern.sub(replacement, clause)
    return clause
