"""A campaign that resends: what stayed unconfirmed goes out once more, those people twice and nobody else."""

from collections import defaultdict

import pytest

from tests.system.stack import people, wait_for
from worker.ledger.audit import audit
from worker.ledger.connection import connect

pytestmark = pytest.mark.system

BATCHES = 6
LOST, KILLED = 1, 3
"""The calls, counted from 1, of which the answer is lost and during which the worker is killed; both are accepted."""

EXPIRY_S = 2.0
"""How long an attempt lives here: its call's timeout of a second, and one more."""


def calls_by_batch(stack, everybody):
    """Return the numbers of the calls that brought each batch of the input, the same for all of its people."""
    calls = defaultdict(list)
    for message in stack.simulator.messages():
        calls[message["to"]].append(message["request"])
    assert calls.keys() == set(everybody)
    found = [{tuple(calls[to]) for to in everybody[first : first + 100]} for first in range(0, len(everybody), 100)]
    assert {len(each) for each in found} == {1}
    return [each.pop() for each in found]


def test_a_lost_answer_and_a_kill_are_each_sent_once_more_and_everything_else_once(stack):
    stack.simulate("--fault", f"reset-accepted#{LOST}")
    stack.account(requests="20/second", concurrency=1, timeout=EXPIRY_S / 2)
    mark = stack.directory / "mark"
    stack.workers(
        2, app="tests.system.breaking", BREAK_AT="after the request", BREAK_PASSING=str(KILLED), BREAK_WITH="KILL",
        BREAK_MARK=str(mark), BREAK_MARGIN_S=str(EXPIRY_S / 2),
    )  # fmt: skip
    recipients = people(100 * BATCHES)
    campaign = stack.enqueue(recipients, on_unconfirmed="resend")
    wait_for(mark.exists, "a worker is killed with a batch on the wire")

    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.unconfirmed, done.calls) == (100 * BATCHES, 0, BATCHES + 2)
    calls = calls_by_batch(stack, [person["to"] for person in recipients])
    again = dict(each for each in calls if len(each) > 1)
    assert again.keys() == {LOST, KILLED}
    assert sorted(number for each in calls for number in each) == list(range(1, BATCHES + 3))
    at = {arrival["number"]: arrival["at"] for arrival in stack.simulator.arrivals()}
    assert at[again[KILLED]] - at[KILLED] > 2 * EXPIRY_S

    with connect(stack.redis_url) as client:
        assert audit(client, campaign) == ()
    record = stack.record(campaign)
    assert [line.attempts for line in record] == [len(each) for each in calls for _ in range(100)]
