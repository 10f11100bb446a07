"""What gateways report, between the callback service that takes it in and the task that applies it.

A report is in the stream from before its gateway is told 200 until it is applied; so each is read at least once, and
one that a dead worker was reading is read again by another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import ResponseError

from worker.domain.ids import AccountName, CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated

GROUP = "bulksend"
"""The consumer group: all workers share its entries."""

TAKEN_OVER_MS = 30_000
"""An entry that was read so long ago and is not done is read again by somebody else."""

MOST_UNREADABLE = 100
SHOWN_BYTES = 2048
"""Of how many bodies that nobody could read how much is kept for an operator to see."""

_FIRST = "0-0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One body that was posted to a signed URL; campaign "" and batch 0 where it was an account's own URL.

    Without a body nothing was posted: ids of the batch have become known (lua/early.lua).
    """

    account: AccountName
    campaign: CampaignId
    batch: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An entry of the stream: its id, and what was posted."""

    id: str
    posted: Posted


async def append_reports(client: redis.asyncio.Redis, reports: Sequence[Posted]) -> None:
    """Put the bodies into the stream, in one round trip; raises `LedgerError`, and then some may be in it."""
    with translated():
        pipeline = client.pipeline(transaction=False)
        for each in reports:
            fields = {"account": each.account, "campaign": each.campaign, "batch": each.batch, "body": each.body}
            pipeline.xadd(keys.REPORTS, fields)  # type: ignore[arg-type]
        await pipeline.execute()


async def akeep_unreadable(client: redis.asyncio.Redis, posted: Posted, now: datetime) -> None:
    """Keep the beginning of a body that nobody can read, and forget the oldest past 100; raises `LedgerError`."""
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.lpush(keys.UNREADABLE_REPORTS, _sample(posted, now))
        pipeline.ltrim(keys.UNREADABLE_REPORTS, 0, MOST_UNREADABLE - 1)
        await pipeline.execute()


def keep_unreadable(client: redis.Redis, posted: Posted, now: datetime) -> None:
    """Do the same on a blocking client."""
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.lpush(keys.UNREADABLE_REPORTS, _sample(posted, now))
        pipeline.ltrim(keys.UNREADABLE_REPORTS, 0, MOST_UNREADABLE - 1)
        pipeline.execute()


def unreadable(client: redis.Redis) -> list[bytes]:
    """Return what is kept, the latest first: a line "WHEN ACCOUNT CAMPAIGN BATCH", then at most 2 KB of the body."""
    with translated():
        found: Any = client.lrange(keys.UNREADABLE_REPORTS, 0, -1)
    return list(found)


def read_reports(client: redis.Redis, consumer: str, count: int) -> list[Raw]:
    """Return at most `count` entries for this consumer: first those that others left lying, then new ones.

    Whoever reads them calls `done`, within 30 s or somebody else reads them too. Raises `LedgerError`.
    """
    with translated():
        try:
            return _read(client, consumer, count)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        _make_group(client)
        return _read(client, consumer, count)


def done(client: redis.Redis, ids: Sequence[str]) -> None:
    """Forget entries that are applied; a second time it does nothing. Raises `LedgerError`."""
    if not ids:
        return
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.xack(keys.REPORTS, GROUP, *ids)
        pipeline.xdel(keys.REPORTS, *ids)
        pipeline.execute()


def waiting(client: redis.Redis) -> int:
    """Return how many bodies are not applied yet; raises `LedgerError`."""
    with translated():
        found: Any = client.xlen(keys.REPORTS)
    return int(found)


async def posts_waiting(client: redis.asyncio.Redis) -> int:
    """Do the same on an asyncio client."""
    with translated():
        found: Any = await client.xlen(keys.REPORTS)
    return int(found)


def _sample(posted: Posted, now: datetime) -> bytes:
    line = f"{now.isoformat(timespec='seconds')} {posted.account} {posted.campaign or '-'} {posted.batch}\n"
    return line.encode() + posted.body[:SHOWN_BYTES]


def _make_group(client: redis.Redis) -> None:
    try:
        client.xgroup_create(keys.REPORTS, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):  # somebody else was as quick
            raise


def _read(client: redis.Redis, consumer: str, count: int) -> list[Raw]:
    entries = _taken_over(client, consumer, count)
    if len(entries) < count:
        streams: Any = client.xreadgroup(GROUP, consumer, {keys.REPORTS: ">"}, count=count - len(entries))
        entries += [entry for _, found in streams or () for entry in found]
    return [_raw(number, fields) for number, fields in entries]


def _taken_over(client: redis.Redis, consumer: str, count: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
    cursor: Any = _FIRST
    while True:
        # One call looks at ten times `count` entries; those that others are at may stand in front.
        answer: Any = client.xautoclaim(keys.REPORTS, GROUP, consumer, TAKEN_OVER_MS, start_id=cursor, count=count)
        cursor, found = answer[0], [entry for entry in answer[1] if entry[0] is not None]
        if found or cursor in {b"0-0", _FIRST}:
            return found


def _raw(number: bytes, fields: dict[bytes, bytes]) -> Raw:
    posted = Posted(
        account=AccountName(fields[b"account"].decode()),
        campaign=CampaignId(fields[b"campaign"].decode()),
        batch=int(fields[b"batch"]),
        body=fields[b"body"],
    )
    return Raw(id=number.decode(), posted=posted)
