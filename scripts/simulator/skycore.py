"""Skycore SMS: a JSON document with the action `sendsms`, one number a call, header `x-api-key`.

The URL of its endpoint is not documented: `/skycore` here, and any other path that gets such a document. The HTTP
status of a failure is not documented either: 200, but for a fault that is about HTTP itself.
"""

import hashlib
from collections.abc import Mapping

import orjson

from scripts.simulator import refusals
from scripts.simulator.answers import Receipt, message_sid
from scripts.simulator.codes import SKYCORE
from scripts.simulator.dialect import JSON, Head, Reply
from scripts.simulator.judge import MAX_BODY_CHARACTERS, POISON, Shape, Verdict, canonical, rejected
from scripts.simulator.letters import callback_url
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal

PATH = "/skycore"
_CODES: Mapping[tuple[int, int | None], tuple[int, str]] = {
    refusals.WRONG_CREDENTIALS.key: (200, "E104"),
    refusals.NO_BALANCE.key: (200, "E713"),
    refusals.INACTIVE.key: (200, "E103"),
    refusals.NO_KYC.key: (200, "E105"),
    refusals.TRIAL.key: (200, "E107"),
    refusals.TOO_MANY_POSTS.key: (200, "E113"),
    refusals.THROTTLED.key: (200, "E106"),
    refusals.NO_ACTION.key: (200, "E107"),
    refusals.INVALID_BODY.key: (200, "E100"),
    refusals.MESSAGES_NOT_ARRAY.key: (200, "E108"),
    refusals.PROCESSING_ERROR.key: (500, "E503"),
}
_WRONG_REQUEST, _WRONG_NUMBER, _WRONG_SENDER = "E100", "E110", "E111"


class Skycore:
    """See `Dialect`. Source: 'The JSON "sendsms" gateway'."""

    gateway = "skycore-sms"
    sid_frame = ("", "")
    names_caller_in_body = False

    def serves(self, head: Head) -> bool:
        """Its path, and JSON for a path that no other gateway serves: to be asked last."""
        return head.path == PATH or (head.method == "POST" and head.media_type == JSON)

    def caller(self, head: Head, body: bytes) -> str:  # noqa: ARG002 - the head says it
        """A fingerprint of the API key: what was called is shown to whoever asks."""
        return hashlib.blake2b(head.api_key.encode(), digest_size=6).hexdigest() if head.api_key else ""

    def refused_access(self, head: Head, body: bytes, options: SimulatorOptions) -> Refusal | None:  # noqa: ARG002 - see Dialect
        """The API key, or any sid in its place, so that there can be more than one account."""
        if head.method != "POST":
            return refusals.UNKNOWN_ENDPOINT
        known = head.api_key == options.api_key or head.api_key in options.sids or "*" in options.sids
        return None if head.api_key and known else refusals.WRONG_CREDENTIALS

    def judge(self, head: Head, body: bytes, options: SimulatorOptions) -> Verdict | Refusal:
        """One message, or what speaks against it."""
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError:
            given = None
        if not isinstance(given, Mapping):
            return refusals.MESSAGES_NOT_ARRAY if head.path == PATH else refusals.NOT_FOUND
        if str(given.get("action", "")).lower() != "sendsms":
            return refusals.NO_ACTION if head.path == PATH else refusals.NOT_FOUND
        text, to = str(given.get("message-text", "")).replace("\0", " "), str(given.get("to", ""))
        if POISON in text:
            return refusals.INVALID_BODY
        digits = canonical(to)
        rejects = [reject for reject in options.rejects if reject.code in SKYCORE]
        failure = _failure(given, digits)
        return Verdict(
            shape=Shape.SINGLE,
            given=[to],
            digits=[digits],
            bodies=[text],
            senders=[str(given.get("from", ""))],
            custom_field=str(given.get("campaign-ref", "")),
            failed={0: failure} if failure else rejected([digits], rejects),
            callbacks=[callback_url(options.skycore_postback)] if options.skycore_postback else (),
        )

    def answer(self, head: Head, verdict: Verdict, receipt: Receipt) -> Reply:  # noqa: ARG002 - see Dialect
        """Success with a tracking id, or Failure; the failure names the number without its plus, as the sample does."""
        code = verdict.failed.get(0)
        if code is not None:
            return _failed(200, code, verdict.given[0].removeprefix("+"))
        document = {
            "status": "Success",
            "tracking-id": message_sid(receipt.sid_prefix, 0),
            "to": verdict.given[0],
            "from": verdict.senders[0],
            "status-details": "SMS request accepted and queued for delivery",
        }
        return Reply(status=200, content_type=JSON, body=orjson.dumps(document))

    def refuse(self, head: Head, refusal: Refusal) -> Reply:  # noqa: ARG002 - see Dialect
        """Failure with the code that fits, or the bare status."""
        if refusal.key not in _CODES:
            return Reply(status=refusal.status, content_type="text/plain", body=refusal.message.encode())
        return _failed(*_CODES[refusal.key], "")


def _failure(given: Mapping[str, object], digits: str) -> str:
    """The code that speaks against a message, "" for none."""
    text = given.get("message-text")
    if not isinstance(text, str) or not 0 < len(text) <= MAX_BODY_CHARACTERS:
        return _WRONG_REQUEST
    if not given.get("from"):
        return _WRONG_SENDER
    return "" if digits else _WRONG_NUMBER


def _failed(status: int, code: str, to: str) -> Reply:
    document = {"status": "Failure", "error-code": code, "error-info": SKYCORE[code], "to": to}
    return Reply(status=status, content_type=JSON, body=orjson.dumps(document))
