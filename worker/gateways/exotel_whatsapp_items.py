"""Reads the messages of an answer of Exotel's WhatsApp API: what each item says of the message at its place.

An item names neither number nor `custom_data`, so its place is all there is. Each is judged by its own `code` and
`error_data`, whatever the HTTP status says (reference, "response parameters"; it lists no status for partial success).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from worker.domain.answers import Accepted, MessageAnswer, Rejected, Unconfirmed, Untaken
from worker.gateways.exotel_whatsapp_codes import OF_THE_ACCOUNT, THROTTLING, UNCLEAR
from worker.gateways.json_answer import code_of, text_of

Item = Mapping[str, object]
Words = Callable[[int, str], str]
"""Makes the gateway's own words about the message at a place discreet."""

_SID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)
_HTTP_CODE = re.compile(r"[1-5][0-9]{2}", re.ASCII)
_UNSAID = Unconfirmed(reason="the item shows neither an id nor a failure")


@dataclass(frozen=True, slots=True)
class Judged:
    """What an item says: the outcome, and the codes that it gives, its own and that of its `error_data`."""

    outcome: MessageAnswer
    codes: frozenset[str]


def items_of(document: object) -> list[Item]:
    """List the items under `response.whatsapp.messages`, an empty one for each that is no object; none without it."""
    for key in ("response", "whatsapp", "messages"):
        document = document.get(key) if isinstance(document, dict) else None
    return [item if isinstance(item, dict) else {} for item in document] if isinstance(document, list) else []


def judged_items(items: Sequence[Item], words: Words) -> list[Judged]:
    """Judge each item by itself."""
    return [_judged(item, place, words) for place, item in enumerate(items)]


def failure_of(error: object) -> tuple[str, str]:
    """Give code and words of an Error Response Object, "" for what it has not."""
    if not isinstance(error, dict):
        return "", ""
    message, description = text_of(error.get("message")), text_of(error.get("description"))
    said = message if not description or description == message else f"{message}: {description}".removeprefix(": ")
    return code_of(error.get("code")), said


def _judged(item: Item, place: int, words: Words) -> Judged:
    own, data = code_of(item.get("code")), item.get("data")
    sid = text_of(data.get("sid")) if isinstance(data, dict) else ""
    says_success = own.startswith("2") and _HTTP_CODE.fullmatch(own) is not None
    if says_success and _SID.fullmatch(sid):
        return Judged(Accepted(gateway_id=sid), frozenset({own}))
    own = "" if says_success else own  # a success that names nothing: the rest of the item tells
    code, said = failure_of(item.get("error_data"))
    codes = frozenset({own, code} - {""})
    fails = bool(code or said) or text_of(item.get("status")).casefold().startswith("fail")  # the word is not shown
    reason = words(place, said) or "refused by Exotel"
    if codes & UNCLEAR or ((own or code).startswith("5") and not codes & THROTTLING):
        return Judged(Unconfirmed(code=code or own, reason=reason), codes)
    if not (own.startswith("4") or codes & THROTTLING or (fails and not sid)):
        return Judged(_UNSAID, codes)
    if not codes & (OF_THE_ACCOUNT | THROTTLING):
        return Judged(Rejected(code=code or own, reason=reason), codes)
    if sid or says_success:  # it may have been taken all the same: it must not go again
        return Judged(Unconfirmed(code=code or own, reason=reason), codes)
    return Judged(Untaken(code=code or own, reason=reason), codes)
