"""Reads what Exotel posts to the status callback of WhatsApp messages, several at a time.

The source is Exotel's WhatsApp reference (developer.exotel.com/api/whatsapp), the status callback's section: an array
under whatsapp.messages, each of callback_type "dlr" (a delivery report) or "icm" (a message that somebody wrote to us).
Its own sample has the number 25001 beside EX_MESSAGE_DELIVERED, which its table numbers 30002: the name goes first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.domain.delivery import DeliveryReport, Feedback, State
from worker.gateways.dates import seconds_of
from worker.gateways.json_answer import code_of
from worker.gateways.posted import (
    Fields,
    Part,
    PassedOver,
    Understood,
    Unreadable,
    reference_of,
    sid_of,
    together,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table: the code's name, what became of the message, and what else that says."""

    name: str
    state: State
    feedback: Feedback = Feedback.NOTHING


CODES: dict[str, Meaning] = {
    "30001": Meaning("EX_MESSAGE_SENT", "sent"),
    "30002": Meaning("EX_MESSAGE_DELIVERED", "delivered"),
    "30003": Meaning("EX_MESSAGE_SEEN", "seen"),
    "30004": Meaning("EX_SYSTEM_ERROR", "failed"),
    "30005": Meaning("EX_NUMBER_ERROR", "failed"),
    "30006": Meaning("EX_SETUP_ERROR", "failed", Feedback.MISCONFIGURED),
    "30007": Meaning("EX_RATE_LIMIT_HIT", "failed", Feedback.THROTTLED),
    "30008": Meaning("EX_SPAM_RATE_LIMIT_HIT", "failed", Feedback.THROTTLED),
    "30009": Meaning("EX_TOO_MANY_REQUEST", "failed", Feedback.THROTTLED),
    "30010": Meaning("EX_INVALID_REQUEST", "failed", Feedback.MISCONFIGURED),
    "30011": Meaning("EX_UNKNOWN_ERROR", "failed"),
    "30012": Meaning("EX_INVALID_RECIPIENT", "failed"),
    "30013": Meaning("EX_INCAPABLE_RECIPIENT", "failed"),
    "30014": Meaning("EX_RECIPIENT_BLOCKED", "failed"),
    "30015": Meaning("EX_UNSUPPORTED_MESSAGE", "failed", Feedback.MISCONFIGURED),
    "30016": Meaning("EX_MEDIA_DOWNLOAD_ERROR", "failed", Feedback.MISCONFIGURED),
    "30017": Meaning("EX_MEDIA_UPLOAD_ERROR", "failed", Feedback.MISCONFIGURED),
    "30018": Meaning("EX_REENGAGEMENT_ERROR", "failed"),
    "30019": Meaning("EX_INVALID_PARAM", "failed", Feedback.MISCONFIGURED),
    "30020": Meaning("EX_MISSING_PARAM", "failed", Feedback.MISCONFIGURED),
    "30021": Meaning("EX_INVALID_PARAM_VALUE", "failed", Feedback.MISCONFIGURED),
    "30022": Meaning("EX_TEMPLATE_ERROR", "failed", Feedback.MISCONFIGURED),
    "30023": Meaning("EX_TEMPLATE_PARAM_ERROR", "failed", Feedback.MISCONFIGURED),
    "30024": Meaning("EX_TEMPLATE_NOT_FOUND", "failed", Feedback.MISCONFIGURED),
    "30025": Meaning("EX_TEMPLATE_TEXT_TOO_LONG", "failed", Feedback.MISCONFIGURED),
    "30026": Meaning("EX_INVALID_TEMPLATE_NAMESPACE", "failed", Feedback.MISCONFIGURED),
    "30027": Meaning("EX_MESSAGE_PENDING_TOO_LONG", "failed"),
    "30028": Meaning("EX_MESSAGE_EXPIRED", "failed"),
    "30029": Meaning("EX_MESSAGE_TOO_LONG", "failed", Feedback.MISCONFIGURED),
    "30030": Meaning("EX_WEBHOOK_ERROR", "failed", Feedback.MISCONFIGURED),
    "30031": Meaning("EX_SECTION_COUNT_ERROR", "failed", Feedback.MISCONFIGURED),
    "30032": Meaning("EX_ROWS_COUNT_ERROR", "failed", Feedback.MISCONFIGURED),
    "30033": Meaning("EX_PRODUCT_COUNT_ERROR", "failed", Feedback.MISCONFIGURED),
    "30034": Meaning("EX_CATALOGUE_NOT_FOUND", "failed", Feedback.MISCONFIGURED),
    "30035": Meaning("EX_CATALOGUE_NOT_LINKED", "failed", Feedback.MISCONFIGURED),
    "30036": Meaning("EX_MISSING_PRODUCT", "failed", Feedback.MISCONFIGURED),
    "30037": Meaning("EX_PRODUCT_NOT_FOUND", "failed", Feedback.MISCONFIGURED),
    "30038": Meaning("EX_PRODUCT_COMPLIANCE_ERROR", "failed", Feedback.MISCONFIGURED),
    "30039": Meaning("EX_INVALID_HEADER", "failed", Feedback.MISCONFIGURED),
    "30040": Meaning("EX_MISSING_COMPLIANCE", "failed", Feedback.MISCONFIGURED),
    "30041": Meaning("EX_CHAR_POLICY_VIOLATION", "failed", Feedback.MISCONFIGURED),
}
"""Every code of the reference's table. Misconfigured is what all messages of one content, or of one setup, would meet;
the 24 hours' window (30018) and an allowed list (30014) are each recipient's own."""

BY_NAME: dict[str, Meaning] = {meaning.name: meaning for meaning in CODES.values()}


def feedback_of(code: str) -> Feedback:
    """Tell what a failure with this code says beyond its own message; `NOTHING` for an unknown code."""
    return CODES[code].feedback if code in CODES else Feedback.NOTHING


_INCOMING = "icm"
_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,63}", re.ASCII)
_SAYS_FAILED = re.compile(r"FAIL|ERROR|INVALID|REJECT|EXPIRED|UNDELIVER")


def read_exotel_whatsapp(document: object) -> Understood | Unreadable:
    """Tell what one post says of its messages; never raises."""
    whatsapp = document.get("whatsapp") if isinstance(document, Mapping) else None
    messages = whatsapp.get("messages") if isinstance(whatsapp, Mapping) else None
    if not isinstance(messages, list):
        return Unreadable(reason="it has no array whatsapp.messages")
    return together([_part(Fields(message)) for message in messages])


def _part(fields: Fields) -> Part:
    sid, to = fields.text("sid"), fields.text("to")
    if fields.text("callback_type").casefold() == _INCOMING:
        return PassedOver()
    if not (sid or to):  # in its batch the number will do
        return Unreadable(reason="a message has neither sid nor to")
    meaning = _meaning(fields)
    if meaning is None:
        return Unreadable(reason="a message's status is not known")
    return DeliveryReport(
        state=meaning.state,
        gateway_id=sid_of(sid),
        to=to,
        reference=reference_of(fields.text("custom_data")),
        code=code_of(fields.text("exo_status_code")),
        text=meaning.name,
        at=seconds_of(fields.text("timestamp")),
        feedback=meaning.feedback,
    )


def _meaning(fields: Fields) -> Meaning | None:
    """Look up the name, then the number; what neither knows has failed where its words say so."""
    name, code = fields.text("exo_detailed_status").upper(), code_of(fields.text("exo_status_code"))
    known = BY_NAME.get(name) or CODES.get(code)
    if known is not None:
        return known
    if _SAYS_FAILED.search(name) or _SAYS_FAILED.search(fields.text("description").upper()):
        return Meaning(name if _NAME.fullmatch(name) else "FAILED", "failed")
    return None
