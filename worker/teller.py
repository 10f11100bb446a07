"""What a call came to, told to the ledger, and to whoever watches.

The last step of a batch: what lane and campaign hear follows from the disposition alone, here. Invariant: what is told
is repeated until Redis takes it or the process has to end; of two words about one attempt the ledger heeds the first.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from worker.clock import suspended_clock
from worker.domain.answers import (
    AllRejected,
    Answer,
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
from worker.domain.ids import AccountName
from worker.domain.ratelimit import exhausted_for_s
from worker.engine import Engine
from worker.events import counted
from worker.gateways.feedback import unwelcome
from worker.ledger.errors import LedgerError
from worker.ledger.outcomes import Outcomes
from worker.ledger.settling import LOST_LIMIT, REFUSED_LIMIT, Verdict, give_back, isolate, settle
from worker.ledger.suppression import suppress_while_sending
from worker.ledger.taking import Taken
from worker.roster import Served

log = structlog.stdlib.get_logger("bulksend.worker")

HALTING = frozenset({"throttled", "hold"})
"""Verdicts after which the lane gives nothing for a while."""

OK = Verdict(kind="ok")


@dataclass(slots=True, kw_only=True)
class Teller:
    """Tells what became of the batches of one account.

    `halted_at` is when an answer last said that nothing may go, by `suspended_clock()`.
    """

    engine: Engine
    name: AccountName
    halted_at: float = 0.0

    async def conclude(  # noqa: C901 - one case a disposition
        self, taken: Taken, served: Served, outgoing: Outgoing, disposition: Disposition, answer: Answer | None
    ) -> None:
        """Tell the ledger what the call came to. `served`: the account, as its file has it now."""
        count = len(outgoing.messages)
        match disposition:
            case PerMessage(outcomes=outcomes, account=Throttled() | HoldAccount() as account):
                await self.settle_batch(taken, outcomes, _halting(account, served))
                await self.feed_lists(served.gateway.name, outgoing, outcomes)
            case PerMessage(outcomes=outcomes):
                pause_s = exhausted_for_s(answer) if answer else None
                verdict = OK
                if pause_s:
                    why = "the gateway's window is used up (X-RateLimit-Remaining: 0)"
                    verdict = Verdict(kind="ok", reason=why, pause_us=int(pause_s * 1e6))
                await self.settle_batch(taken, outcomes, verdict)
                await self.feed_lists(served.gateway.name, outgoing, outcomes)
            case AllRejected(code=code, reason=reason):
                outcomes = disposition.outcomes(count)
                words = f"{REFUSED_LIMIT} calls in a row were refused, the last: {code} {reason}"
                verdict = Verdict(kind="refused", reason=words)
                await self.settle_batch(taken, outcomes, verdict)
                await self.feed_lists(served.gateway.name, outgoing, outcomes)
            case Lost(code=code, reason=reason):
                outcomes = (Unconfirmed(code=code, reason=reason),) * count
                words = (
                    f"{LOST_LIMIT} calls in a row had no usable answer: ask the gateway, then open the account; "
                    f"the last: {reason}"
                )
                verdict = Verdict(kind="lost", reason=words)
                await self.settle_batch(taken, outcomes, verdict)
            case Throttled() | HoldAccount():
                await self.return_batch(taken, _halting(disposition, served))
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

    async def feed_lists(self, gateway: str, outgoing: Outgoing, outcomes: Sequence[MessageAnswer]) -> None:
        """Put whoever refuses messages, as the gateway says with its code, on the suppression list for that.

        Part of the batch's own task, so that a worker that stops does it too. Where Redis is away the entry is lost,
        and nothing else: the outcomes are settled, and the next refusal or report makes it again.
        """
        for (of, reason), numbers in unwelcome(gateway, outgoing, outcomes).items():
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


def _sent_at(taken: Taken) -> float:
    """Return when a batch went, give or take the tolerance."""
    return taken.slot_us / 1e6


def _halting(account: Throttled | HoldAccount, served: Served) -> Verdict:
    """Return what the lane is told where an answer says so of its account."""
    match account:
        case Throttled(reason=reason, retry_after_s=retry_after_s):
            return Verdict(kind="throttled", reason=reason, pause_us=int((retry_after_s or 0) * 1e6))
        case HoldAccount(reason=reason, may_pass=may_pass):
            probe_us = int(served.account.probe_every * 1e6) if may_pass else 0
            return Verdict(kind="hold", reason=reason, pause_us=probe_us)
