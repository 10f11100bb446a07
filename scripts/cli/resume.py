"""resume: the opposite of pause. In a module of its own because it rings, and bells need Celery."""

from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import open_ledger
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit_standing
from scripts.cli.words import tell
from tasks.ring import ring
from worker.ledger import operating
from worker.ledger.reading import ENDED


def resume(campaign_id: KnownId, *, data: Data = None, as_json: Json = False) -> None:
    """Let a campaign go on, at once: one that is paused, or out of which the gateway's answers took accounts."""
    with open_ledger(data) as ledger:
        configure_logging(load_settings())
        before = ledger.standing(campaign_id)
        if before.state in ENDED:
            raise CommandFailed(f"{campaign_id} is {before.state}: there is nothing to resume")
        state = operating.resume(ledger.client, before.id)
        if state == "producing":
            tell(f"{campaign_id} is still being queued: it will start when that is done")
        if state == "running":
            ring(before.accounts)
        emit_standing(ledger.standing(campaign_id), as_json=as_json)
