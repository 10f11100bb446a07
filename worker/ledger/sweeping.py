"""The sweep's side of the ledger."""

from dataclasses import dataclass

import redis.asyncio

from worker.domain.ids import CampaignId, Owner
from worker.ledger import keys
from worker.ledger.scripts import load

WORKER_S = 30.0
"""A worker that has not swept for so long does not count as live: its ceilings are forgotten."""

AT_ONCE = 200
"""Expired attempts settled by one sweep; the rest waits for the next, a second later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did and found.

    `expired`: attempts that it ended as unconfirmed; `resends`: batches due to be sent once more; `hours`: campaigns
    whose sending hours are to be renewed; `reports`: bodies with delivery reports that wait to be applied.
    """

    expired: int
    resends: tuple[tuple[CampaignId, int], ...]
    hours: tuple[CampaignId, ...]
    reports: int


async def sweep(client: redis.asyncio.Redis, owner: Owner, *, remember_hours: int = 0, now: int = 0) -> Swept:
    """Sweep, unless some process did within the last second; in any case be counted as a live worker."""
    reply = await load("sweep").acall(
        client,
        [keys.CLOCK, keys.ATTEMPTS, keys.DUE, keys.WORKERS],
        [now, keys.PREFIX, owner, int(WORKER_S * 1e6), AT_ONCE, remember_hours],
    )
    if reply[0] == 0:
        return Swept(expired=0, resends=(), hours=(), reports=0)
    due = (member.decode().split() for member in reply[2])
    return Swept(
        expired=int(reply[1]),
        resends=tuple((CampaignId(campaign), int(batch)) for campaign, batch in due),
        hours=tuple(CampaignId(name.decode()) for name in reply[3]),
        reports=int(reply[4]),
    )
