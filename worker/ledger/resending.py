"""Sending once more what stayed unconfirmed: by itself where the file asks for it, or because somebody does."""

from dataclasses import replace
from typing import Literal, cast

import redis
import redis.asyncio

from worker.domain.answers import Unconfirmed
from worker.domain.content import BatchContent, chosen
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken, translated
from worker.ledger.outcomes import pack_outcomes
from worker.ledger.packing import pack
from worker.ledger.parts import part_of
from worker.ledger.scripts import Argument, load
from worker.ledger.stored import Stored, ask, read

Why = Literal["due", "asked"]


async def resend(client: redis.asyncio.Redis, campaign_id: CampaignId, batch: int, now: int = 0) -> str:
    """Move a batch's unconfirmed messages, due for it, to a new batch; return resent, dropped or gone.

    What can not be read any more is dropped: it stays unconfirmed, and keeps nothing else waiting.
    """
    with translated():
        pipeline = client.pipeline(transaction=True)
        ask(pipeline, campaign_id, batch)
        stored = read(campaign_id, batch, await pipeline.execute())
        part = part_of(stored.packed or b"")
        if part:
            whole = cast(bytes | None, await client.get(keys.packed(campaign_id, part.batch)))
            stored = replace(stored, whole=whole or b"")
    script_keys, args = _call(stored, "due", now)
    return str((await load("resend").acall(client, script_keys, args)).decode())


def resend_now(client: redis.Redis, stored: Stored, now: int = 0) -> str:
    """The same because somebody asked for it; return resent, dropped, gone, or early where it must wait one expiry."""
    script_keys, args = _call(stored, "asked", now)
    return str(load("resend").call(client, script_keys, args).decode())


def unconfirmed_positions(stored: Stored, content: BatchContent) -> list[int]:
    """Return which messages of a settled batch are unconfirmed still; raises `LedgerBroken`."""
    told = stored.told(len(content.numbers))
    return [place for place, outcome in told.items() if isinstance(outcome, Unconfirmed) and place not in stored.news]


def _call(stored: Stored, why: Why, now: int) -> tuple[list[str], list[Argument]]:
    campaign_id, batch = stored.campaign, stored.number
    messages, packed, outcomes = _moving(stored)
    script_keys = [
        *(keys.campaign(campaign_id), keys.queue(campaign_id)),
        *(keys.batch_state(campaign_id, batch), keys.resent(campaign_id), keys.CLOCK),
    ]
    attempt = stored.state.get(b"attempt", b"")
    return script_keys, [now, keys.PREFIX, campaign_id, batch, attempt, messages, packed, outcomes, why]


def _moving(stored: Stored) -> tuple[int, bytes, bytes]:
    """Return how many messages move, the new batch, and the old one's outcomes; (0, …) where bytes are damaged."""
    try:
        content = stored.content()
        places = unconfirmed_positions(stored, content)
        outcomes = pack_outcomes(stored.settlement(len(content.numbers)))
    except LedgerBroken:
        return 0, b"", b""
    return len(places), pack(chosen(content, places)), outcomes
