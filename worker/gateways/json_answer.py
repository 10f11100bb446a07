"""Reading the JSON of any gateway's answer: it may hold anything, and nothing here raises."""

import json
import re
from functools import lru_cache

import orjson

_CODE = re.compile(r"(?!.*[0-9]{7})[0-9A-Za-z_.-]{1,40}", re.ASCII)
_LARGEST_INTEGER = 10**18


def read_json(body: bytes) -> object:
    """Read the body as JSON, `None` if it is none. PHP's byte order mark and broken UTF-8 in an echo are forgiven."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def text_of(value: object) -> str:
    """Give a text without its outer blanks, or a whole number as text; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_INTEGER:
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def code_of(value: object) -> str:
    """Give a gateway's code as a string, "" for none. Seven digits in a row are no code: they may be a number."""
    return _known_code(text_of(value))


@lru_cache(maxsize=1024)
def _known_code(text: str) -> str:
    return text if _CODE.fullmatch(text) else ""
