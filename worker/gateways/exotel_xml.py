"""Exotel's XML answers as the documents that JSON gives, for a proxy or an old account that answers in XML.

The parser of the standard library is safe here: what could make it grow or read (a document type, an entity) is
refused before it sees the text, and so is a text that is larger than any answer. Nothing here raises.
"""

from typing import Final
from xml.etree import ElementTree as ET

LIMIT_BYTES: Final = 1 << 20
"""The largest answer that is read: 100 messages of 2,000 characters of any Indian script fit in."""

_FORBIDDEN = ("<!DOCTYPE", "<!ENTITY")


def entries_in(body: bytes) -> list[object] | None:
    """Return the messages of a `<TwilioResponse>` as `[{"SMSMessage": {…}}, …]`, an empty element as `None`.

    `None` where the body is not that or has no message. What else stands between messages keeps its place in the list.
    """
    if len(body) > LIMIT_BYTES or b"<TwilioResponse" not in body:
        return None
    # Decoded here, so that no encoding that the document names can hide what is looked for.
    text = body.decode("utf-8-sig", "replace")
    if any(word in text for word in _FORBIDDEN):
        return None
    try:
        root = ET.fromstring(text.lstrip())  # noqa: S314 - see above
    except (ET.ParseError, ValueError):
        return None
    if root.tag != "TwilioResponse" or root.find("SMSMessage") is None:
        return None
    return [{item.tag: {field.tag: field.text for field in item}} for item in root]
