"""Delivery reports that match no message: kept for an operator to see, or to be looked at again.

A report that names an id which is not known yet is an early one: it is given again when ids of its batch become known,
with the answer to the call or by another report, until it matches. Invariant: each is kept once however often it comes,
and both are bounded.
"""

from collections.abc import Collection, Sequence
from typing import cast

import orjson
import redis

from worker.domain.delivery import DeliveryReport, Feedback
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.scripts import load

UNMATCHED_KEPT = 1000
"""Reports kept for an operator to see that matched no message, a campaign."""

EARLY_KEPT = 400
"""Reports of ids that are not known yet, kept a batch for a day: a few a message."""


def keep_unmatched(client: redis.Redis, campaign_id: CampaignId, reports: Sequence[DeliveryReport]) -> None:
    """Keep reports that matched nothing, each once however often it comes, for an operator to see."""
    if not reports:
        return
    key = keys.unmatched(campaign_id) if _exists(client, campaign_id) else keys.UNMATCHED
    with translated():
        seconds, _ = client.time()
        pipeline = client.pipeline(transaction=True)
        pipeline.zadd(key, dict.fromkeys(map(_shown, reports), float(seconds)))
        pipeline.zremrangebyrank(key, 0, -UNMATCHED_KEPT - 1)
        pipeline.execute()


def forget_unmatched(client: redis.Redis, campaign_id: CampaignId, reports: Sequence[DeliveryReport]) -> None:
    """Reports that had matched nothing have matched something now."""
    if reports:
        with translated():
            client.zrem(keys.unmatched(campaign_id), *map(_shown, reports))


def _shown(report: DeliveryReport) -> bytes:
    return orjson.dumps([report.gateway_id, report.to, report.state, report.code, report.at])


def _exists(client: redis.Redis, campaign_id: CampaignId) -> bool:
    with translated():
        return bool(client.exists(keys.campaign(campaign_id)))


def keep_early(client: redis.Redis, campaign_id: CampaignId, batch: int, reports: Sequence[DeliveryReport]) -> None:
    """Keep reports about a batch that name ids which are not known yet; raises `LedgerError`."""
    load("keep").call(
        client,
        [keys.early(campaign_id, batch)],
        [keys.PREFIX, campaign_id, batch, EARLY_KEPT, *map(orjson.dumps, reports)],
    )


def forget_early(client: redis.Redis, campaign_id: CampaignId, batch: int, reports: Collection[DeliveryReport]) -> None:
    """Early reports about a batch have matched something now; raises `LedgerError`."""
    if reports:
        with translated():
            client.srem(keys.early(campaign_id, batch), *map(orjson.dumps, reports))


def early_reports(client: redis.Redis, campaign_id: CampaignId, batch: int) -> list[DeliveryReport]:
    """Return the reports about a batch that named ids which were not known when they came; raises `LedgerError`."""
    with translated():
        found = cast(set[bytes], client.smembers(keys.early(campaign_id, batch)))
    told = [orjson.loads(report) for report in sorted(found)]
    return [DeliveryReport(**fields | {"feedback": Feedback(fields["feedback"])}) for fields in told]
