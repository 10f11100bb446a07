"""What is to be done for a schedule at one moment: run a due time, pass over it, or wait.

Pure: the ledger says what was done, the clock says when it is, and the cron says the rest. The message that asked has
no part in it, so that a late, doubled or lost one changes nothing. What was begun is ended before the next begins.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Literal
from zoneinfo import ZoneInfo

from worker.domain.cron import Cron
from worker.domain.ids import CampaignId

OnMissed = Literal["run", "skip"]
"""What becomes of a due time that nobody answered in time: run it late, the latest only, or pass over it."""

LATE = timedelta(minutes=5)
"""A run that begins so long after it was due was missed."""

MOST_COUNTED = 1000
"""Missed due times are counted up to here."""

PATH_FIELDS = ("date", "time")
"""What a path may hold in braces: the due time's date (2026-11-22) and time of day (1100)."""

_FIELD = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One due time: an instant, and the zone by whose clocks it is named."""

    at: datetime
    zone: ZoneInfo

    @property
    def local(self) -> datetime:
        """The due time by the clocks of its zone."""
        return self.at.astimezone(self.zone)

    def run_id(self, name: str) -> CampaignId:
        """Return the id of its run: the same whoever starts it, and another for each due time of a schedule."""
        return CampaignId(f"{name}-{self.local:%Y%m%d-%H%M}")

    def fill(self, path: str) -> str:
        """Return a path with its fields filled."""
        return path.replace("{date}", f"{self.local:%Y-%m-%d}").replace("{time}", f"{self.local:%H%M}")


def unknown_field(path: str) -> str:
    """Return the first field of a path that is none of `PATH_FIELDS`, with its braces, or ""."""
    return next((f"{{{name}}}" for name in _FIELD.findall(path) if name not in PATH_FIELDS), "")


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Run this due time; `note` says in words what was missed, or ""."""

    due: Due
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Pass over this due time and those before it; `note` says in words what was missed."""

    due: Due
    note: str


Turn = Wait | Run | Skip


def turn(cron: Cron, on_missed: OnMissed, *, done: datetime, unfinished: datetime | None, now: datetime) -> Turn:
    """Decide what is to be done at `now`, everything due up to `done` being settled.

    `unfinished` is the due time of a run that was begun and not ended.
    """
    at = unfinished or cron.latest(now)
    if at is None or (unfinished is None and at <= done):
        return Wait()
    due = Due(at=at, zone=cron.zone)
    before = sum(1 for _ in islice(takewhile(lambda each: each < at, cron.instants(done)), MOST_COUNTED))
    if now - at <= LATE:
        return Run(due=due, note=_missed(before))
    if on_missed == "run":
        note = f"ran {_long(now - at)} late" + (f"; {_missed(before)}" if before else "")
        return Run(due=due, note=note)
    return Skip(due=due, note=_missed(before + 1))


def _missed(count: int) -> str:
    if not count:
        return ""
    number = f"{count:,} runs were" if count > 1 else "1 run was"
    more = "more than " if count >= MOST_COUNTED else ""
    return f"{more}{number} missed, and passed over"


def _long(span: timedelta) -> str:
    units = {"days": timedelta(days=1), "hours": timedelta(hours=1)}
    found = next(((name, unit) for name, unit in units.items() if span >= 2 * unit), ("minutes", timedelta(minutes=1)))
    return f"{span // found[1]} {found[0]}"
