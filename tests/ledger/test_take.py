"""Take: who may send what, and when. All waiting of the project is decided in this script."""

import itertools

import pytest

from worker.ledger import keys
from worker.ledger.taking import Batches, Full, Stop, Unseated, Wait

S = 1_000_000


def test_a_taken_batch_is_written_as_sending_before_anybody_knows_of_it(ledger):
    ledger.lane(call_us=S)
    ledger.campaign(3, 2)
    taken = ledger.take_one(ids=["fence"])
    assert (taken.attempt, taken.campaign, taken.batch, taken.slot_us) == ("fence", "c", 1, ledger.now)
    assert taken.packed == ledger.redis.get(keys.packed("c", 1))
    assert ledger.batch() == {
        "state": "sending",
        "attempt": "fence",
        "account": "main",
        "size": "3",
        "taken_at": str(ledger.now),
        "slot": str(ledger.now),
    }
    assert ledger.fields(keys.lane_attempts("main")) == {"fence": f"c 1 w 3 {ledger.now}"}
    assert ledger.redis.zrange(keys.ATTEMPTS, 0, -1, withscores=True) == [(b"main fence", ledger.now + 40 * S)]
    assert ledger.queue() == [2]
    assert ledger.counts() == {"rows": 5, "queued": 5, "pending": 2, "in_flight": 3, "batches": 2}
    ledger.lawful()


def test_slots_are_spaced_by_the_ceiling_on_calls(ledger):
    ledger.lane(call_us=1.5 * S)
    ledger.campaign(1, 1, 1)
    begun = ledger.now
    assert [ledger.next_one().slot_us - begun for _ in range(3)] == [0, 1.5 * S, 3 * S]


def test_a_batch_occupies_as_many_messages_as_it_has(ledger):
    ledger.lane(call_us=S, message_us=0.5 * S)
    ledger.campaign(4, 1, 1)
    begun = ledger.now
    assert [ledger.next_one().slot_us - begun for _ in range(3)] == [0, 2 * S, 3 * S]


def test_the_wait_is_exact_and_a_microsecond_earlier_nothing_is_given(ledger):
    ledger.lane(call_us=1.25 * S)
    ledger.campaign(1, 1)
    ledger.take_one()
    assert ledger.take() == Wait(seconds=1.25)
    ledger.now += 1_250_000 - 1
    assert ledger.take() == Wait(seconds=1e-6)
    ledger.now += 1
    ledger.take_one()


def test_slots_within_the_look_ahead_are_given_at_once_and_never_nearer_than_the_lead(ledger):
    ledger.lane(call_us=30_000)
    ledger.campaign(*[1] * 9)
    turn = ledger.take(9, lookahead_us=100_000, lead_us=5_000)
    assert [taken.slot_us - ledger.now for taken in turn.taken] == [5_000, 35_000, 65_000, 95_000]
    assert [taken.batch for taken in turn.taken] == [1, 2, 3, 4]
    assert ledger.take(9, lookahead_us=100_000, lead_us=5_000) == Wait(seconds=0.125)


def test_time_in_which_nobody_sent_gives_no_burst(ledger):
    ledger.lane(call_us=S)
    ledger.campaign(*[1] * 5)
    ledger.take_one()
    ledger.pass_s(3600)
    assert [taken.slot_us - ledger.now for taken in ledger.take(5).taken] == [0]
    assert ledger.take() == Wait(seconds=1.0)


def test_a_slot_that_was_not_used_is_lost(ledger):
    ledger.lane(call_us=S)
    ledger.campaign(1, 1)
    ledger.back(ledger.take_one())
    assert ledger.take() == Wait(seconds=1.0)


def test_asking_with_no_id_takes_nothing_and_tells_the_wait(ledger):
    ledger.lane(call_us=S)
    ledger.campaign(1, 1)
    assert ledger.take(0, lead_us=5_000) == Wait(seconds=0.005)
    ledger.take_one()
    assert ledger.take(0) == Wait(seconds=1.0)
    assert ledger.counts()["in_flight"] == 1


def test_without_a_seat_nothing_is_given(ledger):
    ledger.lane()
    ledger.campaign(1)
    assert ledger.take(owner="other", seated=False) == Unseated()
    ledger.pass_s(5)
    assert ledger.take(seated=False) == Unseated()
    assert ledger.queue() == [1]


def test_a_lane_with_nothing_pending_stops_and_is_not_due(ledger):
    ledger.lane()
    assert ledger.take() == Stop()
    ledger.campaign(1)
    assert ledger.due() == 0
    ledger.take_one()
    assert ledger.take() == Wait(seconds=1.0)
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    assert ledger.due() is None


def test_a_held_lane_stops_and_is_not_due(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.hold()
    assert ledger.take() == Stop()
    assert ledger.due() is None
    ledger.open()
    assert ledger.due() == 0
    ledger.take_one()


def test_a_short_pause_is_waited_for_and_a_long_one_stops_the_lane_until_it_ends(ledger):
    ledger.lane(call_us=S)
    ledger.campaign(1, 1, 1)
    ledger.back(ledger.take_one(), "throttled", pause_s=5)
    assert ledger.take() == Wait(seconds=5.0)
    ledger.pass_s(5)
    ledger.back(ledger.take_one(), "throttled", pause_s=5.000001)
    assert ledger.take() == Stop()
    assert ledger.due() == pytest.approx(5.000001)


def test_no_slot_lies_in_a_pause_also_within_the_look_ahead(ledger):
    ledger.lane(call_us=10_000)
    ledger.campaign(*[1] * 20)
    ledger.back(ledger.take_one(), "throttled", pause_s=0.05)
    turn = ledger.take(16, lookahead_us=100_000)
    assert [taken.slot_us - ledger.now for taken in turn.taken] == [50_000, 70_000, 90_000]


def test_a_paused_campaign_is_passed_over_and_the_other_goes(ledger):
    ledger.lane()
    ledger.campaign(1, 1, name="one")
    ledger.campaign(1, 1, name="two")
    ledger.pause("one")
    assert [ledger.next_one().campaign for _ in range(2)] == ["two", "two"]
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    ledger.resume("one")
    assert ledger.take_one().campaign == "one"


def test_campaigns_take_turns(ledger):
    ledger.lane()
    ledger.campaign(1, 1, 1, name="one")
    ledger.campaign(1, 1, 1, name="two")
    order = [ledger.next_one().campaign for _ in range(3)]
    ledger.campaign(1, 1, name="new")
    order += [ledger.next_one().campaign for _ in range(4)]
    assert order == ["one", "two", "one", "two", "one", "new", "two"]


def test_a_campaign_that_is_offered_again_keeps_its_turn(ledger):
    ledger.lane()
    ledger.campaign(1, 1, name="one")
    ledger.campaign(1, 1, name="two")
    ledger.resume("one")
    assert ledger.take_one().campaign == "one"


def test_campaigns_take_turns_also_within_one_take(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(1, 1, name="one")
    ledger.campaign(1, 1, name="two")
    turn = ledger.take(4, lookahead_us=100)
    assert [(taken.campaign, taken.batch) for taken in turn.taken] == [("one", 1), ("two", 1), ("one", 2), ("two", 2)]


def test_campaigns_take_turns_after_the_clock_stepped_back(ledger):
    ledger.lane()
    ledger.campaign(1, 1, 1, name="one")
    ledger.campaign(1, 1, 1, name="two")
    ledger.next_one()
    ledger.pass_s(-3600)
    ledger.campaign(1, 1, name="new")
    assert {ledger.next_one().campaign for _ in range(3)} == {"one", "two", "new"}


def test_a_campaign_of_two_accounts_goes_to_whichever_may_send_first(ledger):
    ledger.lane("main", call_us=S)
    ledger.lane("spare", call_us=S)
    ledger.campaign(1, 1, accounts=("main", "spare"))
    assert (ledger.due("main"), ledger.due("spare")) == (0, 0)
    assert ledger.take_one(account="main").batch == 1
    assert ledger.take_one(account="spare").batch == 2
    assert ledger.batch(2)["account"] == "spare"


def test_no_more_than_concurrency_are_on_the_wire(ledger):
    ledger.lane(call_us=1, concurrency=2)
    ledger.campaign(1, 1, 1)
    turn = ledger.take(3, lookahead_us=1000)
    assert len(turn.taken) == 2
    ledger.pass_s(1)
    assert ledger.take() == Full()
    ledger.settle(turn.taken[0], "a")
    ledger.take_one()


def test_what_a_dead_worker_had_on_the_wire_does_not_count_against_concurrency(ledger):
    ledger.announce("dead", concurrency=1)
    ledger.sit("dead")
    ledger.campaign(1, 1)
    ledger.take_one(owner="dead")
    ledger.pass_s(4)
    ledger.announce("w", concurrency=1)
    ledger.redis.hset(keys.lane("main"), "seats", 2)
    ledger.redis.zadd(keys.seats("main"), {"w": ledger.now + 5 * S})
    assert ledger.take(seated=False) == Full()
    ledger.pass_s(1)
    assert ledger.take_one(seated=False).batch == 2


def test_after_a_lost_answer_one_call_goes_at_a_time_until_another_disposition_comes(ledger):
    ledger.lane(call_us=1, concurrency=8)
    ledger.campaign(*[1] * 6)
    first, second = ledger.take(2, lookahead_us=100).taken
    ledger.settle(first, "u", "lost")
    ledger.pass_s(1)
    assert ledger.take() == Full()
    ledger.settle(second, "u", "lost")
    (third,) = ledger.take(3, lookahead_us=100).taken
    ledger.pass_s(1)
    assert ledger.take() == Full()
    ledger.settle(third, "a")
    assert len(ledger.take(3, lookahead_us=100).taken) == 3


def test_an_id_given_back_before_its_take_arrives_gets_nothing(ledger):
    ledger.lane()
    ledger.campaign(1)
    assert ledger.void("late") == "gone"
    assert ledger.take(ids=["late"]) == Wait(seconds=0.0)
    assert ledger.counts()["pending"] == 1
    assert ledger.redis.ttl("bs:void:late") == 60
    ledger.take_one()


def test_a_void_id_among_others_takes_no_batch_with_it(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(1, 1, 1)
    ledger.void("late")
    assert [taken.attempt for taken in ledger.take(ids=["x", "late", "y"], lookahead_us=100).taken] == ["x"]
    assert ledger.queue() == [2, 3]


def test_an_id_that_holds_a_batch_gets_no_second_one(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.take_one(ids=["same"])
    ledger.pass_s(1)
    assert ledger.take(ids=["same"]) == Wait(seconds=0.0)
    assert ledger.queue() == [2]
    ledger.lawful()


@pytest.mark.parametrize("call_s", [0.05, 1.2, 30])
def test_after_the_clock_stepped_back_the_lane_goes_on_within_one_interval(ledger, call_s):
    ledger.lane(call_us=call_s * S)
    ledger.campaign(1, 1, 1)
    ledger.take_one()
    ledger.pass_s(-3600)
    assert ledger.take() == Wait(seconds=call_s)
    ledger.pass_s(call_s)
    ledger.take_one()
    assert ledger.take() == Wait(seconds=call_s)


@pytest.mark.parametrize("step_us", [1_000, 30_000, 150_000, 3_600 * S])
def test_after_the_clock_stepped_back_no_slot_lies_nearer_than_one_interval_to_one_given_before(ledger, step_us):
    interval_us, options = 20_400, {"lookahead_us": 100_000, "lead_us": 20_000}
    ledger.lane(call_us=interval_us)
    ledger.campaign(*[1] * 40)
    before = [each.slot_us for each in ledger.take(16, **options).taken]
    assert len(before) > 1
    ledger.now -= step_us
    stepped_at, after = ledger.now, []
    while len(after) < 3:
        turn = ledger.take(16, **options)
        if isinstance(turn, Wait):
            ledger.pass_s(turn.seconds - 0.1)
        else:
            after += [each.slot_us for each in turn.taken]
    slots = [slot - step_us for slot in before] + after  # as they are by the clock of now
    assert min(later - earlier for earlier, later in itertools.pairwise(slots)) >= interval_us
    assert after[0] <= stepped_at + options["lookahead_us"] + interval_us


def test_after_the_clock_stepped_back_a_pause_lasts_no_longer_than_its_length(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.back(ledger.take_one(), "throttled", pause_s=4)
    ledger.pass_s(-3600)
    assert ledger.take() == Wait(seconds=4.0)
    ledger.pass_s(4)
    ledger.take_one()


def test_after_the_clock_stepped_forward_nothing_is_made_up_for(ledger):
    ledger.lane()
    ledger.campaign(1, 1, 1)
    ledger.take_one()
    ledger.pass_s(86400)
    ledger.take_one()
    assert ledger.take() == Wait(seconds=1.0)


def test_a_batch_that_redis_has_lost_pauses_its_campaign_and_no_other(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(1, name="sound")
    ledger.campaign(1, name="damaged")
    ledger.redis.delete(keys.packed("damaged", 1))
    turn = ledger.take(3, lookahead_us=100)
    assert isinstance(turn, Batches)
    assert [taken.campaign for taken in turn.taken] == ["sound"]
    assert ledger.fields(keys.campaign("damaged"))["state"] == "paused"
    assert ledger.fields(keys.campaign("damaged"))["reason"] == "batch 1 is not in Redis any more"
    assert ledger.counts("damaged")["pending"] == 1
    ledger.pass_s(1)
    assert ledger.take() == Stop()


def test_without_a_time_of_the_test_s_the_server_s_own_is_used(ledger):
    ledger.now = 0
    ledger.run(_announce_now(ledger))
    ledger.campaign(1)
    seconds, microseconds = ledger.redis.time()
    taken = ledger.take_one()
    assert 0 <= taken.slot_us - (seconds * S + microseconds) < 60 * S


async def _announce_now(ledger):
    from worker.ledger.seats import Ceiling, announce

    await announce(ledger.aredis, "w", {"main": Ceiling(call_us=S, message_us=0, concurrency=1)})
