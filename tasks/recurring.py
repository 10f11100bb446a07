"""A schedule's runs: from a due time to a campaign in the ledger, once, whoever asks and however often.

A run's id is made of the schedule's name and the due time, so that production's own fence holds for it: the same id
again changes nothing, and one whose producer died is gone on with. The claim only spares two processes the work of one.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import redis
import structlog

from config.errors import ConfigError
from config.settings import Settings
from tasks.produce import enqueue_campaign, open_recipients
from worker.domain.cron import Cron
from worker.domain.recurrence import Due, OnMissed, Run, Skip, Wait, turn
from worker.intake.campaign import Campaign
from worker.ledger import schedules
from worker.ledger.errors import LedgerError
from worker.ledger.operating import cancel
from worker.ledger.schedules import Outcome, Schedule
from worker.producer import ProductionLost, nobody

log = structlog.stdlib.get_logger("bulksend.worker")

RENEW_S = 5.0
"""How often a run says that it is at work."""

BROKEN_OFF = "the process that produced it was stopped"


class BrokenOff(Exception):
    """The run stops here: its process ends, or another has it."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """Runs of one process. `is_stopping` tells when to leave a run to others; `on_progress` is told the rows read."""

    client: redis.Redis
    settings: Settings
    is_stopping: Callable[[], bool]
    on_progress: Callable[[int], None] = nobody
    token: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    _renewed_at: float = 0.0

    def answer(self, name: str) -> None:
        """Do what is due for a schedule now: nothing, one run, or one that was broken off and then another.

        What is wrong with a run's input stands in the ledger then. Raises `LedgerError`: then others go on.
        """
        while not self.is_stopping():
            found = schedules.find(self.client, [name])
            if not found or found[0].paused or not self._take_turn(found[0]):
                return

    def run_by_hand(self, schedule: Schedule) -> Outcome | None:
        """Run a schedule now: the last due time again if nothing came of it, else this minute; return what came of it.

        `None`: another process is at work on it.
        """
        cron = times(read(schedule))
        at = due_by_hand(schedule)
        return self._run(schedule, Due(at=at, zone=cron.zone), note="", by="hand")

    def _take_turn(self, schedule: Schedule) -> bool:
        """Do one thing for a schedule; return whether there may be another."""
        campaign = read(schedule)
        cron, on_missed = times(campaign), missed_policy(campaign)
        match turn(cron, on_missed, done=schedule.done, unfinished=schedule.unfinished, now=schedule.now):
            case Wait():
                return False
            case Skip(due=due, note=note):
                return self._skip(schedule, cron, due, note)
            case Run(due=due, note=note):
                return self._run(schedule, due, note=note, by="bell") not in {None, "interrupted"}

    def _skip(self, schedule: Schedule, cron: Cron, due: Due, note: str) -> bool:
        if schedules.claim(self.client, schedule.name, due.at, self.token, by="bell") != "yours":
            return False
        if schedule.unfinished is not None:  # what there is of it must not stay half queued
            cancel(self.client, due.run_id(schedule.name), f"by the schedule: {note}")
        return self._end(schedule, cron, due, "skipped", note)

    def _run(self, schedule: Schedule, due: Due, *, note: str, by: Literal["bell", "hand"]) -> Outcome | None:
        if schedules.claim(self.client, schedule.name, due.at, self.token, by=by) != "yours":
            return None
        self._renewed_at = time.monotonic()
        campaign = read(schedule)
        try:
            outcome, reason = self._produce(schedule, campaign, due, note)
        except LedgerError:
            raise
        except Exception as error:  # the task's border: it is seen in the list, and not tried for ever
            words = f"{type(error).__name__}, which is a fault of ours: the log of the process has more"
            self._end(schedule, times(campaign), due, "failed", words)
            raise
        self._end(schedule, times(campaign), due, outcome, reason)
        return outcome

    def _produce(self, schedule: Schedule, campaign: Campaign, due: Due, note: str) -> tuple[Outcome, str]:
        once = of_due(campaign, due)

        def progressed(rows: int) -> None:
            self.on_progress(rows)
            if self.is_stopping() or not self._is_ours(schedule.name):
                raise BrokenOff

        try:
            with open_recipients(once, None) as rows:
                enqueue_campaign(once, rows, due.run_id(schedule.name), self.settings, on_progress=progressed)
        except ConfigError as error:
            return "failed", "; ".join(filter(None, [str(error), note]))
        except (BrokenOff, KeyboardInterrupt):
            return "interrupted", BROKEN_OFF
        except ProductionLost as error:  # somebody goes on with it, or cancelled it: the campaign says which
            return "started", str(error)
        return "started", note

    def _is_ours(self, name: str) -> bool:
        if time.monotonic() - self._renewed_at < RENEW_S:
            return True
        self._renewed_at = time.monotonic()
        return schedules.renew(self.client, name, self.token)

    def _end(self, schedule: Schedule, cron: Cron, due: Due, outcome: Outcome, reason: str) -> bool:
        run_id = due.run_id(schedule.name)
        look_at = schedule.now if outcome == "interrupted" else next_look(cron, schedule.now)
        log.info("schedule.answered", schedule=schedule.name, campaign=run_id, outcome=outcome)
        return schedules.end(self.client, schedule.name, self.token, run_id, outcome, reason, look_at=look_at)


def read(schedule: Schedule) -> Campaign:
    """Return the campaign of a schedule; raises `ConfigError` where another version wrote it."""
    try:
        campaign = Campaign.from_json(schedule.doc)
    except ValueError as error:
        raise ConfigError(f"schedule {schedule.name} was added by another version: add it again") from error
    if campaign.schedule is None:
        raise ConfigError(f"schedule {schedule.name} has no [schedule]: add it again")
    return campaign


def times(campaign: Campaign) -> Cron:
    """Return when a campaign that has a [schedule] is due; raises `ConfigError` for one that has none."""
    if campaign.due_times is None:
        raise ConfigError(f'campaign {campaign.name} has no [schedule]: give it one, with cron = "0 11 * * 1-5"')
    return campaign.due_times


def missed_policy(campaign: Campaign) -> OnMissed:
    """Return what becomes of a campaign's missed runs."""
    return "run" if campaign.schedule is None else campaign.schedule.on_missed


def of_due(campaign: Campaign, due: Due) -> Campaign:
    """Return the campaign of one run: sent once, its recipients those of the due time."""
    recipients = campaign.recipients and due.fill(campaign.recipients)
    return campaign.model_copy(update={"schedule": None, "recipients": recipients})


def due_by_hand(schedule: Schedule) -> datetime:
    """Return the due time that a run by hand is of: the last one, if nothing came of it, else the present minute."""
    if schedule.unfinished is not None:
        return schedule.unfinished
    if schedule.last is not None and schedule.last.outcome in {"failed", "skipped"}:
        return schedule.last.due_at
    return schedule.now.replace(second=0, microsecond=0)


def next_look(cron: Cron, now: datetime) -> datetime:
    """Return when workers ring by themselves, if nobody has until then."""
    following = cron.following(now)
    return (following or now + timedelta(days=366)) + timedelta(seconds=schedules.PATIENCE_S)
