"""What the code of a refused message says beyond it, in an answer as in a report: one line a gateway."""

from collections.abc import Callable, Mapping, Sequence

from worker.domain.answers import MessageAnswer, Rejected
from worker.domain.batch import Outgoing
from worker.domain.delivery import Feedback
from worker.domain.suppression import FED_BY, Reason, SuppressionList
from worker.gateways import exotel_deliveries, exotel_whatsapp_reports, xtend_codes

_TABLES: Mapping[str, Callable[[str], Feedback]] = {
    "exotel-sms": exotel_deliveries.feedback_of,
    "exotel-whatsapp": exotel_whatsapp_reports.feedback_of,
    "xtend-sms": xtend_codes.feedback_of,
}
"""By the gateway's name in the accounts file. Skycore and Xtend's WhatsApp document no code of that kind."""


def feedback_of(gateway: str, code: str) -> Feedback:
    """Tell what a gateway ("exotel-sms") says of the number with this code; `NOTHING` where nothing is known of it."""
    table = _TABLES.get(gateway)
    return table(code) if table else Feedback.NOTHING


def unwelcome(
    gateway: str, outgoing: Outgoing, outcomes: Sequence[MessageAnswer]
) -> Mapping[tuple[SuppressionList, Reason], list[int]]:
    """Return the numbers of those who were refused for refusing messages, by the list that they go on."""
    found: dict[tuple[SuppressionList, Reason], list[int]] = {}
    for message, outcome in zip(outgoing.messages, outcomes, strict=True):
        if isinstance(outcome, Rejected) and (place := FED_BY.get(feedback_of(gateway, outcome.code))):
            found.setdefault(place, []).append(message.to)
    return found
