"""Working one campaign off with a worker of one's own: what `run` and `demo` have in common.

Everything that the user can have got wrong is looked at before anything is queued. Whatever ends it early, the same
command goes on, and messages nobody twice: the ledger knows who was messaged, and this process knows nothing.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from config.accounts import load_accounts
from config.settings import Settings, load_environ, load_settings
from scripts.cli.failed import CommandFailed
from scripts.cli.follow import follow
from scripts.cli.interrupted import SAME_STDIN, LastWords
from scripts.cli.ledger import Ledger
from scripts.cli.own_worker import OwnWorker
from scripts.cli.progress import Progress, new_progress
from scripts.cli.recipients import recipients_of
from scripts.cli.words import tell
from tasks.produce import check_accounts, check_limits, checks_for, enqueue_campaign
from tasks.ring import ring
from worker.domain.ids import CampaignId
from worker.intake.batches import prepare
from worker.intake.campaign import Campaign
from worker.intake.rows import RowSource
from worker.ledger.connection import connect_async
from worker.ledger.durability import check_durability
from worker.ledger.errors import LedgerError
from worker.ledger.reading import ENDED, Standing, lanes, standings
from worker.producer import ProductionLost

_STOP_MARGIN_S = 15.0
_WAITING = ("waiting for the calls on the wire (Ctrl-C again: leave them to the worker)",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One campaign to work off. `again`: the command that goes on with it, without --data; empty where none can."""

    campaign: Campaign
    campaign_id: CampaignId
    recipients: str | None
    patience_s: float
    again: Sequence[str]


class Stuck(Exception):
    """Nothing of the campaign can move until somebody acts. `remedy`: the command for it, without --data.

    `by_workers`: workers say so, who may be dead since, and our own, just started, has not spoken yet.
    """

    def __init__(self, standing: Standing, reason: str, remedy: Sequence[str], *, by_workers: bool = False) -> None:
        """Say why, and what helps."""
        super().__init__(reason)
        self.standing = standing
        self.remedy = remedy
        self.by_workers = by_workers


def check_credentials(campaign: Campaign, settings: Settings) -> float:
    """Resolve the secrets that a worker will need; return the longest that a call may take.

    Raises `ConfigError`, which names the variable, and of an account the field.
    """
    if settings.public_url is not None:
        settings.callback_secrets  # noqa: B018 - the property is what complains
    check_accounts(campaign, settings)
    check_limits(campaign, settings)
    accounts, environ = load_accounts(settings.accounts_file), load_environ()
    for name in campaign.accounts:
        accounts[name].credentials(environ)
    return max(account.timeout for account in accounts.values())


def work_off(ledger: Ledger, job: Job, longest_call_s: float, *, as_json: bool = False) -> Standing:
    """Queue the campaign unless it is there, and wait with a worker of our own until it ends; return how it stands.

    Raises `ConfigError`, `CommandFailed`, `Stuck`, `LedgerError` and `ProductionLost`; interrupted it says how to go on
    and raises `typer.Exit`.
    """
    found = standings(ledger.client, [job.campaign_id])
    if found and found[0].state in ENDED:
        return found[0]
    settings = load_settings()
    _check_durability(ledger, settings)
    worker = OwnWorker(ledger.data, stop_within_s=longest_call_s + _STOP_MARGIN_S)
    with ExitStack() as held:
        rows = _open_rows(held, job, settings) if not found or found[0].state == "producing" else None
        # Said before the first message goes: whatever becomes of this process, nobody has to start anew.
        tell(f"{job.campaign_id}{_go_on(ledger, job, ': should this end early, it goes on with')}")
        with last_words(ledger, job, *_WAITING, as_json=as_json).said(worker.stop), worker:
            try:
                with new_progress() as progress:
                    _queue(job, rows, settings, progress, found)
                    return follow(ledger, job.campaign_id, progress, check=_checks(ledger, job, worker))
            except (CommandFailed, LedgerError, ProductionLost):
                words = "; it goes on, and messages nobody twice, with"
                tell(f"{job.campaign_id} has not ended{_go_on(ledger, job, words)}")
                raise


def last_words(ledger: Ledger, job: Job, *notes: str, as_json: bool) -> LastWords:
    """Return what is said when the job is interrupted."""
    from_stdin = [SAME_STDIN] if job.again and (job.recipients or job.campaign.recipients) == "-" else []
    return LastWords(
        ledger=ledger,
        campaign_id=job.campaign_id,
        again=job.again,
        promise="this goes on, and messages nobody twice",
        notes=[*from_stdin, *notes],
        as_json=as_json,
    )


def _go_on(ledger: Ledger, job: Job, words: str) -> str:
    return f"{words}\n  {ledger.command(*job.again)}" if job.again else ""


def _check_durability(ledger: Ledger, settings: Settings) -> None:
    if settings.allow_volatile:
        return

    async def ask() -> str:
        async with connect_async(ledger.url) as client:
            return (await check_durability(client)).problem

    if problem := asyncio.run(ask()):
        raise CommandFailed(f"{problem} (or set BULKSEND_ALLOW_VOLATILE=true and risk that people are messaged twice)")


def _open_rows(held: ExitStack, job: Job, settings: Settings) -> RowSource:
    """Open the recipients and look at their header, so that a wrong one is told before a worker is started."""
    rows = held.enter_context(recipients_of(job.campaign, job.recipients))
    prepare(rows, job.campaign, checks=checks_for(job.campaign, settings))
    return rows


def _queue(job: Job, rows: RowSource | None, settings: Settings, progress: Progress, found: list[Standing]) -> None:
    if rows is not None:
        enqueue_campaign(job.campaign, rows, job.campaign_id, settings, on_progress=progress.reading)
    elif found[0].state == "running":
        ring(found[0].accounts)


def _checks(ledger: Ledger, job: Job, worker: OwnWorker) -> Callable[[Standing], str | None]:
    """Return what looks after the worker, and loses patience where nothing can move."""
    moved: tuple[int, ...] = ()
    since = time.monotonic()

    def check(standing: Standing) -> str | None:
        nonlocal moved, since
        worker.check()
        stuck = _stuck(ledger, standing)
        marks = (standing.pending, standing.in_flight, standing.calls)
        if stuck is None or marks != moved:
            moved, since = marks, time.monotonic()
        elif time.monotonic() - since >= job.patience_s and not (stuck.by_workers and worker.is_young):
            raise stuck
        # Our own worker, just started, may not have been seen yet.
        return None if stuck is None and worker.is_young else standing.reason

    return check


def _stuck(ledger: Ledger, standing: Standing) -> Stuck | None:
    """Tell whether nothing can move, and what would help."""
    if standing.in_flight:
        return None
    if standing.state == "paused":
        return Stuck(standing, f"{standing.id} is paused: {standing.reason}", ["resume", standing.id])
    seen = lanes(ledger.client, list(standing.accounts)).values()
    if standing.state == "running" and all(lane.held or lane.problems for lane in seen):
        held = next((lane for lane in seen if lane.held), None)
        remedy = ["account", "open", held.account] if held else []
        words, by_workers = "; ".join(lane.words for lane in seen), not all(lane.held for lane in seen)
        return Stuck(standing, words, remedy, by_workers=by_workers)
    return None


def how_to_go_on(ledger: Ledger, job: Job, stuck: Stuck) -> Iterator[str]:
    """Give the lines that say why nothing moves and which commands help."""
    yield str(stuck)
    if stuck.remedy:
        yield f"When that is mended:\n  {ledger.command(*stuck.remedy)}\nand then:"
    else:
        yield "When that is mended:"
    yield f"  {ledger.command(*job.again)}"
