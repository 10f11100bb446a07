"""Give back: with proof that nothing was accepted a batch waits again, and its id is void for ever."""

from worker.ledger import keys
from worker.ledger.taking import Stop


def test_a_batch_goes_back_to_the_front_of_its_queue_as_if_never_taken(ledger):
    ledger.lane()
    ledger.campaign(2, 3)
    before = ledger.counts()
    taken = ledger.take_one()
    assert ledger.back(taken) == "back"
    assert ledger.counts() == before
    assert ledger.queue() == [1, 2]
    assert ledger.batch() == {}
    assert ledger.redis.hlen(keys.lane_attempts("main")) == ledger.redis.zcard(keys.ATTEMPTS) == 0
    ledger.lawful()


def test_a_batch_goes_back_once(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    ledger.back(taken)
    assert ledger.back(taken) == "gone"
    assert ledger.void(taken.attempt) == "gone"
    assert ledger.queue() == [1]


def test_the_former_holder_can_not_give_back_what_another_holds(ledger):
    ledger.lane()
    ledger.campaign(2)
    first = ledger.take_one()
    ledger.back(first)
    second = ledger.next_one()
    assert ledger.back(first, "throttled", pause_s=60) == "gone"
    assert ledger.counts()["in_flight"] == 2
    assert ledger.lane_field("paused_until") is None, "what was told already is told again"
    assert ledger.settle(second, "aa") == "settled"


def test_the_former_holder_can_not_give_back_what_expired_with_another(ledger):
    ledger.lane()
    ledger.campaign(2)
    first = ledger.take_one()
    ledger.back(first)
    ledger.next_one()
    expire(ledger)
    assert ledger.back(first) == "gone"
    assert ledger.counts()["unconfirmed"] == 2
    assert ledger.queue() == []


def test_a_settled_batch_can_not_go_back(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    ledger.settle(taken, "au")
    assert ledger.back(taken) == "gone"
    assert ledger.queue() == []


def test_a_take_whose_answer_was_lost_is_given_back_by_its_id_alone(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(2, 3)
    ledger.take(ids=["x", "y"], lookahead_us=10)
    assert [ledger.void("y"), ledger.void("x"), ledger.void("z")] == ["back", "back", "gone"]
    assert ledger.queue() == [1, 2]
    assert ledger.counts() == {"rows": 5, "queued": 5, "pending": 5, "batches": 2}
    assert ledger.redis.exists("bs:void:z") == 1


def test_only_what_may_have_left_counts_as_a_call(ledger):
    ledger.lane()
    ledger.campaign(1)
    seen = []
    for kind in ("none", "unsent", "ok", "throttled", "hold"):
        ledger.back(ledger.next_one(), kind, spread=0)
        counts = ledger.counts()
        seen.append((counts.get("calls", 0), counts.get("throttled", 0)))
    assert seen == [(0, 0), (0, 0), (1, 0), (2, 1), (3, 1)]


def test_a_late_proof_puts_the_batch_back_and_a_finished_campaign_runs_again(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    expire(ledger)
    assert ledger.state() == "finished"
    assert ledger.counts() == {"rows": 2, "queued": 2, "unconfirmed": 2, "calls": 1, "batches": 1}
    assert ledger.back(taken) == "late"
    assert ledger.state() == "running"
    assert ledger.fields(keys.campaign("c"))["finished_at"] == ""
    assert ledger.counts() == {"rows": 2, "queued": 2, "pending": 2, "batches": 1}
    assert ledger.due() <= 0
    assert ledger.next_one().batch == 1
    ledger.lawful()


def test_a_late_proof_of_a_call_that_was_answered_keeps_the_call_counted(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    expire(ledger)
    ledger.back(taken, "throttled", pause_s=1)
    assert (ledger.counts()["calls"], ledger.counts()["throttled"]) == (1, 1)


def test_a_late_proof_counts_once(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    expire(ledger)
    ledger.back(taken)
    assert ledger.back(taken) == "gone"
    assert ledger.settle(taken, "aa") == "gone"
    assert ledger.counts()["pending"] == 2


def test_what_goes_back_to_a_cancelled_campaign_is_cancelled(ledger):
    ledger.lane()
    ledger.campaign(2, 3)
    taken = ledger.take_one()
    ledger.cancel()
    assert ledger.back(taken) == "back"
    assert ledger.counts() == {"rows": 5, "queued": 5, "cancelled": 5, "batches": 2}
    assert ledger.queue() == []
    assert ledger.state() == "cancelled"
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    ledger.lawful()


def test_what_goes_back_late_to_a_cancelled_campaign_is_cancelled(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    ledger.cancel()
    expire(ledger)
    assert ledger.back(taken) == "late"
    assert ledger.counts() == {"rows": 2, "queued": 2, "cancelled": 2, "batches": 1}
    ledger.lawful()


def test_what_goes_back_to_a_paused_campaign_waits_for_its_resume(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    ledger.pause()
    ledger.back(taken)
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    ledger.resume()
    assert ledger.take_one().batch == 1


def test_a_refusal_that_every_batch_would_get_pauses_the_campaign_with_the_reason(ledger):
    ledger.lane("main")
    ledger.lane("spare")
    ledger.campaign(2, 2, accounts=("main", "spare"))
    ledger.back(ledger.take_one(), "ok", pause_campaign="no such template")
    fields = ledger.fields(keys.campaign("c"))
    assert (fields["state"], fields["reason"]) == ("paused", "no such template")
    assert ledger.take(account="spare") == Stop()
    ledger.lawful()


def test_a_refusal_of_a_batch_from_before_the_resume_does_not_pause_again(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(1, 1, 1)
    first, second = ledger.take(2, lookahead_us=10).taken
    ledger.back(first, "ok", pause_campaign="no such template")
    ledger.pass_s(1)
    ledger.resume()
    ledger.back(second, "ok", pause_campaign="no such template")
    assert ledger.state() == "running"
    ledger.back(ledger.next_one(), "ok", pause_campaign="no such template")
    assert ledger.state() == "paused"


def test_a_refusal_pauses_a_campaign_that_was_resumed_before_the_clock_stepped_back(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.pause()
    ledger.resume()
    ledger.pass_s(-3600)
    ledger.back(ledger.next_one(), "ok", pause_campaign="no such template")
    assert ledger.state() == "paused"


def test_a_late_refusal_pauses_a_finished_campaign_rather_than_run_it(ledger):
    ledger.lane()
    ledger.campaign(2)
    taken = ledger.take_one()
    expire(ledger)
    ledger.back(taken, "ok", pause_campaign="no such template")
    assert ledger.state() == "paused"
    assert ledger.counts()["pending"] == 2
    ledger.lawful()


def expire(ledger):
    """Let 41 s pass with a sweep every second."""
    for _ in range(42):
        ledger.sweep()
        ledger.pass_s(1)
