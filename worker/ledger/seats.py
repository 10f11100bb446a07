"""Seats: which processes serve a lane, and under which ceiling."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import redis.asyncio

from worker.domain.ids import AccountName, Owner
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.scripts import load

SEAT_S = 5.0
"""A seat's length. A killed worker's lane is served again when it has passed."""

CALLS_PER_SEAT = 200
"""Calls a second that one process is trusted to place on time; a lane has as many seats as its ceiling needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What one accounts file allows an account: microseconds between two calls and two messages, calls on the wire."""

    call_us: float
    message_us: float
    concurrency: int

    def line(self) -> str:
        """Return it as it stands in the ledger."""
        return f"{self.call_us:.3f} {self.message_us:.3f} {self.concurrency}"

    @classmethod
    def read(cls, line: str) -> "Ceiling":
        """Return what `line` wrote, to a thousandth of a microsecond."""
        call_us, message_us, concurrency = line.split()
        return cls(call_us=float(call_us), message_us=float(message_us), concurrency=int(concurrency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """The right to serve a lane, with the ceiling that holds: the lowest of all live workers'."""

    concurrency: int
    call_us: int


async def announce(client: redis.asyncio.Redis, owner: Owner, ceilings: dict[AccountName, Ceiling]) -> None:
    """Tell the lanes what this worker's accounts file allows."""
    with translated():
        pipeline = client.pipeline(transaction=False)
        for account, ceiling in ceilings.items():
            pipeline.hset(keys.ceilings(account), owner, ceiling.line())
        await pipeline.execute()


async def withdraw(client: redis.asyncio.Redis, owner: Owner, accounts: Iterable[AccountName]) -> None:
    """Take back what this worker's accounts file allowed these accounts: they stand in it no more."""
    with translated():
        for account in accounts:
            await client.hdel(keys.ceilings(account), owner)


@dataclass(frozen=True, slots=True)
class NoSeat:
    """The lane has as many processes as it needs; or, where a renewal was asked for, the seat is held no more."""


async def take_seat(client: redis.asyncio.Redis, account: AccountName, owner: Owner, now: int = 0) -> Seat | NoSeat:
    """Take a seat, or renew it, for 5 s."""
    return await _sit(client, account, owner, "take", now)


async def renew_seat(client: redis.asyncio.Redis, account: AccountName, owner: Owner, now: int = 0) -> Seat | NoSeat:
    """Renew the seat for 5 s, if it is still held; one that was given up or lost stays so."""
    return await _sit(client, account, owner, "renew", now)


async def _sit(
    client: redis.asyncio.Redis, account: AccountName, owner: Owner, how: Literal["take", "renew"], now: int
) -> Seat | NoSeat:
    reply = await load("seat").acall(
        client,
        [keys.lane(account), keys.seats(account), keys.ceilings(account), keys.WORKERS, keys.problems(account)],
        [now, owner, int(SEAT_S * 1e6), CALLS_PER_SEAT, how],
    )
    if reply[0] == 0:
        return NoSeat()
    return Seat(concurrency=int(reply[1]), call_us=int(reply[2]))


@dataclass(frozen=True, slots=True)
class Left:
    """The seat is given up."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Work has become due since the last take: the seat is kept."""


async def leave_seat(client: redis.asyncio.Redis, account: AccountName, owner: Owner, now: int = 0) -> Left | Stay:
    """Give the seat up, unless work is due."""
    reply = await load("leave").acall(client, [keys.seats(account), keys.DUE], [now, account, owner])
    return Left() if reply else Stay()


async def abandon_seat(client: redis.asyncio.Redis, account: AccountName, owner: Owner, now: int = 0) -> None:
    """Give the seat up whatever is due: the process stops, or another lane has waited longer for the place."""
    await load("abandon").acall(client, [keys.seats(account), keys.DUE], [now, account, owner])


async def report_problem(client: redis.asyncio.Redis, account: AccountName, owner: Owner, problem: str) -> None:
    """Say in the lane why this worker can not serve it; the next seat that the worker takes clears it."""
    with translated():
        await client.hset(keys.problems(account), owner, problem)
