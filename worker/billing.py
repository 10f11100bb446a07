"""What counts the segments of a campaign that is in the ledger: its own text, read from there."""

import redis

from worker.domain.billing import CountSegments, segment_counter, uncounted
from worker.domain.ids import CampaignId
from worker.intake.campaign import Campaign
from worker.ledger.reading import document


def counter_of(client: redis.Redis, campaign_id: CampaignId) -> CountSegments:
    """Return what counts a campaign's segments; nothing is counted where it has content objects.

    Nor where the ledger has no such campaign, or one of another version. Raises `LedgerError`.
    """
    try:
        campaign = Campaign.from_json(document(client, campaign_id))
    except ValueError:
        return uncounted
    return segment_counter(campaign.wording()) if campaign.has_segments else uncounted
