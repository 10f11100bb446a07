"""The lines of one lane: as many connections as calls on the wire, kept open between calls.

A batch is taken only for a line that is open, so that what is taken can go out at its slot. One line that connects
slowly does not keep the others waiting.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from worker.clock import suspended_clock
from worker.domain.answers import Unsent
from worker.line import Line, Opened

PATIENCE_S = 0.3
"""How long lines that are open wait for those that still connect."""


@dataclass(slots=True, kw_only=True)
class Lines:
    """Connections to one origin; the one that served last serves next, so that it is not idle for long."""

    origin: str
    connect_timeout_s: float
    _idle: list[Line] = field(default_factory=list)
    _connecting: set[asyncio.Task[Opened | Unsent]] = field(default_factory=set)

    async def open(self, wanted: int) -> list[Line] | Unsent:
        """Return open lines, at least one and at most as many as wanted; `Unsent`: none could be had."""
        while len(self._idle) < wanted:
            line = Line(self.origin, connect_timeout_s=self.connect_timeout_s, clock=suspended_clock)
            self._idle.insert(0, line)
        chosen = [self._idle.pop() for _ in range(wanted)]
        if all(line.is_open for line in chosen):
            return chosen
        trying = {self._connect(line.open()): line for line in chosen}
        waiting = set(trying)
        done, waiting = await asyncio.wait(waiting, timeout=PATIENCE_S)
        while waiting and not any(isinstance(task.result(), Opened) for task in done):
            more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            done |= more
        for task in waiting:
            task.add_done_callback(lambda _, line=trying[task]: self.give_back(line))  # type: ignore[misc]
        replies = {trying[task]: task.result() for task in done}
        opened = [line for line, reply in replies.items() if isinstance(reply, Opened)]
        refusals = [(line, reply) for line, reply in replies.items() if isinstance(reply, Unsent)]
        self._idle[:0] = [line for line, _ in refusals]
        return opened or refusals[0][1]

    def _connect(self, opening: Coroutine[Any, Any, Opened | Unsent]) -> asyncio.Task[Opened | Unsent]:
        task = asyncio.create_task(opening)
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return task

    def give_back(self, line: Line) -> None:
        """Take a line back: it is the next to serve."""
        self._idle.append(line)

    async def close(self) -> None:
        """Give every connection up; none of them may have a call on the wire."""
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for line in self._idle:
            await line.close()
        self._idle.clear()
