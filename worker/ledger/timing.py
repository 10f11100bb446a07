"""When a campaign may send: its hours, renewed as they pass."""

import redis.asyncio

from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.scripts import load


async def set_hours(
    client: redis.asyncio.Redis, campaign_id: CampaignId, opens: int, closes: int, now: int = 0
) -> bool:
    """Write a campaign's sending hours of now, or the next ones, in microseconds; return whether they are open."""
    reply = await load("hours").acall(
        client, [keys.campaign(campaign_id)], [now, keys.PREFIX, campaign_id, opens, closes]
    )
    return bool(reply)
