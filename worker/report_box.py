"""Puts posted bodies into the stream, as many in one round trip as came in during the last one.

A round trip with a hundred bodies costs Redis one sync to disk, as one with a single body does; and a lone body never
waits for company. Who is told that a body is kept is told so after Redis confirmed it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from worker.ledger.errors import LedgerError
from worker.ledger.inbox import Posted

MOST_AT_ONCE = 200
"""Bodies in one round trip."""

Append = Callable[[Sequence[Posted]], Awaitable[None]]


class ReportBox:
    """The one way of this process into the stream; to be used in one loop."""

    def __init__(self, append: Append) -> None:
        """`append` puts several bodies into the stream or raises `LedgerError`."""
        self._append = append
        self._waiting: list[tuple[Posted, asyncio.Future[None]]] = []
        self._carrier: asyncio.Task[None] | None = None

    async def keep(self, posted: Posted) -> None:
        """Return once the body is in the stream; raises `LedgerError`. Cancelled, it may be in it all the same."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((posted, kept))
        if self._carrier is None or self._carrier.done():
            self._carrier = asyncio.create_task(self._carry(), name="carry reports")
        await kept

    async def _carry(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            # Who gave up waiting was told to try again.
            taken = [(posted, kept) for posted, kept in taken if not kept.done()]
            if taken:
                await self._deliver(taken)

    async def _deliver(self, taken: Sequence[tuple[Posted, asyncio.Future[None]]]) -> None:
        failed: LedgerError | None = None
        try:
            await self._append([posted for posted, _ in taken])
        except LedgerError as error:
            failed = error
        for _, kept in taken:
            if kept.done():
                continue
            if failed is None:
                kept.set_result(None)
            else:
                kept.set_exception(failed)
