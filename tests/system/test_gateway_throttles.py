"""Each gateway's limit, by its own words for "too fast": kept where it is known, followed where it is not."""

import pytest

from tests.system.gateways import ONE_BY_ONE, ROWS, add_account, agrees, crowd
from tests.system.stack import people

pytestmark = [pytest.mark.system, pytest.mark.alone]

every_gateway = pytest.mark.parametrize("row", ROWS, ids=str)
one_of_each_kind = pytest.mark.parametrize("row", [ROWS[0], ONE_BY_ONE[0]], ids=str)
"""Many messages a call, and one: what is shown is the engine's, the same for every adapter."""


@one_of_each_kind
def test_each_call_is_one_of_the_requests_that_the_account_may_make(stack, row):
    per_second = 4 if row.batch > 1 else 40
    simulator, recipients = stack.simulate("--limit", f"{per_second}/1s"), crowd(row)
    add_account(stack, row, requests=f"{per_second}/second")
    stack.workers(2)
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    stats = simulator.stats()
    assert (done.accepted, done.calls, done.throttled) == (row.rows, row.calls(row.rows), 0)
    assert (stats["throttled"], stats["duplicates"], stats["worst_window"] <= per_second) == (0, 0, True)
    assert (done.calls - 1) / (stats["last_at"] - stats["first_at"]) >= 0.8 * per_second


@every_gateway
def test_a_throttle_pauses_the_account_halves_its_rate_and_costs_nobody(stack, row):
    simulator = stack.simulate("--fault", "429#4", "--fault", "503#6", "--retry-after", "1")
    recipients = people(8 * row.batch)
    # One call at a time: a call that is on the wire while another is throttled would meet the second fault.
    add_account(stack, row, requests="200/second", concurrency=1)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.unconfirmed, done.throttled, done.calls) == (8 * row.batch, 0, 2, 10)
    # Halved twice, from a whole, and on its way back by at most what a finished campaign's last moments give.
    assert 0.25 <= stack.lane().speed <= 0.6
    at = [arrival["at"] for arrival in simulator.arrivals()]
    assert min(at[4] - at[3], at[6] - at[5]) >= 0.5
    assert set(agrees(stack, campaign, recipients)) == {"accepted"}
    assert simulator.stats()["duplicates"] == 0


@one_of_each_kind
def test_a_limit_below_the_ceiling_is_adapted_to_and_nobody_is_lost_or_sent_to_twice(stack, row):
    allowed = 4 if row.batch > 1 else 20
    simulator, recipients = stack.simulate("--limit", f"{allowed}/1s", "--over", "503"), crowd(row)
    add_account(stack, row, requests=f"{2 * allowed}/second")
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished", 40)
    stats = simulator.stats()
    assert done.throttled == stats["throttled"] > 0
    assert done.calls == stats["requests"] == row.calls(row.rows) + done.throttled
    assert done.throttled <= 0.2 * done.calls + 4
    assert set(agrees(stack, campaign, recipients)) == {"accepted"}
    assert stats["duplicates"] == 0
