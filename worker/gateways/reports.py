"""What a gateway posted to a callback URL, read: one line a gateway that reports deliveries.

Pure, and never raises: what nobody understands is a value, for an operator to see.
"""

from collections.abc import Callable, Mapping

from worker.domain.delivery import DeliveryReport
from worker.gateways.exotel_sms_reports import read_exotel_sms
from worker.gateways.exotel_whatsapp_reports import read_exotel_whatsapp
from worker.gateways.posted import Understood, Unreadable, document_of
from worker.gateways.skycore_reports import read_skycore

__all__ = ["READERS", "Understood", "Unreadable", "read_reports", "understand"]

READERS: Mapping[str, Callable[[object], Understood | Unreadable]] = {
    "exotel-whatsapp": read_exotel_whatsapp,
    "skycore-sms": read_skycore,
    "exotel-sms": read_exotel_sms,
}
"""By the gateway's name in the accounts file, those whose words are theirs alone first: Exotel's for an SMS may be just
To and Status. Xtend documents no reports, neither for SMS nor for WhatsApp."""


def read_reports(gateway: str, body: bytes) -> tuple[DeliveryReport, ...] | Unreadable:
    """Return the delivery reports in a body that an account at this gateway got; what is none is passed over."""
    reader = READERS.get(gateway)
    if reader is None:
        return Unreadable(reason=f"{gateway} is not known to report deliveries")
    understood = reader(document_of(body))
    return understood if isinstance(understood, Unreadable) else understood.reports


def understand(body: bytes) -> Understood | Unreadable:
    """Tell what a body says in the words of whichever gateway understands it.

    For whoever takes a body in and need not know whose it is: in this order the gateways' words are not mixed up.
    """
    document = document_of(body)
    if document is None:
        return Unreadable(reason="it is neither JSON nor a form")
    for reader in READERS.values():
        understood = reader(document)
        if isinstance(understood, Understood):
            return understood
    return Unreadable(reason="it is in no gateway's words")
