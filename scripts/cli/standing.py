"""Where campaigns stand: status and list."""

from typing import Annotated

import typer

from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import Data, Json
from scripts.cli.output import emit, emit_standing
from scripts.cli.words import table
from worker.ledger.reading import Standing, newest_first, standings

_HEADING = ("id", "state", "rows", "queued", "pending", "in flight", "accepted", "rejected", "unconfirmed", "reason")


def status(
    campaign_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The campaign's id; without: all.")] = None,
    *,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show where a campaign stands; without ID show all of them, the newest first."""
    with open_ledger(data) as ledger:
        if campaign_id is None:
            _list(ledger, as_json=as_json)
        else:
            emit_standing(ledger.standing(campaign_id), as_json=as_json)


def list_campaigns(*, data: Data = None, as_json: Json = False) -> None:
    """Show all campaigns, the newest first."""
    with open_ledger(data) as ledger:
        _list(ledger, as_json=as_json)


def _list(ledger: Ledger, *, as_json: bool) -> None:
    found = standings(ledger.client, newest_first(ledger.client))
    lines = table([_HEADING, *map(_line, found)]) if found else ["there are no campaigns"]
    emit([standing.as_json() for standing in found], lines, as_json=as_json)


def _line(standing: Standing) -> tuple[str, ...]:
    numbers = (f"{getattr(standing, name.replace(' ', '_')):,}" for name in _HEADING[2:-1])
    return (standing.id, standing.state, *numbers, standing.reason or "")
