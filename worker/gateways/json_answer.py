"""Reading the JSON that any gateway answers or posts: it may hold anything, and nothing here raises."""

import json
import re
from functools import lru_cache

import orjson

_CODE = re.compile(r"(?!.*[0-9]{7})[0-9A-Za-z_.-]{1,40}", re.ASCII)
_LARGEST_INTEGER = 10**18


def read_json(body: bytes) -> object:
    """Read the body as JSON, `None` if it is none.

    PHP's byte order mark, broken UTF-8 in an echo and half of an emoji are forgiven: every text in it can be encoded.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"))
        # An escape of half a surrogate pair is read as one, which no text in UTF-8 can hold.
        return json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
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
