"""details: what the gateway knows now of one message."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, assert_never

import typer

from config.accounts import load_accounts
from config.errors import ConfigError
from config.settings import load_environ, load_settings
from scripts.cli.failed import CommandFailed
from scripts.cli.options import Json
from scripts.cli.output import emit
from worker.asking import Unanswered, ask, new_client
from worker.domain.answers import Throttled
from worker.gateways.exotel_access import Access
from worker.gateways.exotel_details import (
    Bill,
    Details,
    Found,
    NotFound,
    Refused,
    Underway,
    Unreadable,
    read_details,
    write_details,
)
from worker.gateways.exotel_sms import ExotelSms
from worker.gateways.registry import build
from worker.intake.suggestions import did_you_mean

_SID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)
_DELIVERY = {"delivered": "delivered", "seen": "delivered", "failed": "undelivered", "sent": "awaiting"}


def details(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's name in the accounts file.")],
    sid: Annotated[str, typer.Argument(metavar="SID", help="The gateway's id of the message, as a report has it.")],
    *,
    as_json: Json = False,
) -> None:
    """Ask the gateway what became of one message that it accepted: SMS of Exotel only."""
    if _SID.fullmatch(sid) is None:
        raise ConfigError(f"SID {sid!r}: an id has 1 to 128 letters, digits and _ . : -")
    access, timeout_s = access_of(account)
    document = _document(sid, asyncio.run(_ask(access, sid, timeout_s)))
    emit(document, _lines(document), as_json=as_json)


def access_of(name: str) -> tuple[Access, float]:
    """Return an Exotel SMS account's access and its timeout in seconds; raises `ConfigError` for any other."""
    path = load_settings().accounts_file
    known = load_accounts(path)
    if name not in known:
        raise ConfigError(f"{path}: there is no account {name}{did_you_mean(name, known)}")
    account = known[name]
    gateway = build(account, account.credentials(load_environ()))
    if not isinstance(gateway, ExotelSms):
        raise ConfigError(f"account {name} is at {gateway.name}: only exotel-sms can be asked about a message")
    return gateway.access, account.timeout


async def _ask(access: Access, sid: str, timeout_s: float) -> Details:
    async with new_client() as client:
        answer = await ask(client, write_details(access, sid), timeout_s=timeout_s)
    return Unreadable(reason=answer.reason) if isinstance(answer, Unanswered) else read_details(access, answer, sid)


def _document(sid: str, found: Details) -> dict[str, Any]:
    """Return what `--json` prints; `delivered_at` is ISO 8601 in UTC."""
    match found:
        case Found(report=report, bill=bill):
            is_dated = report.state == "delivered" and report.at is not None
            at = datetime.fromtimestamp(report.at or 0, UTC).isoformat() if is_dated else None
            known = {"delivery": _DELIVERY[report.state], "code": report.code or None, "text": report.text or None}
            return {"sid": sid, **known, "delivered_at": at, **_bill(bill)}
        case Underway(status=status, code=code, bill=bill):
            known = {"delivery": "awaiting", "code": code or None, "text": status}
            return {"sid": sid, **known, "delivered_at": None, **_bill(bill)}
        case NotFound():
            raise CommandFailed(f"the gateway knows no message {sid} of this account")
        case Throttled(reason=reason, retry_after_s=pause_s):
            raise CommandFailed(f"ask again {f'in {pause_s:g} s' if pause_s else 'later'}: {reason}")
        case Refused(reason=reason) | Unreadable(reason=reason):
            raise CommandFailed(reason)
        case _:
            assert_never(found)


def _bill(bill: Bill) -> dict[str, Any]:
    return {"segments": bill.segments, "price": bill.price or None}


def _lines(document: dict[str, Any]) -> Iterator[str]:
    because = " ".join(document[name] for name in ("code", "text") if document[name])
    yield f"{document['sid']}: {document['delivery']}" + (f" ({because})" if because else "")
    if document["delivered_at"]:
        yield f"  delivered at {document['delivered_at']}"
    if document["segments"] is not None:
        yield f"  {document['segments']} segment{'' if document['segments'] == 1 else 's'}"
    if document["price"]:
        yield f"  price {document['price']}"
