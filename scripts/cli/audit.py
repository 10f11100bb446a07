"""audit: whether a campaign's counters are what the record of its recipients says."""

import typer

from scripts.cli.ledger import open_ledger
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit
from worker.billing import counter_of
from worker.ledger.audit import audit as differences_of


def audit(campaign_id: KnownId, *, data: Data = None, as_json: Json = False) -> None:
    """Recount a campaign from the record of its recipients; exit status 1 where something does not add up."""
    with open_ledger(data) as ledger:
        standing = ledger.standing(campaign_id)
        differences = differences_of(ledger.client, standing.id, counter_of(ledger.client, standing.id))
    document = {"ok": not differences, "differences": list(differences)}
    emit(document, differences or [f"{campaign_id}: all {standing.rows:,} rows add up"], as_json=as_json)
    if differences:
        raise typer.Exit(1)
