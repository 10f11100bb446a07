"""When a campaign would be through: at an even pace, within its hours, before its end."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.forecast import HORIZON, Beyond, Pace, RunsOut, Span, Through, forecast
from worker.domain.hours import Hours

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)  # 10:00 in Kolkata
DAY = Hours(opens=time(10), closes=time(21), zone=ZoneInfo("Asia/Kolkata"))


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def pace(call_s, free_s=0):
    return Pace(free_at=after(free_s), call_s=call_s)


def through(calls, *paces, **span):
    return forecast(calls, paces, Span(start_at=NOW, **span))


@pytest.mark.parametrize(
    ("calls", "paces", "seconds"),
    [
        (0, [pace(2)], 0),
        (1, [pace(2)], 0),
        (3, [pace(2)], 4),
        (3, [pace(2, free_s=10)], 14),
        (3, [pace(2, free_s=-10)], 4),  # an idle account saves nothing up
        (101, [pace(1), pace(1)], 50),
        (101, [pace(1), pace(1, free_s=60)], 80),
        (101, [pace(1), pace(1, free_s=500)], 100),
        (101, [pace(1, free_s=30), pace(3)], 97.5),
    ],
)
def test_the_last_call_goes_when_all_accounts_together_have_come_to_it(calls, paces, seconds):
    assert through(calls, *paces) == Through(at=after(seconds))


@pytest.mark.parametrize(
    ("calls", "at"),
    [
        (11, datetime(2026, 11, 22, 14, 30, tzinfo=UTC)),  # one an hour, from 10:00 to 20:00
        (12, datetime(2026, 11, 23, 4, 30, tzinfo=UTC)),
        (13, datetime(2026, 11, 23, 5, 30, tzinfo=UTC)),
        (34, datetime(2026, 11, 25, 4, 30, tzinfo=UTC)),
    ],
)
def test_outside_its_hours_nothing_goes(calls, at):
    assert through(calls, pace(3600), hours=DAY) == Through(at=at)


def test_an_account_that_is_busy_all_day_begins_on_the_next():
    busy = pace(1, free_s=12 * 3600)
    assert through(1, busy, hours=DAY) == Through(at=datetime(2026, 11, 23, 4, 30, tzinfo=UTC))


def test_what_the_end_comes_before_is_not_sent():
    assert through(100, pace(1), ends_at=after(9.5)) == RunsOut(unsent=90)
    assert through(100, pace(1), ends_at=after(100)) == Through(at=after(99))
    assert through(100, pace(1, free_s=20), ends_at=after(10)) == RunsOut(unsent=100)
    assert through(100, pace(3600), hours=DAY, ends_at=after(30 * 3600)) == RunsOut(unsent=82)


def test_what_nobody_sends_or_only_in_many_years_is_not_reckoned():
    assert through(1) == Beyond()
    assert through(100_000, pace(3600)) == Beyond()
    assert through(10**9, pace(10**9)) == Beyond()
    assert through(100_000, pace(3600), ends_at=NOW + 2 * HORIZON) == Beyond()


paces = st.lists(st.builds(pace, st.floats(0.01, 1000), st.floats(-1000, 100_000)), min_size=1, max_size=3)


@given(calls=st.integers(1, 2000), paces=paces)
def test_whatever_the_pace_it_is_through_within_its_hours_and_later_for_more(calls, paces):
    first, second = (through(count, *paces, hours=DAY) for count in (calls, calls + 1))
    interval = DAY.next_interval(first.at)
    assert interval.opens_at <= first.at + timedelta(milliseconds=1)
    assert NOW <= first.at <= second.at
    assert through(calls, *paces).at <= first.at


@given(calls=st.integers(1, 2000), paces=paces, ends_s=st.floats(1, 100_000))
def test_an_end_changes_nothing_for_what_is_through_before_it(calls, paces, ends_s):
    free = through(calls, *paces, hours=DAY)
    match through(calls, *paces, hours=DAY, ends_at=after(ends_s)):
        case Through(at=at):
            assert at == free.at < after(ends_s)
        case RunsOut(unsent=unsent):
            assert 1 <= unsent <= calls
            assert free.at >= after(ends_s) - timedelta(milliseconds=1)
