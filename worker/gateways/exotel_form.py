"""The forms of Exotel's calls that send SMS, at the speed of sending: one text to many, and a text to each."""

from collections.abc import Mapping
from typing import Final

from worker.domain.batch import Outgoing
from worker.gateways.form import escaped

BATCH_LIMIT: Final = 100
"""The most messages of one call (Exotel SMS reference, errors 40400 and 40406)."""

_PARAMETERS = {"sms_type": "SmsType", "dlt_entity_id": "DltEntityId", "dlt_template_id": "DltTemplateId"}
_OF_EACH_MESSAGE = frozenset({"sms_type", "dlt_template_id"})
"""Dynamic bulk takes these in each message and not for the call (its table of POST parameters)."""

_TO_KEY = "&" + escaped("To[]") + "="
_KEYS = tuple(
    tuple("&" + escaped(f"Messages[{place}][{key}]") + "=" for key in ("To", "Body", "SmsType", "DltTemplateId"))
    for place in range(BATCH_LIMIT)
)


def static_form(outgoing: Outgoing) -> str:
    """Exotel SMS reference, static bulk, table of POST parameters: all stand once, for the call."""
    to = "".join([f"{_TO_KEY}%2B{message.to}" for message in outgoing.messages])
    return f"{_shared(outgoing, outgoing.options)}{to}&Body={escaped(outgoing.messages[0].body)}"


def dynamic_form(outgoing: Outgoing) -> str:
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
