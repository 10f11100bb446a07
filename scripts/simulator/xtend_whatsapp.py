"""Xtend WhatsApp: `POST /v3/<phone_number_id>/messages`, one message a call, in the shapes of Meta's Cloud API.

Its document has the sample of a success only; refusals are in Meta's error envelope, which is natural and unconfirmed.
"""

from collections.abc import Mapping

import orjson

from scripts.simulator import refusals
from scripts.simulator.answers import Receipt, message_sid
from scripts.simulator.codes import META, knows
from scripts.simulator.dialect import JSON, Head, Reply, is_known
from scripts.simulator.judge import POISON, Shape, Verdict, canonical, rejected
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal
from scripts.simulator.whatsapp_content import objection, words

_IN_ITS_CODES: Mapping[tuple[int, int | None], tuple[int, str]] = {
    refusals.WRONG_CREDENTIALS.key: (401, "190"),
    refusals.FORBIDDEN.key: (403, "10"),
    refusals.UNKNOWN_ENDPOINT.key: (405, "100"),
    refusals.NO_BALANCE.key: (400, "131042"),
    refusals.INACTIVE.key: (403, "131031"),
    refusals.NO_KYC.key: (403, "368"),
    refusals.TRIAL.key: (403, "131031"),
    refusals.TOO_MANY_POSTS.key: (429, "130429"),
    refusals.THROTTLED.key: (503, "131016"),
    refusals.PROCESSING_ERROR.key: (500, "131000"),
    refusals.INVALID_BODY.key: (400, "131009"),
    refusals.NO_MESSAGES.key: (400, "131008"),
}
_WRONG_NUMBER, _WRONG_CONTENT = "131026", "131009"


class XtendWhatsApp:
    """See `Dialect`. Source: "Xtend: WhatsApp (v3/{phone_number_id}/messages)"."""

    gateway = "xtend-whatsapp"
    sid_frame = ("wamid.HBgM", "==")
    names_caller_in_body = False

    def serves(self, head: Head) -> bool:
        """The one path of its document."""
        match head.path.split("/"):
            case ["", "v3", _, "messages"]:
                return True
            case _:
                return False

    def caller(self, head: Head, body: bytes) -> str:  # noqa: ARG002 - the head says it
        """The phone_number_id in the path."""
        return head.path.split("/")[2]

    def refused_access(self, head: Head, body: bytes, options: SimulatorOptions) -> Refusal | None:
        """The header `apikey`, then the phone_number_id."""
        if head.api_key != options.api_key:
            return refusals.WRONG_CREDENTIALS
        return None if is_known(self.caller(head, body), options) else refusals.FORBIDDEN

    def judge(self, head: Head, body: bytes, options: SimulatorOptions) -> Verdict | Refusal:
        """One message, or what speaks against it."""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return refusals.INVALID_BODY
        if not isinstance(document, Mapping) or document.get("messaging_product") != "whatsapp":
            return refusals.NO_MESSAGES
        text, to = words(document), str(document.get("to", ""))
        if POISON in text:
            return refusals.INVALID_BODY
        digits = canonical(to)
        rejects = [reject for reject in options.rejects if knows(self.gateway, reject.code)]
        failure = _WRONG_NUMBER if not digits else _WRONG_CONTENT if objection(document) else ""
        return Verdict(
            shape=Shape.SINGLE,
            given=[to],
            digits=[digits],
            bodies=[text],
            senders=[self.caller(head, body)],
            custom_field="",
            failed={0: failure} if failure else rejected([digits], rejects),
        )

    def answer(self, head: Head, verdict: Verdict, receipt: Receipt) -> Reply:  # noqa: ARG002 - see Dialect
        """The contact and the message's id, or an error."""
        code = verdict.failed.get(0)
        if code is not None:
            return _error(400, code)
        before, after = self.sid_frame
        document = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": verdict.given[0], "wa_id": verdict.digits[0]}],
            "messages": [{"id": f"{before}{message_sid(receipt.sid_prefix, 0)}{after}"}],
        }
        return Reply(status=200, content_type=JSON, body=orjson.dumps(document))

    def refuse(self, head: Head, refusal: Refusal) -> Reply:  # noqa: ARG002 - see Dialect
        """Meta's error envelope."""
        return _error(*_IN_ITS_CODES.get(refusal.key, (refusal.status, "100")))


def _error(status: int, code: str) -> Reply:
    error = {
        "message": f"(#{code}) {META[code]}",
        "type": "OAuthException",
        "code": int(code),
        "error_data": {"messaging_product": "whatsapp", "details": META[code]},
        "fbtrace_id": "SIMULATED",
    }
    return Reply(status=status, content_type=JSON, body=orjson.dumps({"error": error}))
