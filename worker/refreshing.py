"""Asks a gateway about messages that it accepted and never reported on, and hands on what it says.

For accounts that get no callbacks on bulk sends. Each account has a pace of its own for questions, apart from that of
its sends (Exotel counts GET and POST apart: errors 40403 and 40402). What was learned is handed on every hundred
questions, so that an end in the middle loses little; a question changes nothing, so that asking again is harmless.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import httpx
from aiolimiter import AsyncLimiter

from worker.asking import AT_ONCE, Unanswered, ask
from worker.domain.answers import Throttled
from worker.domain.delivery import DeliveryReport
from worker.domain.ids import AccountName, CampaignId
from worker.gateways.exotel_access import Access
from worker.gateways.exotel_details import (
    Details,
    Found,
    NotFound,
    Refused,
    Underway,
    Unreadable,
    read_details,
    write_details,
)
from worker.ledger.record import ReportRow

PER_SECOND = 5.0
"""Questions a second and account: Exotel documents none, its newer pages say 300 a minute."""

STRETCH = 100
"""Questions after which what was learned is handed on."""

FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 900.0
"""An account that wants to be left alone for longer is not waited for."""

MOST_UNREADABLE = 10
"""So many questions in a row without a usable answer end the asking."""

Apply = Callable[[AccountName, Sequence[DeliveryReport]], None]
"""Takes what was learned of an account's messages; called in the order of the record, between two stretches."""


Told = Found | Underway | NotFound | Refused | Unreadable
"""What a question comes to once the account is not throttled any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting:
    """An accepted message without a report: whom to ask, and by which id; `reference` is "campaign:batch"."""

    account: AccountName
    gateway_id: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What the questions came to: asked = reported + underway + unknown + unreadable.

    `stopped` says in words why the asking ended early, "" where it did not.
    """

    asked: int = 0
    reported: int = 0
    underway: int = 0
    unknown: int = 0
    unreadable: int = 0
    stopped: str = ""


class Asker:
    """Asks one account, at its pace; once the account refuses it asks nothing more and repeats that refusal."""

    def __init__(
        self,
        access: Access,
        client: httpx.AsyncClient,
        *,
        timeout_s: float,
        per_second: float = PER_SECOND,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Take the account's access; `timeout_s` is for one question, whole."""
        self._access, self._client, self._timeout_s, self._sleep = access, client, timeout_s, sleep
        self._limiter = AsyncLimiter(1, 1 / per_second)
        self._wire = asyncio.Semaphore(AT_ONCE)
        self._gate = asyncio.Lock()
        self._pauses = 0
        self._pause_s = FIRST_PAUSE_S
        self._unreadable = 0
        self._refused: Refused | None = None

    async def ask(self, sms_sid: str) -> Told:
        """Ask until the account is not throttled; the limit on its own pause ends that."""
        async with self._wire:
            while self._refused is None:
                async with self._gate:  # shut while the account pauses
                    await self._limiter.acquire()
                    pauses = self._pauses
                details = await self._once(sms_sid)
                if not isinstance(details, Throttled):
                    return self._noted(details)
                await self._pause(details, pauses)
            return self._refused

    async def _once(self, sms_sid: str) -> Details:
        answer = await ask(self._client, write_details(self._access, sms_sid), timeout_s=self._timeout_s)
        if isinstance(answer, Unanswered):
            return Unreadable(reason=answer.reason)
        return read_details(self._access, answer, sms_sid)

    async def _pause(self, throttled: Throttled, pauses: int) -> None:
        """Wait as the gateway asks, else twice as long as last time; once for all that were refused together."""
        async with self._gate:
            if pauses != self._pauses or self._refused is not None:
                return
            pause_s = throttled.retry_after_s or self._pause_s
            if pause_s > MOST_PAUSE_S:
                words = f"it wants to be left alone for {pause_s:,.0f} s: {throttled.reason}"
                self._refused = Refused(code=throttled.code, reason=words)
                return
            self._pauses += 1
            self._pause_s = pause_s * 2
            await self._sleep(pause_s)

    def _noted(self, details: Told) -> Told:
        self._pause_s = FIRST_PAUSE_S
        self._unreadable = self._unreadable + 1 if isinstance(details, Unreadable) else 0
        if isinstance(details, Refused):
            self._refused = details
        elif isinstance(details, Unreadable) and self._unreadable >= MOST_UNREADABLE:
            words = f"{MOST_UNREADABLE} questions in a row had no usable answer, the last: {details.reason}"
            self._refused = Refused(code="", reason=words)
        return details


def awaiting(campaign_id: CampaignId, rows: Iterable[ReportRow]) -> Iterator[Awaiting]:
    """Pick from the campaign's record what is accepted, has no report yet, and can be asked about."""
    for row in rows:
        if row.outcome == "accepted" and row.delivery == "awaiting" and row.account and row.gateway_id:
            reference = f"{campaign_id}:{row.batch}"
            yield Awaiting(account=AccountName(row.account), gateway_id=row.gateway_id, reference=reference)


async def refresh(
    wanted: Iterable[Awaiting], asker_for: Callable[[AccountName], Asker], apply: Apply, *, limit: int | None = None
) -> Refreshed:
    """Ask about each message, at most `limit`, and hand on every report; ends early once an account refuses.

    `wanted` is read and `apply` is called while nothing is on the wire. What they raise ends the asking.
    """
    refreshed, messages = Refreshed(), islice(wanted, limit)
    while not refreshed.stopped and (stretch := list(islice(messages, STRETCH))):
        askers = [asker_for(each.account) for each in stretch]
        asked = zip(askers, stretch, strict=True)
        details = await asyncio.gather(*(asker.ask(each.gateway_id) for asker, each in asked))
        reports: dict[AccountName, list[DeliveryReport]] = defaultdict(list)
        for message, found in zip(stretch, details, strict=True):
            refreshed = _counted(refreshed, message.account, found)
            if isinstance(found, Found):
                reports[message.account].append(replace(found.report, reference=message.reference))
        for account, of_account in reports.items():
            apply(account, of_account)
    return refreshed


def _counted(refreshed: Refreshed, account: AccountName, found: Told) -> Refreshed:
    asked = refreshed.asked + 1
    match found:
        case Found():
            return replace(refreshed, asked=asked, reported=refreshed.reported + 1)
        case Underway():
            return replace(refreshed, asked=asked, underway=refreshed.underway + 1)
        case NotFound():
            return replace(refreshed, asked=asked, unknown=refreshed.unknown + 1)
        case Unreadable():
            return replace(refreshed, asked=asked, unreadable=refreshed.unreadable + 1)
        case Refused(reason=reason):
            return replace(refreshed, stopped=f"account {account}: {reason}")
