"""Serving one lane: take, send, take again, with as many lines as the account's concurrency allows.

A process serves a lane while it has a seat. It asks for a batch only when a line is open and idle, so that what it
takes can go out at its slot; and it asks at least every 250 ms, so that a resumed campaign or an opened account goes
on at once. Where Redis is away it keeps asking: the lane goes on by itself when Redis is back.
"""

import asyncio
import math
import random
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, assert_never

import structlog

from config.errors import ConfigError
from worker.clock import suspended_clock
from worker.domain.answers import Unsent
from worker.domain.ids import AccountName, AttemptId
from worker.engine import Engine
from worker.ledger.errors import LedgerBroken, LedgerError, LedgerUnavailable
from worker.ledger.seats import Left, NoSeat, Seat, Stay, abandon_seat, leave_seat, report_problem, take_seat
from worker.ledger.sending import Batches, Full, Intent, Stop, Turn, Unseated, Wait, back_off, take, void
from worker.line import Line
from worker.roster import Served
from worker.sender import Sender

log = structlog.stdlib.get_logger("bulksend.worker")

LOOKAHEAD_S = 0.1
"""A slot is given so long ahead: enough to write the call, short enough that a pause bites at once."""

LEAD_S = 0.005
"""No slot is nearer: the intent is confirmed on disk and the call is written before it comes."""

CLOCK_LOOKS = 5
"""Exchanges by which a drain learns the server's clock before its first slot: the shortest decides."""

ASK_EVERY_S = 0.25
FULL_S = 0.05
"""How soon to ask again where other processes have as many calls on the wire as the account allows."""

RENEW_EVERY_S = 1.0
STRETCH_S = 20.0
"""A drain ends after so long where other lanes wait for a thread of this process."""

MOST_AT_ONCE = 16
"""Batches asked for by one take."""

EXPIRY_MARGIN_S = 10.0
"""An attempt expires so long after its call's timeout."""


@dataclass(slots=True, kw_only=True)
class Drain:
    """One lane, served by this process until there is nothing to do or the process stops."""

    engine: Engine
    name: AccountName
    served: Served
    crowded: asyncio.Event
    seat: Seat
    intent: Intent
    sender: Sender
    idle: list[Line] = field(default_factory=list)
    busy: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Serve the lane; on return the seat is given up and every batch taken is told to the ledger."""
        renewing = self.engine.spawn(f"renew {self.name}", self._renew())
        try:
            await self._pump()
        finally:
            while self.busy:
                await asyncio.wait(self.busy)
            renewing.cancel()
            for line in self.idle:
                await line.close()
            try:
                await abandon_seat(self.engine.redis, self.name, self.engine.owner)
            except LedgerError:
                log.warning("seat.left_to_expire", account=self.name)

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        stretch_ends = loop.time() + STRETCH_S
        while not self.engine.stopping.is_set():
            if self.crowded.is_set() and loop.time() > stretch_ends:
                self.engine.spawn(f"ring {self.name}", asyncio.to_thread(self.engine.ring, self.name))
                return
            room = self.seat.concurrency - len(self.busy)
            if room <= 0:
                await self._one_done()
                continue
            lines = await self._open_lines(min(room, self._slots_ahead()))
            if not lines:
                await self.engine.rest(ASK_EVERY_S)
            if not await self._goes_on(await self._take(lines)):
                return

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
                return await self._sit_again()
            case _:
                assert_never(turn)

    async def _one_done(self) -> None:
        await asyncio.wait(self.busy, timeout=ASK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)

    def _slots_ahead(self) -> int:
        """How many slots can lie within the look-ahead, at most what one take asks for."""
        return min(MOST_AT_ONCE, max(1, math.ceil(LOOKAHEAD_S * 1e6 / max(self.seat.call_us, 1))))

    async def _open_lines(self, wanted: int) -> list[Line]:
        """Return open lines, as many as wanted or as can be had; with none the lane has backed off."""
        while len(self.idle) < wanted:
            timeout_s = self.served.account.timeout
            line = Line(self.served.gateway.origin, connect_timeout_s=timeout_s, clock=suspended_clock)
            self.idle.insert(0, line)
        lines = [self.idle.pop() for _ in range(wanted)]
        found = await asyncio.gather(*(line.open() for line in lines))
        refused = [reply for reply in found if isinstance(reply, Unsent)]
        opened = [line for line, reply in zip(lines, found, strict=True) if not isinstance(reply, Unsent)]
        self.idle[:0] = [line for line, reply in zip(lines, found, strict=True) if isinstance(reply, Unsent)]
        if not opened and refused:
            log.warning("gateway.unreachable", account=self.name, why=refused[0].reason)
            try:
                await back_off(self.engine.redis, self.name, refused[0].reason, spread=random.random())
            except LedgerUnavailable as error:
                log.warning("ledger.away", why=str(error))
        return opened

    async def _take(self, lines: list[Line]) -> Turn:
        """Ask for a batch per line and start what is given; lines that got none are idle again."""
        engine, loop = self.engine, asyncio.get_running_loop()
        attempts = [AttemptId(secrets.token_urlsafe(16)) for _ in lines]
        asked_at, asked = suspended_clock(), loop.time()
        try:
            turn = await take(engine.redis, self.name, engine.owner, attempts, self.intent)
        except LedgerError as error:
            log.warning("take.unanswered", account=self.name, why=str(error))
            for attempt in attempts:
                self._give_back_unseen(attempt)
            if isinstance(error, LedgerBroken):
                raise
            turn = Wait(seconds=ASK_EVERY_S)
        given = 0
        if isinstance(turn, Batches):
            engine.clock.observe(asked, loop.time(), turn.now_us)
            for taken, line in zip(turn.taken, lines, strict=False):
                self._start(self.sender.send(taken, line, asked_at), f"send {taken.campaign}:{taken.batch}", line)
                given += 1
        self.idle.extend(reversed(lines[given:]))
        return turn

    def _start(self, work: Coroutine[Any, Any, None], name: str, line: Line) -> None:
        task = self.engine.spawn(name, work)
        self.busy.add(task)

        def done(ended: asyncio.Task[None]) -> None:
            self.busy.discard(ended)
            self.idle.append(line)

        task.add_done_callback(done)

    def _give_back_unseen(self, attempt: AttemptId) -> None:
        engine = self.engine
        engine.spawn(f"void {attempt}", engine.persist(lambda: void(engine.redis, self.name, attempt)))

    async def _wait(self, seconds: float) -> None:
        """Let the time pass until a slot is within the look-ahead; look every 250 ms whether that is still so."""
        if seconds == 0:
            return
        while not self.engine.stopping.is_set():
            early = max(seconds - 0.8 * LOOKAHEAD_S, 0.001)
            await self.engine.rest(min(early, ASK_EVERY_S))
            if early <= ASK_EVERY_S:
                return
            turn = await self._take([])
            if not isinstance(turn, Wait):
                return  # whatever it is, the next take says it again
            seconds = turn.seconds

    async def _renew(self) -> None:
        """Keep the seat until the drain ends, its last call included."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await self._sit_again()

    async def _sit_again(self) -> bool:
        try:
            seat = await take_seat(self.engine.redis, self.name, self.engine.owner)
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


async def drain(engine: Engine, name: AccountName, crowded: asyncio.Event) -> None:
    """Serve a lane if it needs this process; else return at once.

    A process that can not serve it (no such account, a secret missing, a Redis that forgets) takes no seat and says
    so in the lane.
    """
    try:
        served = engine.roster.serve(name)
        durability = await engine.durability()
        if durability.problem:
            await _refuse(engine, name, durability.problem)
            return
        await engine.announce([name])
        for _ in range(CLOCK_LOOKS):
            await engine.observe_clock()
        seat = await take_seat(engine.redis, name, engine.owner)
    except (ConfigError, LedgerBroken) as problem:
        await _refuse(engine, name, str(problem))
        return
    except LedgerUnavailable as error:
        log.warning("lane.not_served", account=name, why=str(error))
        return
    if isinstance(seat, NoSeat):
        return
    log.info("lane.served", account=name)
    intent = Intent(
        lookahead_us=int(LOOKAHEAD_S * 1e6),
        lead_us=0 if served.is_unhurried else int(LEAD_S * 1e6),
        expiry_us=int((served.account.timeout + EXPIRY_MARGIN_S) * 1e6),
        confirm=durability.waitaof,
        replicas=engine.replicas,
    )
    sender = Sender(engine=engine, name=name, served=served)
    await Drain(engine=engine, name=name, served=served, crowded=crowded, seat=seat, intent=intent, sender=sender).run()
    log.info("lane.left", account=name)


async def _refuse(engine: Engine, name: AccountName, problem: str) -> None:
    log.error("lane.not_served", account=name, why=problem)
    try:
        await report_problem(engine.redis, name, engine.owner, problem)
    except LedgerError as error:
        log.warning("ledger.away", why=str(error))
