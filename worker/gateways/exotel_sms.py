"""Exotel SMS: writes the two bulk calls and reads their answers.

One call carries at most 100 messages. Where all its bodies are equal it is the static bulk call (`Sms/send` with
`To[]`), else the dynamic one (`Sms/bulksend` with `Messages[i][…]`). What a refusal means stands in `exotel_codes`,
what the entries of an answer mean in `exotel_entries`. Nothing here is repeated, and no answer raises.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote, urlsplit

import orjson

from worker.domain.answers import (
    AllRejected,
    Answer,
    Call,
    Disposition,
    HoldAccount,
    Isolate,
    Lost,
    PauseCampaign,
    PerMessage,
    Throttled,
    Unconfirmed,
)
from worker.domain.batch import Outgoing
from worker.domain.ratelimit import retry_after_s
from worker.gateways.exotel_codes import REFUSED_503, Verdict, rule_for
from worker.gateways.exotel_entries import code_of, entries_of, outcomes_of
from worker.gateways.form import escaped

BATCH_LIMIT: Final = 100

_ACCEPTING = frozenset({200, 202, 207})
_PARAMETERS = {"sms_type": "SmsType", "dlt_entity_id": "DltEntityId", "dlt_template_id": "DltTemplateId"}
_OF_EACH_MESSAGE = frozenset({"sms_type", "dlt_template_id"})
"""Dynamic bulk takes these in each message and not for the call (its table of POST parameters)."""

_TO_KEY = "&" + escaped("To[]") + "="
_KEYS = tuple(
    tuple("&" + escaped(f"Messages[{place}][{key}]") + "=" for key in ("To", "Body", "SmsType", "DltTemplateId"))
    for place in range(BATCH_LIMIT)
)

_XML_CODE = re.compile(r"<Code>\s*([^<\s]{1,40})\s*</Code>")
_XML_MESSAGE = re.compile(r"<Message>([^<]{1,2000})")
_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,}")
_MARKS = re.compile(r"\[number\](?:[\s,;]*\[number\])+")
_BODY_QUOTE = re.compile(r"Msg=\[.*", re.DOTALL)
_SHORTEST_BODY = 8
_LONGEST_WORDS = 200


class ExotelSms:
    """One Exotel account's SMS API. Its key and token leave it in the `Authorization` header only."""

    name: Final = "exotel-sms"
    batch_limit: Final = BATCH_LIMIT

    def __init__(
        self, base_url: str, sid: str, api_key: str, api_token: str, retry_503: Literal["any", "documented"]
    ) -> None:
        """Take the account's values, trusted: `base_url` has scheme and host and no credentials in it."""
        place = urlsplit(base_url)
        self.origin: Final = f"{place.scheme}://{place.netloc}"
        root = f"{base_url.rstrip('/')}/v1/Accounts/{quote(sid, safe='')}/Sms"
        self._static_url = f"{root}/send.json"
        self._dynamic_url = f"{root}/bulksend.json"
        basic = b64encode(f"{api_key}:{api_token}".encode()).decode()
        self._headers = MappingProxyType(
            {
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            }
        )
        self._secrets = tuple(secret for secret in (basic, api_key, api_token) if secret)
        self._retry_503 = retry_503

    def write(self, outgoing: Outgoing) -> Call:
        """Write the bulk call for 1 to 100 messages; every `To` is E.164 with its plus."""
        static = len({message.body for message in outgoing.messages}) == 1
        return Call(
            method="POST",
            url=self._static_url if static else self._dynamic_url,
            headers=self._headers,
            content=(_static_form(outgoing) if static else _dynamic_form(outgoing)).encode("ascii"),
        )

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: the HTTP status first, then the code, then each message's entry."""
        document = _json(answer.body)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            return self._read_entries(answer, document, outgoing)
        code, message = _refusal(answer, document)
        return self._judge(answer, code, self._discreet(message, outgoing))

    def _read_entries(self, answer: Answer, document: object, outgoing: Outgoing) -> Disposition:
        entries = entries_of(document)
        if answer.status not in _ACCEPTING or entries is None:
            code, message = _refusal(answer, document)
            what = _named("Exotel's answer can not be read", answer.status, code)
            return Lost(reason=_with_words(what, self._discreet(message, outgoing)), code=code)
        outcomes = outcomes_of(entries, outgoing.messages)
        if all(isinstance(outcome, Unconfirmed) for outcome in outcomes):
            return Lost(reason=f"Exotel's answer ({answer.status}) says of no message what became of it")
        return PerMessage(outcomes=outcomes)

    def _judge(self, answer: Answer, code: str, words: str) -> Disposition:
        rule = rule_for(answer.status, code)
        what = _named(rule.what, answer.status, code)
        reason = _with_words(f"{what}: {rule.advice}" if rule.advice else what, words)
        match self._under_policy(rule.verdict, answer, code):
            case Verdict.THROTTLED:
                return Throttled(code=code, reason=reason, retry_after_s=retry_after_s(answer))
            case Verdict.HOLD_ACCOUNT:
                return HoldAccount(code=code, reason=reason)
            case Verdict.PAUSE_CAMPAIGN:
                return PauseCampaign(code=code, reason=reason)
            case Verdict.ALL_REJECTED:
                return AllRejected(code=code, reason=rule.what)  # one reason for all, counted with its code
            case Verdict.ISOLATE:
                return Isolate(code=code, reason=reason)
            case Verdict.LOST:
                return Lost(reason=reason, code=code)

    def _under_policy(self, verdict: Verdict, answer: Answer, code: str) -> Verdict:
        """Apply `documented`: a bare 503 may come from a proxy after Exotel accepted; only a refusal throttles."""
        if answer.status != 503 or self._retry_503 == "any":  # noqa: PLR2004  (Service Unavailable)
            return verdict
        refused = code in REFUSED_503 or answer.headers.get("retry-after", "").strip()
        return verdict if refused else Verdict.LOST

    def _discreet(self, words: str, outgoing: Outgoing) -> str:
        """Trim the gateway's own words to one line of 200 characters without credentials, numbers and bodies."""
        for secret in self._secrets:
            words = words.replace(secret, "[secret]")
        for body in {message.body for message in outgoing.messages if len(message.body) >= _SHORTEST_BODY}:
            words = words.replace(body, "[body]")
        # One mark for a list of numbers: reasons are counted, and should be few.
        words = _MARKS.sub("[number]", _NUMBER.sub("[number]", _BODY_QUOTE.sub("Msg=[body]", words)))
        words = " ".join(words.encode("utf-8", "replace").decode().split())
        return words if len(words) <= _LONGEST_WORDS else words[: _LONGEST_WORDS - 1] + "…"


def _static_form(outgoing: Outgoing) -> str:
    """Exotel SMS reference, static bulk, table of POST parameters: all stand once, for the call."""
    to = "".join([f"{_TO_KEY}%2B{message.to}" for message in outgoing.messages])
    return f"{_shared(outgoing, outgoing.options)}{to}&Body={escaped(outgoing.messages[0].body)}"


def _dynamic_form(outgoing: Outgoing) -> str:
    """Exotel SMS reference, dynamic bulk, table of POST parameters."""
    options = outgoing.options
    parts = [_shared(outgoing, {name: text for name, text in options.items() if name not in _OF_EACH_MESSAGE})]
    sms_type, template = (escaped(options.get(name, "")) for name in ("sms_type", "dlt_template_id"))
    for (to_key, body_key, type_key, template_key), message in zip(_KEYS, outgoing.messages, strict=False):
        parts += (to_key, "%2B", str(message.to), body_key, escaped(message.body))
        if sms_type:
            parts += (type_key, sms_type)
        if template:
            parts += (template_key, template)
    return "".join(parts)


def _shared(outgoing: Outgoing, options: Mapping[str, str]) -> str:
    """Write what holds for the whole call; without `From` Exotel takes the account's default or answers 40210."""
    fields = [("CustomField", outgoing.reference)]
    if outgoing.sender:
        fields.append(("From", outgoing.sender))
    fields += [(parameter, options[name]) for name, parameter in _PARAMETERS.items() if options.get(name)]
    return "&".join(f"{key}={escaped(text)}" for key, text in fields)


def _json(body: bytes) -> object:
    """Read the body as JSON, `None` if it is none. PHP's byte order mark and broken UTF-8 in an echo are forgiven."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def _refusal(answer: Answer, document: object) -> tuple[str, str]:
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


def _named(what: str, status: int, code: str) -> str:
    return f"{what} ({status}/{code})" if code else f"{what} ({status})"


def _with_words(reason: str, words: str) -> str:
    return f"{reason}; Exotel says: {words}" if words else reason
