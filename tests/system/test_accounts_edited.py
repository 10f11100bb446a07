"""The accounts file is edited while workers send by it: they go by what it says now, and nobody is lost or doubled."""

import time
from itertools import pairwise, takewhile

import pytest

from tests.system.stack import Simulator, people, wait_for

pytestmark = pytest.mark.system


@pytest.mark.alone
def test_a_rate_that_is_raised_while_sending_is_used_within_five_seconds(stack):
    simulator = stack.simulate()
    stack.account(requests="2/second")
    stack.workers(2)
    campaign = stack.enqueue(people(3000))
    wait_for(lambda: simulator.stats()["requests"] >= 3, "under way")
    stack.change_account('"2/second"', '"20/second"')
    edited_at = time.time()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, simulator.stats()["duplicates"]) == (3000, 30, 0)
    arrivals = [each["at"] for each in simulator.arrivals()]
    gaps = [after - before for before, after in pairwise(arrivals) if after > edited_at]
    # Calls as far apart as before: so many fall into five seconds.
    assert len(list(takewhile(lambda gap: gap > 0.4, gaps))) <= 5 * 2
    assert max(sum(at <= each < at + 1.0 for each in arrivals) for at in arrivals) <= 20


def test_an_account_that_moves_to_another_place_goes_on_there(stack):
    first = stack.simulate("--latency", "200")
    second = Simulator()
    stack.processes.append(second.process)
    stack.account(requests="20/second", concurrency=8)
    stack.worker()
    campaign = stack.enqueue(people(6000))
    wait_for(lambda: first.stats()["requests"] >= 5, "under way")
    stack.change_account(first.url, second.url)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.unconfirmed, done.calls) == (6000, 0, 60)
    both = [message["to"] for simulator in (first, second) for message in simulator.messages()]
    assert len(both) == len(set(both)) == 6000
    # What was on the wire ends where it began, before anything goes to the other place.
    here, there = ([each["at"] for each in simulator.arrivals()] for simulator in (first, second))
    assert 5 <= len(here) < 60
    assert max(here) < min(there)


def test_an_account_that_is_taken_out_of_the_file_sends_no_more_and_says_so(stack):
    simulator = stack.simulate()
    stack.account(requests="20/second")
    stack.worker()
    campaign = stack.enqueue(people(10_000))
    wait_for(lambda: simulator.stats()["requests"] >= 3, "under way")
    stack.change_account("[accounts.main]", "[accounts.other]")
    reason = wait_for(lambda: (r := stack.standing(campaign).reason) and "has no account main" in r and r, "a reason")
    assert reason.startswith("account main: ")
    standing = stack.standing(campaign)
    assert (standing.state, standing.in_flight) == ("running", 0)
    assert 0 < standing.pending < 10_000
    stack.change_account("[accounts.other]", "[accounts.main]")
    stack.ring()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, simulator.stats()["distinct"], simulator.stats()["duplicates"]) == (10_000, 10_000, 0)


@pytest.mark.timeout(90)
def test_an_account_without_balance_is_tried_every_so_often_and_opens_by_itself(stack):
    simulator = stack.simulate("--balance", "300")
    stack.account(probe_every=10.0, concurrency=1)
    stack.worker()
    campaign = stack.enqueue(people(1000))
    wait_for(lambda: stack.lane().held, "account held")
    lane = stack.lane()
    assert stack.standing(campaign).reason.endswith(f"; tried again at {lane.probe_at:%H:%M} UTC")
    wait_for(lambda: len(simulator.arrivals()) >= 5, "tried again")
    assert stack.lane().held
    simulator.configure(balance=5000)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.rejected, done.unconfirmed) == (1000, 0, 0)
    arrivals = simulator.arrivals()
    # Three batches, the refusal, one probe that is refused, and the one that opens the account for the rest.
    assert [each["status"] for each in arrivals] == [200] * 3 + [403] * 2 + [200] * 7
    refused, tried, opened = (each["at"] for each in arrivals[3:6])
    assert min(tried - refused, opened - tried) >= 10 - 0.1
    assert stack.lane().held == ""
