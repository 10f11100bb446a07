"""The next batches of a lane, taken with the intent to send them.

Invariant: a message is on the wire only under an attempt that the ledger has recorded and confirmed durable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError

from worker.domain.content import BatchContent
from worker.domain.ids import AccountName, AttemptId, CampaignId, Owner
from worker.ledger import keys
from worker.ledger.errors import LedgerUnavailable, translated
from worker.ledger.parts import content_on_wire
from worker.ledger.scripts import Argument, load

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
