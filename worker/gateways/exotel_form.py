"""The forms of Exotel's calls that send SMS, at the speed of sending: one text to one or to many, or a text to each.

What differs between messages can stand only in the dynamic bulk call, and there only `From`, `SmsType` and
`DltTemplateId` can (Exotel SMS reference, dynamic bulk, table of POST parameters, row `Messages`). A message's own
options go before the call's, and its option `from` before the campaign's sender.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from worker.domain.batch import Message, Outgoing
from worker.gateways.form import escaped

BATCH_LIMIT: Final = 100
"""The most messages of one call (Exotel SMS reference, errors 40400 and 40406)."""

_PARAMETERS = {
    "sms_type": "SmsType",
    "dlt_entity_id": "DltEntityId",
    "dlt_template_id": "DltTemplateId",
    "encoding_type": "EncodingType",
    "exotel_priority": "Priority",
    "shorten_url": "ShortenUrl",
}
_SHORTEN = "shorten_url_params."
"""An option `shorten_url_params.Header` is the parameter `ShortenUrlParams[Header]`."""

_OF_EACH_MESSAGE = frozenset({"sms_type", "dlt_template_id"})
"""Dynamic bulk takes these in each message and not for the call (its table of POST parameters)."""

_ONE_TO_KEY = "&" + escaped("To") + "="
_TO_KEY = "&" + escaped("To[]") + "="
_KEYS = tuple(
    tuple(
        "&" + escaped(f"Messages[{place}][{key}]") + "=" for key in ("To", "Body", "From", "SmsType", "DltTemplateId")
    )
    for place in range(BATCH_LIMIT)
)


def is_for_all(messages: Sequence[Message]) -> bool:
    """Whether all get the same text under the same options, so that `send_form` can carry them."""
    return len({message.body for message in messages}) == 1 and _have_same_options(messages)


def send_form(outgoing: Outgoing) -> str:
    """Write `Sms/send` for one message (single send: `To`) or for many that are `is_for_all` (static bulk: `To[]`)."""
    first, *others = outgoing.messages
    to_key = _TO_KEY if others else _ONE_TO_KEY
    to = "".join([f"{to_key}%2B{message.to}" for message in outgoing.messages])
    options = {**outgoing.options, **first.options}
    return f"{_shared(outgoing, first.options.get('from'), options)}{to}&Body={escaped(first.body)}"


def bulksend_form(outgoing: Outgoing) -> str:
    """Write `Sms/bulksend` (dynamic bulk), a text and, where they differ, settings to each."""
    if not _have_same_options(outgoing.messages):
        shared = _without_those_of_each(outgoing.options)
        return _shared(outgoing, None, shared) + "".join(_each_with_its_own(outgoing))
    own = outgoing.messages[0].options
    options = {**outgoing.options, **own}
    parts = [_shared(outgoing, own.get("from"), _without_those_of_each(options))]
    sms_type, template = (escaped(options.get(name, "")) for name in ("sms_type", "dlt_template_id"))
    for (to_key, body_key, _, type_key, template_key), message in zip(_KEYS, outgoing.messages, strict=False):
        parts += (to_key, "%2B", str(message.to), body_key, escaped(message.body))
        if sms_type:
            parts += (type_key, sms_type)
        if template:
            parts += (template_key, template)
    return "".join(parts)


def _have_same_options(messages: Sequence[Message]) -> bool:
    options = messages[0].options
    return all(message.options is options or message.options == options for message in messages)


def _without_those_of_each(options: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in options.items() if name not in _OF_EACH_MESSAGE}


def _each_with_its_own(outgoing: Outgoing) -> Iterator[str]:
    options = outgoing.options
    for keys, message in zip(_KEYS, outgoing.messages, strict=False):
        own = message.options
        sms_type = own.get("sms_type") or options.get("sms_type", "")
        template = own.get("dlt_template_id") or options.get("dlt_template_id", "")
        yield f"{keys[0]}%2B{message.to}{keys[1]}{escaped(message.body)}"
        yield from (
            key + escaped(text)
            for key, text in zip(keys[2:], (own.get("from"), sms_type, template), strict=True)
            if text
        )


def _shared(outgoing: Outgoing, sender: str | None, options: Mapping[str, str]) -> str:
    """Write what holds for the whole call; without `From` Exotel takes the account's default or answers 40210."""
    note = options.get("custom_field")
    fields = [("CustomField", f"{outgoing.reference} {note}" if note else outgoing.reference)]
    if sender or outgoing.sender:
        fields.append(("From", sender or outgoing.sender))
    fields += [(parameter, options[name]) for name, parameter in _PARAMETERS.items() if options.get(name)]
    for name, text in options.items():
        if name.startswith(_SHORTEN):
            fields.append((escaped(f"ShortenUrlParams[{name.removeprefix(_SHORTEN)}]"), text))
    callback_url = options.get("status_callback") or outgoing.callback_url
    if callback_url:
        fields.append(("StatusCallback", callback_url))
    return "&".join([f"{key}={escaped(text)}" for key, text in fields])
