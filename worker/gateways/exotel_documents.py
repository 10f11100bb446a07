"""What Exotel's answers are written in, JSON or XML: their entries, or the refusal in them. Nothing here raises."""

import json
import re

import orjson

from worker.domain.answers import Answer
from worker.gateways.exotel_entries import Entry, code_of, entries_of
from worker.gateways.exotel_xml import entries_in

_XML_CODE = re.compile(r"<Code>\s*([^<\s]{1,40})\s*</Code>")
_XML_MESSAGE = re.compile(r"<Message>([^<]{1,2000})")


def document_of(body: bytes) -> object:
    """Read the body as JSON, `None` if it is none. PHP's byte order mark and broken UTF-8 in an echo are forgiven."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def entries_from(answer: Answer, document: object) -> list[Entry] | None:
    """List the entries of an answer whose `document_of` this is; `None` where it is neither form's list of them."""
    return entries_of(entries_in(answer.body) if document is None else document)


def refusal_of(answer: Answer, document: object) -> tuple[str, str]:
    """Find code and message of a `RestException` in JSON or XML; "" for each that is not there (HTML, nothing)."""
    if isinstance(document, dict):
        refusal = document.get("RestException")
        if not isinstance(refusal, dict):
            return "", ""
        message = refusal.get("Message")
        return code_of(refusal.get("Code")), message if isinstance(message, str) else ""
    text = answer.body[:10_000].decode("utf-8", "replace")
    if document is not None or "<RestException>" not in text:
        return "", ""
    code, message_found = _XML_CODE.search(text), _XML_MESSAGE.search(text)
    return code_of(code[1]) if code else "", message_found[1] if message_found else ""
