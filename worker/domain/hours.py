"""The hours in which a campaign may send: from local times of day to instants, right when clocks are changed.

The engine asks for the interval that contains now or comes next, and sends only inside it. No instant of an interval
has a local time outside the hours; where a local time exists twice or not at all, sending begins late and ends early.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

PROMOTIONAL_TYPES = ("promotional", "transactional_opt_in")
"""The values of `sms_type` that Indian numbers get in the legal hours only (DLT operators, October 2025: "Service
Explicit" is treated as promotional; error 651 EC_INVALID_PROMO_TIME)."""


class HoursError(ValueError):
    """These hours can not be kept; the message says why, to stand after the name of a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """From `opens_at` up to but without `closes_at`, both aware and in UTC, the first before the second."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Each day from `opens` up to but without `closes` by the clocks of `zone`; over midnight if `closes` is earlier.

    Raises `HoursError` where the two are equal.
    """

    opens: time
    closes: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.opens == self.closes:
            raise HoursError("should open and close at two different times")

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M} {self.zone.key}"

    def next_interval(self, now: datetime) -> Interval:
        """Return the interval that contains `now` (aware), or else the next one."""
        return next(self.intervals(now))

    def intervals(self, now: datetime) -> Iterator[Interval]:
        """Give that interval and all that follow it, without end.

        A local time that exists twice (clocks set back) opens at its second instant and closes at its first; one that
        does not exist (clocks set forward) is the instant at which they are set. A day whose hours vanish so has none.
        """
        # Two days back: hours over midnight, in a zone that leaves out a day.
        day = now.astimezone(self.zone).date() - 2 * _DAY
        while True:
            interval = self._on(day)
            if interval.opens_at < interval.closes_at and now < interval.closes_at:
                yield interval
            day += _DAY

    def _on(self, day: date) -> Interval:
        closing_day = day if self.opens < self.closes else day + _DAY
        _, opens_at = _instants(datetime.combine(day, self.opens), self.zone)
        closes_at, _ = _instants(datetime.combine(closing_day, self.closes), self.zone)
        return Interval(opens_at=opens_at, closes_at=closes_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHours:
    """Hours that no campaign of a kind may leave; `rule` says in words whose they are."""

    hours: Hours
    rule: str


def parse_hours(text: str, zone: ZoneInfo) -> Hours:
    """Read hours like "10:00-21:00" or, over midnight, "21:00-02:00"; raises `HoursError`."""
    match = _HOURS.fullmatch(text)
    if match is None:
        raise HoursError('should be two times of day like "10:00-21:00"')
    opens_hour, opens_minute, closes_hour, closes_minute = map(int, match.groups())
    return Hours(opens=time(opens_hour, opens_minute), closes=time(closes_hour, closes_minute), zone=zone)


def indian_promotional_hours() -> LegalHours:
    """Return when promotional messages (`PROMOTIONAL_TYPES`) may go to Indian numbers.

    10:00-21:00 Asia/Kolkata (Exotel, error code 21020; DLT operators since 13 October 2025, error 651); it lies inside
    the older rule of 09:00-21:00 too.
    """
    return LegalHours(
        hours=Hours(opens=time(10), closes=time(21), zone=ZoneInfo("Asia/Kolkata")),
        rule="promotional and transactional_opt_in messages to Indian numbers are delivered from 10:00 to 21:00 "
        "Asia/Kolkata only (DLT operators, error 651 EC_INVALID_PROMO_TIME)",
    )


def narrowed(given: Hours, legal: LegalHours, *, now: datetime) -> Hours:
    """Return the given hours, which must lie inside the legal ones; wider ones raise `HoursError` with the rule.

    The two may be of different zones, and what is inside in winter may be outside in summer: every interval that opens
    within 366 days from `now` is looked at.
    """
    horizon = now + 366 * _DAY
    for interval in takewhile(lambda each: each.opens_at <= horizon, given.intervals(now)):
        allowed = legal.hours.next_interval(interval.opens_at)
        if interval.opens_at < allowed.opens_at or interval.closes_at > allowed.closes_at:
            day = interval.opens_at.astimezone(given.zone).date()
            raise HoursError(f"{given} leaves the permitted hours on {day}: {legal.rule}")
    return given


def _instants(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first and the last instant at which the zone's clocks show `local`, or twice the one they skip it."""
    before, after = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if before <= after:
        return before, after
    # Skipped: read by the old offset it lies behind the change, by the new one before it (PEP 495).
    changed_at = _change(after, before, zone)
    return changed_at, changed_at


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Find the second at which the zone's offset becomes what it is at `high`, knowing that it is another at `low`."""
    offset = high.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high
