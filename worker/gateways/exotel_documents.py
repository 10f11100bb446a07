"""What Exotel's answers are written in: the body as a document, and a refusal found in it. Nothing here raises."""

import json
import re

import orjson

from worker.domain.answers import Answer
from worker.gateways.exotel_entries import code_of

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
