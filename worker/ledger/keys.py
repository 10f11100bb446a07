"""Where everything stands in Redis: the schema of the ledger.

bs:campaigns                zset   campaign → created at (us)
bs:c:ID                     hash   the campaign: name, doc, accounts, state, reason, its counters; of production token,
                                   file, position, digest, stretches, whole, hold; `made` batches beyond the stretches;
                                   refusals in a row; resend (1: asked for), resends (due); created_at, … (us)
bs:c:ID:codes               hash   "code reason" → rejected messages
bs:c:ID:queue               list   numbers of the batches that wait
bs:c:ID:b:N                 string one stretch of the input, packed (see packing.py), or messages that moved here from
                                   another batch (N above the number of stretches); written once
bs:c:ID:s:N                 hash   state of batch N: absent while it waits, sending, settled, moved; `children`: the
                                   batches to which messages of it have moved
bs:c:ID:o:N                 string outcomes of batch N, packed; absent where every message is unconfirmed by expiry
bs:c:ID:resent              set    batches that are resends: none of them is sent a third time
bs:lane:A                   hash   the account's lane: open or held, pause and speed (lane.lua), ceilings and seats
                                   (seat.lua), last slot and turn (take.lua), ring (ring.lua)
bs:lane:A:campaigns         zset   campaigns with work for the account → turn
bs:lane:A:seats             zset   owner → expiry (us)
bs:lane:A:attempts          hash   attempt → "campaign batch owner size taken_at", while sending
bs:lane:A:ceilings          hash   owner → "us-between-calls us-between-messages concurrency"
bs:lane:A:problems          hash   owner → why this worker can not serve the account
bs:attempts                 zset   "account attempt" → expiry (us), all attempts that are sending
bs:due                      zset   account → the instant (us) at which its lane has work
bs:workers                  zset   owner → expiry (us)
bs:clock                    hash   swept_at, longest (expiry ever given), us
bs:resends                  zset   "campaign batch" whose unconfirmed messages go once more → when (us)
bs:expired:ATTEMPT          string "campaign batch" of an attempt that the sweep ended; lives an hour
bs:void:ATTEMPT             string an attempt id that was given back before its take arrived; lives 60 s
"""

from worker.domain.ids import AccountName, CampaignId

PREFIX = "bs:"

CAMPAIGNS = PREFIX + "campaigns"
ATTEMPTS = PREFIX + "attempts"
DUE = PREFIX + "due"
WORKERS = PREFIX + "workers"
CLOCK = PREFIX + "clock"


def campaign(campaign_id: CampaignId) -> str:
    """Return the key of a campaign's hash."""
    return f"{PREFIX}c:{campaign_id}"


def codes(campaign_id: CampaignId) -> str:
    """Return the key of a campaign's count of refusals by code."""
    return f"{PREFIX}c:{campaign_id}:codes"


def queue(campaign_id: CampaignId) -> str:
    """Return the key of the list of a campaign's waiting batches."""
    return f"{PREFIX}c:{campaign_id}:queue"


def packed(campaign_id: CampaignId, batch: int | str) -> str:
    """Return the key of a stretch's packed rows; with batch "" the prefix of all of them."""
    return f"{PREFIX}c:{campaign_id}:b:{batch}"


def batch_state(campaign_id: CampaignId, batch: int) -> str:
    """Return the key of a batch's state."""
    return f"{PREFIX}c:{campaign_id}:s:{batch}"


def outcomes(campaign_id: CampaignId, batch: int) -> str:
    """Return the key of a batch's packed outcomes."""
    return f"{PREFIX}c:{campaign_id}:o:{batch}"


def resent(campaign_id: CampaignId) -> str:
    """Return the key of the batches that are resends."""
    return f"{PREFIX}c:{campaign_id}:resent"


def lane(account: AccountName) -> str:
    """Return the key of an account's lane."""
    return f"{PREFIX}lane:{account}"


def lane_campaigns(account: AccountName) -> str:
    """Return the key of the campaigns that have work for the account."""
    return f"{PREFIX}lane:{account}:campaigns"


def seats(account: AccountName) -> str:
    """Return the key of a lane's seats."""
    return f"{PREFIX}lane:{account}:seats"


def lane_attempts(account: AccountName) -> str:
    """Return the key of a lane's attempts that are sending."""
    return f"{PREFIX}lane:{account}:attempts"


def ceilings(account: AccountName) -> str:
    """Return the key of what each worker's accounts file allows the account."""
    return f"{PREFIX}lane:{account}:ceilings"


def problems(account: AccountName) -> str:
    """Return the key of why workers can not serve the account."""
    return f"{PREFIX}lane:{account}:problems"
