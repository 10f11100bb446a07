"""An operator's word bites between two batches, and doorbells are only doorbells."""

import time
from datetime import datetime
from itertools import groupby

import pytest

from tests.system.stack import people, wait_for

pytestmark = [pytest.mark.system, pytest.mark.alone]


def instants(simulator):
    return [arrival["at"] for arrival in simulator.arrivals()]


def test_a_pause_bites_within_half_a_second_and_a_resume_goes_on_at_once(stack):
    simulator = stack.simulate("--latency", "100")
    stack.account(requests="40/second")
    stack.worker()
    campaign = stack.enqueue(people(8000))
    wait_for(lambda: simulator.stats()["requests"] >= 20, "under way")
    asked_at = time.time()
    assert stack.pause(campaign) == "paused"
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    paused = stack.standing(campaign)
    assert (paused.state, paused.reason) == ("paused", "paused by the test")
    wait_for(lambda: time.time() > asked_at + 1.5, "a while of silence")
    assert instants(simulator)[-1] <= asked_at + 0.5
    assert stack.standing(campaign).accepted == paused.accepted == simulator.stats()["accepted"]

    resumed_at = time.time()
    assert stack.resume(campaign) == "running"
    wait_for(lambda: instants(simulator)[-1] > resumed_at, "goes on")
    assert min(at for at in instants(simulator) if at > asked_at + 0.5) - resumed_at <= 0.5
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, simulator.stats()["duplicates"]) == (8000, 80, 0)


def test_a_cancelled_campaign_keeps_exact_counts_and_sends_nothing_more(stack):
    simulator = stack.simulate("--latency", "200")
    stack.account(requests="40/second")
    stack.worker()
    campaign = stack.enqueue(people(6000))
    wait_for(lambda: simulator.stats()["requests"] >= 20, "under way")
    asked_at = time.time()
    assert stack.cancel(campaign) == "cancelled"
    cancelled = stack.standing(campaign)
    assert (cancelled.state, cancelled.pending) == ("cancelled", 0)
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    other = stack.enqueue(people(1000, first=6000), id="c2")
    stack.wait_for_state(other, "finished")

    mine = [message for message in simulator.messages() if message["custom_field"].startswith("c1:")]
    done = stack.standing(campaign)
    assert (done.accepted, done.cancelled) == (len(mine), 6000 - len(mine))
    assert (done.rejected, done.unconfirmed, done.calls) == (0, 0, len(mine) // 100)
    assert max(datetime.fromisoformat(message["received_at"]).timestamp() for message in mine) <= asked_at + 0.5
    assert simulator.stats()["duplicates"] == 0
    # A cancelled campaign stays cancelled.
    assert stack.resume(campaign) == "cancelled"


def test_two_campaigns_on_one_account_take_turns(stack):
    simulator = stack.simulate()
    stack.account(requests="5000/second", concurrency=1)
    first = stack.enqueue(people(1000), id="c1")
    second = stack.enqueue(people(1000, first=1000), id="c2")
    stack.worker()
    for campaign in (first, second):
        assert stack.wait_for_state(campaign, "finished").accepted == 1000
    calls = [key for key, _ in groupby(simulator.messages(), lambda message: message["custom_field"])]
    turns = [reference.partition(":")[0] for reference in calls]
    assert turns == ["c1", "c2"] * 10


@pytest.mark.parametrize("task_id", [None, "the-same-message"], ids=["ten-bells", "one-message-ten-times"])
def test_a_doorbell_that_rings_ten_times_changes_nothing(stack, task_id):
    simulator = stack.simulate("--latency", "50")
    stack.account()
    stack.workers(2)
    stack.ring(times=10, task_id=task_id)
    campaign = stack.enqueue(people(2050))
    stack.ring(times=10, task_id=task_id)
    done = stack.wait_for_state(campaign, "finished")
    stack.ring(times=10, task_id=task_id)
    assert (done.accepted, done.calls, done.batches, done.unconfirmed) == (2050, 21, 21, 0)
    stats = simulator.stats()
    assert (stats["requests"], stats["accepted"], stats["distinct"]) == (21, 2050, 2050)
