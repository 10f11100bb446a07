"""Delivers reports: over few connections that are kept open, tried again where the receiver does not take one.

The last step of a call, and the only one that talks to somebody. A report counts as waiting until its receiver
answered it with 2xx, or it was given up.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypedDict

import httpcore

from scripts.simulator.letters import Letter, Post, bundled

CONNECTIONS = 16
TRIES = 4
_PAUSE_S = 0.1
_TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), 10.0)
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpcore.UnsupportedProtocol)


class ReportStats(TypedDict):
    """Counts of reports, but `calls` and `refused_calls`: of calls, those not answered with 2xx included."""

    waiting: int
    delivered: int
    given_up: int
    calls: int
    refused_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """A call to make, and what to do when it is done with; `round` is that of the postman when it was taken on."""

    post: Post
    round: int
    done: Callable[[], None]


class Postman:
    """Takes letters at any time, and delivers them between `start` and `stop`."""

    def __init__(self) -> None:
        self._errands: asyncio.Queue[_Errand] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._round = 0
        self._nothing_waits = asyncio.Event()
        self.forget()

    @property
    def stats(self) -> ReportStats:
        """The counts so far."""
        return self._stats.copy()

    def start(self) -> None:
        """Begins to deliver, in the running loop."""
        pool = httpcore.AsyncConnectionPool(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._tasks = [
            asyncio.create_task(self._deliver(pool), name=f"simulator-postman-{number}")
            for number in range(CONNECTIONS)
        ]
        self._pool = pool

    async def stop(self) -> None:
        """Delivers nothing any more; raises what broke a delivery that nobody foresaw."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.aclose()
        broken = [error for error in ended if isinstance(error, Exception)]
        if broken:
            raise ExceptionGroup("reports could not be delivered", broken)

    async def idle(self) -> None:
        """Returns as soon as no report waits."""
        await self._nothing_waits.wait()

    def forget(self) -> None:
        """Drops what waits, and counts from 0 again."""
        self._round += 1
        self._nothing_waits.set()
        self._stats = ReportStats(waiting=0, delivered=0, given_up=0, calls=0, refused_calls=0)

    def post_later(self, letters: Iterable[Letter]) -> None:
        """Delivers each letter after its wait."""
        loop = asyncio.get_running_loop()
        for wait_s, together in groupby(sorted(letters, key=_wait), key=_wait):
            due = list(together)
            self._count_waiting(len(due))
            loop.call_later(wait_s, self._take_on, due, self._round, _nothing)

    def post_now(self, letters: Sequence[Letter], then: Callable[[], None]) -> None:
        """Delivers the letters at once, and calls `then` when all are delivered or given up."""
        self._count_waiting(len(letters))
        open_calls = len(list(bundled(letters)))

        def done() -> None:
            nonlocal open_calls
            open_calls -= 1
            if not open_calls:
                then()

        self._take_on(letters, self._round, done)

    def _take_on(self, letters: Sequence[Letter], taken_in: int, done: Callable[[], None]) -> None:
        for post in bundled(letters):
            self._errands.put_nowait(_Errand(post=post, round=taken_in, done=done))

    def _count_waiting(self, more: int) -> None:
        self._stats["waiting"] += more
        if self._stats["waiting"]:
            self._nothing_waits.clear()
        else:
            self._nothing_waits.set()

    async def _deliver(self, pool: httpcore.AsyncConnectionPool) -> None:
        while True:
            errand = await self._errands.get()
            if errand.round == self._round:
                taken = await self._try(pool, errand.post)
                if errand.round == self._round:
                    self._stats["delivered" if taken else "given_up"] += errand.post.count
                    self._count_waiting(-errand.post.count)
            errand.done()

    async def _try(self, pool: httpcore.AsyncConnectionPool, post: Post) -> bool:
        """Whether the receiver took it in the end."""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(_PAUSE_S)
            self._stats["calls"] += 1
            if await _call(pool, post):
                return True
            self._stats["refused_calls"] += 1
        return False


async def _call(pool: httpcore.AsyncConnectionPool, post: Post) -> bool:
    try:
        answer = await pool.request(
            "POST",
            post.url,
            headers=[(b"Content-Type", post.content_type)],
            content=post.body,
            extensions={"timeout": _TIMEOUTS},
        )
    except _FAILURES:
        return False
    return 200 <= answer.status < 300  # noqa: PLR2004 - any 2xx


def _wait(letter: Letter) -> float:
    return letter.wait_s


def _nothing() -> None:
    pass
