"""Xtend SMS: `/blank/sms/user/urlsms.php`, GET or POST, one number a call, answered in plain text.

What it answers is not documented, and so ours: a bare id for a message that was taken, `Error Code: 954, Invalid
Number` for one that was not, both with 200; 401 in words for a wrong username or password.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from scripts.simulator import refusals
from scripts.simulator.answers import Receipt, message_sid
from scripts.simulator.codes import XTEND_SMS, knows
from scripts.simulator.dialect import FORM, Head, Reply, is_known
from scripts.simulator.judge import MAX_BODY_CHARACTERS, POISON, Shape, Verdict, canonical, rejected
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal

_SCRIPT = "/urlsms.php"
_NO_ACCESS = "Invalid username or password"
_STATUSES: Mapping[tuple[int, int | None], tuple[int, str]] = {
    refusals.WRONG_CREDENTIALS.key: (401, _NO_ACCESS),
    refusals.FORBIDDEN.key: (403, "Access denied"),
    refusals.TOO_LARGE.key: (413, "Request Entity Too Large"),
    refusals.PROCESSING_ERROR.key: (500, "Internal Server Error"),
    refusals.UNKNOWN_ENDPOINT.key: (405, "Method Not Allowed"),
}
_CODES: Mapping[tuple[int, int | None], str] = {
    refusals.NO_BALANCE.key: "955",
    refusals.INACTIVE.key: "959",
    refusals.NO_KYC.key: "602",
    refusals.TRIAL.key: "501",
    refusals.TOO_MANY_POSTS.key: "997",
    refusals.THROTTLED.key: "74",
    refusals.INVALID_BODY.key: "222",
}
_DATA_MISSING, _WRONG_CODING, _WRONG_SENDER, _WRONG_NUMBER = "223", "226", "953", "954"
_UNICODE_TYPES = frozenset({"UNI", "UNICODE"})
_LAST_OF_GSM = "Ω"  # with "€" the only character beyond it
_MANDATORY = ("message", "dltheaderid", "dltentityid", "dlttempid")


class XtendSms:
    """See `Dialect`. Source: "Xtend: SMS over HTTP"."""

    gateway = "xtend-sms"
    sid_frame = ("", "")
    names_caller_in_body = True

    def serves(self, head: Head) -> bool:
        """Its script, in whichever directory."""
        return head.path.endswith(_SCRIPT)

    def caller(self, head: Head, body: bytes) -> str:
        """The username."""
        return _parameters(head, body).get("username", "")

    def refused_access(self, head: Head, body: bytes, options: SimulatorOptions) -> Refusal | None:
        """The username is one of the accounts, the password the API token."""
        if head.method not in {"GET", "POST"}:
            return refusals.UNKNOWN_ENDPOINT
        given = _parameters(head, body)
        if given.get("pass") == options.api_token and is_known(given.get("username", ""), options):
            return None
        return refusals.WRONG_CREDENTIALS

    def judge(self, head: Head, body: bytes, options: SimulatorOptions) -> Verdict | Refusal:
        """One message, or what speaks against it."""
        given = _parameters(head, body)
        text, to = given.get("message", "").replace("\0", " "), given.get("dest_mobileno", "")
        if POISON in text:
            return refusals.INVALID_BODY
        digits = canonical(to)
        rejects = [reject for reject in options.rejects if knows(self.gateway, reject.code)]
        failure = _failure(given, digits)
        return Verdict(
            shape=Shape.SINGLE,
            given=[to],
            digits=[digits],
            bodies=[text],
            senders=[given.get("senderid", "")],
            custom_field="",
            failed={0: failure} if failure else rejected([digits], rejects),
        )

    def answer(self, head: Head, verdict: Verdict, receipt: Receipt) -> Reply:  # noqa: ARG002 - see Dialect
        """The id, or an error."""
        code = verdict.failed.get(0)
        return _text(200, message_sid(receipt.sid_prefix, 0) if code is None else _error(code))

    def refuse(self, head: Head, refusal: Refusal) -> Reply:  # noqa: ARG002 - see Dialect
        """An error with a code of its table where one fits, else a status in words."""
        code = _CODES.get(refusal.key)
        if code is not None:
            return _text(200, _error(code))
        return _text(*_STATUSES.get(refusal.key, (refusal.status, refusal.message)))


def _parameters(head: Head, body: bytes) -> dict[str, str]:
    raw = head.query.encode() if head.method == "GET" else body if head.media_type in {FORM, ""} else b""
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


def _failure(given: Mapping[str, str], digits: str) -> str:
    """The code that speaks against a message, "" for none."""
    text, kind = given.get("message", ""), given.get("msgtype", "")
    if not all(given.get(name) for name in _MANDATORY) or len(text) > MAX_BODY_CHARACTERS:
        return _DATA_MISSING
    if not given.get("senderid"):
        return _WRONG_SENDER
    if kind not in _UNICODE_TYPES and (kind != "TXT" or max(text.replace("€", "")) > _LAST_OF_GSM):
        return _WRONG_CODING
    return "" if digits else _WRONG_NUMBER


def _error(code: str) -> str:
    return f"Error Code: {code}, {XTEND_SMS.get(code, 'Message failed')}"


def _text(status: int, text: str) -> Reply:
    return Reply(status=status, content_type="text/plain; charset=utf-8", body=f"{text}\n".encode())
