"""The sender's side of the ledger: take, settle, give back, isolate, void, back off.

Each is one script; all but the last are fenced by the attempt's id.
Invariant: a message is on the wire only under an attempt that the ledger has recorded and confirmed durable.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import redis.asyncio
from redis.exceptions import NoScriptError

from worker.domain.answers import Rejected
from worker.domain.content import BatchContent, chosen, halves
from worker.domain.ids import AccountName, AttemptId, CampaignId, Owner
from worker.ledger import keys
from worker.ledger.errors import LedgerUnavailable, translated
from worker.ledger.outcomes import Outcomes, letters_of, pack_outcomes
from worker.ledger.packing import pack
from worker.ledger.parts import content_on_wire
from worker.ledger.scripts import Argument, Caller, load

LOST_LIMIT = 5
"""So many unconfirmed calls in a row hold the account."""

REFUSED_LIMIT = 20
"""So many calls of one campaign in a row, refused for what is in them (400, 413), pause it."""

WAITAOF_MS = 3000
WAIT_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One batch, ours under `attempt` until it expires. `slot_us` is when it may go, by the server's clock.

    `packed`, `whole` (what it is a part of) and `mask` say what goes on the wire; see `content`.
    """

    attempt: AttemptId
    campaign: CampaignId
    batch: int
    slot_us: int
    packed: bytes = field(repr=False)
    mask: str = ""
    whole: bytes = field(default=b"", repr=False)

    def content(self) -> BatchContent:
        """Return what goes on the wire; raises `PackingError`."""
        return content_on_wire(self.packed, self.whole, self.mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """At least one batch; `now_us` is the server's clock at the take."""

    now_us: int
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing may go for so long; ask again then, or sooner."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Full:
    """As many calls are on the wire as the account allows."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing may go within 5 s: held, paused, or nothing pending. The lane's due instant is written."""


@dataclass(frozen=True, slots=True)
class Unseated:
    """The asker's seat has expired."""


Turn = Batches | Wait | Full | Stop | Unseated


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a call's answer means for the account's lane, beside its batch.

    `pause_us`: what the gateway asked for, microseconds from now; 0 where it asked for nothing. Of a hold: after how
    long one batch is tried, again and again until one passes; 0 where somebody must open the account.
    """

    kind: Literal["ok", "refused", "throttled", "unsent", "hold", "lost", "none"]
    reason: str = ""
    pause_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """How takes are written.

    `lookahead_us` (no slot is further), `lead_us` (none is nearer) and `expiry_us` are lengths; `confirm` asks the
    server by WAITAOF, with `replicas`. `limit`: messages that one call may carry; of a larger batch one goes at a time.
    `late_us`: how late after its slot a call may go.
    """

    lookahead_us: int
    lead_us: int
    expiry_us: int
    confirm: bool
    replicas: int
    limit: int = 100
    late_us: int = 0


async def take(
    client: redis.asyncio.Redis,
    account: AccountName,
    owner: Owner,
    attempts: Sequence[AttemptId],
    intent: Intent,
    now: int = 0,
) -> Turn:
    """Ask for one batch per attempt id; with none, ask only how long to wait.

    Raises `LedgerUnavailable` where it is not known or not confirmed durable that the batches are ours: the caller
    gives every id back. The script is never called twice with one id, so it need not remember its answers.
    """
    script = load("take")
    script_keys = [
        keys.lane(account),
        keys.lane_campaigns(account),
        keys.seats(account),
        keys.lane_attempts(account),
        keys.ATTEMPTS,
        keys.DUE,
        keys.CLOCK,
    ]
    args: list[Argument] = [now, keys.PREFIX, account, owner]
    args += [intent.lookahead_us, intent.expiry_us, intent.lead_us, intent.limit, intent.late_us, *attempts]
    if not attempts or not intent.confirm:
        return _turn(await script.acall(client, script_keys, args))
    with translated():
        pipeline = client.pipeline(transaction=False)
        pipeline.evalsha(script.sha, len(script_keys), *script_keys, *args)
        if intent.replicas:
            # A replica that is asked before it has synced the write answers no, and again only after a second: longer
            # than a slot is ahead. So it is asked when our own copy is on disk and the write has reached it.
            pipeline.execute_command("WAITAOF", 1, 0, WAITAOF_MS)
            pipeline.execute_command("WAIT", intent.replicas, WAIT_MS)
        pipeline.execute_command("WAITAOF", 1, intent.replicas, WAITAOF_MS)
        reply, *_, confirmed = await pipeline.execute(raise_on_error=False)
        if isinstance(reply, NoScriptError):
            await client.script_load(script.text)
            return Wait(seconds=0.0)
        for answer in (reply, confirmed):
            if isinstance(answer, Exception):
                raise answer
    if confirmed[0] < 1 or confirmed[1] < intent.replicas:
        raise LedgerUnavailable("Redis did not confirm in time that the intent is on disk")
    return _turn(reply)


def _turn(reply: Any) -> Turn:  # noqa: ANN401 - what Redis said
    match reply:
        case [b"batches", now, *taken]:
            return Batches(now_us=int(now), taken=tuple(_taken(item) for item in taken))
        case [b"wait", us]:
            return Wait(seconds=int(us) / 1e6)
        case [b"full"]:
            return Full()
        case [b"stop"]:
            return Stop()
        case _:
            return Unseated()


def _taken(item: list[bytes]) -> Taken:
    attempt, campaign, batch, slot, packed, mask, whole = item
    return Taken(
        attempt=AttemptId(attempt.decode()),
        campaign=CampaignId(campaign.decode()),
        batch=int(batch),
        slot_us=int(slot),
        packed=packed,
        mask=mask.decode(),
        whole=whole,
    )


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
    refusals = Counter(f"{o.code} {o.reason}".strip() for o in outcomes.messages if isinstance(o, Rejected))
    reply = await load("settle").acall(
        client,
        [
            keys.campaign(taken.campaign),
            keys.batch_state(taken.campaign, taken.batch),
            keys.outcomes(taken.campaign, taken.batch),
            keys.codes(taken.campaign),
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
            *(part for pair in refusals.items() for part in pair),
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
    words = f"{refusal.code} {refusal.reason}".strip()
    reply = await load("split").acall(
        client,
        [
            *(keys.campaign(taken.campaign), keys.queue(taken.campaign), keys.codes(taken.campaign)),
            *(keys.lane(account), keys.lane_attempts(account), keys.ATTEMPTS),
        ],
        [
            *(now, keys.PREFIX, account, taken.attempt, taken.campaign, taken.batch, REFUSED_LIMIT),
            f"{REFUSED_LIMIT} calls in a row were refused, the last: {words}",
            words,
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
