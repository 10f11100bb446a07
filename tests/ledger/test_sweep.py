"""The sweep: what dead workers held ends as unconfirmed, and no lane is thought to pause longer than it does."""

import pytest

from worker.ledger import keys
from worker.ledger.sweeping import AT_ONCE, Swept

S = 1_000_000


def sweep_for(ledger, seconds, owner="w"):
    """Sweep every second for so long, ending with a sweep."""
    for _ in range(seconds):
        ledger.pass_s(1)
        ledger.sweep(owner)


@pytest.fixture
def held(ledger):
    """One batch of three on the wire, taken by a process that will say nothing."""
    ledger.lane()
    ledger.campaign(3)
    ledger.sweep()
    ledger.taken = ledger.take_one(expiry_s=40)
    return ledger


def test_an_attempt_ends_as_unconfirmed_when_it_expires_and_not_before(held):
    sweep_for(held, 39)
    assert held.counts()["in_flight"] == 3
    held.pass_s(1)
    assert held.sweep().expired == 1
    assert held.counts() == {"rows": 3, "queued": 3, "unconfirmed": 3, "calls": 1, "batches": 1}
    assert held.state() == "finished"
    assert (held.batch()["state"], held.batch()["expired"]) == ("settled", "1")
    assert held.redis.zcard(keys.ATTEMPTS) == held.redis.hlen(keys.lane_attempts("main")) == 0
    assert held.queue() == [], "a sweep never makes pending"
    held.lawful()


def test_an_attempt_of_a_cancelled_campaign_expires_as_unconfirmed(held):
    held.cancel()
    sweep_for(held, 40)
    assert held.counts()["unconfirmed"] == 3
    assert held.state() == "cancelled"
    held.lawful()


def test_one_sweep_a_second_passes_whoever_asks(held):
    sweep_for(held, 39, "one")
    held.pass_s(0.5)
    held.redis.zadd(keys.ATTEMPTS, {f"main {held.taken.attempt}": held.now})
    assert held.sweep("two") == Swept(expired=0, resends=(), hours=(), reports=0)
    held.pass_s(0.5)
    assert held.sweep("two") == Swept(expired=1, resends=(), hours=(), reports=0)


def test_who_only_offers_to_sweep_is_counted_as_live_all_the_same(ledger):
    ledger.sweep("one")
    ledger.pass_s(0.1)
    ledger.sweep("two")
    assert ledger.redis.zscore(keys.WORKERS, "two") == ledger.now + 30 * S
    sweep_for(ledger, 31, "one")
    assert ledger.redis.zrange(keys.WORKERS, 0, -1) == [b"one"]


def test_time_in_which_nobody_could_settle_lengthens_expiries(held):
    held.pass_s(30)
    held.sweep()
    assert held.redis.zscore(keys.ATTEMPTS, f"main {held.taken.attempt}") == held.now + 10 * S + 29 * S
    sweep_for(held, 38)
    assert held.counts()["in_flight"] == 3
    sweep_for(held, 1)
    assert held.counts()["unconfirmed"] == 3


def test_expiries_are_lengthened_by_60_seconds_at_most(held):
    held.pass_s(3600)
    held.sweep()
    assert held.counts()["unconfirmed"] == 3


def test_sweeps_a_little_late_lengthen_nothing(held):
    for _ in range(14):
        held.pass_s(2.9)
        held.sweep()
    assert held.counts()["unconfirmed"] == 3


def test_seats_are_never_lengthened(held):
    held.pass_s(30)
    held.sweep()
    assert held.redis.zscore(keys.seats("main"), "w") < held.now


def test_after_the_clock_stepped_back_an_attempt_expires_within_its_full_length(held):
    held.pass_s(-3600)
    sweep_for(held, 40)
    assert held.counts()["in_flight"] == 3
    sweep_for(held, 1)
    assert held.counts()["unconfirmed"] == 3


def test_after_the_clock_stepped_back_a_dead_worker_is_forgotten_within_its_full_length(ledger):
    ledger.sweep("dead")
    ledger.pass_s(-3600)
    sweep_for(ledger, 31)
    assert ledger.redis.zrange(keys.WORKERS, 0, -1) == [b"w"]


def test_more_expired_attempts_than_a_sweep_may_settle_wait_for_the_next(ledger):
    ledger.lane(call_us=1, concurrency=1000)
    ledger.campaign(*[1] * (AT_ONCE + 1))
    ledger.sweep()
    ledger.take(AT_ONCE + 1, lookahead_us=1000)
    sweep_for(ledger, 39)
    swept = []
    for _ in range(3):
        ledger.pass_s(1)
        swept.append(ledger.sweep().expired)
    assert swept == [AT_ONCE, 1, 0]
    assert ledger.state() == "finished"


def test_after_the_clock_stepped_back_a_long_past_pause_delays_no_ring(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.sweep()
    ledger.back(ledger.take_one(), "throttled", pause_s=7200)
    sweep_for(ledger, 5)
    ledger.pass_s(7200)
    ledger.sweep()
    ledger.next_one()
    ledger.pause()
    ledger.resume()
    ledger.pass_s(-3600)
    ledger.sweep()
    assert ledger.due() <= 0
