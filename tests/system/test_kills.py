"""`kill -9` and SIGSTOP of a worker at each point of a batch's way, with a second worker beside it."""

import os
import random
import signal
import time

import psutil
import pytest

from tests.system.stack import people, wait_for

pytestmark = pytest.mark.system

BATCHES = 12
PASSING = 4
"""The worker breaks at the fourth passing: in the middle of the campaign."""

SERVED_AGAIN_S = 7.0
SECONDS = float(os.environ.get("BULKSEND_TEST_SECONDS", "20"))


class Break:
    """Two workers of which the one that serves the lane breaks at a point; `margin_s` as in `tests.system.breaking`."""

    def __init__(self, stack, at: str, with_: str, margin_s: float, passing: int = PASSING) -> None:
        self.mark = stack.directory / "mark"
        self.workers = [
            stack.worker(
                app="tests.system.breaking", BREAK_AT=at, BREAK_WITH=with_, BREAK_PASSING=str(passing),
                BREAK_MARK=str(self.mark), BREAK_MARGIN_S=str(margin_s),
            )
            for _ in range(2)
        ]  # fmt: skip

    def happened(self) -> tuple[int, float]:
        """Wait for it; return the process and the instant (seconds since the epoch)."""
        wait_for(self.mark.exists, "a worker breaks")
        pid, at = self.mark.read_text().split()
        wait_for(lambda: psutil.Process(int(pid)).status() in {"zombie", "stopped"}, "the signal has its effect")
        return int(pid), float(at)


def sent_once(stack, campaign_id) -> set[str]:
    """Return who got a message, after making sure that nobody got two."""
    messages = stack.simulator.messages()
    numbers = {message["to"] for message in messages}
    assert len(numbers) == len(messages) == stack.simulator.stats()["accepted"]
    return numbers


def served_again_after(stack, broke_at: float) -> float:
    """Return how long after the break the gateway saw the next request."""
    later = [request["at"] for request in stack.simulator.get("requests") if request["at"] > broke_at + 0.2]
    assert later, "no request after the break"
    return later[0] - broke_at


POINTS = {
    # point: batches that end unconfirmed, of which so many were accepted by the gateway
    "before the take": (0, 0),
    "after the take": (1, 0),
    "after the request": (1, 1),
    "after the answer": (1, 1),
    "before the settling": (1, 1),
    "after the settling": (0, 0),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_anywhere_costs_at_most_the_batch_it_held_and_doubles_nobody(stack, point):
    unconfirmed, of_them_sent = (100 * batches for batches in POINTS[point])
    stack.simulate("--latency", "50")
    stack.account(requests="20/second", concurrency=1, timeout=2.0)
    broken = Break(stack, point, "KILL", margin_s=1.0)
    campaign = stack.enqueue(people(100 * BATCHES))
    _, broke_at = broken.happened()

    standing = stack.wait_for_state(campaign, "finished")
    assert (standing.unconfirmed, standing.accepted) == (unconfirmed, 100 * BATCHES - unconfirmed)
    assert len(sent_once(stack, campaign)) == 100 * BATCHES - unconfirmed + of_them_sent
    assert served_again_after(stack, broke_at) < SERVED_AGAIN_S


STOPS = {
    # point: batches that are unconfirmed while the worker sleeps
    "before the take": 0,
    "after the take": 1,
    "after the request": 1,
    "after the answer": 1,
    "before the settling": 1,
    "after the settling": 0,
}


@pytest.mark.parametrize("point", STOPS)
def test_a_worker_that_slept_past_its_expiry_corrects_its_batch_and_doubles_nobody(stack, point):
    unconfirmed = 100 * STOPS[point]
    stack.simulate("--latency", "50")
    stack.account(requests="20/second", concurrency=1, timeout=60.0)
    broken = Break(stack, point, "STOP", margin_s=-57.0)
    campaign = stack.enqueue(people(100 * BATCHES))
    pid, broke_at = broken.happened()

    standing = stack.wait_for_state(campaign, "finished")
    assert (standing.unconfirmed, standing.accepted) == (unconfirmed, 100 * BATCHES - unconfirmed)
    assert served_again_after(stack, broke_at) < SERVED_AGAIN_S

    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: stack.standing(campaign).accepted == 100 * BATCHES, "its own word corrects the batch")
    standing = stack.wait_for_state(campaign, "finished")
    assert (standing.unconfirmed, standing.accepted) == (0, 100 * BATCHES)
    assert len(sent_once(stack, campaign)) == 100 * BATCHES


def test_a_worker_killed_before_it_gives_back_a_refused_batch_leaves_it_unconfirmed(stack):
    stack.simulate("--latency", "50", "--fault", "429#4", "--retry-after", "1")
    stack.account(requests="20/second", concurrency=1, timeout=2.0)
    broken = Break(stack, "before the giving back", "KILL", margin_s=1.0, passing=1)
    campaign = stack.enqueue(people(100 * BATCHES))
    broken.happened()

    standing = stack.wait_for_state(campaign, "finished")
    assert (standing.unconfirmed, standing.accepted) == (100, 100 * (BATCHES - 1))
    assert len(sent_once(stack, campaign)) == 100 * (BATCHES - 1)


def test_a_worker_that_slept_before_it_gave_back_a_refused_batch_puts_it_back_to_pending(stack):
    stack.simulate("--latency", "50", "--fault", "429#4", "--retry-after", "1")
    stack.account(requests="20/second", concurrency=1, timeout=60.0)
    broken = Break(stack, "before the giving back", "STOP", margin_s=-57.0, passing=1)
    campaign = stack.enqueue(people(100 * BATCHES))
    pid, _ = broken.happened()
    assert stack.wait_for_state(campaign, "finished").unconfirmed == 100

    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: stack.standing(campaign).accepted == 100 * BATCHES, "the batch is sent after all")
    assert len(sent_once(stack, campaign)) == 100 * BATCHES


@pytest.mark.timeout(60 + 4 * SECONDS)
def test_workers_killed_at_random_double_nobody_and_lose_nobody(stack):
    draw = random.Random(7)
    total = int(100 * 50 * SECONDS * 0.6)
    stack.simulate("--latency", "100")
    stack.account(requests="50/second", concurrency=8, timeout=1.0)
    campaign = stack.enqueue(people(total))
    workers = [stack.worker(), stack.worker()]
    for _ in range(int(SECONDS / 4)):
        until = time.monotonic() + draw.uniform(0.2, 1.2)
        wait_for(lambda until=until: time.monotonic() > until, "the instant of the next kill")
        victim = draw.randrange(2)
        workers[victim].kill()
        workers[victim].wait()
        workers[victim] = stack.worker()
        stack.standing(campaign)

    standing = stack.wait_for_state(campaign, "finished", SECONDS + 40)
    sent = len(sent_once(stack, campaign))
    assert standing.queued == total == standing.accepted + standing.unconfirmed
    assert standing.accepted <= sent <= total
