"""A message that the gateway will not have is found and rejected alone; whoever shared its batch is sent to, once."""

import random

import pytest

from tests.system.stack import people, wait_for
from worker.ledger import keys
from worker.ledger.audit import audit
from worker.ledger.connection import connect
from worker.ledger.settling import REFUSED_LIMIT

pytestmark = pytest.mark.system

POISON = "[[poison]]"
CODE = "40202"


def poisoned(count, bad):
    """Return recipients of whom those at the positions of `bad` make their whole call be refused."""
    recipients = people(count)
    for position in bad:
        recipients[position]["name"] = POISON
    return recipients


def outcomes(stack, campaign):
    """Return the positions by outcome, after holding audit, report and gateway against each other."""
    with connect(stack.redis_url) as client:
        assert audit(client, campaign) == ()
    record = stack.record(campaign)
    assert [line.row for line in record] == list(range(1, len(record) + 1))
    sent = stack.simulator.messages()
    assert len({message["to"] for message in sent}) == len(sent)
    assert not any(POISON in message["body"] for message in sent)
    found = {}
    for position, line in enumerate(record):
        found.setdefault(line.outcome, set()).add(position)
    got = {message["to"] for message in sent}
    assert {record[position].to for position in found.get("accepted", ())} <= got
    assert got <= {record[position].to for each in ("accepted", "unconfirmed") for position in found.get(each, ())}
    return found


def still(stack, campaign, state):
    """Wait until the campaign is in the state with nothing on the wire; return its standing."""
    wait_for(lambda: (s := stack.standing(campaign)).state == state and s.in_flight == 0, f"{campaign} {state}")
    return stack.standing(campaign)


def ends(stack, campaign):
    """Wait until the campaign is finished or paused; say whether it is finished."""
    return wait_for(lambda: (s := stack.standing(campaign).state) in {"paused", "finished"} and s, "rest") == "finished"


def test_one_bad_message_in_three_hundred_costs_at_most_16_calls_and_nobody_else(stack):
    bad = 150
    stack.simulate()
    stack.account()
    stack.worker()
    campaign = stack.enqueue(poisoned(300, [bad]))
    done = stack.wait_for_state(campaign, "finished")
    assert outcomes(stack, campaign) == {"accepted": set(range(300)) - {bad}, "rejected": {bad}}
    assert done.calls == stack.simulator.stats()["requests"] <= 3 + 16
    line = stack.record(campaign)[bad]
    assert (line.code, line.gateway_id, line.attempts) == (CODE, None, 1)
    assert "Message body is invalid" in line.reason
    assert done.codes == {f"{CODE} {line.reason}": 1}


@pytest.mark.parametrize("bad", [range(120, 130), range(105, 200, 10)], ids=["together", "apart"])
def test_ten_bad_messages_in_one_batch_are_each_rejected_alone(stack, bad):
    stack.simulate()
    stack.account()
    stack.worker()
    campaign = stack.enqueue(poisoned(300, bad))
    stack.wait_for_state(campaign, "finished")
    assert outcomes(stack, campaign) == {"accepted": set(range(300)) - set(bad), "rejected": set(bad)}
    assert {line.batch for line in stack.record(campaign)[200:]} == {3}


def test_a_batch_that_is_bad_throughout_pauses_the_campaign_and_each_resume_tries_twenty_calls_more(stack):
    stack.simulate()
    stack.account(requests="1000/second", concurrency=1)
    stack.worker()
    bad = set(range(200, 300))
    campaign = stack.enqueue(poisoned(300, bad))
    calls, rejected = 2, set()
    while not ends(stack, campaign):
        paused = still(stack, campaign, "paused")
        assert f"20 calls in a row were refused, the last: {CODE}" in paused.reason
        calls += REFUSED_LIMIT
        assert paused.calls == calls
        found = outcomes(stack, campaign)
        assert found["accepted"] == set(range(200))
        assert rejected <= found.get("rejected", set())
        rejected = found.get("rejected", set())
        assert rejected | found["pending"] == bad
        assert stack.resume(campaign) == "running"
    # 199 calls divide a hundred messages into ones.
    assert stack.standing(campaign).calls == 2 + 199
    assert outcomes(stack, campaign) == {"accepted": set(range(200)), "rejected": bad}


def test_a_campaign_of_one_bad_message_rejects_it(stack):
    stack.simulate()
    stack.account()
    stack.worker()
    campaign = stack.enqueue(poisoned(1, [0]))
    done = stack.wait_for_state(campaign, "finished")
    assert outcomes(stack, campaign) == {"rejected": {0}}
    assert (done.calls, list(done.codes.values())) == (1, [1])


def test_a_campaign_whose_every_message_is_bad_is_paused_and_burns_nobody(stack):
    stack.simulate()
    stack.account(concurrency=1)
    stack.worker()
    campaign = stack.enqueue(poisoned(3, range(3)))
    for calls in (REFUSED_LIMIT, 2 * REFUSED_LIMIT):
        paused = still(stack, campaign, "paused")
        assert (paused.calls, paused.pending, paused.rejected) == (calls, 3, 0)
        assert outcomes(stack, campaign) == {"pending": {0, 1, 2}}
        assert stack.resume(campaign) == "running"
        wait_for(lambda calls=calls: stack.standing(campaign).calls > calls, "goes on")


def test_batches_without_one_valid_number_are_rejected_and_twenty_of_them_pause_the_campaign(stack):
    stack.simulate()
    stack.account(requests="1000/second", concurrency=1)
    stack.worker()
    # Landlines: numbers to us, none to the gateway.
    total = 100 * (REFUSED_LIMIT + 3)
    campaign = stack.enqueue([{"to": f"+91112000{i:04d}", "name": f"P{i}"} for i in range(total)])
    paused = still(stack, campaign, "paused")
    assert "20 calls in a row were refused, the last: 40203" in paused.reason
    assert (paused.calls, paused.batches) == (REFUSED_LIMIT, REFUSED_LIMIT + 3)
    assert outcomes(stack, campaign) == {
        "rejected": set(range(100 * REFUSED_LIMIT)), "pending": set(range(100 * REFUSED_LIMIT, total))
    }  # fmt: skip
    assert {line.code for line in stack.record(campaign)[: 100 * REFUSED_LIMIT]} == {"40203"}
    stack.resume(campaign)
    assert stack.wait_for_state(campaign, "finished").rejected == total
    assert stack.standing(campaign).calls == REFUSED_LIMIT + 3


def serving_process(stack):
    """Return the process that has the lane's seat, once there is one that has not been killed."""
    with connect(stack.redis_url) as client:
        owners = [owner.decode() for owner in client.zrange(keys.seats("main"), 0, -1)]
    pids = [int(owner.split("-")[-2]) for owner in owners]
    return next((process for process in stack.processes if process.pid in pids and process.poll() is None), None)


def test_workers_killed_while_batches_are_divided_double_nobody_and_reject_nobody_else(stack):
    draw = random.Random(11)
    stack.simulate("--latency", "50")
    stack.account(requests="40/second", concurrency=4, timeout=1.0)
    bad = set(range(7, 1000, 90))
    # No breaking: only attempts that expire a second after their call, so that the end need not be waited for.
    breaking = {"BREAK_AT": "nowhere", "BREAK_PASSING": "1", "BREAK_WITH": "KILL", "BREAK_MARGIN_S": "1.0"}
    stack.workers(3, app="tests.system.breaking", BREAK_MARK=str(stack.directory / "mark"), **breaking)
    campaign = stack.enqueue(poisoned(1000, bad))
    for _ in range(2):
        serving = wait_for(lambda: serving_process(stack), "the lane is served")
        divided, more = stack.standing(campaign).calls, draw.randrange(10, 30)
        wait_for(lambda least=divided + more: stack.standing(campaign).calls >= least, "divides")
        serving.kill()
        serving.wait()
        assert stack.standing(campaign).state == "running"

    stack.wait_for_state(campaign, "finished")
    found = outcomes(stack, campaign)
    assert found["rejected"] <= bad <= found["rejected"] | found.get("unconfirmed", set())
    assert found.keys() <= {"accepted", "rejected", "unconfirmed"}
