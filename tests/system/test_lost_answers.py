"""Answers that are lost in every way: exactly their messages stay unconfirmed, and nobody is messaged twice."""

import pytest

from tests.system.stack import people

pytestmark = pytest.mark.system

TOLD_NOBODY = ["hang", "reset", "refuse", "500", "502", "503", "504"]
TOLD_EVERYBODY = [
    *("hang-accepted", "reset-accepted", "truncated", "garbage"),
    *("500-accepted", "502-accepted", "503-accepted", "504-accepted"),
]


def outcomes_by_batch(stack, campaign):
    """Return the outcomes of each batch's messages, as a set, by the batch's place in the input (all have 100)."""
    record = stack.record(campaign)
    return [{line.outcome for line in record[first : first + 100]} for first in range(0, len(record), 100)]


def test_exactly_the_messages_of_a_lost_answer_are_unconfirmed_and_nobody_is_messaged_twice(stack):
    kinds = [*TOLD_NOBODY, *TOLD_EVERYBODY]
    met = {2 * i: kind for i, kind in enumerate(kinds, start=1)}
    faults = [word for number, kind in met.items() for word in ("--fault", f"{kind}#{number}")]
    simulator = stack.simulate(*faults)
    stack.account(timeout=1.0, retry_503="documented")
    stack.worker()
    calls = 2 * len(kinds) + 2
    campaign = stack.enqueue(people(100 * calls))
    done = stack.wait_for_state(campaign, "finished")

    assert simulator.stats()["faults"] == dict.fromkeys(kinds, 1)
    assert (done.calls, done.rejected, done.throttled) == (calls, 0, 0)
    assert (done.unconfirmed, done.accepted) == (100 * len(kinds), 100 * (calls - len(kinds)))
    stats = simulator.stats()
    assert (stats["requests"], stats["duplicates"]) == (calls, 0)
    assert stats["accepted"] == 100 * (calls - len(TOLD_NOBODY))

    lost = {number for number, kind in met.items() if kind in TOLD_EVERYBODY}
    request_of = {message["to"]: message["request"] for message in simulator.messages()}
    for line in stack.record(campaign):
        confirmed = request_of.get(line.to) not in lost | {None}
        assert line.outcome == ("accepted" if confirmed else "unconfirmed"), line
    assert sorted(map(sorted, outcomes_by_batch(stack, campaign))) == sorted(
        [["unconfirmed"]] * len(kinds) + [["accepted"]] * (calls - len(kinds))
    )


def test_a_slow_answer_within_the_timeout_is_no_lost_answer(stack):
    simulator = stack.simulate("--fault", "slow#1", "--drip", "50")
    stack.account(timeout=3.0)
    stack.worker()
    campaign = stack.enqueue(people(200))
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.unconfirmed, done.calls) == (200, 0, 2)
    assert simulator.stats()["duplicates"] == 0
