"""Due times: each local minute at most once, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.domain.cron import Cron
from worker.domain.recurrence import Due
from worker.intake.schedule_options import ScheduleOptions

ZONES = ["Asia/Kolkata", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]


def cron(text, zone="Asia/Kolkata"):
    return ScheduleOptions(cron=text).due_times(zone)


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "now", "latest", "following"),
    [
        ("0 11 * * 1-5", "2026-11-20T10:59:59+05:30", "2026-11-19T11:00+05:30", "2026-11-20T11:00+05:30"),
        ("0 11 * * 1-5", "2026-11-20T11:00:00+05:30", "2026-11-20T11:00+05:30", "2026-11-23T11:00+05:30"),
        ("0 11 * * mon-fri", "2026-11-22T12:00:00+05:30", "2026-11-20T11:00+05:30", "2026-11-23T11:00+05:30"),
        ("*/15 9-17 * * *", "2026-11-22T17:50:00+05:30", "2026-11-22T17:45+05:30", "2026-11-23T09:00+05:30"),
        ("30 10 1 */3 *", "2026-11-22T12:00:00+05:30", "2026-10-01T10:30+05:30", "2027-01-01T10:30+05:30"),
        ("0 0 29 2 *", "2026-11-22T12:00:00+05:30", "2024-02-29T00:00+05:30", "2028-02-29T00:00+05:30"),
        ("0 9 1-7 * 1", "2026-11-22T12:00:00+05:30", "2026-11-02T09:00+05:30", "2026-12-07T09:00+05:30"),
        ("0 1 * * 0", "2026-11-22T00:30:00+00:00", "2026-11-22T01:00+05:30", "2026-11-29T01:00+05:30"),
    ],
)
def test_the_latest_and_the_next_due_time(text, now, latest, following):
    assert (cron(text).latest(at(now)), cron(text).following(at(now))) == (at(latest), at(following))


def due_on(text, zone, day):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)
    end = midnight + timedelta(hours=26)
    instants = takewhile(lambda each: each < end, cron(text, zone).instants(midnight))
    return [f"{each:%H:%M}Z" for each in instants if f"{each.astimezone(ZoneInfo(zone)):%Y-%m-%d}" == day]


@pytest.mark.parametrize(
    ("text", "zone", "day", "instants"),
    [
        # 2026-11-01: at 06:00Z New York sets its clocks from 02:00 back to 01:00.
        ("30 1 * * *", "America/New_York", "2026-11-01", ["05:30Z"]),
        ("30 0-2 * * *", "America/New_York", "2026-11-01", ["04:30Z", "05:30Z", "07:30Z"]),
        # 2027-03-14: at 07:00Z from 02:00 forward to 03:00.
        ("30 2 * * *", "America/New_York", "2027-03-14", ["07:30Z"]),
        ("30 2,3 * * *", "America/New_York", "2027-03-14", ["07:30Z"]),
        # Clocks that are set forward at midnight, and a date that a zone left out.
        ("15 0 * * *", "America/Havana", "2026-03-08", ["05:15Z"]),
        ("0 12 * * *", "Pacific/Apia", "2011-12-30", []),
        ("0 12 * * *", "Pacific/Apia", "2011-12-31", ["22:00Z"]),
    ],
)
def test_a_change_of_clocks_makes_no_due_time_into_two_and_loses_none_of_a_day_that_is(text, zone, day, instants):
    assert due_on(text, zone, day) == instants


def test_29_february_on_a_monday_is_found_and_so_is_the_one_before():
    rare = cron("0 0 29 2 1")
    assert rare.latest(at("2026-11-22T00:00+00:00")) == at("2016-02-29T00:00+05:30")
    assert rare.following(at("2026-11-22T00:00+00:00")) == at("2044-02-29T00:00+05:30")


def numbers(lowest, highest):
    return st.frozensets(st.integers(lowest, highest), min_size=1, max_size=4)


crons = st.builds(
    Cron, minutes=numbers(0, 59), hours=numbers(0, 23), days=st.just(frozenset(range(1, 32))) | numbers(1, 31),
    months=st.just(frozenset(range(1, 13))) | numbers(1, 12), weekdays=st.just(frozenset(range(7))) | numbers(0, 6),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)  # fmt: skip
moments = st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=100)
@given(crons, moments)
def test_due_times_are_in_order_and_each_has_an_id_of_its_own(each, start):
    instants = list(islice(each.instants(start), 100))
    assert all(before < after for before, after in pairwise(instants))
    assert len({Due(at=instant, zone=each.zone).run_id("c") for instant in instants}) == len(instants)
    assert all(each.latest(instant) == instant for instant in instants)
    assert all(each.latest(after - timedelta(microseconds=1)) == before for before, after in pairwise(instants))


@settings(max_examples=100)
@given(crons, moments)
def test_beat_rings_whenever_something_is_due(each, start):
    rung = each.in_utc(start)
    for instant in takewhile(lambda due: due < start + timedelta(days=365), islice(each.instants(start), 100)):
        assert rung.latest(instant) == instant


def test_beat_rings_at_no_other_time_in_a_zone_without_summer_time():
    rung = cron("0 11 * * 1-5").in_utc(at("2026-11-22T00:00+00:00"))
    fields = (rung.minutes, rung.hours, rung.days, rung.months, rung.weekdays)
    assert fields == ({30}, {5}, set(range(1, 32)), set(range(1, 13)), {1, 2, 3, 4, 5})
