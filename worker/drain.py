"""Serving one lane: take, send, take again, with as many lines as the account's concurrency allows.

A process serves a lane while it has a seat. It asks for a batch only when a line is open and idle, so that what it
takes can go out at its slot; and it asks at least every 250 ms, so that a resumed campaign or an opened account goes
on at once. Where Redis is away it keeps asking: the lane goes on by itself when Redis is back.
"""

import asyncio
import math
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, assert_never

import structlog

from config.errors import ConfigError
from worker.clock import suspended_clock
from worker.domain.answers import Unsent
from worker.domain.ids import AccountName, AttemptId
from worker.engine import Engine
from worker.intent import LOOKAHEAD_S, intent_of
from worker.ledger.errors import LedgerBroken, LedgerError, LedgerUnavailable
from worker.ledger.seats import (
    Left,
    NoSeat,
    Seat,
    Stay,
    abandon_seat,
    leave_seat,
    renew_seat,
    take_seat,
)
from worker.ledger.settling import back_off, void
from worker.ledger.taking import Batches, Full, Intent, Stop, Taken, Turn, Unseated, Wait, take
from worker.line import Line
from worker.lines import Lines
from worker.roster import NoAccountError
from worker.sender import Sender

log = structlog.stdlib.get_logger("bulksend.worker")

ASK_EVERY_S = 0.25
FULL_S = 0.05
"""How soon to ask again where other processes have as many calls on the wire as the account allows."""

RENEW_EVERY_S = 1.0
STRETCH_S = 20.0
"""A drain may end after so long where other lanes wait for a place in this process."""

MOST_AT_ONCE = 16
"""Batches asked for by one take."""


@dataclass(slots=True, kw_only=True)
class Drain:
    """One lane, served by this process until there is nothing to do or the process stops.

    `busy` are the batches taken, until they are told to the ledger; `owed` the attempt ids whose take had no answer.
    `is_outdated`: the accounts file has the account at another place now, or not at all. What is on the wire ends where
    it began, and the drain with it; the next one goes by the file.
    """

    engine: Engine
    name: AccountName
    crowded: asyncio.Event
    sender: Sender
    lines: Lines
    intent: Intent
    seat: Seat
    busy: set[asyncio.Task[Any]] = field(default_factory=set)
    owed: set[asyncio.Task[Any]] = field(default_factory=set)
    one_done: asyncio.Event = field(default_factory=asyncio.Event)
    is_outdated: bool = False

    async def run(self) -> None:
        """Serve the lane; on return the seat is given up and every batch taken is told to the ledger."""
        renewing = self.engine.spawn(f"renew {self.name}", self._renew())
        try:
            # The lane may be pausing because its gateway is away: then no connection is tried before the pause is over.
            if await self._goes_on(await self._take([])):
                await self._pump()
        finally:
            while self.busy or self.owed:
                await asyncio.wait(self.busy | self.owed)
            renewing.cancel()
            await self.lines.close()
            try:
                await abandon_seat(self.engine.redis, self.name, self.engine.owner)
            except LedgerError:
                log.warning("seat.left_to_expire", account=self.name)

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        stretch_ends = loop.time() + STRETCH_S
        while not self._is_over():
            if self.crowded.is_set() and loop.time() > stretch_ends:
                self.crowded.clear()  # one place for one lane: no other gives up its own
                return
            room = self.seat.concurrency - len(self.busy)
            if room <= 0:
                await self._one_done()
                continue
            began = self.engine.clock.server_s(loop.time())
            lines = await self.lines.open(min(room, self._slots_ahead()))
            if isinstance(lines, Unsent):
                await self._back_off(lines.reason, began)
                lines = []
            if not await self._goes_on(await self._take(lines)):
                return

    def _is_over(self) -> bool:
        return self.is_outdated or self.engine.stopping.is_set()

    async def _goes_on(self, turn: Turn) -> bool:
        """Do what the ledger said; False: this drain is over."""
        match turn:
            case Batches():
                return True
            case Wait(seconds=seconds):
                await self._wait(seconds)
                return True
            case Full() | Stop() if self.busy:
                await self._one_done()
                return True
            case Full():
                await self.engine.rest(FULL_S)
                return True
            case Stop():
                return isinstance(await self._leave(), Stay)
            case Unseated():
                return await self._sit(take_seat)
            case _:
                assert_never(turn)

    async def _one_done(self) -> None:
        # Not asyncio.wait: for every batch it would hang a callback on each call on the wire, and take it off again.
        self.one_done.clear()
        try:
            async with asyncio.timeout(ASK_EVERY_S):
                await self.one_done.wait()
        except TimeoutError:
            return

    def _slots_ahead(self) -> int:
        """How many slots can lie within the look-ahead, at most what one take asks for."""
        return min(MOST_AT_ONCE, max(1, math.ceil(LOOKAHEAD_S * 1e6 / max(self.seat.call_us, 1))))

    async def _back_off(self, reason: str, began: float) -> None:
        log.warning("gateway.unreachable", account=self.name, why=reason)
        try:
            await back_off(self.engine.redis, self.name, reason, spread=random.random(), began=int(began * 1e6))
        except LedgerUnavailable as error:
            log.warning("ledger.away", why=str(error))
            await self.engine.rest(ASK_EVERY_S)

    async def _take(self, lines: list[Line]) -> Turn:
        """Ask for a batch per line and start what is given; lines that got none are idle again."""
        engine, loop = self.engine, asyncio.get_running_loop()
        attempts = [AttemptId(secrets.token_urlsafe(16)) for _ in lines]
        asked_at, asked = suspended_clock(), loop.time()
        given: tuple[Taken, ...] = ()
        try:
            turn = await take(engine.redis, self.name, engine.owner, attempts, self.intent)
            if isinstance(turn, Batches):
                engine.clock.observe(asked, loop.time(), turn.now_us)
                given = turn.taken
        except LedgerError as error:
            log.warning("take.unanswered", account=self.name, why=str(error))
            for attempt in attempts:
                self._void(attempt)
            if isinstance(error, LedgerBroken):
                for line in lines:
                    self.lines.give_back(line)
                raise
            turn = Wait(seconds=ASK_EVERY_S)
        for taken, line in zip(given, lines, strict=False):
            self._start(taken, line, asked_at)
        for line in reversed(lines[len(given) :]):
            self.lines.give_back(line)
        return turn

    def _start(self, taken: Taken, line: Line, asked_at: float) -> None:
        name = f"send {taken.campaign}:{taken.batch}"
        task = self.engine.spawn(name, self.sender.send(taken, line, asked_at))
        self.busy.add(task)
        task.add_done_callback(lambda done: self._ended(done, line))

    def _ended(self, task: asyncio.Task[Any], line: Line) -> None:
        self.busy.discard(task)
        self.lines.give_back(line)
        self.one_done.set()

    def _void(self, attempt: AttemptId) -> None:
        engine = self.engine
        hours = engine.remember_hours
        step = engine.persist(lambda: void(engine.redis, self.name, attempt, remember_hours=hours))
        task = engine.spawn(f"void {attempt}", step)
        self.owed.add(task)
        task.add_done_callback(self.owed.discard)

    async def _wait(self, seconds: float) -> None:
        """Let the time pass until a slot is within the look-ahead; look every 250 ms whether that is still so."""
        if seconds == 0:
            return
        while not self._is_over():
            early = max(seconds - 0.8 * LOOKAHEAD_S, 0.001)
            await self.engine.rest(min(early, ASK_EVERY_S))
            if early <= ASK_EVERY_S:
                return
            turn = await self._take([])
            if not isinstance(turn, Wait):
                return  # whatever it is, the next take says it again
            seconds = turn.seconds

    async def _renew(self) -> None:
        """Keep the seat until the drain ends, its last call included, and follow the accounts file."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            # A seat that was lost is not won back here: the pump may have ended, and the lane would have no server.
            await self._sit(renew_seat)
            self._follow_the_file()

    def _follow_the_file(self) -> None:
        if self.is_outdated:
            return
        before = self.sender.served
        try:
            served = self.engine.roster.serve(self.name)
        except NoAccountError:
            self.is_outdated = True  # the next drain says so in the lane
            return
        except ConfigError as problem:
            log.error("accounts.unreadable", account=self.name, why=str(problem))
            return
        if (served.gateway.origin, served.gateway.name) != (before.gateway.origin, before.gateway.name):
            self.is_outdated = True
        elif served is not before:
            self.sender.served = served
            self.intent = intent_of(served, confirm=self.intent.confirm, replicas=self.intent.replicas)

    async def _sit(self, take_or_renew: Callable[..., Awaitable[Seat | NoSeat]]) -> bool:
        try:
            seat = await take_or_renew(self.engine.redis, self.name, self.engine.owner)
        except LedgerUnavailable:
            await self.engine.rest(ASK_EVERY_S)
            return True
        if isinstance(seat, NoSeat):
            return False
        self.seat = seat
        return True

    async def _leave(self) -> Left | Stay:
        try:
            return await leave_seat(self.engine.redis, self.name, self.engine.owner)
        except LedgerUnavailable:
            await self.engine.rest(ASK_EVERY_S)
            return Stay()
