"""The account's rate holds for all workers together, and follows what the gateway says."""

import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.system.stack import people, wait_for

pytestmark = [pytest.mark.system, pytest.mark.alone]


def test_two_workers_use_the_rate_and_never_exceed_a_strict_window(stack):
    simulator = stack.simulate("--limit", "10/1s")
    stack.account(requests="10/second")
    stack.workers(2)
    campaign = stack.enqueue(people(12_000))
    done = stack.wait_for_state(campaign, "finished")
    stats = simulator.stats()
    assert (done.accepted, done.calls, done.throttled) == (12_000, 120, 0)
    assert (stats["throttled"], stats["duplicates"], stats["worst_window"]) == (0, 0, 10)
    assert 119 / (stats["last_at"] - stats["first_at"]) >= 0.95 * 10


@pytest.mark.timeout(90)
def test_a_gateway_that_allows_half_of_the_ceiling_is_adapted_to(stack):
    simulator = stack.simulate("--limit", "10/1s")
    stack.account(requests="20/second")
    stack.workers(2)
    campaign = stack.enqueue(people(15_000))
    done = stack.wait_for_state(campaign, "finished", 60)
    stats = simulator.stats()
    assert (done.accepted, stats["accepted"], stats["duplicates"]) == (15_000, 15_000, 0)
    assert done.throttled == stats["throttled"] > 0
    assert done.calls == stats["requests"] == 150 + done.throttled
    assert done.throttled <= 0.04 * done.calls
    assert 150 / (stats["last_at"] - stats["first_at"]) >= 0.5 * 10


def test_a_worker_that_was_stopped_for_a_moment_loses_its_slots_of_that_moment_and_no_more(stack):
    simulator = stack.simulate("--limit", "40/1s", "--latency", "100")
    stack.account(requests="40/second")
    worker = stack.worker()
    campaign = stack.enqueue(people(8000))
    wait_for(lambda: simulator.stats()["requests"] >= 20, "under way")
    stopped_at = time.monotonic()
    worker.send_signal(signal.SIGSTOP)
    wait_for(lambda: time.monotonic() > stopped_at + 0.5, "a moment")
    worker.send_signal(signal.SIGCONT)
    done = stack.wait_for_state(campaign, "finished")
    stats = simulator.stats()
    assert (done.accepted, done.calls, stats["duplicates"], stats["throttled"]) == (8000, 80, 0, 0)
    assert stats["last_at"] - stats["first_at"] <= 80 / 40 + 0.5 + 1.0


def quiet_after(simulator, number):
    """Return how long (s) nothing arrived after the request `number` was refused."""
    arrivals = simulator.arrivals()
    gaps = [after["at"] - before["at"] for before, after in pairwise(arrivals) if before["number"] >= number]
    return gaps[0]


@pytest.mark.parametrize("options", [("429#5", "--retry-after-date"), ("503#5",)], ids=["429-date", "503-seconds"])
def test_no_worker_calls_before_retry_after_has_passed(stack, options):
    simulator = stack.simulate("--retry-after", "2", "--fault", *options)
    stack.account(requests="40/second")
    stack.workers(2)
    campaign = stack.enqueue(people(1000))
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, done.throttled, done.unconfirmed) == (1000, 11, 1, 0)
    assert simulator.stats()["duplicates"] == 0
    assert 2.0 <= quiet_after(simulator, 5) <= 4.0


def test_a_very_long_retry_after_is_shown_and_ended_by_opening_the_account(stack):
    simulator = stack.simulate("--fault", "429#1", "--retry-after", "7200")
    stack.account(requests="20/second")
    stack.worker()
    campaign = stack.enqueue(people(500))
    lane = wait_for(lambda: (lane := stack.lane()).paused_until and lane, "paused")
    assert timedelta(minutes=119) < lane.paused_until - datetime.now(UTC) <= timedelta(minutes=120)
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    standing = stack.standing(campaign)
    until = lane.paused_until.isoformat(timespec="seconds")
    assert (standing.state, standing.throttled) == ("running", 1)
    assert standing.reason.startswith(f"account main pauses until {until}: too many calls (429/40402)")

    stack.open()
    done = stack.wait_for_state(campaign, "finished", 10)
    assert (done.accepted, done.throttled, simulator.stats()["duplicates"]) == (500, 1, 0)
