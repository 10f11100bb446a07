"""The details of one Exotel SMS message, in JSON or XML, as its delivery stands.

Source: "Exotel SMS: details of one message". Until its end a message is "submitted", and its DateSent the one that
means none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

import orjson

from scripts.simulator.answers import failed_status, indian_date, led_by_zero
from scripts.simulator.codes import EXOTEL_SMS
from scripts.simulator.reports import DELIVERED, NEVER, units

PENDING = "21020"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is known of a message: when it was accepted (`at`), and `code` since `changed_at`; "21020" is pending."""

    account_sid: str
    sid: str
    digits: str
    sender: str
    body: str
    at: float
    code: str
    changed_at: float


def as_json(details: Details) -> bytes:
    """The answer to `….json`."""
    return orjson.dumps({"SMSMessage": _fields(details, suffix=".json")})


def as_xml(details: Details) -> bytes:
    """The answer without it: the number has no zero in front."""
    fields = {**_fields(details, suffix=""), "To": led_by_zero(details.digits).removeprefix("0")}
    inner = "".join(
        f"<{name}/>" if value is None else f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<TwilioResponse><SMSMessage>{inner}</SMSMessage></TwilioResponse>\n'
    ).encode()


def _fields(details: Details, *, suffix: str) -> Mapping[str, str | int | None]:
    status, detail = _standing(details.code)
    return {
        "Sid": details.sid,
        "AccountSid": details.account_sid,
        "From": f"{details.sender}/{details.sender}",
        "To": led_by_zero(details.digits),
        "DateCreated": indian_date(details.at),
        "DateUpdated": indian_date(details.changed_at),
        "DateSent": indian_date(details.changed_at) if details.code in DELIVERED else NEVER,
        "Body": details.body,
        "Direction": "outbound-api",
        "Uri": f"/v1/Accounts/{details.account_sid}/SMS/Messages/{details.sid}{suffix}",
        "ApiVersion": None,
        "Price": None,
        "Status": status,
        "DetailedStatusCode": details.code,
        "DetailedStatus": detail,
        "SmsUnits": units(details.body),
    }


def _standing(code: str) -> tuple[str, str]:
    if code == PENDING:
        return "submitted", "PENDING_ON_OPERATOR"
    if code in DELIVERED:
        return "sent", DELIVERED[code]
    return failed_status(code), EXOTEL_SMS[code]
