"""SMS details: what Exotel knows now of one message that it accepted (Exotel SMS reference, "SMS details").

Asking changes nothing at Exotel, so unlike a send it may be repeated. An answer counts only for the id that was asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from worker.domain.answers import Answer, Call, Throttled
from worker.domain.delivery import DeliveryReport
from worker.domain.ratelimit import retry_after_s
from worker.gateways.exotel_access import Access
from worker.gateways.exotel_codes import rule_for
from worker.gateways.exotel_deliveries import INTERMEDIATE, NAMES, STATUSES, report_from
from worker.gateways.exotel_documents import entries_from
from worker.gateways.json_answer import code_of, read_json
from worker.gateways.rest_exception import rest_exception
from worker.gateways.rules import Verdict, named, with_words

_UNKNOWN = b"no matching results"
"""Part of the answer for an id that Exotel does not know, whose status is 200 (errors: SID not found in GET call)."""

_OF_THIS_QUESTION = frozenset({Verdict.LOST, Verdict.ISOLATE})
"""Verdicts that say nothing of other questions; all others hold for the account."""

_PRICE = re.compile(r"[0-9.]{1,16}", re.ASCII)
_MOST_SEGMENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What Exotel counts for the message: segments, `None` until it is processed, and the price, "" until then."""

    segments: int | None
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The message has come to an end, which may still be followed by a delivery."""

    report: DeliveryReport
    bill: Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """Exotel or the operator still has it: no news yet. `status` is Exotel's word (queued, sending, submitted)."""

    status: str
    code: str
    bill: Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """Exotel knows no message of this id on this account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Exotel does not answer such questions to this account; `reason` says what to do about it."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """No answer that says anything of the message; asking again, or about another one, may help."""

    reason: str


Details = Found | Underway | NotFound | Throttled | Refused | Unreadable


def write_details(access: Access, sms_sid: str) -> Call:
    """Write the question for one message. The path says `SMS`, where that of a send says `Sms`: both as documented."""
    url = f"{access.root}/SMS/Messages/{quote(sms_sid, safe='')}.json"
    headers = {name: text for name, text in access.headers.items() if name != "Content-Type"}
    return Call(method="GET", url=url, headers=headers, content=b"")


def read_details(access: Access, answer: Answer, sms_sid: str) -> Details:
    """Tell what the answer says of the message that was asked for; never raises, whatever the gateway says."""
    document = read_json(answer.body)
    is_good = answer.status // 100 == 2  # noqa: PLR2004  (the class of success)
    entries = entries_from(answer, document) if is_good else None
    if entries is not None and len(entries) == 1 and entries[0]:
        return _read_entry(entries[0], sms_sid)
    if _UNKNOWN in answer.body[:10_000].lower():
        return NotFound()
    code, message = rest_exception(answer, document)
    said = access.discretion.discreet(message, ())
    words = f"Exotel says: {said}" if said else ""
    if is_good:
        return Unreadable(reason=with_words(named("Exotel's answer can not be read", answer.status, code), words))
    return _judge(answer, code, words)


def _judge(answer: Answer, code: str, words: str) -> Details:
    rule = rule_for(answer.status, code)
    what = named(rule.what, answer.status, code)
    if rule.verdict is Verdict.THROTTLED:
        return Throttled(code=code, reason=with_words(what, words), retry_after_s=retry_after_s(answer))
    if rule.verdict in _OF_THIS_QUESTION:
        return Unreadable(reason=with_words(what, words))
    remedy = rule.advice.rpartition(", then ")[0]  # what follows is for those who send
    return Refused(code=code, reason=with_words(f"{what}: {remedy}" if remedy else what, words))


def _read_entry(entry: Mapping[str, object], sms_sid: str) -> Details:
    if entry.get("Sid") != sms_sid:
        return Unreadable(reason="Exotel's answer is not of the message that was asked for")
    status, code = _text(entry, "Status").strip().casefold(), code_of(entry.get("DetailedStatusCode"))
    detail, to, date = (_text(entry, key) for key in ("DetailedStatus", "To", "DateSent"))
    report = report_from(status, code, detail, sms_sid, to, date, "")
    bill = Bill(segments=_segments(entry.get("SmsUnits")), price=_price(entry.get("Price")))
    if report is not None and report.state != "sent":
        return Found(report=report, bill=bill)
    if status in STATUSES or code in INTERMEDIATE:
        shown = status if status in STATUSES else NAMES[code]
        return Underway(status=shown, code=code, bill=bill)
    return Unreadable(reason=named("Exotel gives the message a status that is not known", 200, code))


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _segments(value: object) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) and int(text) <= _MOST_SEGMENTS else None


def _price(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else ""
    return text if _PRICE.fullmatch(text) else ""
