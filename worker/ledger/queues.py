"""What waits in the lanes of some accounts: how busy they are, for whoever wants to know when another would be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import redis

from worker.domain.ids import AccountName, CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.production import PRIORITIES, Priority

_PRIORITIES = {str(code).encode(): name for name, code in PRIORITIES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A campaign that may be sent now: its pending messages, and the batches in which they wait."""

    campaign: CampaignId
    accounts: tuple[AccountName, ...]
    priority: Priority
    messages: int
    batches: int


def waiting_in(client: redis.Redis, accounts: Sequence[AccountName]) -> tuple[Waiting, ...]:
    """Return the campaigns that wait in any of these accounts' lanes; raises `LedgerError`.

    Those that are paused, not started yet or outside their hours stand in no lane.
    """
    with translated():
        pipeline = client.pipeline(transaction=False)
        for account in accounts:
            pipeline.zrange(keys.lane_campaigns(account), 0, -1)
        listed = cast(list[list[bytes]], pipeline.execute())
        found = [CampaignId(name.decode()) for name in dict.fromkeys(name for names in listed for name in names)]
        for campaign in found:
            pipeline.hmget(keys.campaign(campaign), ["accounts", "priority", "pending"])
            pipeline.llen(keys.queue(campaign))
        replies = pipeline.execute()
    return tuple(
        Waiting(
            campaign=campaign,
            accounts=tuple(AccountName(name) for name in names.decode().split()),
            priority=_PRIORITIES.get(priority, "normal"),
            messages=int(pending),
            batches=batches,
        )
        for campaign, (names, priority, pending), batches in zip(found, replies[::2], replies[1::2], strict=True)
    )
