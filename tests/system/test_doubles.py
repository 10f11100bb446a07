"""Celery may deliver a message again and again: a doorbell rung twice rings for nothing new."""

import threading

import pytest

from tests.system.stack import people, wait_for
from worker.ledger.connection import connect

pytestmark = pytest.mark.system

QUEUE = "bulksend"


def test_nobody_is_sent_to_twice_when_each_doorbell_comes_again_and_again(stack):
    simulator = stack.simulate("--latency", "50")
    stack.account(requests="50/second", concurrency=8)
    campaign = stack.enqueue(people(10_000))
    stopped = threading.Event()
    with connect(stack.redis_url) as client:
        bells = wait_for(lambda: client.lrange(QUEUE, 0, -1), "the enqueue has rung")

    def ring_again() -> None:
        with connect(stack.redis_url) as client:
            while not stopped.wait(0.05):
                client.lpush(QUEUE, *bells, *bells)

    ringing = threading.Thread(target=ring_again)
    ringing.start()
    try:
        for _ in range(3):
            stack.worker()
        done = stack.wait_for_state(campaign, "finished", 40)
    finally:
        stopped.set()
        ringing.join()

    stats = simulator.stats()
    assert (done.accepted, done.unconfirmed) == (10_000, 0)
    assert (stats["accepted"], stats["distinct"], stats["duplicates"]) == (10_000, 10_000, 0)
