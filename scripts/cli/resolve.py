"""resolve: somebody has found out what became of the messages whose answer was lost, or sends them again."""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from config.errors import ConfigError
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit, emit_standing
from scripts.cli.words import tell
from worker.ledger.reading import Standing
from worker.ledger.resolving import Decision, Open, batches, family, is_over, unresolved
from worker.ledger.resolving import resolve as resolve_batch

_WILL_BE = {
    "accepted": "will count as accepted",
    "rejected": "will count as rejected",
    "resend": "will be sent again: whoever has the message already gets it twice",
}


def resolve(
    campaign_id: KnownId,
    *,
    decision: Annotated[Decision, typer.Option("--as", help="What they are to be.")],
    code: Annotated[
        str, typer.Option("--code", metavar="CODE", help="The code to keep with accepted or rejected ones.")
    ] = "",
    only_batch: Annotated[
        int | None,
        typer.Option(
            "--only-batch", metavar="N", min=1, help="Only those of batch N (see the report), wherever they moved to."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Settle what stayed unconfirmed in a campaign: as accepted, as rejected, or by sending it again.

    Asks before it acts where it is used at a terminal. Doing it twice changes nothing more.
    """
    if code and decision == "resend":
        raise ConfigError("--code goes with accepted or rejected: what is sent again gets a code of its own")
    with open_ledger(data) as ledger:
        standing = ledger.standing(campaign_id)
        among = None if only_batch is None else _only(ledger, standing, only_batch)
        found = list(unresolved(ledger.client, standing.id, among))
        messages = sum(each.messages for each in found)
        if messages and decision == "resend" and (why := is_over(ledger.client, standing.id)):
            raise CommandFailed(f"{messages:,} messages stay unconfirmed: {why}")
        if dry_run:
            _preview(found, decision, as_json=as_json)
            return
        if messages and not yes and sys.stdin.isatty():
            _ask(f"{messages:,} unconfirmed messages of {campaign_id} {_WILL_BE[decision]}. Go on?")
        _resolve_all(ledger, standing, found, decision, code)
        emit_standing(ledger.standing(campaign_id), as_json=as_json)


def _only(ledger: Ledger, standing: Standing, batch: int) -> Sequence[int]:
    known = batches(ledger.client, standing.id)
    if batch not in known:
        there = f"its last is {known[-1]}" if known else "it has none yet"
        raise ConfigError(f"there is no batch {batch} of {standing.id}: {there}")
    return family(ledger.client, standing.id, batch)


def _ask(question: str) -> None:
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise CommandFailed("nothing was changed")


def _preview(found: Sequence[Open], decision: Decision, *, as_json: bool) -> None:
    batches = {str(each.batch): each.messages for each in found}
    lines = [f"batch {each.batch}: {each.messages:,} unconfirmed {_WILL_BE[decision]}" for each in found]
    document = {"as": decision, "messages": sum(batches.values()), "batches": batches}
    emit(document, lines or ["nothing is unconfirmed"], as_json=as_json)


def _resolve_all(ledger: Ledger, standing: Standing, found: Sequence[Open], decision: Decision, code: str) -> None:
    done: Counter[str] = Counter()
    for each in found:
        done += resolve_batch(ledger.client, standing.id, each.batch, decision, code=code)
    if decision == "resend" and done["resolved"]:
        from tasks.ring import ring  # noqa: PLC0415 - Celery takes long to import

        ring(standing.accounts)
    tell(f"{done['resolved']:,} messages resolved")
    if done["dropped"]:
        raise CommandFailed(
            f"{done['dropped']:,} messages stay unconfirmed: the campaign is over, or their batch can not be read"
        )
    if done["early"]:
        raise CommandFailed(
            f"{done['early']:,} messages can not be sent again yet: the process that held them may only sleep; "
            "try again in a minute"
        )
