"""The places of a worker process: the lanes that it serves, at most so many at once.

A lane gets a place by a doorbell (a Celery message: at once) or because the process asks the ledger which lanes wait,
at least once a second and whenever a place comes free. What waits does so in the ledger, in the order in which it
became due: a bell that finds no place is forgotten, and no lane is lost with it.

Invariant: a lane has one place in a process. New lanes begin only as fast as those that are served allow, and no more
than 24 where slots are missed: lanes that miss their slots try again and again, and all would miss all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from worker.domain.ids import AccountName
from worker.engine import AWAY_S, Engine
from worker.ledger.errors import LedgerError
from worker.ledger.ringing import ring
from worker.serving import serve_lane

log = structlog.stdlib.get_logger("bulksend.worker")

LOOK_EVERY_S = 1.0
"""How often a process asks for lanes that wait, where nothing tells it to ask sooner."""

AT_ONCE = 2
PACE_S = 0.02
"""At most so many lanes that wait begin in so long."""

FEWEST = 24
"""So many lanes are served at once however many slots are missed; each look without a miss allows two more."""

LATE_S = 0.003
PATIENCE = 5
"""A loop that wakes later than this is busy: new lanes wait so many times its lateness."""

BELLS_AT_ONCE = 4
"""Bells that get a place before the process looks who waits longer."""

HELD_S = 1.0
"""Where no place came free within so long, and lanes wait, one that has had its stretch gives its place up."""


@dataclass(slots=True, kw_only=True)
class Places:
    """The lanes served now, never more than `most`. `crowded` tells them that one whose stretch is over should end."""

    engine: Engine
    most: int
    serve: Callable[[Engine, AccountName, asyncio.Event], Awaitable[None]] = serve_lane
    crowded: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: dict[AccountName, asyncio.Task[None]] = field(default_factory=dict)
    _rung: set[AccountName] = field(default_factory=set)
    _look: asyncio.Event = field(default_factory=asyncio.Event)
    _bells: int = 0
    _others_wait: bool = False
    _freed_at: float = 0.0
    _width: int = FEWEST
    _missed: int = 0

    @property
    def room(self) -> int:
        """How many more lanes can be served now."""
        return min(self.most, self._width) - len(self._serving)

    @property
    def serving(self) -> frozenset[asyncio.Task[None]]:
        """The lanes being served, as tasks that end with them."""
        return frozenset(self._serving.values())

    async def answer(self, account: AccountName) -> None:
        """Answer a doorbell: return when the lane needs this process no more, or at once where others wait longer."""
        if self.engine.stopping.is_set():
            return
        if account in self._serving:
            # It may be about to leave: then this bell must not go unheard.
            self._rung.add(account)
            return
        self._bells += 1
        if self.room <= 0 or self._others_wait or self._bells > BELLS_AT_ONCE:
            self._look.set()
            return
        await asyncio.shield(self._begin(account))

    async def fill(self) -> None:
        """Begin lanes that wait while there is room, until the process stops."""
        loop = asyncio.get_running_loop()
        while not self.engine.stopping.is_set():
            self._look.clear()
            self._bells = 0
            self._adapt()
            try:
                rung = await ring(self.engine.redis, self.engine.owner, max(0, min(self.room, AT_ONCE)))
            except LedgerError as error:
                log.warning("ledger.away", why=str(error))
                await self.engine.rest(AWAY_S)
                continue
            for account in rung.accounts:
                if account not in self._serving and not self.engine.stopping.is_set():
                    self._begin(account)
            self._others_wait = rung.more_wait
            if self._others_wait and self.room > 0:
                await self._breathe()
                continue
            if self._others_wait and loop.time() - self._freed_at > HELD_S:
                self.crowded.set()
            await self._wait()

    def _adapt(self) -> None:
        """Allow more lanes where all are in use and no slot is missed, and a quarter less where some are."""
        missed, self._missed = self.engine.missed - self._missed, self.engine.missed
        if missed:
            self._width = max(FEWEST, self._width * 3 // 4)
        elif len(self._serving) > self._width - 2 * AT_ONCE:
            self._width = min(self.most, self._width + AT_ONCE)

    def _begin(self, account: AccountName) -> asyncio.Task[None]:
        task = self.engine.spawn(f"lane {account}", self._serve(account))
        self._serving[account] = task
        return task

    async def _serve(self, account: AccountName) -> None:
        self._rung.add(account)
        try:
            while account in self._rung and not self.engine.stopping.is_set():
                self._rung.discard(account)
                await self.serve(self.engine, account, self.crowded)
                if self._others_wait:
                    return  # if there is more to do for it, it is due, behind the others
        finally:
            self._rung.discard(account)
            del self._serving[account]
            self._freed_at = asyncio.get_running_loop().time()
            self.crowded.clear()
            if self._others_wait:
                self._look.set()

    async def _breathe(self) -> None:
        loop = asyncio.get_running_loop()
        wakes_at = loop.time() + PACE_S
        await self.engine.rest(PACE_S)
        late_s = loop.time() - wakes_at
        if late_s > LATE_S:
            await self.engine.rest(PATIENCE * late_s)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._look.wait()
        except TimeoutError:
            return
