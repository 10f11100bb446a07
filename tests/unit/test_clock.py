"""The server's clock as a process sees it: never further off than its latest exchange with the server leaves open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.clock import ServerClock, suspended_clock

seconds = st.floats(min_value=0, max_value=5)


@given(
    true_offset_s=st.floats(min_value=-1e6, max_value=1.8e9),
    exchanges=st.lists(st.tuples(seconds, seconds, seconds), min_size=1, max_size=20),
)
def test_the_offset_is_never_further_off_than_the_shortest_exchange(true_offset_s, exchanges):
    clock, now, shortest = ServerClock(), 1000.0, float("inf")
    for pause, there, back in exchanges:
        asked_at = now + pause
        now = asked_at + there + back
        clock.observe(asked_at, now, round((asked_at + there + true_offset_s) * 1e6))
        shortest = min(shortest, there + back)
        assert abs(clock.offset_s - true_offset_s) <= shortest + 2e-6


@given(step_s=st.floats(min_value=-1e5, max_value=1e5), width_s=st.floats(min_value=0, max_value=0.1))
def test_a_clock_that_stepped_is_followed_at_the_next_exchange(step_s, width_s):
    clock = ServerClock()
    clock.observe(10, 10.001, 500_000_000)
    clock.observe(20, 20 + width_s, round((510 + step_s) * 1e6))
    assert clock.local(round((600 + step_s) * 1e6)) == pytest.approx(110, abs=width_s + 2e-3)


def test_a_long_exchange_does_not_blur_what_a_short_one_found():
    clock = ServerClock()
    clock.observe(10, 10.002, 110_001_000)
    known = clock.offset_s
    clock.observe(20, 24, 121_000_000)
    assert clock.offset_s == known == 100.0


def test_instants_go_there_and_back():
    clock = ServerClock()
    clock.observe(10, 10, 1_800_000_000_000_000)
    assert clock.local(1_800_000_001_500_000) == pytest.approx(11.5)
    assert clock.server_s(11.5) == pytest.approx(1_800_000_001.5)


def test_the_clock_that_counts_suspension_goes_on():
    assert 0 < suspended_clock() <= suspended_clock()
