"""enqueue: queue a campaign for the workers, or read everything and queue nothing."""

from contextlib import ExitStack
from typing import Annotated

import typer

from config.errors import ConfigError
from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli.control import by_whom
from scripts.cli.dry_run import dry_run
from scripts.cli.follow import follow
from scripts.cli.interrupted import SAME_STDIN, LastWords
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.once import load_once
from scripts.cli.options import Ascii, CampaignFile, Data, Json, NewId, Recipients
from scripts.cli.output import emit_standing
from scripts.cli.progress import new_progress
from scripts.cli.recipients import Source, choice_of, from_report, recipients_of, words_for
from scripts.cli.terminated import terminable
from scripts.cli.words import argument, tell
from tasks.produce import check_accounts, check_limits, enqueue_campaign, new_id
from worker.domain.ids import CampaignId
from worker.follow_up import KINDS
from worker.intake.campaign import Campaign, check_id
from worker.ledger.reading import standings


@terminable()
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
    from_id: Annotated[
        str | None,
        typer.Option("--from-report", metavar="ID", help="Read rows of this earlier campaign instead of a file."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="KIND", help=f"Of those, only rows with this: {', '.join(KINDS)}. May be repeated."
        ),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option("--code", metavar="CODE", help="Of those, only rows with this code. May be repeated."),
    ] = None,
    includes_unconfirmed: Annotated[
        bool,
        typer.Option("--include-unconfirmed", help="Also its unconfirmed rows, who may have been messaged already."),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Queue a campaign for the workers and let it start.

    The same id again goes on with a production that was interrupted; else it changes nothing. With --from-report it
    goes on only while the earlier campaign's rows have not changed since.
    """
    parsed = load_once(campaign)
    parsed = parsed.in_ascii() if is_ascii else parsed
    known_id = check_id(campaign_id) if campaign_id is not None else None
    choice = choice_of(from_id, only or (), code or (), recipients, includes_unconfirmed=includes_unconfirmed)
    if choice is not None and choice.of == known_id:
        raise ConfigError(f"{known_id} can not follow itself: give the follow-up another --id")
    if is_dry:
        if is_held or is_watched:
            raise ConfigError("--dry-run queues nothing: there is nothing to --hold or to --watch")
        with ExitStack() as held:
            rows = recipients if choice is None else from_report(held.enter_context(open_ledger(data)), choice)
            dry_run(parsed, known_id, rows, data=data, as_json=as_json)
        return
    known_id = known_id or new_id(parsed)
    configure_logging(load_settings())
    check_accounts(parsed, load_settings())
    check_limits(parsed, load_settings())
    again = ["enqueue", argument(campaign), "--id", known_id]
    again += ["--recipients", recipients] if recipients is not None else []
    again += ["--ascii"] if is_ascii else []
    again += words_for(choice) if choice is not None else []
    again += ["--hold"] if is_held else []
    again += ["--watch"] if is_watched else []
    again += ["--json"] if as_json else []
    with open_ledger(data) as ledger:
        rows = recipients if choice is None else from_report(ledger, choice)
        if is_watched and campaign_id is None:  # the standing that has it comes last, perhaps hours later
            tell(f"the campaign's id is {known_id}")
        last_words = LastWords(
            ledger=ledger,
            campaign_id=known_id,
            again=again,
            promise="this goes on, and queues nobody twice",
            notes=[SAME_STDIN] if choice is None and (recipients or parsed.recipients) == "-" else [],
            as_json=as_json,
        )
        with last_words.said():
            _queue(ledger, parsed, known_id, rows, hold=by_whom("--hold") if is_held else "")
            if is_watched:
                with new_progress() as progress:
                    follow(ledger, known_id, progress)
        emit_standing(ledger.standing(known_id), as_json=as_json)


def _queue(ledger: Ledger, campaign: Campaign, campaign_id: CampaignId, recipients: Source, *, hold: str) -> None:
    found = standings(ledger.client, [campaign_id])
    if found and found[0].state != "producing":
        tell(f"{campaign_id} was queued before and is {found[0].state}: nothing was changed")
        return
    with recipients_of(campaign, recipients) as rows, new_progress() as progress:
        enqueue_campaign(campaign, rows, campaign_id, load_settings(), hold=hold, on_progress=progress.reading)
