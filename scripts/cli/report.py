"""report: one line for each row of the input, as CSV or JSON Lines, streamed."""

from pathlib import Path
from typing import Annotated

import redis
import typer

from config.errors import ConfigError
from config.settings import load_settings
from scripts.cli.ledger import open_ledger
from scripts.cli.lines import Format, check_target, write_array, write_file, write_stdout
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit
from scripts.cli.words import counted, tell
from worker.domain.ids import CampaignId
from worker.intake.campaign import Campaign
from worker.ledger.reading import document
from worker.ledger.record import OUTCOMES


def report(
    campaign_id: KnownId,
    *,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: by the suffix of --out, else csv.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write here instead of to standard output.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="OUTCOME", help=f"Only rows with this: {', '.join(OUTCOMES)}.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write one line for each row of the input, in its order: what became of it, then the input's own columns.

    --json prints the lines as one array; with --out it prints how many went into the file.
    """
    if only is not None and only not in OUTCOMES:
        raise ConfigError(f"--only {only}: an outcome is one of {', '.join(OUTCOMES)}")
    with open_ledger(data) as ledger:
        campaign = ledger.standing(campaign_id).id
        if out is not None:
            check_target(out, "--out", [load_settings().accounts_file, _recipients_of(ledger.client, campaign)])
        if out is None and as_json:
            write_array(ledger.client, campaign, only)
            return
        if out is None:
            write_stdout(ledger.client, campaign, form or Format.CSV, only)
            return
        rows = write_file(out, ledger.client, campaign, form, only)
    if as_json:
        emit({"rows": rows, "out": str(out)}, [], as_json=True)
    else:
        tell(f"{out}: {counted(rows, 'row')}")


def _recipients_of(client: redis.Redis, campaign_id: CampaignId) -> str | None:
    """Return the file of recipients that the campaign names; `None` where another version wrote it."""
    try:
        return Campaign.from_json(document(client, campaign_id)).recipients
    except ValueError:
        return None
