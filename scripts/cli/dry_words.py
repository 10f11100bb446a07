"""What a dry run tells people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from scripts.cli.estimate import Cost
from scripts.cli.tally import FIRST_ROWS, KINDS, Tally, sample_objects
from scripts.cli.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a dry run came to. `finish_at` is `None` where it can not be said; `reason` says why, or what expires."""

    tally: Tally
    calls: int
    finish_at: datetime | None
    expired: int
    reason: str
    cost: Cost | None


def lines(found: Found) -> Iterator[str]:
    """Give the lines."""
    tally = found.tally
    passed = ", ".join(f"{tally.counts[kind]:,} {kind}" for kind in KINDS)
    yield f"{tally.campaign.name}: nothing was queued"
    yield f"  {counted(tally.rows, 'row')}: {tally.queued:,} would be queued, {passed}"
    yield f"  calls to the gateway: {found.calls:,}{_through(found)}"
    if tally.campaign.has_segments:
        yield f"  segments: {tally.segments:,}" + (f", {found.cost}" if found.cost else "")
        yield from _saved(tally)
    yield from _samples(tally)
    for kind in KINDS:
        for row in tally.first_rows[kind]:
            yield f"  row {row.row}: {kind}: {row.reason}"
        if tally.counts[kind] > FIRST_ROWS:
            yield f"  and {tally.counts[kind] - FIRST_ROWS:,} more {kind}"


def _through(found: Found) -> str:
    if found.finish_at is None:
        return f"; when it would be through can not be said: {found.reason}"
    at = found.finish_at.astimezone(UTC).isoformat(timespec="seconds")
    return f", over at {at}: {found.reason}" if found.expired else f", through by {at} at the earliest"


def _saved(tally: Tally) -> Iterator[str]:
    if tally.campaign.ascii or tally.ascii_saves:
        yield f"  --ascii {'saves' if tally.campaign.ascii else 'would save'} {counted(tally.ascii_saves, 'segment')}"


def _samples(tally: Tally) -> Iterator[str]:
    for sample in sample_objects(tally):
        taken = f"; segments: {sample['segments']}" if tally.campaign.has_segments else ""
        yield f"  row {sample['row']}, {sample['to']} ({', '.join(sample['shows'])}{taken}): {sample['body']}"
