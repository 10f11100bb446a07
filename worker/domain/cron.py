"""The due times of a recurring job: from five cron fields and a zone to instants, right when clocks are changed.

A due time is a minute of the zone's clocks, and each local minute of a date is at most one instant. One that exists
twice is due at its first instant; one that the clocks skip is as much later as they were set forward, and falls
together with what is due there. So no change of clocks makes one due time into two.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_LONGEST_WAIT_DAYS = 41 * 366
"""Any day of the calendar with any day of the week comes within so long: 29 February on a Monday, across 2100."""

_LAST_DAYS = frozenset(range(28, 32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Minutes 0-59, hours 0-23, days 1-31, months 1-12 and weekdays 0-6 (0 is Sunday) by the clocks of `zone`.

    A date must match `days`, `months` and `weekdays`, all three (as in Celery; other crons take either day).
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime | None:
        """Return the latest due instant that is not after `now` (aware), in UTC; `None`: there was none for years."""
        for day in _days(now.astimezone(self.zone).date() + _DAY, -_DAY):
            past = [at for at in self._on(day) if at <= now]
            if past:
                return past[-1]
        return None

    def following(self, after: datetime) -> datetime | None:
        """Return the first due instant after `after` (aware), in UTC; `None`: there will be none for years."""
        return next(self.instants(after), None)

    def instants(self, after: datetime) -> Iterator[datetime]:
        """Give the due instants after `after` in order, those of some forty years."""
        for day in _days(after.astimezone(self.zone).date() - _DAY, _DAY):
            yield from (at for at in self._on(day) if at > after)

    def in_utc(self, now: datetime) -> "Cron":
        """Return a cron of UTC that is due whenever this one is within a year from `now`, and at few other times.

        It takes in every offset from UTC that the zone has in that year: who rings by it may ring in vain.
        """
        offsets = {_offset_minutes(now + each * _DAY, self.zone) for each in range(366)}
        local = [hour * 60 + minute for hour in self.hours for minute in self.minutes]
        shifted = [divmod(minute - offset, 24 * 60) for minute in local for offset in offsets]
        days_off = {day for day, _ in shifted}
        return Cron(
            minutes=frozenset(minute % 60 for _, minute in shifted),
            hours=frozenset(minute // 60 for _, minute in shifted),
            days=frozenset(day for off in days_off for each in self.days for day in _day_beside(each, off)),
            months=frozenset((each - 1 + off) % 12 + 1 for off in {0, *days_off} for each in self.months),
            weekdays=frozenset((each + off) % 7 for off in days_off for each in self.weekdays),
            zone=ZoneInfo("UTC"),
        )

    def _on(self, day: date) -> list[datetime]:
        """Return the due instants of a local date in order."""
        if day.month not in self.months or day.day not in self.days or day.isoweekday() % 7 not in self.weekdays:
            return []
        # Of a time that exists twice, fold 0 is the first; a time that is skipped is read by the old offset (PEP 495).
        times = (datetime.combine(day, time(hour, minute), self.zone) for hour in self.hours for minute in self.minutes)
        instants = {local.astimezone(UTC) for local in times}
        # What was skipped together with the end of its date is due on no date.
        return sorted(at for at in instants if at.astimezone(self.zone).date() == day)


def _days(first: date, step: timedelta) -> Iterable[date]:
    return (first + each * step for each in range(_LONGEST_WAIT_DAYS))


def _offset_minutes(at: datetime, zone: ZoneInfo) -> int:
    return round((at.astimezone(zone).utcoffset() or timedelta()) / timedelta(minutes=1))


def _day_beside(day: int, off: int) -> Iterable[int]:
    """Give the days of the month that may lie `off` (-1, 0, 1) days from one."""
    if off < 0:
        return {day - 1} if day > 1 else _LAST_DAYS
    beside = {min(day + off, 31)}
    return beside | {1} if off and day in _LAST_DAYS else beside
