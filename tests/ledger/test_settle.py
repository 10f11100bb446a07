"""Settle: what became of a batch is written once, by the attempt that holds it or that last held it."""

import pytest

from worker.ledger import keys
from worker.ledger.errors import LedgerBroken
from worker.ledger.outcomes import unpack_outcomes


def test_a_settled_batch_moves_every_counter_and_ends_the_campaign(ledger):
    ledger.lane()
    ledger.campaign(5)
    taken = ledger.take_one()
    assert ledger.settle(taken, "aarua") == "settled"
    assert ledger.counts() == {
        "rows": 5,
        "queued": 5,
        "batches": 1,
        "calls": 1,
        "accepted": 3,
        "rejected": 1,
        "unconfirmed": 1,
    }
    assert ledger.state() == "finished"
    assert ledger.fields(keys.campaign("c"))["finished_at"] == str(ledger.now)
    assert ledger.fields(keys.codes("c")) == {"23010 INVALID": "1"}
    assert ledger.batch()["state"] == "settled"
    outcomes = unpack_outcomes(ledger.redis.get(keys.outcomes("c", 1)))
    assert [type(outcome).__name__ for outcome in outcomes.messages] == [
        *("Accepted", "Accepted", "Rejected", "Unconfirmed", "Accepted"),
    ]
    assert ledger.redis.hlen(keys.lane_attempts("main")) == ledger.redis.zcard(keys.ATTEMPTS) == 0
    assert ledger.redis.zcard(keys.lane_campaigns("main")) == 0
    ledger.lawful()


def test_a_batch_settles_once(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    ledger.settle(taken, "aa")
    before = ledger.counts()
    assert ledger.settle(taken, "rr") == "already"
    assert ledger.counts() == before
    assert ledger.redis.exists(keys.codes("c")) == 0


def test_an_attempt_that_never_held_the_batch_settles_nothing(ledger):
    ledger.lane()
    ledger.campaign(2, 2)
    first = ledger.take_one()
    ledger.back(first)
    second = ledger.next_one()
    assert second.batch == first.batch
    assert ledger.settle(first, "aa") == "gone"
    assert ledger.counts()["in_flight"] == 2
    assert ledger.settle(second, "aa") == "settled"
    ledger.lawful()


def test_a_batch_that_waits_can_not_be_settled(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    ledger.back(taken)
    assert ledger.settle(taken, "aa") == "gone"
    assert ledger.counts()["pending"] == 2


def test_a_late_answer_corrects_what_the_sweep_had_to_call_unconfirmed(ledger):
    ledger.lane()
    ledger.campaign(3)
    taken = ledger.take_one(expiry_s=40)
    ledger.sweep()
    ledger.pass_s(1)
    ledger.sweep()
    expire(ledger, 40)
    assert ledger.counts()["unconfirmed"] == 3
    assert ledger.state() == "finished"
    assert ledger.settle(taken, "ara") == "late"
    assert ledger.counts() == {"rows": 3, "queued": 3, "accepted": 2, "rejected": 1, "calls": 1, "batches": 1}
    assert ledger.state() == "finished"
    ledger.lawful()


def test_a_late_answer_corrects_once(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    expire(ledger, 41)
    assert ledger.settle(taken, "uu", "lost") == "late"
    assert ledger.settle(taken, "aa") == "already"
    assert ledger.counts()["unconfirmed"] == 2
    assert ledger.back(taken) == "gone"
    assert ledger.state() == "finished"


def test_outcomes_that_do_not_fit_the_batch_are_refused_whole(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    with pytest.raises(LedgerBroken, match="counts differ"):
        ledger.settle(taken, "a")
    assert ledger.counts()["in_flight"] == 2
    assert ledger.settle(taken, "aa") == "settled"


def test_a_cancelled_campaign_still_settles_what_is_on_the_wire(ledger):
    ledger.lane()
    ledger.campaign(2, 3)
    taken = ledger.take_one()
    ledger.cancel()
    assert ledger.settle(taken, "ar") == "settled"
    assert ledger.state() == "cancelled"
    assert ledger.counts() == {
        "rows": 5,
        "queued": 5,
        "batches": 2,
        "calls": 1,
        "accepted": 1,
        "rejected": 1,
        "cancelled": 3,
    }
    ledger.lawful()


def test_a_paused_campaign_is_finished_by_its_last_call(ledger):
    ledger.lane()
    ledger.campaign(1)
    taken = ledger.take_one()
    ledger.pause()
    ledger.settle(taken, "a")
    assert ledger.state() == "finished"


def test_a_campaign_with_something_on_the_wire_is_not_finished(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(1, 1)
    first, second = ledger.take(2, lookahead_us=10).taken
    ledger.settle(first, "a")
    assert ledger.state() == "running"
    ledger.settle(second, "a")
    assert ledger.state() == "finished"


def expire(ledger, seconds):
    """Let the time pass with a sweep every second."""
    for _ in range(seconds):
        ledger.pass_s(1)
        ledger.sweep()
