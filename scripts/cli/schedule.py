"""schedule: campaigns that recur. Celery beat rings for them, and workers run them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from config.errors import ConfigError
from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli.application import SETTINGS
from scripts.cli.control import by_whom
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import CampaignFile, Data, Json
from scripts.cli.output import emit
from scripts.cli.progress import new_progress
from scripts.cli.schedules import documents, table_of
from scripts.cli.words import tell
from tasks.produce import check_accounts, check_limits
from tasks.recurring import Runner, due_by_hand, next_look, read, times
from worker.beat_entries import put_entry, remove_entry
from worker.domain.recurrence import PATH_FIELDS, Due, unknown_field
from worker.intake.campaign import Campaign
from worker.intake.campaign_file import load_campaign
from worker.intake.suggestions import did_you_mean
from worker.ledger import operating, schedules
from worker.ledger.schedules import Schedule

app = typer.Typer(help="Let campaigns recur.", no_args_is_help=True, **SETTINGS)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name: its campaign's.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason that others will read.")]


@app.command()
def add(campaign: CampaignFile, *, data: Data = None, as_json: Json = False) -> None:
    """Let a campaign recur as the [schedule] in its file says; again replaces it.

    The file is read now, its recipients when a run is due, by a worker: their path may hold {date} and {time}.
    """
    parsed = _to_recur(load_campaign(campaign), campaign)
    with open_ledger(data) as ledger:
        before = schedules.find(ledger.client, [parsed.name])
        due_times = times(parsed)
        look_at = next_look(due_times, schedules.server_time(ledger.client))
        is_new = schedules.put(ledger.client, parsed.name, parsed.to_json(), look_at)
        is_paused = bool(before and before[0].paused)
        put_entry(ledger.url, parsed.name, due_times, state="paused" if is_paused else "open")
        if not is_new:
            tell(f"{parsed.name} was there and is replaced" + ("; it is still paused" if is_paused else ""))
        _show(ledger, parsed.name, as_json=as_json)


@app.command(name="list")
def list_schedules(*, data: Data = None, as_json: Json = False) -> None:
    """Show what recurs: when next, and what became of the last run."""
    with open_ledger(data) as ledger:
        found = documents(ledger.client, schedules.find(ledger.client, schedules.names(ledger.client)))
    emit(found, table_of(found) if found else ["there are no schedules"], as_json=as_json)


@app.command()
def pause(name: Name, *, why: Why = "", data: Data = None, as_json: Json = False) -> None:
    """Let no run begin by itself; campaigns that were started go on."""
    with open_ledger(data) as ledger:
        schedule = _known(ledger, name)
        schedules.pause(ledger.client, name, by_whom(why))
        put_entry(ledger.url, name, times(read(schedule)), state="paused")
        _show(ledger, name, as_json=as_json)


@app.command()
def resume(name: Name, *, data: Data = None, as_json: Json = False) -> None:
    """Let a paused schedule go on; what fell due while it was paused is not made up for."""
    with open_ledger(data) as ledger:
        schedule = _known(ledger, name)
        if not schedule.paused:
            tell(f"{name} is not paused: nothing was changed")
        else:
            due_times = times(read(schedule))
            schedules.resume(ledger.client, name, next_look(due_times, schedule.now))
            put_entry(ledger.url, name, due_times, state="open")
        _show(ledger, name, as_json=as_json)


@app.command()
def remove(name: Name, *, data: Data = None, as_json: Json = False) -> None:
    """Let a campaign recur no more; those that were started stay as they are, one still being queued is cancelled."""
    with open_ledger(data) as ledger:
        schedule = _known(ledger, name)
        remove_entry(ledger.url, name)
        schedules.remove(ledger.client, name)
        if schedule.unfinished is not None:
            due = Due(at=schedule.unfinished, zone=times(read(schedule)).zone)
            operating.cancel(ledger.client, due.run_id(name), by_whom("its schedule was removed"))
            tell(f"{due.run_id(name)} was still being queued and is cancelled")
    emit({"name": name, "removed": True}, [f"{name} recurs no more"], as_json=as_json)


@app.command()
def run(name: Name, *, data: Data = None, as_json: Json = False) -> None:
    """Queue one run now, in this process: the last due time again if it failed or was passed over, else as of now."""
    with open_ledger(data) as ledger:
        schedule = _known(ledger, name)
        settings = load_settings()
        configure_logging(settings)
        due = Due(at=due_by_hand(schedule), zone=times(read(schedule)).zone)
        tell(f"{name}: the run of {due.local.isoformat(timespec='minutes')} is {due.run_id(name)}")
        with new_progress() as progress:
            runner = Runner(
                client=ledger.client, settings=settings, is_stopping=lambda: False, on_progress=progress.reading
            )
            outcome = runner.run_by_hand(schedule)
        if outcome is None:
            raise CommandFailed(f"{name}: another process is at work on a run of it; see 'schedule list'")
        (document,) = _show(ledger, name, as_json=as_json)
        if outcome != "started":
            tell(f"{due.run_id(name)} {outcome}: {document['last']['reason']}")
            raise typer.Exit(130 if outcome == "interrupted" else 1)


def _to_recur(campaign: Campaign, path: Path) -> Campaign:
    """Return a campaign as it is kept; raises `ConfigError` where it could never run as it stands."""
    if campaign.schedule is None:
        raise ConfigError(f'{path}: has no [schedule]: give it one, with cron = "0 11 * * 1-5"')
    if campaign.recipients in {None, "-"}:
        raise ConfigError(f'{path}: "recipients" should be a file: nobody is at standard input when a run is due')
    recipients = str(Path(str(campaign.recipients)).absolute())
    if unknown := unknown_field(recipients):
        known = " and ".join(f"{{{name}}}" for name in PATH_FIELDS)
        raise ConfigError(f'{path}: "recipients" has {unknown}: a path may hold {known}')
    settings = load_settings()
    check_accounts(campaign, settings)
    check_limits(campaign, settings)
    return campaign.model_copy(update={"recipients": recipients})


def _known(ledger: Ledger, name: str) -> Schedule:
    found = schedules.find(ledger.client, [name])
    if not found:
        raise ConfigError(f"there is no schedule {name}{did_you_mean(name, schedules.names(ledger.client))}")
    return found[0]


def _show(ledger: Ledger, name: str, *, as_json: bool) -> list[dict[str, Any]]:
    found = documents(ledger.client, schedules.find(ledger.client, [name]))
    emit(found[0], table_of(found), as_json=as_json)
    return found
