"""Where everything stands in Redis: the schema of the ledger.

bs:campaigns                zset   campaign → created at (us)
bs:c:ID                     hash   the campaign: name, doc, accounts, state, reason, its counters; of production token,
                                   file, position, digest, stretches, whole, hold; `made` batches beyond the stretches;
                                   `takes` of its batches so far, by which audit sees that it moved; refusals in a row;
                                   passed (1: some call went through: breaker.lua); lately (what the last reports said);
                                   resend (1: asked for), resends (due); created_at, … (us)
bs:c:ID:codes               hash   "code reason" → rejected messages, and accepted ones that were not delivered
bs:c:ID:queue               list   numbers of the batches that wait
bs:c:ID:b:N                 string one stretch of the input, packed (see packing.py), or messages that moved here from
                                   another batch (N above the number of stretches); written once
bs:c:ID:s:N                 hash   batch N: `state` absent while it waits, sending, settled, moved; `children`: the
                                   batches to which messages of it have moved (child.lua)
bs:c:ID:m:N                 string its mask, a letter a message (messages.lua); absent where all may go
bs:c:ID:o:N                 string outcomes of what went of batch N, packed; absent where all is unconfirmed by expiry
bs:c:ID:d:N                 hash   its news: position → line of a delivery report, i and position → gateway's id
bs:c:ID:e:N                 set    its early reports: they name a message by an id that was not known (early.lua); a day
bs:c:ID:unmatched           zset   reports that matched no message of it, the latest thousand
bs:c:ID:resent              set    batches that are resends: none of them is sent a third time
bs:lane:A                   hash   the account's lane: open or held, pause and speed (lane.lua), ceilings and seats
                                   (seat.lua), last slot, turn and number served (take.lua), ring (ring.lua)
bs:lane:A:campaigns         zset   campaigns with work for the account → 1e12 times its priority, plus its turn
bs:lane:A:seats             zset   owner → expiry (us)
bs:lane:A:attempts          hash   attempt → "campaign batch owner size taken_at", while sending
bs:lane:A:ceilings          hash   owner → "us-between-calls us-between-messages concurrency"
bs:lane:A:problems          hash   owner → why this worker can not serve the account
bs:attempts                 zset   "account attempt" → expiry (us), all attempts that are sending
bs:due                      zset   account → the instant (us) at which its lane has work
bs:workers                  zset   owner → expiry (us)
bs:clock                    hash   swept_at, longest (expiry ever given), us
bs:starts                   zset   campaign that is scheduled → when it starts (us)
bs:ends                     zset   campaign → when what is unsent of it expires (us)
bs:hours                    zset   campaign with sending hours → when they open or close next (us)
bs:resends                  zset   "campaign batch" whose unconfirmed messages go once more → when (us)
bs:unmatched                zset   reports about campaigns that the ledger does not have, the latest thousand
bs:reports                  stream what gateways reported and nobody has applied yet: account, campaign, batch, body
                                   ("": the batch's early reports are to be looked at again)
bs:reports:unreadable       list   the latest bodies that no reader understood: one line about each, then its beginning
bs:expired:ATTEMPT          string "campaign batch" of an attempt that the sweep ended; lives an hour
bs:void:ATTEMPT             string an attempt id that was given back before its take arrived; lives 60 s
bs:schedules                zset   schedule → when (us) a worker looks by itself whether something is left to do for it
bs:schedule:NAME            hash   doc (campaign JSON), done (all due up to here is settled, us), paused (by whom); of a
                                   run that has not ended run_due, token, until; of the last one last_due, last_id,
                                   last_at, last_outcome, last_reason
bs:beat:…                   Celery beat's own, by RedBeat: an entry for each schedule, and its lock
bs:sup:lists                hash   suppression list → numbers on it (lists.lua)
bs:sup:PLACE:B              set    number * 8 + code of scope and reason, of those with number % 65536 = B; PLACE:
                                   global, account:A or sender:TEXT
bs:sent:D:B                 hash   number → minute of day D at which it was messaged last, u and number → minutes at
                                   which it may have been, of those with number % 16384 = B; only with
                                   BULKSEND_REMEMBER_HOURS (recent.lua)
"""

from worker.domain.ids import AccountName, CampaignId

PREFIX = "bs:"

CAMPAIGNS = PREFIX + "campaigns"
ATTEMPTS = PREFIX + "attempts"
DUE = PREFIX + "due"
WORKERS = PREFIX + "workers"
CLOCK = PREFIX + "clock"
UNMATCHED = PREFIX + "unmatched"
REPORTS = PREFIX + "reports"
UNREADABLE_REPORTS = PREFIX + "reports:unreadable"
SUPPRESSION_LISTS = PREFIX + "sup:lists"
SCHEDULES = PREFIX + "schedules"


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


def mask(campaign_id: CampaignId, batch: int) -> str:
    """Return the key of a batch's mask: which of its messages go on the wire."""
    return f"{PREFIX}c:{campaign_id}:m:{batch}"


def news(campaign_id: CampaignId, batch: int) -> str:
    """Return the key of what delivery reports have told of a batch's messages."""
    return f"{PREFIX}c:{campaign_id}:d:{batch}"


def early(campaign_id: CampaignId, batch: int) -> str:
    """Return the key of the reports about a batch that name a message by an id which was not known yet."""
    return f"{PREFIX}c:{campaign_id}:e:{batch}"


def unmatched(campaign_id: CampaignId) -> str:
    """Return the key of a campaign's delivery reports that matched no message."""
    return f"{PREFIX}c:{campaign_id}:unmatched"


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


def suppression(place: str) -> str:
    """Return the key of the suppression lists of a place, to which the number of a bucket is added."""
    return f"{PREFIX}sup:{place}:"


def schedule(name: str) -> str:
    """Return the key of a schedule's hash."""
    return f"{PREFIX}schedule:{name}"
