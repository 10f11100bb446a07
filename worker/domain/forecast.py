"""When a campaign would be finished, reckoned before anything of it is queued.

A flow, not a schedule: each account gives calls at its own even pace from the instant at which it is free, and only
within the campaign's hours. What accounts may do, and what waits before it, the caller knows; nothing here is promised.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor

from worker.domain.hours import Hours

HORIZON = timedelta(days=3660)
"""What would take longer is not reckoned, and no campaign starts or ends later: ten years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one account gives a campaign: from `free_at` (aware) on, one call each `call_s` seconds (above 0)."""

    free_at: datetime
    call_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """The last call would go at this instant (UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsOut:
    """The campaign's end comes first, and this many of its calls would not go."""

    unsent: int


@dataclass(frozen=True, slots=True)
class Beyond:
    """It would take longer than `HORIZON`, or no account sends at all."""


Forecast = Through | RunsOut | Beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When a campaign may send: from `start_at` on, within its hours if it has any, and before `ends_at` if it ends."""

    start_at: datetime
    hours: Hours | None = None
    ends_at: datetime | None = None


def forecast(calls: int, paces: Sequence[Pace], span: Span) -> Forecast:
    """Return when the last of so many calls would go through these accounts together."""
    if not calls:
        return Through(at=span.start_at.astimezone(UTC))
    if not paces:
        return Beyond()
    # The first call goes at once, so that so many gaps are to pass.
    left, has_begun = calls - 1.0, False
    for opens, closes in _intervals(span):
        begins = sorted((max(opens, pace.free_at.timestamp()), 1 / pace.call_s) for pace in paces)
        at = _reached(left, begins)
        if at < closes:
            return Through(at=datetime.fromtimestamp(at, UTC))
        has_begun |= begins[0][0] < closes
        left -= sum(max(0.0, closes - begin) * per_second for begin, per_second in begins)
    if span.ends_at is None or span.ends_at > span.start_at + HORIZON:
        return Beyond()
    sent = floor(calls - 1 - left) + 1 if has_begun else 0
    return RunsOut(unsent=max(calls - sent, 1))


def _intervals(span: Span) -> Iterator[tuple[float, float]]:
    """Give the times in which it may send, as seconds since the epoch, up to its end or the horizon."""
    horizon = span.start_at + HORIZON
    end = horizon if span.ends_at is None else min(span.ends_at, horizon)
    if span.hours is None:
        yield span.start_at.timestamp(), end.timestamp()
        return
    for interval in span.hours.intervals(span.start_at):
        if interval.opens_at >= end:
            return
        yield max(interval.opens_at, span.start_at).timestamp(), min(interval.closes_at, end).timestamp()


def _reached(calls: float, begins: Sequence[tuple[float, float]]) -> float:
    """Return when so many calls would have gone, one account after the other joining in, if nothing ever closed."""
    at, per_second = begins[0]
    for begin, more_per_second in begins[1:]:
        if at + calls / per_second <= begin:
            break
        calls -= (begin - at) * per_second
        at, per_second = begin, per_second + more_per_second
    return at + calls / per_second
