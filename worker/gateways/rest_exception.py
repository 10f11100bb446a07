"""How Exotel's APIs refuse a whole call: a `RestException` with a code and a message, in JSON or XML."""

import re

from worker.domain.answers import Answer
from worker.gateways.json_answer import code_of

_XML_CODE = re.compile(r"<Code>\s*([^<\s]{1,40})\s*</Code>")
_XML_MESSAGE = re.compile(r"<Message>([^<]{1,2000})")


def rest_exception(answer: Answer, document: object) -> tuple[str, str]:
    """Find code and message of a `RestException`; "" for each that is not there (HTML, nothing).

    `document` is the answer's JSON, `None` where it is none.
    """
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
