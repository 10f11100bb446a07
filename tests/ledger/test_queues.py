"""How busy lanes are: the campaigns that wait in them, with what waits."""

import pytest

from worker.ledger.queues import Waiting, waiting_in


def waiting(campaign="c", accounts=("main",), priority="normal", messages=5, batches=2):
    return Waiting(campaign=campaign, accounts=accounts, priority=priority, messages=messages, batches=batches)


def test_a_lane_in_which_nothing_waits_is_not_busy(ledger):
    assert waiting_in(ledger.redis, ["main"]) == ()


@pytest.mark.parametrize("priority", ["high", "normal", "low"])
def test_a_campaign_that_may_be_sent_is_told_with_its_pending_batches(ledger, priority):
    ledger.campaign(2, 3, priority=priority)
    assert waiting_in(ledger.redis, ["main"]) == (waiting(priority=priority),)
    ledger.lane()
    ledger.take_one()
    assert waiting_in(ledger.redis, ["main"]) == (waiting(priority=priority, messages=3, batches=1),)


def test_one_that_waits_in_two_lanes_is_told_once(ledger):
    ledger.campaign(2, 3, accounts=("main", "spare"))
    ledger.campaign(1, name="d", accounts=("spare",))
    ledger.campaign(1, name="e", accounts=("other",))
    both = waiting(accounts=("main", "spare"))
    assert waiting_in(ledger.redis, ["main"]) == (both,)
    assert set(waiting_in(ledger.redis, ["main", "spare"])) == {
        both, waiting("d", accounts=("spare",), messages=1, batches=1),
    }  # fmt: skip


def test_one_that_may_not_be_sent_now_waits_in_no_lane(ledger):
    ledger.campaign(1, name="held", hold="by hand")
    ledger.campaign(1, name="closed", hours=(100, 200))
    ledger.campaign(1, name="later", starts_at=ledger.now + 10_000_000)
    assert waiting_in(ledger.redis, ["main"]) == ()
