"""Exotel WhatsApp: `POST /v2/accounts/<sid>/messages`, up to 100 messages, each judged by itself.

Not documented, and so ours: 207 where some failed and 400 where all did, the status word "failure", the numbers in
`error_data`, a message alone that is refused for the account (402, 429), and the envelope of a refused call, which is
that of Exotel's other version 2 APIs.
"""

from collections.abc import Mapping, Sequence

import orjson

from scripts.simulator import refusals
from scripts.simulator.answers import Receipt, message_sid
from scripts.simulator.codes import EXOTEL_WHATSAPP
from scripts.simulator.credentials import refused_credentials
from scripts.simulator.dialect import JSON, Head, Reply, is_known
from scripts.simulator.judge import MAX_MESSAGES, POISON, Shape, Verdict, canonical, rejected
from scripts.simulator.letters import callback_url
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal
from scripts.simulator.whatsapp_content import objection, words

_IN_ITS_WORDS: Mapping[tuple[int, int | None], tuple[int, str]] = {
    refusals.WRONG_CREDENTIALS.key: (401, "Necessary credentials were either missing or invalid."),
    refusals.NO_CREDENTIALS.key: (401, "Necessary credentials were either missing or invalid."),
    refusals.MALFORMED_CREDENTIALS.key: (401, "Necessary credentials were either missing or invalid."),
    refusals.FORBIDDEN.key: (403, "You don't have access to the requested resource."),
    refusals.NO_BALANCE.key: (402, "You have exceeded usage limits for your current plan."),
    refusals.TOO_MANY_DYNAMIC.key: (400, "More than 100 messages specified in a request"),
    refusals.INVALID_BODY.key: (400, "Something in your header or request body was malformed/missing."),
    refusals.TOO_MANY_POSTS.key: (429, "Too many requests"),
}
"""The words of its document where it has any; other refusals are said as Exotel SMS says them."""

_OF_THE_ACCOUNT: Mapping[str, str] = {
    str(status): message
    for status, message in (_IN_ITS_WORDS[refusals.NO_BALANCE.key], _IN_ITS_WORDS[refusals.TOO_MANY_POSTS.key])
}
"""What a message is refused with that is refused for its account."""

_BAD_NUMBER = "to"
_BAD_CONTENT = "content"
_OBJECTIONS: Mapping[str, str] = {
    _BAD_NUMBER: "to is not a valid phone number",
    _BAD_CONTENT: "content is not a valid message",
}


class ExotelWhatsApp:
    """See `Dialect`. Source: "Exotel WhatsApp: messages"."""

    gateway = "exotel-whatsapp"
    sid_frame = ("", "")
    names_caller_in_body = False

    def serves(self, head: Head) -> bool:
        """The one path of its document."""
        match head.path.split("/"):
            case ["", "v2", "accounts", _, "messages"]:
                return True
            case _:
                return False

    def caller(self, head: Head, body: bytes) -> str:  # noqa: ARG002 - the head says it
        """The sid in the path."""
        return head.path.split("/")[3]

    def refused_access(self, head: Head, body: bytes, options: SimulatorOptions) -> Refusal | None:
        """Credentials, then the account."""
        refusal = refused_credentials(head.authorization, f"{options.api_key}:{options.api_token}")
        if refusal is None and not is_known(self.caller(head, body), options):
            return refusals.FORBIDDEN
        return refusal

    def judge(self, head: Head, body: bytes, options: SimulatorOptions) -> Verdict | Refusal:  # noqa: ARG002 - see Dialect
        """Each message by its number and its content object."""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return refusals.INVALID_BODY
        channel = document.get("whatsapp") if isinstance(document, Mapping) else None
        if not isinstance(channel, Mapping):
            return refusals.INVALID_BODY
        entries = channel.get("messages")
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, Mapping) for entry in entries):
            return refusals.INVALID_BODY
        if len(entries) > MAX_MESSAGES:
            return refusals.TOO_MANY_DYNAMIC
        contents = [entry.get("content") or entry.get("Content") for entry in entries]
        bodies = [words(content) if isinstance(content, Mapping) else "" for content in contents]
        if any(POISON in text for text in bodies):
            return refusals.INVALID_BODY
        digits = [canonical(str(entry.get("to", ""))) for entry in entries]
        rejects = [reject for reject in options.rejects if reject.code in EXOTEL_WHATSAPP]
        return Verdict(
            shape=Shape.DYNAMIC,
            given=[str(entry.get("to", "")) for entry in entries],
            digits=digits,
            bodies=bodies,
            senders=[str(entry.get("from", "")) for entry in entries],
            custom_field="",
            failed=rejected(digits, rejects) | _failed(digits, contents, entries),
            callbacks=[callback_url(_inner("status_callback", entry, channel, document)) for entry in entries],
            custom_fields=[str(_inner("custom_data", entry, channel, document)) for entry in entries],
        )

    def answer(self, head: Head, verdict: Verdict, receipt: Receipt) -> Reply:
        """One item a message, in order."""
        total, failed = len(verdict.given), len(verdict.failed)
        status = 202 if not failed else 400 if failed == total else 207
        items = [_item(verdict.failed.get(position), receipt, position) for position in range(total)]
        envelope = _envelope(head, receipt.sid_prefix, status) | {
            "metadata": {"failed": failed, "total": total, "success": total - failed},
            "response": {"whatsapp": {"messages": items}},
        }
        return Reply(status=status, content_type=JSON, body=orjson.dumps(envelope))

    def refuse(self, head: Head, refusal: Refusal) -> Reply:
        """The envelope with an error in place of the messages."""
        status, message = _IN_ITS_WORDS.get(refusal.key, (refusal.status, refusal.message))
        error = {"response": {"error": {"code": status, "message": message}}}
        return Reply(status=status, content_type=JSON, body=orjson.dumps(_envelope(head, "0" * 24, status) | error))


def _inner(name: str, *places: Mapping[str, object]) -> object:
    """The first of the places that has it: that of the message before those around it."""
    return next((place[name] for place in places if place.get(name)), "")


def _failed(
    digits: Sequence[str], contents: Sequence[object], entries: Sequence[Mapping[str, object]]
) -> dict[int, str]:
    judged = enumerate(zip(digits, contents, entries, strict=True))
    return {
        position: _BAD_CONTENT if number else _BAD_NUMBER
        for position, (number, content, entry) in judged
        if not number or not entry.get("from") or objection(content)
    }


def _item(failure: str | None, receipt: Receipt, position: int) -> dict[str, object]:
    if failure is None:
        data = {"sid": message_sid(receipt.sid_prefix, position)}
        return {"code": 202, "error_data": None, "status": "success", "data": data}
    own = int(failure) if failure in _OF_THE_ACCOUNT else 400
    number = int(failure) if failure in EXOTEL_WHATSAPP else own
    message = EXOTEL_WHATSAPP.get(failure) or _OF_THE_ACCOUNT.get(failure, "Invalid Parameter")
    error = {"code": number, "message": message, "description": _OBJECTIONS.get(failure, message)}
    return {"code": own, "error_data": error, "status": "failure", "data": None}


def _envelope(head: Head, request_id: str, status: int) -> dict[str, object]:
    return {"request_id": request_id, "method": head.method, "http_code": status}
