"""The one resend of what stayed unconfirmed, for campaigns whose file asks for it."""

from typing import cast

import redis.asyncio

from worker.domain.answers import Unconfirmed
from worker.domain.content import chosen
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.outcomes import unpack_outcomes
from worker.ledger.packing import pack, unpack
from worker.ledger.scripts import load


async def resend(client: redis.asyncio.Redis, campaign_id: CampaignId, batch: int, now: int = 0) -> str:
    """Move a batch's unconfirmed messages to a new batch at the back of the queue; return resent, dropped or gone."""
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.get(keys.packed(campaign_id, batch))
        pipeline.hmget(keys.batch_state(campaign_id, batch), ["attempt", "expired"])
        pipeline.get(keys.outcomes(campaign_id, batch))
        packed, (attempt, expired), outcomes = cast(
            tuple[bytes, list[bytes | None], bytes | None], await pipeline.execute()
        )
    content = unpack(packed)
    positions = list(range(len(content.rows)))
    if expired != b"1" and outcomes is not None:
        told = unpack_outcomes(outcomes).messages
        positions = [place for place, outcome in enumerate(told) if isinstance(outcome, Unconfirmed)]
    reply = await load("resend").acall(
        client,
        [
            *(keys.campaign(campaign_id), keys.queue(campaign_id)),
            *(keys.batch_state(campaign_id, batch), keys.resent(campaign_id)),
        ],
        [
            *(now, keys.PREFIX, campaign_id, batch, attempt or b"", len(positions)),
            pack(chosen(content, positions)),
        ],
    )
    return str(reply.decode())
