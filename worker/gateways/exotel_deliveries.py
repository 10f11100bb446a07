"""What Exotel's words about one SMS mean as a delivery report, as data; the callback reader and SMS details share it.

The source is Exotel's SMS reference (developer.exotel.com/api/sms), section "Mapping and Description of status codes",
which says to decide by the code. So a final code decides; where it is missing, new or intermediate, the status does.
Nothing here raises, whatever the words are.
"""

import re
from datetime import datetime, timedelta, timezone

from worker.domain.delivery import DeliveryReport, Feedback, State
from worker.gateways.exotel_codes import DETAILS
from worker.gateways.json_answer import code_of

INDIA = timezone(timedelta(hours=5, minutes=30))
"""Exotel's dates name no zone; its unset date, 1970-01-01 05:30:00, is the epoch's start in India."""

STATUSES: dict[str, State | None] = {
    "queued": None,
    "sending": None,
    "submitted": "sent",
    "sent": "delivered",
    "delivered": "delivered",
    "failed-dnd": "failed",
    "failed": "failed",
}
"""What each documented status means; `None`: nothing yet. Exotel's "sent" is "successfully delivered"; "delivered" is
the word of its newer pages (docs/sms-support/sms-webhooks), beside codes that the reference does not have."""

INTERMEDIATE: dict[str, str] = {
    "21010": "PENDING_TO_OPERATOR",
    "21015": "SENDING_TO_OPERATOR",
    "21020": "PENDING_ON_OPERATOR",
}
"""Codes that may change: the status beside them decides."""

DELIVERED: dict[str, str] = {"20005": "DELIVERED_TO_HANDSET", "20006": "DELIVERED_TO_OPERATOR"}
"""20006 is the most that promotional messages and some routes ever report, so it counts as delivered."""

FEEDBACK: dict[str, Feedback] = {"23005": Feedback.REFUSES_PROMOTION, "23020": Feedback.OPTED_OUT}
"""What a failure's code says of its number."""

MISCONFIGURED = re.compile(r"2307\d|2308\d|2318\d|23281", re.ASCII)
"""The codes of a message, sender, entity or template that the operator or the DLT platform refused, new ones too."""

NAMES = INTERMEDIATE | DELIVERED | DETAILS
"""The documented name of every code."""

_SID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)
_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,63}", re.ASCII)


def report_from(
    status: str, code: str, detail: str, sid: str, to: str, date: str, custom_field: str
) -> DeliveryReport | None:
    """Understand one message's Status, DetailedStatusCode, DetailedStatus, SmsSid, To, DateSent and CustomField.

    Each is "" where it is missing. `None` where the words say nothing of the delivery yet (queued, sending) or are
    not known. `custom_field` begins with our reference, up to its first blank.
    """
    status, code = _status(status), code_of(code)
    state = _state(status, code)
    if state is None:
        return None
    return DeliveryReport(
        state=state,
        gateway_id=sid if _SID.fullmatch(sid := sid.strip()) else "",
        to=to.strip(),
        reference=custom_field.split(" ", 1)[0],
        code=code,
        text=detail if _NAME.fullmatch(detail := detail.strip()) else NAMES.get(code, ""),
        at=_seconds(date),
        feedback=_feedback(status, code) if state == "failed" else Feedback.NOTHING,
    )


def feedback_of(code: str) -> Feedback:
    """Tell what a failure with this code says beyond its own message; `NOTHING` for an unknown code."""
    return Feedback.MISCONFIGURED if MISCONFIGURED.fullmatch(code) else FEEDBACK.get(code, Feedback.NOTHING)


def _status(words: str) -> str:
    """The reference writes "failed-dnd", Exotel's console "failed_dnd"."""
    return words.strip().casefold().replace("_", "-")


def _state(status: str, code: str) -> State | None:
    if code in DELIVERED:
        return "delivered"
    if code in DETAILS:
        return "failed"
    return "failed" if status.startswith("failed") else STATUSES.get(status)


def _feedback(status: str, code: str) -> Feedback:
    said = feedback_of(code)
    return Feedback.REFUSES_PROMOTION if said is Feedback.NOTHING and status == "failed-dnd" else said


def _seconds(date: str) -> float | None:
    try:
        moment = datetime.fromisoformat(date.strip())
    except ValueError:
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=INDIA)).timestamp()
    return seconds if seconds > 0 else None
