"""The operator's side of the ledger: pause, resume, cancel; hold and open. Each bites between two batches."""

import redis

from worker.domain.ids import AccountName, CampaignId
from worker.ledger import keys
from worker.ledger.scripts import load


def pause(client: redis.Redis, campaign_id: CampaignId, reason: str) -> str:
    """Pause a campaign; return its state after it, "" where there is none of this id."""
    reply = load("pause").call(client, [keys.campaign(campaign_id)], [keys.PREFIX, campaign_id, reason])
    return str(reply.decode())


def resume(client: redis.Redis, campaign_id: CampaignId, now: int = 0) -> str:
    """Let a campaign go on that is paused, or out of which accounts were taken.

    Returns its state after it, "" where there is none of this id.
    """
    reply = load("resume").call(client, [keys.campaign(campaign_id)], [now, keys.PREFIX, campaign_id])
    return str(reply.decode())


def cancel(client: redis.Redis, campaign_id: CampaignId, reason: str, now: int = 0) -> str:
    """Cancel a campaign; return its state after it, "" where there is none of this id."""
    reply = load("cancel").call(
        client,
        [keys.campaign(campaign_id), keys.queue(campaign_id)],
        [now, keys.PREFIX, campaign_id, reason],
    )
    return str(reply.decode())


def hold_account(client: redis.Redis, account: AccountName, reason: str, now: int = 0) -> None:
    """Let nothing go through an account until it is opened."""
    load("hold").call(client, [keys.lane(account), keys.DUE], [now, account, reason])


def open_account(client: redis.Redis, account: AccountName, now: int = 0) -> None:
    """End an account's hold and any pause of it."""
    load("open").call(client, [keys.lane(account), keys.DUE], [now, account])
