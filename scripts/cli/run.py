"""run: the main job in one command."""

from pathlib import Path
from typing import Annotated

import typer

from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import DEFAULT_DATA, Ledger, open_ledger
from scripts.cli.lines import check_target, write_file
from scripts.cli.once import load_once
from scripts.cli.options import Ascii, CampaignFile, DataOrDefault, Json, NewId, Recipients
from scripts.cli.output import emit, emit_standing
from scripts.cli.sending import Job, Stuck, check_credentials, how_to_go_on, last_words, work_off
from scripts.cli.terminated import terminable
from scripts.cli.words import argument, counted, summary, tell
from tasks.produce import new_id, source_of
from worker.intake.campaign import check_id
from worker.ledger.reading import Standing

PATIENCE_S = 30.0


@terminable()
def run(
    campaign: CampaignFile,
    *,
    campaign_id: NewId = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="At the end write the report here (.csv, or .jsonl)."),
    ] = None,
    recipients: Recipients = None,
    patience: Annotated[
        float,
        typer.Option(
            "--patience",
            metavar="SECONDS",
            min=0,
            help="Give up when for so long nothing can move: the account is held, or the campaign paused.",
        ),
    ] = PATIENCE_S,
    is_ascii: Ascii = False,
    data: DataOrDefault = None,
    as_json: Json = False,
) -> None:
    """Send a campaign: queue it, work it off with a worker of its own, show how far it is, and print what came of it.

    Interrupted, it prints the command that goes on; that command messages nobody twice. Exit status 0 when the campaign
    is finished, also when some messages were rejected.
    """
    parsed = load_once(campaign)
    parsed = parsed.in_ascii() if is_ascii else parsed
    known_id = check_id(campaign_id) if campaign_id is not None else new_id(parsed)
    settings = load_settings()
    if report is not None:
        check_target(report, "--report", [campaign, settings.accounts_file, source_of(parsed, recipients)])
    configure_logging(settings)
    longest_call_s = check_credentials(parsed, settings)
    again = ["run", argument(campaign), "--id", known_id]
    again += ["--recipients", recipients] if recipients is not None else []
    again += ["--report", str(report)] if report is not None else []
    again += ["--patience", f"{patience:g}"] if patience != PATIENCE_S else []
    again += ["--ascii"] if is_ascii else []
    again += ["--json"] if as_json else []
    job = Job(campaign=parsed, campaign_id=known_id, recipients=recipients, patience_s=patience, again=again)
    with open_ledger(data, default=DEFAULT_DATA) as ledger:
        try:
            standing = work_off(ledger, job, longest_call_s, as_json=as_json)
        except Stuck as stuck:
            emit_standing(ledger.standing(known_id), as_json=as_json)
            tell("\n".join(how_to_go_on(ledger, job, stuck)))
            raise typer.Exit(1) from None
        _conclude(ledger, job, standing, report, as_json=as_json)


def _conclude(ledger: Ledger, job: Job, standing: Standing, report: Path | None, *, as_json: bool) -> None:
    """Write the report, then print where the campaign stands: one document, with `error` where there is no report."""
    problem, last = "", f"Each recipient: {ledger.command('report', standing.id)}"
    if report is not None:
        try:
            with last_words(ledger, job, as_json=as_json).said():
                last = f"{report}: {counted(write_file(report, ledger.client, standing.id), 'row')}"
        except CommandFailed as error:
            problem = str(error)
            tell(problem)
    emit(standing.as_json() | ({"error": problem} if problem else {}), summary(standing), as_json=as_json)
    tell(last)
    if problem or standing.state == "cancelled":
        raise typer.Exit(1)
