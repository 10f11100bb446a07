"""Xtend WhatsApp: writes the call for one message and reads its answer.

Its calls and answers have the form of WhatsApp's Cloud API (Xtend's reference, section "Message API"); what a refusal
means stands in `xtend_whatsapp_codes`. Nothing here is repeated, and no answer raises.
"""

import re
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, urlsplit

import orjson

from worker.domain.answers import Accepted, AllRejected, Answer, Call, Disposition, Lost, PerMessage
from worker.domain.batch import Outgoing
from worker.domain.identity import same_number
from worker.gateways.discretion import Discretion
from worker.gateways.json_answer import code_of, read_json, text_of
from worker.gateways.rules import judged, named, with_words
from worker.gateways.whatsapp_texts import texts_of
from worker.gateways.xtend_whatsapp_codes import BY_CODE, rule_for

_ACCEPTING = frozenset({200, 201})
_ID = re.compile(r"[0-9A-Za-z_.:=+/-]{1,256}", re.ASCII)


class XtendWhatsApp:
    """One WhatsApp number at Xtend. Its key leaves it in the `apikey` header only."""

    name: Final = "xtend-whatsapp"
    batch_limit: Final = 1

    def __init__(self, base_url: str, phone_number_id: str, api_key: str) -> None:
        """Take the account's values, trusted: `base_url` has scheme and host and no credentials in it."""
        place = urlsplit(base_url)
        self.origin: Final = f"{place.scheme}://{place.netloc}"
        self._url = f"{base_url.rstrip('/')}/v3/{quote(phone_number_id, safe='')}/messages"
        self._headers = MappingProxyType(
            {"apikey": api_key, "Content-Type": "application/json", "Accept": "application/json"}
        )
        self._discretion = Discretion(api_key)

    def write(self, outgoing: Outgoing) -> Call:
        """Write the call for one message, whose body is a content object as JSON: its members stand in the call's.

        The sender is the number in the URL. The reference has no client reference and no callback. A text's
        `preview_url` stands in the call, as in its "Sample Request".
        """
        (message,) = outgoing.messages
        content = orjson.loads(message.body.encode("utf-8", "replace"))  # half a surrogate pair becomes "?"
        if "preview_url" in (text := content.get("text", {})):
            content.setdefault("preview_url", text.pop("preview_url"))
        call = {"messaging_product": "whatsapp", "recipient_type": "individual", **content, "to": str(message.to)}
        return Call(method="POST", url=self._url, headers=self._headers, content=orjson.dumps(call))

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: the message's id, else WhatsApp's error envelope, else the HTTP status."""
        document = read_json(answer.body)
        code, said = _error(document)
        words = self._words(said, outgoing)
        if answer.status // 100 != 2:  # noqa: PLR2004  (the class of success)
            return judged(rule_for(answer.status, code), answer, code, words)
        gateway_id = text_of(_first(document, "messages").get("id"))
        if answer.status in _ACCEPTING and _ID.fullmatch(gateway_id) and not (code or said):
            return self._accepted(gateway_id, document, outgoing)
        if answer.status in _ACCEPTING and not gateway_id and (code or said):
            if code in BY_CODE:
                return judged(BY_CODE[code], answer, code, words)
            return AllRejected(code=code, reason=with_words("Xtend refused the message", words))
        what = named("Xtend's answer can not be read", answer.status, code)
        return Lost(reason=with_words(what, words), code=code)

    def _accepted(self, gateway_id: str, document: object, outgoing: Outgoing) -> Disposition:
        """Accept the message unless the answer names another recipient (`wa_id` may: a number can have moved)."""
        echo = _first(document, "contacts").get("input")
        if echo is not None and not same_number(text_of(echo), outgoing.messages[0].to):
            return Lost(reason="Xtend's answer names another recipient")
        return PerMessage(outcomes=(Accepted(gateway_id=gateway_id),))

    def _words(self, said: str, outgoing: Outgoing) -> str:
        if not said:
            return ""
        texts = (text for message in outgoing.messages for text in texts_of(message.body))
        return f"Xtend says: {self._discretion.discreet(said, texts)}"


def _first(document: object, key: str) -> dict[str, object]:
    """Give the first object of the list under `key`, an empty one where there is none."""
    found = document.get(key) if isinstance(document, dict) else None
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else {}


def _error(document: object) -> tuple[str, str]:
    """Give code and message of WhatsApp's error envelope `{"error": {"code", "message"}}`, "" for what it has not."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", text_of(error)
    return code_of(error.get("code")), text_of(error.get("message"))
