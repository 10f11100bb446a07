"""Sending hours, over midnight and over changes of clocks, and the law that bounds them."""

import zoneinfo
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.domain.hours import Hours, HoursError, Interval, indian_promotional_hours, narrowed, parse_hours

INDIA, BERLIN, LONDON, APIA = (
    ZoneInfo(f"{key}") for key in ("Asia/Kolkata", "Europe/Berlin", "Europe/London", "Pacific/Apia")
)
NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def interval(opens_at, closes_at):
    return Interval(opens_at=at(opens_at), closes_at=at(closes_at))


def next_of(hours, zone, now):
    return parse_hours(hours, zone).next_interval(at(now))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T04:29", ("2026-11-22T04:30", "2026-11-22T15:30")),
        ("2026-11-22T04:30", ("2026-11-22T04:30", "2026-11-22T15:30")),
        ("2026-11-22T15:29:59.999999", ("2026-11-22T04:30", "2026-11-22T15:30")),
        ("2026-11-22T15:30", ("2026-11-23T04:30", "2026-11-23T15:30")),
        ("2026-11-22T23:00", ("2026-11-23T04:30", "2026-11-23T15:30")),
    ],
)
def test_the_interval_is_the_one_that_contains_now_or_the_next(now, expected):
    assert next_of("10:00-21:00", INDIA, now) == interval(*expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T15:00", ("2026-11-22T15:30", "2026-11-22T20:30")),
        ("2026-11-22T20:29", ("2026-11-22T15:30", "2026-11-22T20:30")),
        ("2026-11-22T20:30", ("2026-11-23T15:30", "2026-11-23T20:30")),
    ],
)
def test_hours_may_go_over_midnight(now, expected):
    assert next_of("21:00-02:00", INDIA, now) == interval(*expected)


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        # 29 March 2026, 01:00 UTC: from 02:00 to 03:00
        ("10:00-21:00", "2026-03-28T22:00", ("2026-03-29T08:00", "2026-03-29T19:00")),
        ("22:00-06:00", "2026-03-29T00:00", ("2026-03-28T21:00", "2026-03-29T04:00")),
        ("02:30-06:00", "2026-03-29T00:00", ("2026-03-29T01:00", "2026-03-29T04:00")),
        ("00:00-02:30", "2026-03-29T00:00", ("2026-03-28T23:00", "2026-03-29T01:00")),
        ("02:10-02:50", "2026-03-29T00:00", ("2026-03-30T00:10", "2026-03-30T00:50")),
        # 25 October 2026, 01:00 UTC: from 03:00 to 02:00
        ("10:00-21:00", "2026-10-24T22:00", ("2026-10-25T09:00", "2026-10-25T20:00")),
        ("22:00-06:00", "2026-10-25T00:00", ("2026-10-24T20:00", "2026-10-25T05:00")),
        ("02:30-06:00", "2026-10-25T00:00", ("2026-10-25T01:30", "2026-10-25T05:00")),
        ("00:00-02:30", "2026-10-25T00:00", ("2026-10-24T22:00", "2026-10-25T00:30")),
        ("02:10-02:50", "2026-10-25T00:00", ("2026-10-26T01:10", "2026-10-26T01:50")),
    ],
)
def test_clocks_that_are_changed_never_lengthen_the_hours(hours, now, expected):
    assert next_of(hours, BERLIN, now) == interval(*expected)


def test_a_day_that_a_zone_leaves_out_has_no_hours():
    # Samoa had no 30 December 2011.
    assert next_of("10:00-21:00", APIA, "2011-12-30T07:00") == interval("2011-12-30T20:00", "2011-12-31T07:00")


@pytest.mark.parametrize(
    "text", ["", "10-21", "10:00", "10:00 - 21:00", "24:00-10:00", "9:00-10:00", "10:60-11:00", "\u0967\u0966:00-21:00"]
)
def test_what_are_no_hours_is_refused(text):
    with pytest.raises(HoursError, match='should be two times of day like "10:00-21:00"'):
        parse_hours(text, INDIA)


def test_hours_that_open_when_they_close_are_refused():
    with pytest.raises(HoursError, match="should open and close at two different times"):
        parse_hours("10:00-10:00", INDIA)


def test_hours_write_themselves():
    assert str(parse_hours("10:00-21:00", INDIA)) == "10:00-21:00 Asia/Kolkata"


@pytest.mark.parametrize(
    ("hours", "zone"),
    [
        ("10:00-21:00", INDIA),
        ("11:30-20:59", INDIA),
        ("05:30-15:30", LONDON),
        ("18:00-22:00", APIA),
    ],
)
def test_hours_inside_the_legal_ones_are_kept(hours, zone):
    given_hours = parse_hours(hours, zone)
    assert narrowed(given_hours, indian_promotional_hours(), now=NOW) is given_hours


@pytest.mark.parametrize(
    ("hours", "zone", "day"),
    [
        ("09:59-21:00", INDIA, "2026-11-22"),
        ("10:00-21:01", INDIA, "2026-11-22"),
        ("21:00-10:00", INDIA, "2026-11-22"),
        ("20:00-11:00", INDIA, "2026-11-21"),
        # Inside in winter; in summer London's 05:00 is 09:30 in Kolkata.
        ("05:00-15:00", LONDON, "2027-03-28"),
        ("05:30-16:00", LONDON, "2026-11-22"),
    ],
)
def test_hours_outside_the_legal_ones_are_refused_with_the_rule(hours, zone, day):
    with pytest.raises(HoursError) as caught:
        narrowed(parse_hours(hours, zone), indian_promotional_hours(), now=NOW)
    assert str(caught.value) == (
        f"{hours} {zone.key} leaves the permitted hours on {day}: "
        "promotional and transactional_opt_in messages to Indian numbers are "
        "delivered from 10:00 to 21:00 Asia/Kolkata only (DLT operators, error 651 EC_INVALID_PROMO_TIME)"
    )


times = st.times().map(lambda moment: moment.replace(microsecond=0)) | st.builds(time, st.integers(0, 23))
zones = st.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})).map(ZoneInfo)
clocks = st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - it asks for naive ones
hours_of_any_kind = (
    st.tuples(times, times, zones)
    .filter(lambda made: made[0] != made[1])
    .map(lambda made: Hours(opens=made[0], closes=made[1], zone=made[2]))
)


def is_inside(hours, instant):
    local = instant.astimezone(hours.zone).time()
    if hours.opens < hours.closes:
        return hours.opens <= local < hours.closes
    return local >= hours.opens or local < hours.closes


@given(hours=hours_of_any_kind, now=clocks, thousandth=st.integers(0, 999))
@example(hours=parse_hours("02:30-06:00", BERLIN), now=at("2026-10-25T00:00"), thousandth=0)
@example(hours=parse_hours("00:00-02:30", BERLIN), now=at("2026-03-29T00:00"), thousandth=999)
def test_no_instant_of_an_interval_is_outside_the_local_hours(hours, now, thousandth):
    for each in islice(hours.intervals(now), 3):
        assert each.opens_at < each.closes_at
        assert is_inside(hours, each.opens_at)
        assert is_inside(hours, each.closes_at - timedelta(microseconds=1))
        assert is_inside(hours, each.opens_at + (each.closes_at - each.opens_at) / 1000 * thousandth)


@given(hours=hours_of_any_kind, now=clocks)
def test_intervals_follow_each_other_and_the_first_is_not_over(hours, now):
    first, second, third = islice(hours.intervals(now), 3)
    assert now < first.closes_at <= second.opens_at
    assert second.closes_at <= third.opens_at
    assert third.opens_at - now < timedelta(days=5)


@given(hours=hours_of_any_kind, now=clocks)
def test_what_lies_between_two_intervals_is_outside_unless_clocks_are_changed(hours, now):
    first, second = islice(hours.intervals(now), 2)
    zone = hours.zone
    if first.opens_at.astimezone(zone).utcoffset() == second.closes_at.astimezone(zone).utcoffset():
        gap = second.opens_at - first.closes_at
        if timedelta(0) < gap < timedelta(days=1):
            assert not is_inside(hours, first.closes_at)
            assert not is_inside(hours, second.opens_at - timedelta(microseconds=1))
