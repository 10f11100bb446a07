"""A batch on its way to the gateway: what an adapter needs to write one call, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Message(NamedTuple):
    """One text to one number: `to` is the E.164 number's digits as an integer (91… for India).

    `body` is the text, or the gateway's content object as JSON. `options` are the gateway's settings that differ
    between messages, by the names of `Outgoing.options`; they go before those of the call.

    A tuple, because a hundred are made for every call: a frozen dataclass takes three times as long.
    """

    to: int
    body: str
    options: Mapping[str, str] = NO_OPTIONS

    def __repr__(self) -> str:
        """Show neither number nor text: a repr may end in a log."""
        return "Message(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The messages of one call in wire order (at most 100, no number twice) and what they share.

    `reference` names campaign and batch at the gateway (Exotel's CustomField). `sender` is the campaign's `from`
    ("" where it gave none, or one for each message). `options` has the campaign's gateway settings that were given, by
    contract name: `sms_type`, `dlt_entity_id`, `dlt_template_id`, Exotel's own (`encoding_type`, `exotel_priority`,
    `shorten_url`, `shorten_url_params.NAME`, `custom_field`, `status_callback`) and Skycore's (`click_tracking`,
    `campaign_ref`). `callback_url` is where the gateway may send this batch's delivery reports, "" where none are asked
    for. A repr shows neither sender nor URL: that may be a number, this is signed.
    """

    reference: str
    callback_url: str = field(default="", repr=False)
    sender: str = field(repr=False)
    options: Mapping[str, str]
    messages: tuple[Message, ...]
