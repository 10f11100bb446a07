"""Writes what the gateway answers, in the two formats of the documents: JSON after `.json`, else XML.

Step 4 of a call, pure. The JSON of an accepted batch is written from pieces made once a call, because 100 messages
are 50 kB of it. The shapes follow the samples of the documents, oddities included: a bulk answer is a bare array with
numeric codes, a single one an object with strings; a failed entry echoes `To` in the dynamic answer and has null in
the static one; JSON puts a 0 before an Indian number, XML does not; times are Indian and have no zone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape

from scripts.simulator.codes import EXOTEL_SMS
from scripts.simulator.judge import MAX_MESSAGES, Shape, Verdict
from scripts.simulator.refusals import Refusal

INDIA = timezone(timedelta(hours=5, minutes=30))

_QUEUED = ("21010", "PENDING_TO_OPERATOR")
_DND = "23005"
_POSITIONS = [f"{position:08x}" for position in range(MAX_MESSAGES)]
_quoted = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a verdict needs to become an answer: the account, when, and the first 24 characters of every Sid."""

    account_sid: str
    at: float
    sid_prefix: str


def message_sid(prefix: str, position: int) -> str:
    """The Sid of the message at `position`: 32 hexadecimal characters."""
    return prefix + _POSITIONS[position]


def status_of(verdict: Verdict) -> int:
    """200 where every message was accepted, else 207."""
    return 207 if verdict.failed else 200


def as_json(verdict: Verdict, receipt: Receipt) -> bytes:
    """The answer to `verdict` as JSON."""
    entries = _json_entries(verdict, receipt)
    text = next(entries) if verdict.shape is Shape.SINGLE else f"[{','.join(entries)}]"
    return text.encode()


def as_xml(verdict: Verdict, receipt: Receipt) -> bytes:
    """The answer to `verdict` as XML."""
    return _xml("".join(_xml_entries(verdict, receipt)))


def refusal_as_json(refusal: Refusal) -> bytes:
    """`{"RestException": …}`; Code is a number, and left out where the document has none."""
    exception: dict[str, object] = {"Status": refusal.status, "Message": refusal.message}
    if refusal.code is not None:
        exception["Code"] = refusal.code
    return json.dumps({"RestException": exception}, ensure_ascii=False).encode()


def refusal_as_xml(refusal: Refusal) -> bytes:
    """The same as XML."""
    code = "" if refusal.code is None else f"<Code>{refusal.code}</Code>"
    return _xml(
        f"<RestException><Status>{refusal.status}</Status><Message>{escape(refusal.message)}</Message>"
        f"{code}</RestException>"
    )


def _json_entries(verdict: Verdict, receipt: Receipt) -> Iterator[str]:
    account, prefix = _quoted(receipt.account_sid), receipt.sid_prefix
    date = indian_date(receipt.at)
    dates = f'"DateCreated":"{date}","DateUpdated":"{date}","DateSent":null,"Body":'
    code, detail = _QUEUED
    code_text = _code(code, verdict.shape)
    tail = (
        f'.json","ApiVersion":null,"Price":null,"Status":"queued","DetailedStatusCode":{code_text}'
        f',"DetailedStatus":"{detail}","SmsUnits":null}}}}'
    )
    head = f'{{"SMSMessage":{{"Sid":"{prefix}'
    uri = f',"Direction":"outbound-api","Uri":"/v1/Accounts/{account[1:-1]}/SMS/Messages/{prefix}'
    froms = {sender: _quoted(f"{sender}/{sender}") for sender in set(verdict.senders)}
    failed = verdict.failed
    for position, (digits, body, sender) in enumerate(
        zip(verdict.digits, verdict.bodies, verdict.senders, strict=True)
    ):
        if failed and position in failed:
            yield _json_failed(verdict, position, account)
            continue
        tag = _POSITIONS[position]
        yield (
            f'{head}{tag}","AccountSid":{account},"From":{froms[sender]},"To":"{led_by_zero(digits)}",'
            f"{dates}{_quoted(body)}{uri}{tag}{tail}"
        )


def _json_failed(verdict: Verdict, position: int, account: str) -> str:
    code = verdict.failed[position]
    shown = _quoted(_echo(verdict, position)) if verdict.shape is Shape.DYNAMIC else "null"
    return (
        f'{{"SMSMessage":{{"Sid":null,"AccountSid":{account},"From":null,"To":{shown},"DateCreated":null,'
        f'"DateUpdated":null,"DateSent":null,"Body":{_quoted(verdict.bodies[position])},"Direction":null,"Uri":null,'
        f'"ApiVersion":null,"Price":null,"Status":"{failed_status(code)}",'
        f'"DetailedStatusCode":{_code(code, verdict.shape)},"DetailedStatus":"{EXOTEL_SMS[code]}","SmsUnits":null}}}}'
    )


def _xml_entries(verdict: Verdict, receipt: Receipt) -> Iterator[str]:
    account, date = escape(receipt.account_sid), indian_date(receipt.at)
    for position, body in enumerate(verdict.bodies):
        code = verdict.failed.get(position)
        if code is not None:
            to = f"<To>{escape(verdict.given[position])}</To>" if verdict.shape is Shape.DYNAMIC else "<To/>"
            yield (
                f"<SMSMessage><Sid/><AccountSid>{account}</AccountSid><From/>{to}<DateCreated/><DateUpdated/>"
                f"<DateSent/><Body>{escape(body)}</Body><Direction/><Uri/><ApiVersion/><Price/>"
                f"<Status>{failed_status(code)}</Status><DetailedStatusCode>{code}</DetailedStatusCode>"
                f"<DetailedStatus>{EXOTEL_SMS[code]}</DetailedStatus><SmsUnits/></SMSMessage>"
            )
            continue
        sid, sender = message_sid(receipt.sid_prefix, position), escape(verdict.senders[position])
        yield (
            f"<SMSMessage><Sid>{sid}</Sid><AccountSid>{account}</AccountSid><From>{sender}/{sender}</From>"
            f"<To>{led_by_zero(verdict.digits[position]).removeprefix('0')}</To><DateCreated>{date}</DateCreated>"
            f"<DateUpdated>{date}</DateUpdated><DateSent/><Body>{escape(body)}</Body>"
            f"<Direction>outbound-api</Direction><Uri>/v1/Accounts/{account}/SMS/Messages/{sid}</Uri><ApiVersion/>"
            f"<Price/><Status>queued</Status><DetailedStatusCode>{_QUEUED[0]}</DetailedStatusCode>"
            f"<DetailedStatus>{_QUEUED[1]}</DetailedStatus><SmsUnits/></SMSMessage>"
        )


def _xml(inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<TwilioResponse>{inner}</TwilioResponse>\n'.encode()


def led_by_zero(digits: str) -> str:
    """How the gateway names a number: an Indian one as 0 and ten digits, another by its digits."""
    return f"0{digits[2:]}" if digits.startswith("91") else digits


def _echo(verdict: Verdict, position: int) -> str:
    digits = verdict.digits[position]
    return led_by_zero(digits) if digits else verdict.given[position]


def failed_status(code: str) -> str:
    """The Status that goes with the DetailedStatusCode of a failure."""
    return "failed-dnd" if code == _DND else "failed"


def _code(code: str, shape: Shape) -> str:
    return f'"{code}"' if shape is Shape.SINGLE else code


def indian_date(at: float) -> str:
    """An instant (seconds since the epoch) as the gateway writes it: Indian time, without a zone."""
    return datetime.fromtimestamp(at, UTC).astimezone(INDIA).strftime("%Y-%m-%d %H:%M:%S")
