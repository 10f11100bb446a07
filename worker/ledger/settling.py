"""What became of a batch that was taken, told to the ledger: settle, give back, isolate, void; and a lane's back-off.

Each is one script; all but the last are fenced by the attempt's id.
Invariant: only the attempt that holds a batch, or that last held it and expired, tells what became of it, and once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import redis.asyncio

from worker.domain.answers import Rejected
from worker.domain.content import chosen, halves
from worker.domain.ids import AccountName, AttemptId
from worker.ledger import keys
from worker.ledger.outcomes import Outcomes, letters_of, pack_outcomes
from worker.ledger.packing import pack
from worker.ledger.scripts import Caller, load
from worker.ledger.taking import Taken

LOST_LIMIT = 5
"""So many unconfirmed calls in a row hold the account."""

REFUSED_LIMIT = 20
"""So many calls of one campaign in a row, refused for what is in them (400, 413), pause it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a call's answer means for the account's lane, beside its batch.

    `pause_us`: what the gateway asked for, microseconds from now; 0 where it asked for nothing. Of a hold: after how
    long one batch is tried, again and again until one passes; 0 where somebody must open the account.
    """

    kind: Literal["ok", "refused", "throttled", "unsent", "hold", "lost", "none"]
    reason: str = ""
    pause_us: int = 0


async def settle(
    client: Caller,
    account: AccountName,
    taken: Taken,
    outcomes: Outcomes,
    verdict: Verdict,
    *,
    untaken: Sequence[int] = (),
    spread: float = 0.0,
    remember_hours: int = 0,
    now: int = 0,
) -> str:
    """Write the outcomes of a batch, one a message in wire order; return settled, late, already or gone.

    `untaken` are the places in wire order, ascending, of messages that the gateway did not take for its account's
    reason: `outcomes` are those of the others, and they go again, in a batch of their own in front of the queue.
    `spread` (0 to 1) draws the back-off's length.
    `remember_hours`: for how long it is remembered who was messaged, for the caps of campaigns; 0: it is not.
    Repeating it has no further effect.
    """
    reply = await load("settle").acall(
        client,
        [
            keys.campaign(taken.campaign),
            keys.batch_state(taken.campaign, taken.batch),
            keys.outcomes(taken.campaign, taken.batch),
            keys.lane(account),
            keys.lane_attempts(account),
            keys.ATTEMPTS,
        ],
        [
            *(now, keys.PREFIX, account, taken.attempt, taken.campaign),
            *(verdict.kind, verdict.reason, verdict.pause_us, LOST_LIMIT),
            letters_of(outcomes, untaken),
            pack_outcomes(outcomes),
            REFUSED_LIMIT,
            taken.batch,
            *(remember_hours, spread),
            pack(chosen(taken.content(), untaken)) if untaken else b"",
            *(outcome.label for outcome in outcomes.messages if isinstance(outcome, Rejected)),
        ],
    )
    return str(reply.decode())


async def give_back(
    client: redis.asyncio.Redis,
    account: AccountName,
    taken: Taken,
    verdict: Verdict,
    *,
    spread: float,
    pause_campaign: str = "",
    only_here: bool = False,
    remember_hours: int = 0,
    now: int = 0,
) -> str:
    """Put a batch back to the front of its queue, with proof that nothing of it was accepted.

    `spread` (0 to 1) draws the back-off's length; `pause_campaign` is the reason with which the campaign pauses, or,
    `only_here`, leaves this account while it has another. `remember_hours` as in `settle`, for messages of which
    reports have come: they are accepted.
    It counts as a call unless the verdict is unsent or none. Returns back, late or gone.
    """
    return await _back(
        client,
        account,
        [taken.attempt, taken.campaign, taken.batch],
        [verdict.kind, verdict.reason, verdict.pause_us, spread, pause_campaign, int(only_here), remember_hours],
        now,
    )


async def isolate(
    client: redis.asyncio.Redis,
    account: AccountName,
    taken: Taken,
    refusal: Rejected,
    sent_at: float,
    *,
    remember_hours: int = 0,
    now: int = 0,
) -> str:
    """Divide a batch that was refused whole, so that what is wrong in it is found alone.

    Nothing of it may have been accepted. A single message is rejected with the refusal's code, once the campaign was
    seen to pass. Returns split, rejected, back or gone. `remember_hours` as in `settle`.
    """
    content = taken.content()
    if len(content.rows) == 1:
        parts = [pack_outcomes(Outcomes(sent_at=sent_at, messages=(refusal,)))]
    else:
        parts = [pack(half) for half in halves(content)]
    reply = await load("split").acall(
        client,
        [
            *(keys.campaign(taken.campaign), keys.queue(taken.campaign)),
            *(keys.lane(account), keys.lane_attempts(account), keys.ATTEMPTS),
        ],
        [
            *(now, keys.PREFIX, account, taken.attempt, taken.campaign, taken.batch, REFUSED_LIMIT),
            f"{REFUSED_LIMIT} calls in a row were refused, the last: {refusal.label}",
            refusal.label,
            remember_hours,
            *parts,
        ],
    )
    return str(reply.decode())


async def void(
    client: redis.asyncio.Redis, account: AccountName, attempt: AttemptId, *, remember_hours: int = 0, now: int = 0
) -> str:
    """Give back an id whose take had no answer: what it got returns, and what is still on its way gets nothing."""
    return await _back(client, account, [attempt, "", 0], ["none", "", 0, 0, "", 0, remember_hours], now)


async def _back(
    client: redis.asyncio.Redis, account: AccountName, which: list[Any], verdict: list[Any], now: int
) -> str:
    reply = await load("back").acall(
        client,
        [keys.lane(account), keys.lane_attempts(account), keys.ATTEMPTS],
        [now, keys.PREFIX, account, *which, *verdict],
    )
    return str(reply.decode())


async def back_off(
    client: redis.asyncio.Redis, account: AccountName, reason: str, *, spread: float, began: int = 0, now: int = 0
) -> None:
    """Pause the lane with its own back-off: the gateway could not be reached, and nothing was taken.

    `began`: when the attempt to connect began, microseconds by the server's clock; 0 for now.
    """
    await load("backoff").acall(client, [keys.lane(account)], [now, began, reason, spread])
