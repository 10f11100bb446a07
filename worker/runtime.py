"""One asyncio loop a worker process, in a thread of its own; Celery's threads hand it lanes to serve.

The loop owns the Redis client, the gateways' lines and the fuses. It starts with the worker and ends after the last
call on the wire is settled, or at the deadline: the longest call plus 5 s.
"""

import asyncio
import sys
import threading
from concurrent.futures import CancelledError, Future
from functools import partial

import structlog
from celery import Celery, bootsteps
from celery.signals import worker_shutting_down

from config.errors import ConfigError
from config.settings import NO_REDIS, Settings, load_settings
from worker.domain.callback_token import callback_url
from worker.domain.ids import AccountName
from worker.engine import Callback, Engine, no_callback
from worker.events import BatchEvents, CeleryPostman
from worker.ledger.connection import connect_async
from worker.places import Places
from worker.preload import calm_collector, preload
from worker.roster import Roster

log = structlog.stdlib.get_logger("bulksend.worker")

MOST_LANES = 128
"""Lanes served at once by a process. Each asks and renews some five times a second also while its account makes it
wait: so many keep the loop busy for a quarter of its time with that alone."""

SWITCH_S = 0.0005
"""How soon a thread that computes lets the loop go on. Python's own 5 ms, for each of Celery's threads that has
something to do, make lanes miss their slots."""


class Runtime:
    """The loop, its thread, and the lanes that are being served."""

    def __init__(self, app: Celery, settings: Settings, node: str, threads: int) -> None:
        """Remember how to work, as the worker `node` with so many threads; nothing runs before `start`."""
        self._app = app
        self.node = node
        self._events = BatchEvents(lambda: CeleryPostman(app, node))
        self._callback = _callbacks(settings)
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bulksend-loop", daemon=True)
        self._engine: Engine | None = None
        self._places: Places | None = None
        self._kept: list[asyncio.Task[None]] = []
        self._waiting = threading.BoundedSemaphore(max(1, threads * 3 // 4))
        self._gate = threading.Lock()
        self._bells: set[Future[None]] = set()
        self._ended = False

    def start(self) -> None:
        """Start the loop and the sweep."""
        preload()
        calm_collector()
        sys.setswitchinterval(SWITCH_S)
        self._thread.start()
        self._events.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    async def _open(self) -> None:
        settings = self._settings
        engine = Engine(
            redis=connect_async(settings.redis_url or ""),
            roster=Roster(settings.accounts_file, settings.jitter_ms / 1000),
            ring_receive=self._ring_receive,
            ring_schedule=self._ring_schedule,
            callback=self._callback,
            events=self._events,
            allow_volatile=settings.allow_volatile,
            replicas=settings.replicas,
            remember_hours=settings.remember_hours,
        )
        places = Places(engine=engine, most=MOST_LANES)
        self._kept = [
            engine.spawn("keep the house", engine.keep("keep house", engine.keep_house)),
            engine.spawn("keep the places", engine.keep("fill places", places.fill)),
        ]
        self._engine, self._places = engine, places

    def _ring_receive(self) -> None:
        self._app.send_task("bulksend.receive")

    def _ring_schedule(self, name: str) -> None:
        self._app.send_task("bulksend.schedule", args=[name])

    @property
    def is_stopping(self) -> bool:
        """Whether this process is to end: long work is then to be left to others."""
        return self._ended or self._engine is None or self._engine.stopping.is_set()

    def serve(self, account: AccountName) -> None:
        """Serve a lane from a Celery thread: returns when it needs this process no more.

        It returns at once where too many threads wait already: the lane is served all the same.
        """
        with self._gate:
            if self._ended or self._places is None:
                return
            bell = asyncio.run_coroutine_threadsafe(self._places.answer(account), self._loop)
            self._bells.add(bell)
        bell.add_done_callback(self._bells.discard)
        if not self._waiting.acquire(blocking=False):
            return
        try:
            bell.result()
        except CancelledError:
            log.warning("lane.cut_short", account=account)
        finally:
            self._waiting.release()

    def stop_taking(self) -> None:
        """Take no more batches; what is on the wire goes on."""
        if self._engine is not None:
            self._loop.call_soon_threadsafe(self._engine.stop)

    def stop(self) -> None:
        """Wait for the last call to be settled, at most until the deadline, then end the loop."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with self._gate:
            self._ended = True
            bells = [*self._bells]
        for bell in bells:  # nobody answers these any more
            bell.cancel()
        self._events.stop()

    async def _close(self) -> None:
        engine = self._engine
        if engine is None:
            return
        engine.stop()
        lanes = self._places.serving if self._places is not None else frozenset()
        if lanes:
            await asyncio.wait(lanes, timeout=max(0.0, engine.ends_at - self._loop.time()))
        late = sum(not lane.done() for lane in lanes)
        if late:
            log.warning("worker.deadline_passed", lanes=late)
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        for task in self._kept:
            task.cancel()
        await engine.redis.aclose()


def _callbacks(settings: Settings) -> Callback:
    """Return what gives a batch its URL for reports; raises `ConfigError` where nothing would sign it."""
    public_url = settings.public_url
    if public_url is None:
        return no_callback
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
