"""A delivery report on its way: where it goes, when, and how it is written.

Several reports of Exotel WhatsApp travel in one call, because its document has them in an array; the others go one
a call.
"""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import assert_never
from urllib.parse import urlencode

import orjson

MOST_TOGETHER = 20
_HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(rf"https?://{_HOST}(?::(?:[0-9]{{1,4}}|[1-5][0-9]{{4}}|6[0-4][0-9]{{3}}))?(?:[/?][!-~]*)?")


class Envelope(enum.Enum):
    """How reports are written: a form, one JSON object, or objects in the array of Exotel WhatsApp."""

    FORM = enum.auto()
    OBJECT = enum.auto()
    WHATSAPP = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One report to `url`, `wait_s` seconds from now; an early one goes before the call's answer does."""

    url: str
    envelope: Envelope
    fields: Mapping[str, str | int]
    wait_s: float = 0.0
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One call to a callback URL with `count` reports in it."""

    url: str
    content_type: bytes
    body: bytes
    count: int


def callback_url(given: object) -> str:
    """`given` where it is a URL that reports can be posted to, else ""."""
    return given if isinstance(given, str) and _URL.fullmatch(given) else ""


def bundled(letters: Iterable[Letter]) -> Iterator[Post]:
    """The letters as calls, in their order; neighbours that may travel together do."""
    for (url, envelope), neighbours in groupby(letters, key=lambda letter: (letter.url, letter.envelope)):
        fields = [letter.fields for letter in neighbours]
        size = MOST_TOGETHER if envelope is Envelope.WHATSAPP else 1
        for at in range(0, len(fields), size):
            yield _post(url, envelope, fields[at : at + size])


def _post(url: str, envelope: Envelope, fields: Sequence[Mapping[str, str | int]]) -> Post:
    match envelope:
        case Envelope.FORM:
            content_type, body = b"application/x-www-form-urlencoded", urlencode(fields[0]).encode()
        case Envelope.OBJECT:
            content_type, body = b"application/json", orjson.dumps(fields[0])
        case Envelope.WHATSAPP:
            content_type, body = b"application/json", orjson.dumps({"whatsapp": {"messages": fields}})
        case _:
            assert_never(envelope)
    return Post(url=url, content_type=content_type, body=body, count=len(fields))
