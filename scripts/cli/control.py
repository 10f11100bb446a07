"""An operator's word to a campaign: pause and cancel. Each bites between two batches."""

import getpass
from typing import Annotated

import typer

from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import open_ledger
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit_standing
from scripts.cli.words import tell
from worker.ledger import operating

Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason that others will read.")]


def by_whom(why: str) -> str:
    """Return the reason to store: who did it, and why if that was said."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        who = "somebody"
    return f"by {who}" + (f": {why}" if why else "")


def pause(campaign_id: KnownId, *, why: Why = "", data: Data = None, as_json: Json = False) -> None:
    """Let nothing more of a campaign go out until it is resumed; what is on the wire still settles."""
    with open_ledger(data) as ledger:
        before = ledger.standing(campaign_id)
        state = operating.pause(ledger.client, before.id, by_whom(why))
        if state in {"finished", "cancelled"}:
            raise CommandFailed(f"{campaign_id} is {state}: there is nothing to pause")
        if state == "producing":
            tell(f"{campaign_id} is still being queued: it will wait paused when that is done")
        emit_standing(ledger.standing(campaign_id), as_json=as_json)


def cancel(campaign_id: KnownId, *, why: Why = "", data: Data = None, as_json: Json = False) -> None:
    """End a campaign for good: what was not sent never is; what is on the wire still settles."""
    with open_ledger(data) as ledger:
        before = ledger.standing(campaign_id)
        state = operating.cancel(ledger.client, before.id, by_whom(why))
        if state == "finished":
            raise CommandFailed(f"{campaign_id} is finished: there is nothing to cancel")
        emit_standing(ledger.standing(campaign_id), as_json=as_json)
