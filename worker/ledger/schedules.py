"""Schedules in the ledger: what recurs, up to when all is settled, who has a run now, and what the last one came to.

Invariant: a due time is begun by one process, and only if it is later than all that is settled; a run is ended by
whoever has it, or, if that process dies, by the next that claims it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import redis
import redis.asyncio

from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.scripts import load

LEASE_S = 60.0
"""So long a process that has a run need not say that it is at work: a large spreadsheet is opened in one go."""

PATIENCE_S = 15.0
"""So long after a due time workers leave it to Celery beat to ring; then they ring themselves."""

RING_AGAIN_S = 30.0
"""What workers have rung for, and nobody begun, they ring for again after so long."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_AT_ONCE = 50

Outcome = Literal["started", "failed", "skipped", "interrupted"]
"""What a run came to: its campaign is in the ledger; it could not be; it was passed over; it was cut short."""

Claimed = Literal["yours", "busy", "done", "paused", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run that was begun or passed over; `ended_at` is when that was written."""

    id: CampaignId
    due_at: datetime
    ended_at: datetime
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule at `now`, the server's time.

    `doc` is its campaign as JSON; all due up to `done` is settled. `unfinished` is the due time of a run that has not
    ended, and `claimed`: some process is at work on it.
    """

    name: str
    doc: bytes
    now: datetime
    done: datetime
    paused: str
    unfinished: datetime | None
    claimed: bool
    last: LastRun | None


def server_time(client: redis.Redis) -> datetime:
    """Return the server's time: schedules go by no other clock."""
    with translated():
        seconds, microseconds = client.time()
    return _at(seconds * 1_000_000 + microseconds)


def put(client: redis.Redis, name: str, doc: str, look_at: datetime) -> bool:
    """Write a schedule or replace it; what was due before now is settled. Return whether it is new.

    One that is paused stays so.
    """
    now = _us(server_time(client))
    with translated():
        is_paused = bool(client.hget(keys.schedule(name), "paused"))
        pipeline = client.pipeline(transaction=True)
        pipeline.hset(keys.schedule(name), mapping={"doc": doc, "done": now})
        pipeline.zadd(keys.SCHEDULES, {name: "+inf" if is_paused else _us(look_at)})
        new_fields, _ = pipeline.execute()
    return bool(new_fields)


def remove(client: redis.Redis, name: str) -> bool:
    """Forget a schedule; return whether it was there. Its campaigns stay."""
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.delete(keys.schedule(name))
        pipeline.zrem(keys.SCHEDULES, name)
        return bool(pipeline.execute()[0])


def pause(client: redis.Redis, name: str, reason: str) -> bool:
    """Let no run of a schedule begin by itself; return whether there is one of this name."""
    return _mark(client, name, "+inf", {"paused": reason})


def resume(client: redis.Redis, name: str, look_at: datetime) -> bool:
    """Let a schedule go on; what fell due while it was paused is settled. Return whether there is one of this name."""
    return _mark(client, name, str(_us(look_at)), {"paused": "", "done": str(_us(server_time(client)))})


def _mark(client: redis.Redis, name: str, look_at: str, fields: Mapping[str, str]) -> bool:
    words = [word for field in fields.items() for word in field]
    return bool(load("schedule_mark").call(client, [keys.schedule(name), keys.SCHEDULES], [name, look_at, *words]))


def names(client: redis.Redis) -> list[str]:
    """Return the names of all schedules, sorted."""
    with translated():
        return sorted(name.decode() for name in cast(list[bytes], client.zrange(keys.SCHEDULES, 0, -1)))


def find(client: redis.Redis, wanted: list[str]) -> list[Schedule]:
    """Return the schedules of these names, without those that are not there."""
    with translated():
        pipeline = client.pipeline(transaction=False)
        for name in wanted:
            pipeline.hgetall(keys.schedule(name))
        pipeline.time()
        *replies, (seconds, microseconds) = pipeline.execute()
    now = seconds * 1_000_000 + microseconds
    return [_read(name, fields, now) for name, fields in zip(wanted, replies, strict=True) if b"doc" in fields]


def _read(name: str, fields: Mapping[bytes, bytes], now: int) -> Schedule:
    until = float(fields.get(b"until", 0))
    return Schedule(
        name=name,
        doc=fields[b"doc"],
        now=_at(now),
        done=_at(fields[b"done"]),
        paused=fields.get(b"paused", b"").decode(),
        unfinished=_at(fields[b"run_due"]) if b"run_due" in fields else None,
        claimed=now < until <= now + LEASE_S * 1e6,
        last=_read_last(fields) if b"last_id" in fields else None,
    )


def _read_last(fields: Mapping[bytes, bytes]) -> LastRun:
    return LastRun(
        id=CampaignId(fields[b"last_id"].decode()),
        due_at=_at(fields[b"last_due"]),
        ended_at=_at(fields[b"last_at"]),
        outcome=cast(Outcome, fields[b"last_outcome"].decode()),
        reason=fields[b"last_reason"].decode(),
    )


def claim(
    client: redis.Redis, name: str, due_at: datetime, token: str, *, by: Literal["bell", "hand"], now: int = 0
) -> Claimed:
    """Ask for the run of a due time; a person may have it also while paused, and again after it ended."""
    reply = load("schedule_claim").call(
        client,
        [keys.schedule(name), keys.SCHEDULES],
        [now, name, _us(due_at), token, int(LEASE_S * 1e6), int(by == "hand")],
    )
    return cast(Claimed, reply.decode())


def renew(client: redis.Redis, name: str, token: str, now: int = 0) -> bool:
    """Say that the run is at work; False: another has it, or the schedule was removed."""
    keys_of_it = [keys.schedule(name), keys.SCHEDULES]
    return bool(load("schedule_renew").call(client, keys_of_it, [now, name, token, int(LEASE_S * 1e6)]))


def end(
    client: redis.Redis,
    name: str,
    token: str,
    run_id: CampaignId,
    outcome: Outcome,
    reason: str,
    *,
    look_at: datetime,
    now: int = 0,
) -> bool:
    """Write what a run came to; False: another has it, or the schedule was removed. Nothing changes then."""
    reply = load("schedule_end").call(
        client,
        [keys.schedule(name), keys.SCHEDULES],
        [now, name, token, run_id, outcome, reason, _us(look_at)],
    )
    return bool(reply)


async def overdue(client: redis.asyncio.Redis, now: int = 0) -> list[str]:
    """Return the schedules to ring for; nobody else is named them within the next half minute."""
    reply = await load("overdue").acall(client, [keys.SCHEDULES], [now, int(RING_AGAIN_S * 1e6), _AT_ONCE])
    return [name.decode() for name in reply]


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _at(microseconds: bytes | float) -> datetime:
    return _EPOCH + timedelta(microseconds=int(float(microseconds)))
