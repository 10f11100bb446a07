"""SIGTERM: what is on the wire is settled, the rest is left to others, and the process ends in time whatever hangs."""

import signal
import time

import pytest

from tests.system.stack import people, wait_for

pytestmark = pytest.mark.system

TIMEOUT_S = 3.0
DEADLINE_S = TIMEOUT_S + 5.0


def terminated(process) -> float:
    """Send SIGTERM and wait for the end, which must be clean; return how long it took."""
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(30) == 0
    return time.monotonic() - began


def test_a_terminated_worker_settles_every_call_on_the_wire_and_the_other_goes_on_at_once(stack):
    simulator = stack.simulate("--latency", "1500")
    stack.account(requests="20/second", timeout=TIMEOUT_S)
    first = stack.worker()
    campaign = stack.enqueue(people(4000))
    wait_for(lambda: simulator.stats()["concurrent"] == 8, "eight calls are on the wire")
    stack.worker()
    wait_for(lambda: simulator.stats()["concurrent"] == 8, "eight calls are on the wire")
    took = terminated(first)
    left_at = time.time()
    assert took < DEADLINE_S

    done = stack.wait_for_state(campaign, "finished", 40)
    assert (done.accepted, done.unconfirmed, done.calls) == (4000, 0, 40)
    stats = simulator.stats()
    assert (stats["accepted"], stats["duplicates"], stats["requests"]) == (4000, 0, 40)
    others = [request["at"] for request in simulator.get("requests") if request["at"] > left_at]
    assert others[0] - left_at < 3.0


def test_a_worker_ends_in_time_while_redis_is_away(stack):
    simulator = stack.simulate("--latency", "500")
    stack.account(requests="20/second", timeout=TIMEOUT_S)
    worker = stack.worker()
    campaign = stack.enqueue(people(4000))
    wait_for(lambda: simulator.stats()["concurrent"] > 0, "a call is on the wire")
    stack.server.kill()
    assert terminated(worker) < DEADLINE_S + 2.0

    stack.server.start()
    stack.worker()
    done = stack.wait_for_state(campaign, "finished", 50)
    assert done.accepted + done.unconfirmed == 4000
    assert done.unconfirmed <= 800
    assert simulator.stats()["duplicates"] == 0
    assert simulator.stats()["accepted"] >= done.accepted


def test_a_worker_ends_in_time_while_the_gateway_hangs(stack):
    simulator = stack.simulate("--fault", "hang:1")
    stack.account(requests="20/second", concurrency=2, timeout=TIMEOUT_S)
    worker = stack.worker()
    campaign = stack.enqueue(people(1000))
    wait_for(lambda: simulator.stats()["concurrent"] == 2, "two calls hang")
    assert terminated(worker) < DEADLINE_S

    standing = stack.standing(campaign)
    assert (standing.in_flight, standing.unconfirmed, standing.pending) == (0, 200, 800)
