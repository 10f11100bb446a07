"""One batch on its way: written, held until its slot, posted once, and what the answer means told to the ledger.

Invariants: the first byte goes out only under an attempt that the ledger confirmed, within its slot's tolerance and
at most 2 s after the process asked to take it; whatever happens from then on, exactly one of settle and give back is
told to the ledger, and repeated until it is written.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from worker.clock import suspended_clock
from worker.domain.answers import (
    AllRejected,
    Answer,
    Call,
    Disposition,
    HoldAccount,
    Isolate,
    LeaveAccount,
    Lost,
    MessageAnswer,
    PauseCampaign,
    PerMessage,
    Rejected,
    Throttled,
    Unconfirmed,
    Unsent,
    Untaken,
)
from worker.domain.batch import Outgoing
from worker.domain.content import messages
from worker.domain.ids import AccountName
from worker.domain.ratelimit import exhausted_for_s
from worker.engine import Engine
from worker.events import counted
from worker.gateways.feedback import unwelcome
from worker.ledger.errors import LedgerError
from worker.ledger.outcomes import Outcomes
from worker.ledger.packing import PackingError
from worker.ledger.settling import LOST_LIMIT, REFUSED_LIMIT, Verdict, give_back, isolate, settle
from worker.ledger.suppression import suppress_while_sending
from worker.ledger.taking import Taken
from worker.line import Line
from worker.roster import Served

log = structlog.stdlib.get_logger("bulksend.worker")

FRESH_S = 2.0
"""The first byte goes out at most so long after the process asked to take, by a clock that counts suspension."""

HALTING = frozenset({"throttled", "hold"})
"""Verdicts after which the lane gives nothing for a while."""

OK = Verdict(kind="ok")
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
    """Sends the batches of one account.

    `halted_at` is when an answer last said that nothing may go: what was taken before it and is not on the wire yet
    goes back, rather than into a refusal.
    """

    engine: Engine
    name: AccountName
    served: Served
    halted_at: float = 0.0

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
                await self.return_batch(taken, NOTHING)
            case Unwritable(reason=reason):
                await self.return_batch(taken, NOTHING, pause_campaign=reason)
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
                    await self.return_batch(taken, NOTHING)
                case Answer():
                    await self.conclude(taken, outgoing, served.gateway.read(answer, outgoing), answer)
                case Lost() | Unsent():
                    await self.conclude(taken, outgoing, answer, None)
                case _:
                    assert_never(answer)
        except Exception:
            if line.written_bytes == written_before:
                await self._give_up(taken)
            else:  # what was told before the fault stays: the ledger hears only the first word
                fault = Lost(reason=f"the worker {self.engine.owner} could not make out the answer: see its log")
                await self.conclude(taken, outgoing, fault, None)
            raise

    async def _give_up(self, taken: Taken) -> None:
        """Give back a batch of which nothing has left, for a fault of ours of which the watcher hears.

        It must not end as unconfirmed, and would fail again: the campaign pauses.
        """
        words = f"batch {taken.batch} can not be sent by the worker {self.engine.owner}: see its log"
        await self.return_batch(taken, NOTHING, pause_campaign=words)

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

    async def conclude(  # noqa: C901 - one case a disposition
        self, taken: Taken, outgoing: Outgoing, disposition: Disposition, answer: Answer | None
    ) -> None:
        """Tell the ledger what the call came to."""
        count = len(outgoing.messages)
        match disposition:
            case PerMessage(outcomes=outcomes, account=Throttled() | HoldAccount() as account):
                await self.settle_batch(taken, outcomes, self._halting(account))
                await self.feed_lists(outgoing, outcomes)
            case PerMessage(outcomes=outcomes):
                pause_s = exhausted_for_s(answer) if answer else None
                verdict = OK
                if pause_s:
                    why = "the gateway's window is used up (X-RateLimit-Remaining: 0)"
                    verdict = Verdict(kind="ok", reason=why, pause_us=int(pause_s * 1e6))
                await self.settle_batch(taken, outcomes, verdict)
                await self.feed_lists(outgoing, outcomes)
            case AllRejected(code=code, reason=reason):
                outcomes = disposition.outcomes(count)
                words = f"{REFUSED_LIMIT} calls in a row were refused, the last: {code} {reason}"
                verdict = Verdict(kind="refused", reason=words)
                await self.settle_batch(taken, outcomes, verdict)
                await self.feed_lists(outgoing, outcomes)
            case Lost(code=code, reason=reason):
                outcomes = (Unconfirmed(code=code, reason=reason),) * count
                words = (
                    f"{LOST_LIMIT} calls in a row had no usable answer: ask the gateway, then open the account; "
                    f"the last: {reason}"
                )
                verdict = Verdict(kind="lost", reason=words)
                await self.settle_batch(taken, outcomes, verdict)
            case Throttled() | HoldAccount():
                await self.return_batch(taken, self._halting(disposition))
            case Unsent(reason=reason):
                await self.return_batch(taken, Verdict(kind="unsent", reason=reason))
            case PauseCampaign(reason=reason):
                await self.return_batch(taken, OK, pause_campaign=f"account {self.name}: {reason}")
            case LeaveAccount(reason=reason):
                await self.return_batch(taken, OK, pause_campaign=f"account {self.name}: {reason}", only_here=True)
            case Isolate(code=code, reason=reason):
                await self.isolate_batch(taken, Rejected(code=code, reason=reason))
            case _:
                assert_never(disposition)

    def _halting(self, account: Throttled | HoldAccount) -> Verdict:
        """Return what the lane is told where an answer says so of its account."""
        match account:
            case Throttled(reason=reason, retry_after_s=retry_after_s):
                return Verdict(kind="throttled", reason=reason, pause_us=int((retry_after_s or 0) * 1e6))
            case HoldAccount(reason=reason, may_pass=may_pass):
                probe_us = int(self.served.account.probe_every * 1e6) if may_pass else 0
                return Verdict(kind="hold", reason=reason, pause_us=probe_us)

    async def settle_batch(self, taken: Taken, answers: Sequence[MessageAnswer], verdict: Verdict) -> None:
        """Write the outcomes of a batch, and return what was not taken of it, however long Redis is away."""
        engine, spread = self.engine, random.random()
        if verdict.pause_us or verdict.kind in HALTING:
            self.halted_at = suspended_clock()
        outcomes = Outcomes(
            sent_at=_sent_at(taken), messages=tuple(each for each in answers if not isinstance(each, Untaken))
        )
        word = await engine.persist(
            lambda: settle(
                engine.gathered,
                self.name,
                taken,
                outcomes,
                verdict,
                untaken=[place for place, each in enumerate(answers) if isinstance(each, Untaken)],
                spread=spread,
                remember_hours=engine.remember_hours,
            )
        )
        log.debug("batch.settled", campaign=taken.campaign, batch=taken.batch, account=self.name, how=word)
        told = counted(answers)
        if verdict.kind == "lost":
            log.warning("batch.unconfirmed", campaign=taken.campaign, batch=taken.batch, why=told)
        if verdict.kind in HALTING:
            log.info(
                "batch.partly_returned",
                campaign=taken.campaign,
                batch=taken.batch,
                account=self.name,
                why=verdict.reason,
            )
        engine.events.ended(taken.attempt, "failed" if verdict.kind == "lost" else "succeeded", told)

    async def feed_lists(self, outgoing: Outgoing, outcomes: Sequence[MessageAnswer]) -> None:
        """Put whoever refuses messages, as the gateway says with its code, on the suppression list for that.

        Part of the batch's own task, so that a worker that stops does it too. Where Redis is away the entry is lost,
        and nothing else: the outcomes are settled, and the next refusal or report makes it again.
        """
        for (of, reason), numbers in unwelcome(self.served.gateway.name, outgoing, outcomes).items():
            try:
                await suppress_while_sending(self.engine.redis, of, numbers, reason)
            except LedgerError as error:
                log.warning("suppression.not_fed", list=str(of.scope), numbers=len(numbers), why=str(error))
            else:
                log.info("suppression.fed", list=str(of.scope), reason=str(reason), numbers=len(numbers))

    async def isolate_batch(self, taken: Taken, refusal: Rejected) -> None:
        """Divide a batch that was refused whole, however long Redis is away."""
        engine = self.engine
        hours = engine.remember_hours
        word = await engine.persist(
            lambda: isolate(engine.redis, self.name, taken, refusal, _sent_at(taken), remember_hours=hours)
        )
        engine.events.ended(taken.attempt, "retried", f"refused whole ({refusal.code}): {word}")
        log.info("batch.refused", campaign=taken.campaign, batch=taken.batch, account=self.name, how=word)

    async def return_batch(
        self, taken: Taken, verdict: Verdict, *, pause_campaign: str = "", only_here: bool = False
    ) -> None:
        """Give a batch back, however long Redis is away."""
        engine, spread = self.engine, random.random()
        if verdict.kind in HALTING:
            self.halted_at = suspended_clock()
        word = await engine.persist(
            lambda: give_back(
                engine.redis,
                self.name,
                taken,
                verdict,
                spread=spread,
                pause_campaign=pause_campaign,
                only_here=only_here,
                remember_hours=engine.remember_hours,
            )
        )
        why = pause_campaign or verdict.reason
        engine.events.ended(taken.attempt, "retried", why or "not sent: its slot had passed")
        if why:
            log.info("batch.returned", campaign=taken.campaign, batch=taken.batch, account=self.name, how=word, why=why)

    def _is_over(self, latest_at: float, asked_at: float) -> bool:
        """Whether the call may not go any more: its slot has passed, its 2 s, or the lane was halted."""
        is_late = asyncio.get_running_loop().time() > latest_at or suspended_clock() - asked_at > FRESH_S
        return is_late or asked_at < self.halted_at


def _sent_at(taken: Taken) -> float:
    """Return when a batch went, give or take the tolerance."""
    return taken.slot_us / 1e6
