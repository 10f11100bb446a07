"""Writes the delivery reports of a call: one step, or two, a message, in the form of its gateway's document.

Exotel SMS tells the end only; Exotel WhatsApp and Skycore tell "sent" first. The second copy of a WhatsApp delivery
has the code of the document's sample, 25001, which its own table does not know.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from scripts.simulator.answers import INDIA, Receipt, failed_status, indian_date, led_by_zero, message_sid
from scripts.simulator.codes import EXOTEL_SMS, EXOTEL_WHATSAPP, SKYCORE_REPORTS
from scripts.simulator.fate import Fate, fate_of
from scripts.simulator.judge import Verdict
from scripts.simulator.letters import Envelope, Letter
from scripts.simulator.options import SimulatorOptions

NEVER = "1970-01-01 05:30:00"
HANDSET, OPERATOR = "20005", "20006"
DELIVERED: Mapping[str, str] = {HANDSET: "DELIVERED_TO_HANDSET", OPERATOR: "DELIVERED_TO_OPERATOR"}
_WHATSAPP: Mapping[str, tuple[str, str]] = {
    "30001": ("EX_MESSAGE_SENT", "The message has been sent to the user"),
    "30002": ("EX_MESSAGE_DELIVERED", "The message has been successfully delivered to the user"),
    "25001": ("EX_MESSAGE_DELIVERED", "Message delivered"),
}
_SKYCORE: Mapping[str, str] = {"N201": "Sent", "N202": "Delivered", **SKYCORE_REPORTS}

Fields = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one report says: the message, the code, and the instant (seconds since the epoch)."""

    sid: str
    digits: str
    sender: str
    body: str
    custom_field: str
    code: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A gateway's reports: the codes of its steps ("" where it tells none), and how one is written."""

    envelope: Envelope
    sent: str
    delivered: str
    delivered_again: str
    write: Callable[[News], Fields]


def letters(gateway: str, verdict: Verdict, receipt: Receipt, options: SimulatorOptions) -> Iterator[Letter]:
    """The reports on the accepted messages of a call that asked for them."""
    form = _FORMS[gateway]
    for position, url in enumerate(verdict.callbacks):
        if url and position not in verdict.failed:
            fate = fate_of(verdict.digits[position], gateway, options)
            for code, wait_s in _steps(form, fate, verdict):
                news = _news(verdict, receipt, position, code, receipt.at + wait_s)
                first = code != form.sent and fate.early and wait_s == fate.final_s
                yield Letter(url=url, envelope=form.envelope, fields=form.write(news), wait_s=wait_s, early=first)


def final_code(fate: Fate, *, promotional: bool) -> str:
    """The DetailedStatusCode in the end: promotional traffic gets no report from the handset."""
    return fate.failure or (OPERATOR if promotional else HANDSET)


def units(body: str) -> int:
    """SmsUnits: parts of 160 or 153 characters, of 70 or 67 where it is not ASCII (which is near enough)."""
    whole, part = (160, 153) if body.isascii() else (70, 67)
    return 1 if len(body) <= whole else -(-len(body) // part)


def _steps(form: _Form, fate: Fate, verdict: Verdict) -> Iterator[tuple[str, float]]:
    """Each report of a message: its code, and the seconds until it."""
    operator = verdict.promotional and form.delivered == HANDSET
    delivered = OPERATOR if operator else form.delivered
    if form.sent:
        yield form.sent, fate.sent_s
    yield fate.failure or delivered, fate.final_s
    if fate.again_s >= 0:
        yield fate.failure or (OPERATOR if operator else form.delivered_again), fate.again_s


def _news(verdict: Verdict, receipt: Receipt, position: int, code: str, at: float) -> News:
    custom = verdict.custom_fields[position] if verdict.custom_fields else verdict.custom_field
    return News(
        sid=message_sid(receipt.sid_prefix, position),
        digits=verdict.digits[position],
        sender=verdict.senders[position],
        body=verdict.bodies[position],
        custom_field=custom,
        code=code,
        at=at,
    )


def _exotel_sms(news: News) -> Fields:
    is_sent = news.code in DELIVERED
    fields: dict[str, str | int] = {
        "SmsSid": news.sid,
        "To": led_by_zero(news.digits),
        "Status": "sent" if is_sent else failed_status(news.code),
        "SmsUnits": units(news.body),
        "DetailedStatus": DELIVERED[news.code] if is_sent else EXOTEL_SMS[news.code],
        "DetailedStatusCode": news.code,
        "DateSent": indian_date(news.at) if is_sent else NEVER,
    }
    return fields | ({"CustomField": news.custom_field} if news.custom_field else {})


def _exotel_whatsapp(news: News) -> Fields:
    status, description = _WHATSAPP.get(news.code) or (EXOTEL_WHATSAPP[news.code], "The message failed")
    fields: dict[str, str | int] = {
        "callback_type": "dlr",
        "sid": news.sid,
        "to": news.digits,
        "exo_status_code": int(news.code),
        "exo_detailed_status": status,
        "description": description,
        "timestamp": datetime.fromtimestamp(news.at, INDIA).isoformat(timespec="milliseconds"),
    }
    return fields | ({"custom_data": news.custom_field} if news.custom_field else {})


def _skycore(news: News) -> Fields:
    fields: dict[str, str | int] = {
        "origin": "SMS_MT",
        "code": news.code,
        "sent-as": "SMS",
        "status": _SKYCORE[news.code],
        "from": news.sender,
        "to": news.digits,
        "tracking-id": news.sid,
        "timestamp": datetime.fromtimestamp(news.at, UTC).isoformat(timespec="seconds"),
    }
    return fields | ({"campaign-ref": news.custom_field} if news.custom_field else {})


_FORMS: Mapping[str, _Form] = {
    "exotel-sms": _Form(envelope=Envelope.FORM, sent="", delivered=HANDSET, delivered_again=HANDSET, write=_exotel_sms),
    "exotel-whatsapp": _Form(
        envelope=Envelope.WHATSAPP, sent="30001", delivered="30002", delivered_again="25001", write=_exotel_whatsapp
    ),
    "skycore-sms": _Form(
        envelope=Envelope.OBJECT, sent="N201", delivered="N202", delivered_again="N202", write=_skycore
    ),
}
