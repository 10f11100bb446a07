"""Who goes next on a shared account, and what becomes of a pool's campaign when one of its accounts will not do."""

from collections import Counter

import pytest

from worker.ledger.reading import standings
from worker.ledger.taking import Batches, Stop


@pytest.fixture
def lane(ledger):
    ledger.lane(call_us=1000, concurrency=1000)
    return ledger


def next_names(ledger, count):
    """The campaigns whose batches go next, each settled at once."""
    names = []
    for _ in range(count):
        taken = ledger.next_one()
        ledger.settle(taken, "a")
        names.append(taken.campaign)
    return names


def test_campaigns_of_one_priority_take_turns_batch_by_batch(lane):
    for name in "ab":
        lane.campaign(*[1] * 3, name=name)
    assert next_names(lane, 6) == ["a", "b"] * 3


def test_the_higher_priority_goes_first_whenever_it_comes(lane):
    lane.campaign(*[1] * 50, name="bulk")
    lane.campaign(*[1] * 50, name="low", priority="low")
    next_names(lane, 5)
    lane.campaign(1, 1, name="urgent", priority="high")
    assert next_names(lane, 3) == ["urgent", "urgent", "bulk"]


def test_a_low_one_is_not_starved_for_ever(lane):
    lane.campaign(1, name="low", priority="low")
    lane.campaign(*[1] * 1200, name="bulk")
    assert next_names(lane, 1201).index("low") < 1000


def test_a_normal_one_gets_its_turn_behind_many_high_ones(lane):
    lane.campaign(1, name="normal")
    lane.campaign(*[1] * 200, name="high", priority="high")
    assert Counter(next_names(lane, 150))["normal"] == 1


@pytest.mark.parametrize("priority", ["normal", "low"])
def test_a_high_one_does_not_wait_for_turns_of_many_lower_ones(lane, priority):
    for number in range(120):
        lane.campaign(*[1] * 3, name=f"c{number}", priority=priority)
    next_names(lane, 240)
    lane.campaign(1, name="urgent", priority="high")
    assert "urgent" in next_names(lane, 2)


def test_a_pool_uses_all_of_its_accounts(lane):
    lane.lane("spare", call_us=1000)
    lane.campaign(1, 1, accounts=("main", "spare"))
    assert {lane.take_one(account=account).batch for account in ("main", "spare")} == {1, 2}


def test_a_held_accounts_share_goes_to_the_others(lane):
    lane.lane("spare", call_us=1000)
    lane.campaign(1, 1, accounts=("main", "spare"))
    lane.hold()
    assert isinstance(lane.take(), Stop)
    for _ in range(2):
        lane.settle(lane.next_one(account="spare"), "a", account="spare")
    assert lane.state() == "finished"


def test_a_campaign_leaves_an_account_that_will_not_do_and_goes_on_with_another(lane):
    lane.lane("spare", call_us=1000)
    lane.campaign(1, 1, accounts=("main", "spare"))
    lane.back(lane.next_one(), "ok", pause_campaign="no sender id", only_here=True)
    assert lane.state() == "running"
    lane.pass_s(1)
    assert isinstance(lane.take(), Stop)
    assert isinstance(lane.take(account="spare"), Batches)


def test_a_campaign_with_no_account_left_pauses_and_a_resume_puts_all_back(lane):
    lane.lane("spare", call_us=1000)
    lane.campaign(1, 1, accounts=("main", "spare"))
    for account in ("main", "spare"):
        lane.back(lane.next_one(account=account), "ok", pause_campaign="no sender id", only_here=True, account=account)
    assert lane.state() == "paused"
    assert standings(lane.redis, ["c"])[0].reason == "no sender id"
    lane.resume()
    lane.pass_s(1)
    assert isinstance(lane.take(account="main"), Batches)
    assert isinstance(lane.take(account="spare"), Batches)


def test_a_resume_puts_accounts_back_also_where_the_campaign_goes_on_with_another(lane):
    lane.lane("spare", call_us=1000)
    lane.campaign(1, 1, 1, accounts=("main", "spare"))
    first, second = lane.take(2, lookahead_us=2000).taken
    lane.back(first, "ok", pause_campaign="no sender id", only_here=True)
    lane.pass_s(1)
    assert isinstance(lane.take(), Stop)
    assert lane.resume() == "running"
    lane.back(second, "ok", pause_campaign="no sender id", only_here=True)  # from before the resume
    lane.pass_s(1)
    assert isinstance(lane.take(), Batches)


@pytest.fixture
def probed(lane):
    """An account without balance, held, that is to be tried each 600 s."""
    lane.campaign(1, 1, 1)
    lane.back(lane.next_one(), "hold", "no balance", pause_s=600)
    return lane


def test_a_hold_that_may_pass_is_probed_with_one_batch(probed):
    assert isinstance(probed.take(), Stop)
    assert probed.due() == 600
    probed.pass_s(600)
    turn = probed.take(3, lookahead_us=10_000_000)
    assert len(turn.taken) == 1
    assert isinstance(probed.take(), Stop)
    assert probed.due() == 600


def test_a_probe_that_fails_keeps_the_account_held(probed):
    probed.pass_s(600)
    probed.back(probed.take_one(), "hold", "no balance", pause_s=600)
    assert probed.lane_field("state") == "held"
    probed.pass_s(599)
    assert isinstance(probed.take(), Stop)
    probed.pass_s(1)
    assert isinstance(probed.take(), Batches)


def test_a_probe_that_is_throttled_puts_the_next_one_off_and_nobody_is_rung_for_meanwhile(probed):
    probed.pass_s(600)
    probed.back(probed.take_one(), "throttled", "too fast", pause_s=3600)
    probed.pass_s(1000)
    assert isinstance(probed.take(), Stop)
    probed.sweep()
    assert probed.ring("other").accounts == ()
    assert probed.due() == 2600


def test_a_probe_that_finds_another_reason_tells_it_and_follows_it(probed):
    probed.pass_s(600)
    probed.back(probed.take_one(), "hold", "the account is closed")
    assert probed.lane_field("reason") == "the account is closed"
    probed.pass_s(601)
    assert isinstance(probed.take(), Stop)
    assert probed.due() is None


def test_a_probe_that_passes_opens_the_account(probed):
    probed.pass_s(600)
    probed.settle(probed.take_one(), "a")
    assert probed.lane_field("state") == "open"
    assert next_names(probed, 2) == ["c", "c"]


def test_an_answer_from_before_the_hold_does_not_open_the_account(lane):
    lane.campaign(1, 1)
    before = lane.next_one()
    refused = lane.next_one()
    lane.pass_s(1)
    lane.back(refused, "hold", "no balance", pause_s=600)
    lane.settle(before, "a")
    assert lane.lane_field("state") == "held"


@pytest.mark.parametrize("how", ["by the gateway for good", "by an operator"])
def test_other_holds_are_not_probed(lane, how):
    lane.campaign(1, 1)
    if how == "by an operator":
        lane.hold()
    else:
        lane.back(lane.next_one(), "hold", "wrong token")
    lane.pass_s(100_000)
    assert isinstance(lane.take(), Stop)
    assert lane.due() is None


def test_an_operators_hold_ends_the_probing(probed):
    probed.hold(reason="by hand")
    probed.pass_s(1000)
    assert isinstance(probed.take(), Stop)


def test_a_stepped_clock_does_not_put_a_probe_off(probed):
    probed.take()
    probed.now -= 7200 * 1_000_000
    probed.lane(call_us=1000)
    probed.pass_s(601)
    probed.sweep()
    probed.pass_s(1)
    probed.sweep()
    assert probed.due() <= 600
