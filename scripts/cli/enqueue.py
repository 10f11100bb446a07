"""enqueue: queue a campaign for the workers, or read everything and queue nothing."""

from typing import Annotated

import typer

from config.errors import ConfigError
from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli.control import by_whom
from scripts.cli.dry_run import dry_run
from scripts.cli.follow import follow
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import Ascii, CampaignFile, Data, Json, NewId, Recipients
from scripts.cli.output import emit_standing
from scripts.cli.progress import new_progress
from scripts.cli.recipients import recipients_of
from scripts.cli.words import tell
from tasks.produce import check_accounts, check_limits, enqueue_campaign, new_id
from worker.domain.ids import CampaignId
from worker.intake.campaign import Campaign, check_id
from worker.intake.campaign_file import load_campaign
from worker.ledger.reading import standings


def enqueue(
    campaign: CampaignFile,
    *,
    campaign_id: NewId = None,
    recipients: Recipients = None,
    is_dry: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, show what would be sent, queue nothing.")
    ] = False,
    is_ascii: Ascii = False,
    is_held: Annotated[bool, typer.Option("--hold", help="Queue it, but let it wait until it is resumed.")] = False,
    is_watched: Annotated[bool, typer.Option("--watch", help="Then follow it until it ends.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Queue a campaign for the workers and let it start.

    The same id again goes on with a production that was interrupted; else it changes nothing.
    """
    parsed = load_campaign(campaign)
    parsed = parsed.in_ascii() if is_ascii else parsed
    known_id = check_id(campaign_id) if campaign_id is not None else None
    if is_dry:
        if is_held or is_watched:
            raise ConfigError("--dry-run queues nothing: there is nothing to --hold or to --watch")
        dry_run(parsed, known_id, recipients, data=data, as_json=as_json)
        return
    known_id = known_id or new_id(parsed)
    configure_logging(load_settings())
    check_accounts(parsed, load_settings())
    check_limits(parsed, load_settings())
    with open_ledger(data) as ledger:
        again = ["enqueue", str(campaign), "--id", known_id]
        again += ["--recipients", recipients] if recipients is not None else []
        again += ["--ascii"] if is_ascii else []
        again += ["--hold"] if is_held else []
        try:
            _queue(ledger, parsed, known_id, recipients, hold=by_whom("--hold") if is_held else "")
        except KeyboardInterrupt as end:
            tell(f"\ninterrupted; this goes on, and queues nobody twice:\n  {ledger.command(*again)}")
            raise typer.Exit(130) from end
        if is_watched:
            with new_progress() as progress:
                follow(ledger, known_id, progress)
        emit_standing(ledger.standing(known_id), as_json=as_json)


def _queue(ledger: Ledger, campaign: Campaign, campaign_id: CampaignId, recipients: str | None, *, hold: str) -> None:
    found = standings(ledger.client, [campaign_id])
    if found and found[0].state != "producing":
        tell(f"{campaign_id} was queued before and is {found[0].state}: nothing was changed")
        return
    with recipients_of(campaign, recipients) as rows, new_progress() as progress:
        enqueue_campaign(campaign, rows, campaign_id, load_settings(), hold=hold, on_progress=progress.reading)
