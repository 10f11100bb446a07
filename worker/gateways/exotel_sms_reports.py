"""Reads what Exotel posts to an SMS's StatusCallback; what its words mean stands in `exotel_deliveries`.

The source is Exotel's SMS reference (developer.exotel.com/api/sms), StatusCallback: a form of SmsSid, To, Status,
SmsUnits, DetailedStatus, DetailedStatusCode, DateSent and CustomField. JSON of the same names is read as well.
"""

from worker.gateways.exotel_deliveries import STATUSES, report_from
from worker.gateways.posted import Fields, Part, PassedOver, Understood, Unreadable, parts_of, reference_of, together


def read_exotel_sms(document: object) -> Understood | Unreadable:
    """Tell what one post says of one message, or of several; never raises."""
    return together([_part(Fields(part)) for part in parts_of(document)])


def _part(fields: Fields) -> Part:
    sid, to, status = fields.text("SmsSid"), fields.text("To"), fields.text("Status")
    if not (sid or to):  # in its batch the number will do
        return Unreadable(reason="it has neither SmsSid nor To")
    report = report_from(
        status=status,
        code=fields.text("DetailedStatusCode"),
        detail=fields.text("DetailedStatus"),
        sid=sid,
        to=to,
        date=fields.text("DateSent"),
        custom_field=_reference(fields),
    )
    if report is not None:
        return report
    is_intermediate = status.casefold() in STATUSES
    return PassedOver() if is_intermediate else Unreadable(reason="its status is not known")


def _reference(fields: Fields) -> str:
    # Our reference stands in front of what the campaign's own custom field says, up to the first blank.
    return reference_of(fields.text("CustomField").partition(" ")[0])
