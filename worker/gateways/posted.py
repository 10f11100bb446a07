"""A body that a gateway posted, read as what it is: JSON or a form, whatever its content type claims.

Exotel documents a form, and its own receiver takes JSON too; proxies rewrite the header. The body itself can not be
taken for the other: a form does not begin with a bracket.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from worker.domain.delivery import DeliveryReport
from worker.gateways.json_answer import read_json, text_of

_MOST_FIELDS = 200
_SEPARATORS = str.maketrans("", "", "_- ")
_REFERENCE = re.compile(r"([a-z0-9._-]{1,100}:[0-9]{1,10})(:[0-9]{1,10})?", re.ASCII)
_SID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A body, or a part of one, that no rule of its gateway understands; `reason` repeats nothing of it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a body says: its reports, how many of its parts are none (`passed_over`), and how many nobody can read."""

    reports: tuple[DeliveryReport, ...]
    passed_over: int = 0
    unreadable: int = 0


class PassedOver:
    """A part of a body that is readable and no delivery report: an incoming message, or a state that says nothing."""


Part = DeliveryReport | PassedOver | Unreadable


class Fields:
    """The fields of one part by name; capitals, hyphens and low lines make no difference. Nothing here raises."""

    def __init__(self, document: object) -> None:
        """Take what was posted; anything but names and values has no field."""
        items = document.items() if isinstance(document, Mapping) else ()
        self._texts = {_plain(name): text_of(value) for name, value in items if isinstance(name, str)}

    def text(self, name: str) -> str:
        """Return a field's text, or its integer in digits; "" for what is missing or of another kind."""
        return self._texts.get(_plain(name), "")


def document_of(body: bytes) -> object:
    """Return the JSON document, or a form's fields as a dict (of a name given twice the last); `None` for neither."""
    text = body.removeprefix(BOM_UTF8).strip()
    if text[:1] in {b"{", b"["}:
        return read_json(text)
    try:
        fields = parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    return dict(fields) or None


def parts_of(document: object) -> list[object]:
    """Return the elements of an array, or the one thing that is none."""
    return document if isinstance(document, list) else [document]


def sid_of(text: str) -> str:
    """Return a gateway's id of a message as it is, "" for what can not be one."""
    return text if _SID.fullmatch(text) else ""


def reference_of(text: str) -> str:
    """Return "campaign:batch" of a reference that may also have the message's place; "" for anything else."""
    found = _REFERENCE.fullmatch(text)
    return found[1] if found else ""


def together(parts: list[Part]) -> Understood | Unreadable:
    """Return what the parts of one body say, or why not one of them can be read."""
    reports = tuple(part for part in parts if isinstance(part, DeliveryReport))
    unreadable = [part for part in parts if isinstance(part, Unreadable)]
    if len(unreadable) == len(parts):
        return unreadable[0] if unreadable else Unreadable(reason="it is empty")
    passed_over = len(parts) - len(reports) - len(unreadable)
    return Understood(reports=reports, passed_over=passed_over, unreadable=len(unreadable))


def _plain(name: str) -> str:
    return name.translate(_SEPARATORS).casefold()
