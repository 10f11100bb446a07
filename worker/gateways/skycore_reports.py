"""Reads Skycore's postbacks, which come to one URL for each account.

The source is Skycore's page skycore.com/help/sms-mt-postback-v2: JSON of origin "SMS_MT", code, sent-as, status, from,
to, tracking-id, timestamp (ISO 8601 with offset) and campaign-ref.
"""

from worker.domain.delivery import DeliveryReport, State
from worker.gateways.dates import seconds_of
from worker.gateways.json_answer import code_of
from worker.gateways.posted import (
    Fields,
    Part,
    PassedOver,
    Understood,
    Unreadable,
    parts_of,
    reference_of,
    sid_of,
    together,
)

CODES: dict[str, tuple[State, str]] = {
    "N201": ("sent", "SENT"),
    "N202": ("delivered", "DELIVERED"),
    "E201": ("failed", "FAILED"),
    "E202": ("failed", "REJECTED"),
}
"""What the documented codes mean, and their names in capitals."""

STATUSES: dict[str, tuple[State, str]] = {text.casefold(): (state, text) for state, text in CODES.values()}
"""The same by the word beside an unknown code."""

_OURS = "SMS_MT"
_FAILURE = "E"
"""Every code of Skycore's that begins so is an error (skycore.com/help/messaging-api-v2-intro)."""


def read_skycore(document: object) -> Understood | Unreadable:
    """Tell what one postback says, or several in an array; never raises."""
    return together([_part(Fields(part)) for part in parts_of(document)])


def _part(fields: Fields) -> Part:
    tracking_id, to, code = fields.text("tracking-id"), fields.text("to"), code_of(fields.text("code").upper())
    origin = fields.text("origin").upper()
    # In its batch the number will do; but other gateways say one too.
    if not (tracking_id or (origin == _OURS and to)):
        return Unreadable(reason="it has neither tracking-id nor origin and to")
    if origin not in {_OURS, ""}:
        return PassedOver()
    found = CODES.get(code) or STATUSES.get(fields.text("status").casefold())
    if found is None and code.startswith(_FAILURE):
        found = ("failed", "FAILED")
    if found is None:
        return Unreadable(reason="neither its code nor its status is known")
    state, text = found
    return DeliveryReport(
        state=state,
        gateway_id=sid_of(tracking_id),
        to=to,
        reference=reference_of(fields.text("campaign-ref")),
        code=code,
        text=text,
        at=seconds_of(fields.text("timestamp")),
    )
