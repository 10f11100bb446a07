"""Deciding by hand what became of messages that stayed unconfirmed."""

import pytest

from worker.ledger import keys
from worker.ledger.reading import standings
from worker.ledger.resolving import Open, batches, family, unresolved


@pytest.fixture
def lost(ledger):
    """A batch of which one message was accepted and two were lost, and one of which nobody heard."""
    ledger.campaign(3, 2)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "auu")
    ledger.next_one()
    ledger.pass_sweeping()
    return ledger


def fates(ledger):
    return [row.outcome for row in ledger.rows()]


def adds_up(ledger):
    ledger.lawful()
    assert ledger.differences() == ()


def test_batches_with_unconfirmed_messages_are_named(lost):
    assert list(unresolved(lost.redis, "c")) == [Open(batch=1, messages=2), Open(batch=2, messages=2)]


def test_a_batch_whose_messages_went_singly_stands_for_all_of_them_wherever_they_moved_to(ledger):
    ledger.campaign(3, 1)
    ledger.lane(call_us=1000)
    for _ in range(3):
        ledger.settle(ledger.next_one(limit=1), "u", "lost")
    ledger.settle(ledger.next_one(), "u", "lost")
    assert family(ledger.redis, "c", 1) == [1, 3, 4, 5]
    assert ledger.resolve("resend", 4) == {"resolved": 1}
    ledger.settle(ledger.next_one(), "u", "lost")
    assert list(batches(ledger.redis, "c")) == [1, 2, 3, 4, 5, 6]
    assert family(ledger.redis, "c", 1) == [1, 3, 4, 5, 6]
    assert (family(ledger.redis, "c", 4), family(ledger.redis, "c", 2)) == ([4, 6], [2])
    among = unresolved(ledger.redis, "c", family(ledger.redis, "c", 1))
    assert [(each.batch, each.messages) for each in among] == [(3, 1), (5, 1), (6, 1)]
    adds_up(ledger)


@pytest.mark.parametrize("decision", ["accepted", "rejected"])
def test_unconfirmed_messages_become_what_was_decided_once(lost, decision):
    assert lost.resolve(decision, 1, code="77") == {"resolved": 2}
    assert lost.resolve(decision, 1, code="77") == {}
    assert lost.resolve(decision, 2) == {"resolved": 2}
    assert fates(lost) == ["accepted", *[decision] * 4]
    assert lost.rows()[1].code == "77"
    adds_up(lost)


def test_rejected_ones_are_counted_under_their_code(lost):
    lost.resolve("rejected", 1, code="77")
    assert standings(lost.redis, ["c"])[0].codes == {"77 resolved by hand": 2}


def test_a_late_answer_does_not_change_what_was_resolved(ledger):
    ledger.campaign(1)
    ledger.lane(call_us=1000)
    taken = ledger.next_one()
    ledger.pass_sweeping()
    ledger.resolve("rejected")
    assert ledger.settle(taken, "a") == "already"
    assert ledger.back(taken) == "gone"
    assert fates(ledger) == ["rejected"]
    adds_up(ledger)


def test_a_report_can_not_change_what_was_rejected_by_hand_but_tells_of_what_was_accepted(lost):
    lost.resolve("rejected", 1)
    assert lost.report("delivered", n=1, row=2).unmatched == 1
    lost.resolve("accepted", 2)
    assert lost.report("delivered", n=2, row=4).matched == 1
    assert [row.delivery for row in lost.rows()] == ["awaiting", None, None, "delivered", "awaiting"]
    adds_up(lost)


def test_the_gateways_id_is_kept_whether_the_report_comes_before_the_decision_or_after_it(lost):
    lost.report("delivered", n=1, row=2, gateway_id="early")
    lost.resolve("accepted", 1)
    lost.report("delivered", n=1, row=3, gateway_id="late")
    assert [row.gateway_id for row in lost.rows()][:3] == ["sid", "early", "late"]


def test_what_a_report_has_settled_is_not_decided_again(lost):
    lost.report("failed", n=1, row=2)
    assert lost.resolve("rejected", 1) == {"resolved": 1}
    assert fates(lost)[:3] == ["accepted", "accepted", "rejected"]
    adds_up(lost)


def test_a_finished_campaign_runs_again_for_what_is_sent_again(lost):
    assert lost.state() == "finished"
    assert lost.resolve("resend", 1) == {"resolved": 2}
    assert lost.state() == "running"
    assert lost.resolve("resend", 1) == {}
    taken = lost.next_one()
    assert [number % 10 for number in taken.content().numbers] == [2, 3]
    lost.settle(taken, "aa")
    assert fates(lost) == ["accepted", "accepted", "accepted", "unconfirmed", "unconfirmed"]
    adds_up(lost)


def test_an_expired_attempt_is_not_sent_again_within_one_more_expiry(lost):
    assert lost.resolve("resend", 2) == {"early": 2}
    lost.pass_sweeping()
    assert lost.resolve("resend", 2) == {"resolved": 2}
    assert fates(lost)[3:] == ["pending", "pending"]
    adds_up(lost)


def test_an_expiry_of_which_nobody_wrote_down_when_counts_from_the_first_that_asks(lost):
    """As the version before left it."""
    lost.redis.hdel(keys.batch_state("c", 2), "expired_at")
    lost.pass_s(39)
    assert lost.resolve("resend", 2) == {"early": 2}
    lost.pass_s(39)
    assert lost.resolve("resend", 2) == {"early": 2}
    lost.pass_s(1)
    assert lost.resolve("resend", 2) == {"resolved": 2}


def test_after_the_clock_stepped_back_it_waits_for_one_expiry_from_when_it_is_asked_for(lost):
    lost.pass_s(-3600)
    lost.sweep()
    assert lost.resolve("resend", 2) == {"early": 2}
    lost.pass_sweeping(39)
    assert lost.resolve("resend", 2) == {"early": 2}
    lost.pass_sweeping(1)
    assert lost.resolve("resend", 2) == {"resolved": 2}
    adds_up(lost)


def test_nothing_of_a_cancelled_campaign_is_sent_again(ledger):
    ledger.campaign(1, 1)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "u", "lost")
    ledger.cancel()
    assert ledger.resolve("resend") == {"dropped": 1}
    assert fates(ledger) == ["unconfirmed", "cancelled"]
    adds_up(ledger)


@pytest.mark.parametrize("decision", ["accepted", "rejected", "resend"])
@pytest.mark.parametrize("size", [1, 2])
def test_nothing_is_left_to_decide_of_a_batch_that_was_refused_late(ledger, size, decision):
    ledger.campaign(size)
    ledger.lane(call_us=1000)
    taken = ledger.next_one()
    ledger.pass_sweeping()
    ledger.refuse(taken)
    assert list(unresolved(ledger.redis, "c")) == []
    assert ledger.resolve(decision) == {}
    adds_up(ledger)
