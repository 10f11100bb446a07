"""Exotel SMS: writes the two bulk calls and reads their answers.

One call carries at most 100 messages. Where all its bodies are equal it is the static bulk call (`Sms/send` with
`To[]`), else the dynamic one (`Sms/bulksend` with `Messages[i][…]`). What a refusal means stands in `exotel_codes`,
what the entries of an answer mean in `exotel_entries`. Nothing here is repeated, and no answer raises.
"""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import quote

from worker.domain.answers import Answer, Call, Disposition, Lost, PerMessage, Unconfirmed
from worker.domain.batch import Outgoing
from worker.gateways.basic_access import basic_access
from worker.gateways.exotel_codes import REFUSED_503, rule_for
from worker.gateways.exotel_entries import entries_of, outcomes_of
from worker.gateways.form import escaped
from worker.gateways.json_answer import read_json
from worker.gateways.rest_exception import rest_exception
from worker.gateways.rules import judged, named, with_words, without_bare_503

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


class ExotelSms:
    """One Exotel account's SMS API. Its key and token leave it in the `Authorization` header only."""

    name: Final = "exotel-sms"
    batch_limit: Final = BATCH_LIMIT

    def __init__(
        self, base_url: str, sid: str, api_key: str, api_token: str, retry_503: Literal["any", "documented"]
    ) -> None:
        """Take the account's values, trusted: `base_url` has scheme and host and no credentials in it."""
        access = basic_access(base_url, api_key, api_token, "application/x-www-form-urlencoded")
        self.origin: Final = access.origin
        self._headers, self._discretion = access.headers, access.discretion
        root = f"{base_url.rstrip('/')}/v1/Accounts/{quote(sid, safe='')}/Sms"
        self._static_url = f"{root}/send.json"
        self._dynamic_url = f"{root}/bulksend.json"
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
        document = read_json(answer.body)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            return self._read_entries(answer, document, outgoing)
        code, message = rest_exception(answer, document)
        rule = rule_for(answer.status, code)
        if self._retry_503 == "documented":
            rule = without_bare_503(rule, answer, code, REFUSED_503)
        return judged(rule, answer, code, self._words(message, outgoing))

    def _read_entries(self, answer: Answer, document: object, outgoing: Outgoing) -> Disposition:
        entries = entries_of(document)
        if answer.status not in _ACCEPTING or entries is None:
            code, message = rest_exception(answer, document)
            what = named("Exotel's answer can not be read", answer.status, code)
            return Lost(reason=with_words(what, self._words(message, outgoing)), code=code)
        outcomes = outcomes_of(entries, outgoing.messages)
        if all(isinstance(outcome, Unconfirmed) for outcome in outcomes):
            return Lost(reason=f"Exotel's answer ({answer.status}) says of no message what became of it")
        return PerMessage(outcomes=outcomes)

    def _words(self, message: str, outgoing: Outgoing) -> str:
        words = self._discretion.discreet(message, (message.body for message in outgoing.messages))
        return f"Exotel says: {words}" if words else ""


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
