"""watch: status, again and again until the campaign ends."""

from scripts.cli.follow import follow
from scripts.cli.interrupted import LastWords
from scripts.cli.ledger import open_ledger
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit_standing
from scripts.cli.progress import new_progress
from scripts.cli.terminated import terminable
from worker.domain.ids import CampaignId


@terminable()
def watch(campaign_id: KnownId, *, data: Data = None, as_json: Json = False) -> None:
    """Follow a campaign until it is finished or cancelled, then show where it stands."""
    with open_ledger(data) as ledger:
        last_words = LastWords(
            ledger=ledger,
            campaign_id=CampaignId(campaign_id),
            again=["watch", campaign_id, *(["--json"] if as_json else [])],
            promise="the campaign goes on, and this follows it again",
            as_json=as_json,
        )
        with last_words.said(), new_progress() as progress:
            standing = follow(ledger, campaign_id, progress)
        emit_standing(standing, as_json=as_json)
