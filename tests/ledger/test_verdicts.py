"""What an answer does to its account's lane: pauses, the rate, back-off, holds, and what comes too late to matter."""

import pytest

from worker.ledger import keys
from worker.ledger.taking import Full, Stop, Wait

S = 1_000_000


@pytest.fixture
def lane(ledger):
    """A lane of one call a second with plenty of single messages, of which four were taken at once."""
    ledger.lane(call_us=1)
    ledger.campaign(*[1] * 60)
    ledger.four = list(ledger.take(4, lookahead_us=100).taken)
    ledger.announce(call_us=S)
    ledger.pass_s(1)
    return ledger


def rate(ledger):
    """Return the share of the ceiling at which the lane goes now: it asks as one who has just sent."""
    ledger.redis.hset(keys.lane("main"), mapping={"call_at": ledger.now, "message_at": ledger.now})
    wait = ledger.take(0)
    return 1 / wait.seconds


def test_a_throttle_pauses_for_what_the_gateway_asked_and_halves_the_rate_once(lane):
    first, second, third, _ = lane.four
    lane.back(first, "throttled", "slow down", pause_s=3)
    assert lane.pause_s() == 3
    assert lane.lane_field("pause_reason") == "slow down"
    assert float(lane.lane_field("factor")) == 0.5
    lane.pass_s(0.1)
    lane.back(second, "throttled")
    lane.back(third, "throttled", pause_s=1)
    assert lane.pause_s() == pytest.approx(2.9)
    assert float(lane.lane_field("factor")) == 0.5
    assert lane.counts()["throttled"] == 3


def test_the_rate_creeps_to_95_percent_of_the_refused_one_in_10_s_and_then_by_1_percent_per_10_s(lane):
    lane.back(lane.four[0], "throttled", pause_s=2)
    lane.pass_s(2)
    seen = []
    for seconds in (0, 5, 5, 10, 20, 100):
        lane.pass_s(seconds)
        seen.append(round(rate(lane), 4))
    assert seen == [0.5, 0.725, 0.95, 0.96, 0.98, 1.0]


def test_a_second_throttle_halves_what_the_rate_was_then(lane):
    lane.back(lane.four[0], "throttled", pause_s=2)
    lane.pass_s(2 + 5)
    lane.back(lane.next_one(), "throttled", pause_s=2)
    assert float(lane.lane_field("refused")) == pytest.approx(0.725)
    assert float(lane.lane_field("factor")) == pytest.approx(0.3625)


def test_the_rate_never_falls_below_a_sixty_fourth(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(1)
    seen = []
    for _ in range(8):
        ledger.back(ledger.next_one(), "throttled", pause_s=1)
        seen.append(1 / float(ledger.lane_field("factor")))
    assert seen == [2, 4, 8, 16, 32, 64, 64, 64]


def test_the_halved_rate_spaces_messages_too(ledger):
    ledger.lane(call_us=1, message_us=S)
    ledger.campaign(2, 2, 2)
    ledger.back(ledger.take_one(), "throttled", pause_s=1)
    ledger.pass_s(10)
    ledger.redis.hset(keys.lane("main"), "slow_at", ledger.now)
    ledger.take_one()
    assert ledger.take() == Wait(seconds=4.0)


def test_a_longer_pause_asked_for_by_a_stale_verdict_holds_and_the_creep_waits_for_its_end(lane):
    lane.back(lane.four[0], "throttled", pause_s=1)
    lane.pass_s(0.5)
    lane.back(lane.four[1], "throttled", pause_s=4)
    assert lane.pause_s() == 4
    lane.pass_s(4)
    assert rate(lane) == pytest.approx(0.5)


def test_a_stale_verdict_lengthens_only_a_pause_that_runs(lane):
    lane.back(lane.four[0], "throttled", pause_s=1)
    lane.pass_s(1)
    lane.back(lane.four[1], "throttled", pause_s=60)
    assert lane.pause_s() == 0
    assert float(lane.lane_field("factor")) == 0.5


@pytest.mark.parametrize("kind", ["hold", "unsent", "throttled"])
def test_a_verdict_from_before_the_opening_does_nothing_to_the_lane(lane, kind):
    lane.open()
    assert lane.back(lane.four[0], kind, pause_s=60 if kind == "throttled" else 0) == "back"
    assert lane.lane_field("state") == "open"
    assert lane.pause_s() < 0
    assert lane.lane_field("factor") is None
    lane.next_one()


def test_a_stale_lost_answer_neither_counts_nor_makes_careful(lane):
    lane.back(lane.four[0], "throttled", pause_s=1)
    lane.settle(lane.four[1], "u", "lost")
    assert int(lane.lane_field("streak") or 0) == 0
    assert lane.lane_field("careful") == "0"


def test_a_verdict_after_the_clock_stepped_back_is_not_stale(lane):
    lane.back(lane.four[0], "throttled", pause_s=1)
    lane.pass_s(-3600)
    lane.pass_s(lane.take(0).seconds)
    lane.back(lane.next_one(), "hold", "bad key")
    assert lane.lane_field("state") == "held"


def test_after_the_clock_stepped_back_the_rate_creeps_all_the_same(lane):
    lane.back(lane.four[0], "throttled", pause_s=2)
    lane.pass_s(-3600)
    assert lane.take() == Wait(seconds=2.0)
    lane.pass_s(2 + 10)
    assert rate(lane) == pytest.approx(0.95)


def test_the_own_back_off_doubles_from_1_to_64_seconds_and_its_random_half_is_the_spread(lane):
    seen = []
    for _ in range(9):
        lane.back(lane.next_one(), "unsent", spread=1)
        seen.append(lane.pause_s())
        lane.pass_s(seen[-1])
    assert seen == [1, 2, 4, 8, 16, 32, 64, 64, 64]
    lane.back(lane.next_one(), "unsent", spread=0)
    assert lane.pause_s() == 32


def test_an_answer_ends_the_back_off_s_growth(lane):
    for _ in range(3):
        lane.back(lane.next_one(), "unsent")
        lane.pass_s(lane.pause_s())
    lane.settle(lane.next_one(), "a")
    lane.back(lane.next_one(), "unsent")
    assert lane.pause_s() == 1


def test_a_throttle_without_a_wish_pauses_by_the_own_back_off(lane):
    lane.back(lane.four[0], "throttled")
    assert lane.pause_s() == 1
    lane.pass_s(1)
    lane.back(lane.next_one(), "throttled")
    assert lane.pause_s() == 2


def test_what_was_not_sent_does_not_halve_the_rate(lane):
    lane.back(lane.four[0], "unsent")
    assert lane.lane_field("factor") is None
    assert lane.pause_s() == 1


def test_several_calls_that_failed_together_back_off_once(lane):
    for taken in lane.four:
        lane.back(taken, "unsent")
    assert (lane.pause_s(), lane.lane_field("backoff")) == (1, "1")


def test_a_gateway_that_can_not_be_reached_backs_the_lane_off_with_nothing_taken(lane):
    began = lane.now
    lane.pass_s(3)
    lane.back_off(began=began)
    assert lane.pause_s() == 1
    lane.back_off(began=began)
    assert (lane.pause_s(), lane.lane_field("backoff")) == (1, "1")
    lane.pass_s(1)
    lane.back_off()
    assert lane.pause_s() == 2


def test_a_used_up_window_pauses_without_halving(lane):
    lane.settle(lane.four[0], "a", reason="used up", pause_s=7)
    assert (lane.pause_s(), lane.lane_field("factor")) == (7, None)
    lane.settle(lane.four[1], "a", reason="used up", pause_s=3)
    lane.back(lane.four[2], "throttled", pause_s=1)
    assert (lane.pause_s(), lane.lane_field("factor")) == (7, None)
    assert lane.take() == Stop()


def test_a_hold_keeps_its_first_reason_and_stops_the_lane(lane):
    lane.back(lane.four[0], "hold", "bad key")
    lane.back(lane.four[1], "hold", "no balance")
    assert (lane.lane_field("state"), lane.lane_field("reason")) == ("held", "bad key")
    assert lane.take() == Stop()
    assert lane.counts()["pending"] == 58


def test_a_batch_given_back_with_no_verdict_leaves_the_lane_as_it_was(lane):
    lane.settle(lane.four[0], "u", "lost")
    before = lane.fields(keys.lane("main"))
    lane.back(lane.four[1], "none")
    assert {**lane.fields(keys.lane("main")), "turn": before["turn"]} == before


def test_five_lost_answers_in_a_row_hold_the_account(lane):
    for taken in lane.four:
        lane.settle(taken, "u", "lost", "so many calls in a row")
    assert (lane.lane_field("state"), lane.lane_field("streak")) == (None, "4")
    lane.settle(lane.next_one(), "u", "lost", "so many calls in a row")
    assert (lane.lane_field("state"), lane.lane_field("reason")) == ("held", "so many calls in a row")


@pytest.mark.parametrize("kind", ["ok", "throttled", "unsent"])
def test_another_disposition_ends_the_row_of_lost_answers(lane, kind):
    for taken in lane.four:
        lane.settle(taken, "u", "lost")
    lane.back(lane.next_one(), kind, spread=0)
    assert (lane.lane_field("streak"), lane.lane_field("careful")) == ("0", "0")
    lane.settle(lane.next_one(), "u", "lost")
    assert lane.lane_field("state") != "held"


def test_expired_attempts_are_no_verdict_on_the_gateway(lane):
    for _ in range(45):
        lane.sweep()
        lane.pass_s(1)
    assert lane.counts()["unconfirmed"] == 4
    assert (lane.lane_field("streak"), lane.lane_field("careful")) == (None, None)
    assert lane.lane_field("state") is None


def test_opening_ends_hold_pause_and_row_but_not_the_throttled_rate(lane):
    lane.back(lane.four[0], "throttled", pause_s=3600)
    lane.hold()
    lane.pass_s(1)
    lane.open()
    assert rate(lane) == pytest.approx(0.5)
    lane.pass_s(10)
    assert rate(lane) == pytest.approx(0.95), "the creep waits for the end of a pause that was ended"


def test_opening_lets_careful_mode_go(lane):
    for taken in lane.four[:2]:
        lane.settle(taken, "u", "lost")
    assert lane.take() == Full()
    lane.open()
    lane.next_one()
