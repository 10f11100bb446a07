"""Calls of scripts that come together go to Redis together: in one write, read in one go.

A busy worker settles hundreds of batches a second, and a call by itself costs the driver more than the server. Each
call keeps its own answer and its own error, so that its caller need not know of the others.

Invariant: a call is sent once, at once where none is under way, and with those that came meanwhile where one is.
"""

import asyncio
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

PATIENCE_S = 0.25
"""Calls under way for longer keep no others waiting: their connection may hang."""


class Gathering:
    """What `Script.acall` asks of a client, over another client. Belongs to one loop."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        """Use this client's connections."""
        self._client = client
        self._waiting: list[tuple[asyncio.Future[Any], tuple[Any, ...]]] = []
        self._under_way: asyncio.Task[None] | None = None
        self._sent: set[asyncio.Task[None]] = set()
        self._patience: asyncio.TimerHandle | None = None

    async def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Any:  # noqa: ANN401 - as the driver's
        """Run a script by its hash; raises what the driver would have raised for this call alone."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((answer, (sha, numkeys, *keys_and_args)))
        if self._under_way is None and len(self._waiting) == 1:
            loop.call_soon(self._send)  # with those that call in this turn of the loop
        return await answer

    async def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:  # noqa: ANN401 - as the driver's
        """Run a script by its text, by itself: the server did not know it, and does from now on."""
        return await self._client.eval(script, numkeys, *keys_and_args)

    def _send(self) -> None:
        calls, self._waiting = self._waiting, []
        if not calls:
            return
        task = asyncio.get_running_loop().create_task(self._exchange(calls), name="gathered calls")
        self._under_way = task
        self._sent.add(task)
        task.add_done_callback(self._returned)
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self._go_on, task)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._sent.discard(task)
        self._go_on(task)

    def _go_on(self, task: asyncio.Task[None]) -> None:
        if task is self._under_way:
            self._under_way = None
            if self._patience is not None:
                self._patience.cancel()
            self._send()

    async def _exchange(self, calls: list[tuple[asyncio.Future[Any], tuple[Any, ...]]]) -> None:
        answers: list[Any]
        try:
            pipeline = self._client.pipeline(transaction=False)
            for _, call in calls:
                pipeline.evalsha(*call)
            answers = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            answers = [error] * len(calls)
        for (future, _), answer in zip(calls, answers, strict=True):
            if future.done():
                continue  # its caller was cancelled
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
