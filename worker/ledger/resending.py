"""The one resend of what stayed unconfirmed, for campaigns whose file asks for it."""

import zlib
from typing import cast

import redis.asyncio

from worker.domain.answers import Unconfirmed
from worker.domain.content import BatchContent, chosen
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.outcomes import unpack_outcomes
from worker.ledger.packing import PackingError, pack, unpack
from worker.ledger.scripts import load


async def resend(client: redis.asyncio.Redis, campaign_id: CampaignId, batch: int, now: int = 0) -> str:
    """Move a batch's unconfirmed messages to a new batch at the back of the queue; return resent, dropped or gone.

    What can not be read any more is dropped: it stays unconfirmed, and keeps nothing else waiting.
    """
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.get(keys.packed(campaign_id, batch))
        pipeline.hmget(keys.batch_state(campaign_id, batch), ["attempt", "expired"])
        pipeline.get(keys.outcomes(campaign_id, batch))
        packed, (attempt, expired), outcomes = cast(
            tuple[bytes | None, list[bytes | None], bytes | None], await pipeline.execute()
        )
    content = _unconfirmed(packed or b"", None if expired == b"1" else outcomes or b"")
    reply = await load("resend").acall(
        client,
        [
            *(keys.campaign(campaign_id), keys.queue(campaign_id)),
            *(keys.batch_state(campaign_id, batch), keys.resent(campaign_id)),
        ],
        [
            *(now, keys.PREFIX, campaign_id, batch, attempt or b""),
            *((len(content.rows), pack(content)) if content else (0, b"")),
        ],
    )
    return str(reply.decode())


def _unconfirmed(packed: bytes, outcomes: bytes | None) -> BatchContent | None:
    """Return the messages whose outcome is unconfirmed (without outcomes: all), or `None` where bytes are damaged."""
    try:
        content = unpack(packed)
        if outcomes is None:
            return chosen(content, range(len(content.rows)))
        told = unpack_outcomes(outcomes).messages
    except (PackingError, zlib.error, ValueError, TypeError, KeyError):
        return None
    return chosen(content, [place for place, outcome in enumerate(told) if isinstance(outcome, Unconfirmed)])
