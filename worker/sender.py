"""One batch on its way: written, held until its slot, posted once; what its call came to is told by the teller.

Invariants: the first byte goes out only under an attempt that the ledger confirmed, within its slot's tolerance and
at most 2 s after the process asked to take it; whatever happens from then on, exactly one of settle and give back is
told to the ledger, and repeated until it is written.
"""

import asyncio
from dataclasses import dataclass, field
from typing import assert_never

import structlog

from worker.clock import suspended_clock
from worker.domain.answers import Answer, Call, Lost, Unsent
from worker.domain.batch import Outgoing
from worker.domain.content import messages
from worker.domain.ids import AccountName
from worker.engine import Engine
from worker.ledger.errors import LedgerError
from worker.ledger.packing import PackingError
from worker.ledger.settling import Verdict
from worker.ledger.taking import Taken
from worker.line import Line
from worker.roster import Served
from worker.teller import Teller

log = structlog.stdlib.get_logger("bulksend.worker")

FRESH_S = 2.0
"""The first byte goes out at most so long after the process asked to take, by a clock that counts suspension."""

NOTHING = Verdict(kind="none")


@dataclass(frozen=True, slots=True)
class Missed:
    """The slot or the 2 s have passed before the first byte, or the lane was halted: back, and the slot is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritable:
    """The stored batch can not be made into a call."""

    reason: str


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends the batches of one account."""

    engine: Engine
    name: AccountName
    served: Served
    teller: Teller = field(init=False)

    def __post_init__(self) -> None:
        """Let one teller speak for all batches: what the answer to one says may halt the others."""
        self.teller = Teller(engine=self.engine, name=self.name)

    async def send(self, taken: Taken, line: Line, asked_at: float) -> None:
        """Send one batch over an open line. `asked_at` is `suspended_clock()` before the take."""
        served = self.served  # who wrote a call reads its answer, and knows what may not be repeated of it
        try:
            written = await self.write(taken, served)
        except Exception:
            await self._give_up(taken)
            raise
        match written:
            case Missed():
                await self.teller.return_batch(taken, NOTHING)
            case Unwritable(reason=reason):
                await self.teller.return_batch(taken, NOTHING, pause_campaign=reason)
            case (outgoing, call):
                await self._send_written(taken, served, outgoing, call, line, asked_at)

    async def _send_written(
        self, taken: Taken, served: Served, outgoing: Outgoing, call: Call, line: Line, asked_at: float
    ) -> None:
        self.engine.events.started(taken.attempt, taken.campaign, taken.batch, self.name, len(outgoing.messages))
        written_before = line.written_bytes
        try:
            answer = await self.post(taken, served, call, line, asked_at)
            match answer:
                case Missed():
                    self.engine.missed += 1
                    log.info("batch.missed_its_slot", campaign=taken.campaign, batch=taken.batch, account=self.name)
                    await self.teller.return_batch(taken, NOTHING)
                case Answer():
                    await self.teller.conclude(
                        taken, self.served, outgoing, served.gateway.read(answer, outgoing), answer
                    )
                case Lost() | Unsent():
                    await self.teller.conclude(taken, self.served, outgoing, answer, None)
                case _:
                    assert_never(answer)
        except Exception:
            if line.written_bytes == written_before:
                await self._give_up(taken)
            else:  # what was told before the fault stays: the ledger hears only the first word
                fault = Lost(reason=f"the worker {self.engine.owner} could not make out the answer: see its log")
                await self.teller.conclude(taken, self.served, outgoing, fault, None)
            raise

    async def _give_up(self, taken: Taken) -> None:
        """Give back a batch of which nothing has left, for a fault of ours of which the watcher hears.

        It must not end as unconfirmed, and would fail again: the campaign pauses.
        """
        words = f"batch {taken.batch} can not be sent by the worker {self.engine.owner}: see its log"
        await self.teller.return_batch(taken, NOTHING, pause_campaign=words)

    async def write(self, taken: Taken, served: Served) -> tuple[Outgoing, Call] | Missed | Unwritable:
        """Make the call from the stored batch."""
        try:
            compiled = await self.engine.compiled(taken.campaign)
        except LedgerError:
            return Missed()
        except ValueError:
            return Unwritable(reason=f"the worker {self.engine.owner} is of a version that can not read this campaign")
        try:
            outgoing = Outgoing(
                reference=f"{taken.campaign}:{taken.batch}",
                callback_url=self._callback_url(taken, served),
                sender=compiled.campaign.call_sender,
                options=compiled.campaign.options,
                messages=messages(taken.content(), compiled.template, compiled.message_options),
            )
        except (PackingError, ValueError) as error:
            return Unwritable(reason=f"batch {taken.batch} can not be read: {error}")
        return outgoing, served.gateway.write(outgoing)

    def _callback_url(self, taken: Taken, served: Served) -> str:
        if not served.account.status_callbacks:
            return ""
        return self.engine.callback(self.name, taken.campaign, taken.batch)

    async def post(
        self, taken: Taken, served: Served, call: Call, line: Line, asked_at: float
    ) -> Answer | Lost | Unsent | Missed:
        """Wait for the slot, then post; a slot that has passed is lost, never made up for."""
        loop = asyncio.get_running_loop()
        slot_at = self.engine.clock.local(taken.slot_us)
        # The server's clock may have stepped back since the take: a slot that is too far is missed, not waited for.
        early_s = slot_at - loop.time()
        if early_s > 0:
            await asyncio.sleep(min(early_s, FRESH_S))
        latest_at = slot_at + served.late_s
        # A missed slot does not use up the fuse: the next slot would find it used up, miss, use it up again, for good.
        if self._is_over(latest_at, asked_at):
            return Missed()
        fuse = served.fuse
        if fuse.has_capacity():
            await fuse.acquire()  # returns without giving anybody else a turn
        else:
            try:
                async with asyncio.timeout_at(latest_at):
                    await fuse.acquire()
            except TimeoutError:
                return Missed()
            if self._is_over(latest_at, asked_at):
                return Missed()
        return await line.post(call, timeout_s=served.account.timeout)

    def _is_over(self, latest_at: float, asked_at: float) -> bool:
        """Whether the call may not go any more: its slot has passed, its 2 s, or the lane was halted.

        What was taken before an answer halted the lane goes back, rather than into a refusal.
        """
        is_late = asyncio.get_running_loop().time() > latest_at or suspended_clock() - asked_at > FRESH_S
        return is_late or asked_at < self.teller.halted_at
