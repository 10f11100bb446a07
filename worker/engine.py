"""What the lanes of one worker process share: the ledger's client, the server's clock, the roster, and their end.

Everything here belongs to the process's one asyncio loop. Background tasks have a name and a watcher. A step that
must be written (an outcome, a batch given back) is tried until Redis takes it or the process must end.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis.asyncio
import structlog

from config.errors import ConfigError
from worker.clock import ServerClock
from worker.domain.content_template import Wording
from worker.domain.ids import AccountName, CampaignId, Owner
from worker.domain.template import Template
from worker.events import BatchEvents, Unwatched
from worker.intake.campaign import Campaign
from worker.ledger import keys
from worker.ledger.durability import Durability, check_durability
from worker.ledger.errors import LedgerBroken, LedgerError, LedgerUnavailable, translated
from worker.ledger.gathering import Gathering
from worker.ledger.resending import resend
from worker.ledger.schedules import overdue
from worker.ledger.seats import announce, withdraw
from worker.ledger.sweeping import sweep
from worker.ledger.timing import set_hours
from worker.producer import hours_around
from worker.roster import Roster

log = structlog.stdlib.get_logger("bulksend.worker")

SWEEP_EVERY_S = 0.25
"""How often a process offers to sweep; the ledger lets one sweep pass a second."""

AWAY_S = 1.0
"""How long to wait before asking a Redis again that did not answer."""

ANNOUNCE_EVERY_S = 5.0
DURABLE_FOR_S = 10.0
"""How long a look at the server's durability is good for."""

MOST_COMPILED = 1000
"""Campaigns kept in memory; past that all are read anew."""

CLOCK_LOOKS = 5
"""Exchanges by which a process learns the server's clock before its first slot: the shortest decides."""

SETTLING_S = 5.0
"""How much longer than the longest call a stopping process lives, to write what its last calls came to."""


def new_owner() -> Owner:
    """Return a name for this process that no other process has or will have."""
    return Owner(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}".replace(" ", "_"))


Callback = Callable[[AccountName, CampaignId, int], str]


def _no_bell() -> None:
    """Nobody is to apply reports: they wait."""


def _no_schedule(_name: str) -> None:
    """Nobody runs schedules: they wait."""


def no_callback(_account: AccountName, _campaign: CampaignId, _batch: int) -> str:
    """Ask for no reports."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A campaign as its sender needs it: the file, and its template and its messages' options compiled once."""

    campaign: Campaign
    template: Wording
    message_options: Mapping[str, Template]


@dataclass(slots=True, kw_only=True)
class Engine:
    """One worker process's share of the work. `missed` counts the slots that its lanes have missed.

    `ring_receive` sends a doorbell for reports, `ring_schedule` one for a schedule that nobody has answered; they may
    block: they run in threads. `callback` gives the URL for the reports about a batch, "" where nobody takes them in.
    """

    redis: redis.asyncio.Redis
    roster: Roster
    allow_volatile: bool
    replicas: int
    remember_hours: int = 0
    ring_receive: Callable[[], None] = _no_bell
    ring_schedule: Callable[[str], None] = _no_schedule
    callback: Callback = no_callback
    owner: Owner = field(default_factory=new_owner)
    events: BatchEvents | Unwatched = field(default_factory=Unwatched)
    clock: ServerClock = field(default_factory=ServerClock)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    gathered: Gathering = field(init=False)
    ends_at: float = float("inf")
    missed: int = 0
    _durability: Durability | None = None
    _checked_at: float = 0.0
    _clock_looks: int = 0
    _compiled: dict[CampaignId, Compiled] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _announced: frozenset[AccountName] = frozenset()
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Let the steps that every batch takes share their way to Redis."""
        self.gathered = Gathering(self.redis)

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a background task whose failure is logged."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._watch)
        return task

    def _watch(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task.failed", task=task.get_name(), exc_info=task.exception())

    async def keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a background task until it ends by itself; what it dies of is logged, and it is begun anew."""
        while True:
            task = self.spawn(name, work())
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()
            if task.cancelled() or task.exception() is None:
                return
            await asyncio.sleep(AWAY_S)

    def stop(self) -> None:
        """Take nothing more; what is on the wire may end until `ends_at`."""
        if not self.stopping.is_set():
            self.ends_at = asyncio.get_running_loop().time() + self.roster.longest_timeout_s() + SETTLING_S
            self.stopping.set()

    async def persist(self, step: Callable[[], Awaitable[str]]) -> str:
        """Run a ledger step until Redis takes it; return its word, or "lost" where the process had to end first.

        An outcome that was paid for is worth waiting for. Steps are fenced, so that repeating one is harmless.
        """
        pause_s = 0.05
        while True:
            try:
                return await step()
            except LedgerUnavailable as error:
                if asyncio.get_running_loop().time() + pause_s > self.ends_at:
                    log.error("ledger.gave_up", why=str(error))
                    return "lost"
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 1.0)
            except LedgerBroken as error:
                log.error("ledger.refused", why=str(error))
                return "lost"

    async def durability(self) -> Durability:
        """Return how Redis keeps what it is told, looked at every 10 s; `problem` is "" where volatile is allowed."""
        now = asyncio.get_running_loop().time()
        if self._durability is None or now - self._checked_at > DURABLE_FOR_S:
            found = await check_durability(self.redis)
            if self.replicas and not found.waitaof and not found.problem:
                words = "BULKSEND_REPLICAS is set, and this Redis lacks WAITAOF: replicas can not confirm anything"
                found = Durability(waitaof=False, problem=words)
            if self.allow_volatile and found.problem:
                log.warning("redis.volatile", problem=found.problem)
                found = Durability(waitaof=False, problem="")
            self._durability, self._checked_at = found, now
        return self._durability

    def forget_durability(self) -> None:
        """Look anew at how Redis keeps what it is told, before the next lane is served."""
        self._durability = None

    async def compiled(self, campaign_id: CampaignId) -> Compiled:
        """Return a campaign's file and template; raises `LedgerUnavailable`."""
        async with self._reading:  # the first batches of a campaign come together: one of them reads
            if campaign_id not in self._compiled:
                if len(self._compiled) > MOST_COMPILED:
                    self._compiled.clear()
                self._compiled[campaign_id] = await self._compile(campaign_id)
            return self._compiled[campaign_id]

    async def _compile(self, campaign_id: CampaignId) -> Compiled:
        with translated():
            doc = await self.redis.hget(keys.campaign(campaign_id), "doc")
        if doc is None:
            raise LedgerUnavailable(f"campaign {campaign_id} is not in Redis")
        campaign = Campaign.from_json(doc)
        return Compiled(campaign=campaign, template=campaign.wording(), message_options=campaign.message_options())

    async def keep_house(self) -> None:
        """Sweep, do what the sweep found (resends) and announce; cancelled when the last call is settled."""
        announced_at, announced = float("-inf"), self.roster.version()
        while True:
            now = asyncio.get_running_loop().time()
            try:
                # First the sweep: it counts this process as live, and only a live worker's ceilings are kept.
                swept = await sweep(self.redis, self.owner, remember_hours=self.remember_hours)
                for campaign_id, batch in swept.resends:
                    word = await resend(self.redis, campaign_id, batch)
                    log.info("resend.done", campaign=campaign_id, batch=batch, how=word)
                if swept.reports:
                    self.spawn("ring for reports", asyncio.to_thread(self.ring_receive))
                # Before hours are renewed: they may be due because the server's clock has stepped.
                await self.observe_clock()
                for campaign_id in swept.hours:
                    await self._renew_hours(campaign_id)
                version = self.roster.version()
                if version != announced or now - announced_at > ANNOUNCE_EVERY_S:
                    await self.announce()
                    for name in await overdue(self.redis):
                        self.spawn("ring for a schedule", asyncio.to_thread(self.ring_schedule, name))
                    announced_at, announced = now, version
            except LedgerError as error:
                log.warning("ledger.away", why=str(error))
                await asyncio.sleep(AWAY_S)
                continue
            if swept.expired:
                log.warning("sweep.expired", batches=swept.expired)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _renew_hours(self, campaign_id: CampaignId) -> None:
        """Write the hours in which a campaign may send now, or next: they have opened or closed since the last look."""
        try:
            campaign = (await self.compiled(campaign_id)).campaign
        except ValueError:
            log.error("hours.unreadable", campaign=campaign_id, why="the campaign is of another version")
            return
        server_s = self.clock.server_s(asyncio.get_running_loop().time())
        opens, closes = hours_around(campaign, datetime.fromtimestamp(server_s, UTC))
        is_open = await set_hours(self.redis, campaign_id, opens, closes)
        log.info("hours.renewed", campaign=campaign_id, open=is_open)

    async def know_clock(self) -> None:
        """See to it that the offset to the server's clock is known well; raises `LedgerUnavailable`."""
        while self._clock_looks < CLOCK_LOOKS:
            await self.observe_clock()

    async def observe_clock(self) -> None:
        """Narrow the offset to the server's clock by one short exchange; raises `LedgerUnavailable`."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        with translated():
            seconds, microseconds = await self.redis.time()
        self.clock.observe(asked_at, loop.time(), seconds * 1_000_000 + microseconds)
        self._clock_looks += 1

    async def announce(self, names: Iterable[AccountName] | None = None) -> None:
        """Tell the lanes, all or those of `names`, this process's ceilings; a wrong accounts file announces nothing.

        The ceiling of an account that stands in the file no more is withdrawn: others may go faster.
        """
        try:
            ceilings = self.roster.ceilings(names)
        except ConfigError as error:
            log.error("accounts.unreadable", why=str(error))
            return
        await announce(self.redis, self.owner, ceilings)
        if names is None:
            await withdraw(self.redis, self.owner, self._announced - ceilings.keys())
            self._announced = frozenset(ceilings)

    async def rest(self, seconds: float) -> None:
        """Sleep, or less where the process stops."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return
