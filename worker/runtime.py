"""One asyncio loop a worker process, in a thread of its own; Celery's threads hand it lanes to serve.

The loop owns the Redis client, the gateways' lines and the fuses. It starts with the worker and ends after the last
call on the wire is settled, or at the deadline: the longest call plus 5 s.
"""

import asyncio
import gc
import threading
from functools import partial

import structlog
from celery import Celery, bootsteps
from celery.signals import worker_shutting_down

from config.errors import ConfigError
from config.settings import NO_REDIS, Settings, load_settings
from worker.domain.callback_token import callback_url
from worker.domain.ids import AccountName
from worker.drain import drain
from worker.engine import Callback, Engine
from worker.events import BatchEvents, CeleryPostman
from worker.ledger.connection import connect_async
from worker.preload import preload
from worker.roster import Roster

log = structlog.stdlib.get_logger("bulksend.worker")

MOST_LANES = 48
"""Lanes served at once by a process, at most three for four threads: each costs a waiting thread of its pool, and a
ring must still find one."""


class Runtime:
    """The loop, its thread, and the lanes that are being served."""

    def __init__(self, app: Celery, settings: Settings, node: str, threads: int) -> None:
        """Remember how to work, as the worker `node` with so many threads; nothing runs before `start`."""
        self._most_lanes = max(1, min(MOST_LANES, threads * 3 // 4))
        self._app = app
        self.node = node
        self._events = BatchEvents(lambda: CeleryPostman(app, node))
        self._callback = _callbacks(settings)
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bulksend-loop", daemon=True)
        self._engine: Engine | None = None
        self._house: asyncio.Task[None] | None = None
        self._crowded: asyncio.Event
        self._serving: set[AccountName] = set()
        self._rung: set[AccountName] = set()
        self._turned_away: dict[AccountName, None] = {}

    def start(self) -> None:
        """Start the loop and the sweep."""
        preload()
        # What is imported lives as long as the process. Left to the collector, it is looked through again and again:
        # 100,000 objects, 80 ms at a time, in which every slot is missed.
        gc.collect()
        gc.freeze()
        self._thread.start()
        self._events.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    async def _open(self) -> None:
        settings = self._settings
        self._crowded = asyncio.Event()
        self._engine = Engine(
            redis=connect_async(settings.redis_url or ""),
            roster=Roster(settings.accounts_file, settings.jitter_ms / 1000),
            ring=self._ring,
            ring_receive=self._ring_receive,
            callback=self._callback,
            events=self._events,
            allow_volatile=settings.allow_volatile,
            replicas=settings.replicas,
            remember_hours=settings.remember_hours,
        )
        self._house = self._engine.spawn("keep house", self._engine.keep_house())

    def _ring(self, account: AccountName) -> None:
        self._app.send_task("bulksend.drain", args=[account])

    def _ring_receive(self) -> None:
        self._app.send_task("bulksend.receive")

    def serve(self, account: AccountName) -> None:
        """Serve a lane from a Celery thread: returns when it needs this process no more."""
        asyncio.run_coroutine_threadsafe(self._serve(account), self._loop).result()

    async def _serve(self, account: AccountName) -> None:
        asyncio.current_task().set_name(f"lane {account}")  # type: ignore[union-attr]
        engine = self._engine
        if engine is None or engine.stopping.is_set():
            return
        if account in self._serving:
            # It may be about to leave: then this ring must not go unheard.
            self._rung.add(account)
            return
        if len(self._serving) >= self._most_lanes:
            self._turned_away[account] = None
            self._crowded.set()
            return
        self._turned_away.pop(account, None)
        self._serving.add(account)
        self._rung.add(account)
        try:
            while account in self._rung and not engine.stopping.is_set():
                self._rung.discard(account)
                await drain(engine, account, self._crowded)
                if self._crowded.is_set():
                    self._rung.add(account)
                    break
        finally:
            self._serving.discard(account)
            self._make_room(engine, account)

    def _make_room(self, engine: Engine, account: AccountName) -> None:
        """Ring for the lane that was turned away first, then for the one that gave its place up."""
        bells = [*list(self._turned_away)[:1], *({account} & self._rung)]
        self._rung.discard(account)
        if len(self._turned_away) <= 1:
            self._crowded.clear()
        for bell in bells:
            self._turned_away.pop(bell, None)
        if bells and not engine.stopping.is_set():
            engine.spawn(f"ring {account}", asyncio.to_thread(self._ring_all, bells))

    def _ring_all(self, accounts: list[AccountName]) -> None:
        for account in accounts:
            self._ring(account)

    def stop_taking(self) -> None:
        """Take no more batches; what is on the wire goes on."""
        if self._engine is not None:
            self._loop.call_soon_threadsafe(self._engine.stop)

    def stop(self) -> None:
        """Wait for the last call to be settled, at most until the deadline, then end the loop."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._events.stop()

    async def _close(self) -> None:
        engine = self._engine
        if engine is None:
            return
        engine.stop()
        lanes = [task for task in asyncio.all_tasks() if task.get_name().startswith("lane ")]
        if lanes:
            await asyncio.wait(lanes, timeout=max(0.0, engine.ends_at - self._loop.time()))
        if self._serving:
            log.warning("worker.deadline_passed", lanes=len(self._serving))
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        if self._house is not None:
            self._house.cancel()
        await engine.redis.aclose()


def _callbacks(settings: Settings) -> Callback:
    """Return what gives a batch its URL for reports; raises `ConfigError` where nothing would sign it."""
    public_url = settings.public_url
    if public_url is None:
        return lambda _account, _campaign, _batch: ""
    return partial(callback_url, public_url, settings.callback_secrets[0])


_current: Runtime | None = None


def current() -> Runtime | None:
    """Return this process's runtime; `None` outside a worker, and before or after its life."""
    return _current


class RuntimeStep(bootsteps.StartStopStep):
    """Starts the runtime with the worker, after its pool, and stops it before."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: object) -> None:
        """Start the loop, and listen for the worker's end."""
        global _current  # noqa: PLW0603 - one runtime a process, made by the worker and found by its tasks
        settings = load_settings()
        if settings.redis_url is None:
            log.error("worker.not_started", why=NO_REDIS)
            raise SystemExit(2)
        try:
            _current = Runtime(parent.app, settings, parent.hostname, parent.concurrency)  # type: ignore[attr-defined]
        except ConfigError as error:
            log.error("worker.not_started", why=str(error))
            raise SystemExit(2) from None
        _current.start()
        worker_shutting_down.connect(_stop_taking)

    def stop(self, parent: object) -> None:  # noqa: ARG002 - Celery's signature
        """End the loop after its last call."""
        global _current
        runtime, _current = _current, None
        if runtime is not None:
            runtime.stop()

    terminate = stop


def _stop_taking(**_: object) -> None:
    if _current is not None:
        _current.stop_taking()
