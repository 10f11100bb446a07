"""Secrets that nobody filled in: what examples, templates and forms put where a secret belongs.

A process that meets one says so instead of calling a gateway with it, or signing with a secret that all know.
"""

import re

_WORDS = frozenset({
    "apikey", "apitoken", "default", "dummy", "example", "fixme", "key", "none", "null", "password", "placeholder",
    "secret", "tbd", "todo", "token", "undefined",
})  # fmt: skip
_SHAPES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"<.*>|\[.*\]|\$?\{.*\}|\$\(.*\)",  # <your key>, ${NAME} that nobody expanded
        r"([x*.?_-])\1{2,}",  # xxxx
        r"(change|replace|fill|insert|set)[ ._-]*(me|this|it|in)([^a-z].*)?",
        r"(put|enter|insert|add|use)[ ._-]+(your|the|a)[ ._-].*",
        r"your[ ._-]*(own[ ._-]+)?([a-z]+[ ._-]*)?(key|password|secret|sid|token)([^a-z].*)?",
    )
)


def is_placeholder(secret: str) -> bool:
    """Tell whether a secret is one that a person was meant to replace: "change-me", "your-api-key", "xxxx", "<key>"."""
    bare = secret.strip().strip("\"'")
    return re.sub(r"[ ._-]", "", bare).casefold() in _WORDS or any(shape.fullmatch(bare) for shape in _SHAPES)
