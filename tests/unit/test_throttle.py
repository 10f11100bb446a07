"""Spacing: however late calls go within the tolerance, no window at the gateway sees more than its ceiling."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.throttle import UNHURRIED_PER_SECOND, headroom, spacing_us, tolerance_s

windows = st.sampled_from([1.0, 60.0, 3600.0])
jitters = st.floats(min_value=0, max_value=0.1)


@st.composite
def ceilings(draw):
    """A window and as many calls in it, also fractional, at most so many a second as the promise is given for."""
    window_s = draw(windows)
    calls = draw(st.one_of(st.integers(1, 300), st.floats(0.1, 300)))
    return window_s, calls


@given(ceiling=ceilings(), jitter_s=jitters, data=st.data())
def test_no_window_sees_more_calls_than_its_ceiling_however_late_they_go(ceiling, jitter_s, data):
    window_s, calls = ceiling
    per_second = calls / window_s
    spacing_s = spacing_us(per_second, window_s, jitter_s) / 1e6
    tolerance = tolerance_s(per_second, window_s, jitter_s)
    most = math.ceil(calls)
    # The worst that can be: a call late by all that is allowed to us and to the network, the ones after it on time.
    lateness = st.floats(0, tolerance)
    first, last = data.draw(lateness), data.draw(lateness)
    first_net, last_net = data.draw(lateness), data.draw(lateness)
    assert tolerance >= min(jitter_s, window_s)
    gap_s = most * spacing_s + (last + last_net) - (first + first_net)
    assert gap_s >= window_s * (1 - 1e-9), f"call {most + 1} after the first comes within the window"


@given(data=st.data())
def test_a_simulated_stream_of_calls_keeps_every_sliding_window(data):
    calls, window_s, jitter_s = data.draw(st.integers(1, 20)), 1.0, 0.01
    spacing_s = spacing_us(calls / window_s, window_s, jitter_s) / 1e6
    lateness = st.floats(0, 2 * tolerance_s(calls / window_s, window_s, jitter_s))
    at = sorted(i * spacing_s + data.draw(lateness) for i in range(3 * calls))
    for i, instant in enumerate(at):
        assert sum(instant <= other < instant + window_s * (1 - 1e-9) for other in at[i:]) <= calls


@given(ceiling=ceilings(), jitter_s=jitters)
def test_the_headroom_is_one_percent_or_twice_the_jitter(ceiling, jitter_s):
    window_s, calls = ceiling
    assert headroom(window_s, jitter_s) == max(0.01, 2 * jitter_s / window_s)
    assert spacing_us(calls / window_s, window_s, jitter_s) >= 1e6 * window_s / calls * 1.01 * (1 - 1e-12)


@pytest.mark.parametrize(
    ("per_second", "window_s", "spacing", "tolerance"),
    [
        (50 / 60, 60, 1_212_000, 0.3),
        (30, 1, 34_000, 0.01),
        (0.5, 1, 2_040_000, 0.01),
        (100 / 3600, 3600, 36_360_000, 18),
    ],
)
def test_the_figures_of_common_ceilings(per_second, window_s, spacing, tolerance):
    assert spacing_us(per_second, window_s, 0.01) == pytest.approx(spacing)
    assert tolerance_s(per_second, window_s, 0.01) == pytest.approx(tolerance)


def test_a_ceiling_beyond_reach_lets_a_call_be_late_by_half_its_window():
    assert tolerance_s(UNHURRIED_PER_SECOND + 1, 1, 0.01) == 0.5
    assert tolerance_s(UNHURRIED_PER_SECOND, 1, 0.01) == pytest.approx(0.01)
