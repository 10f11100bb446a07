"""When a campaign may send: its start, its end, and its hours."""

import pytest

from worker.ledger import keys
from worker.ledger.reading import standings
from worker.ledger.sweeping import AT_ONCE
from worker.ledger.taking import Batches, Stop

from .conftest import T0, S


@pytest.fixture
def lane(ledger):
    ledger.lane(call_us=1000)
    return ledger


def fates(ledger):
    return [row.outcome for row in ledger.rows()]


def adds_up(ledger, name="c"):
    ledger.lawful(name)
    assert ledger.differences(name) == ()


def reason(ledger):
    return standings(ledger.redis, ["c"])[0].reason


def test_a_campaign_waits_for_its_start_and_the_sweep_starts_it_once(lane):
    assert lane.campaign(2, starts_at=T0 + 10 * S) == "scheduled"
    assert isinstance(lane.take(), Stop)
    lane.pass_sweeping(9)
    assert lane.state() == "scheduled"
    lane.pass_sweeping(1)
    assert lane.state() == "running"
    assert lane.due() == 0
    assert lane.redis.zcard(keys.PREFIX + "starts") == 0
    lane.settle(lane.next_one(), "aa")
    assert lane.state() == "finished"


def test_a_start_that_nobody_swept_is_made_up_for(lane):
    lane.campaign(1, starts_at=T0 + 10 * S)
    lane.pass_s(3600)
    lane.sweep()
    assert lane.state() == "running"


def test_a_start_in_the_past_is_now(lane):
    assert lane.campaign(1, starts_at=T0 - S) == "running"


def test_an_odd_instant_of_one_campaign_hides_no_other(lane):
    lane.campaign(1, starts_at=T0 + 10**18)
    lane.campaign(1, name="d")
    odd, other = standings(lane.redis, ["c", "d"])
    assert (odd.state, odd.reason) == ("scheduled", "starts at an instant that no calendar has")
    assert other.state == "running"


def test_a_scheduled_campaign_can_be_paused_and_waits_again_when_resumed(lane):
    lane.campaign(1, starts_at=T0 + 10 * S)
    assert lane.pause() == "paused"
    assert lane.resume() == "scheduled"
    lane.pause()
    lane.pass_sweeping(11)
    assert lane.state() == "paused"
    assert lane.resume() == "running"


def test_a_campaign_scheduled_again_after_the_clock_stepped_back_starts_all_the_same(lane):
    lane.campaign(1, starts_at=T0 + 10 * S)
    lane.pause()
    lane.pass_sweeping(11)
    lane.pass_s(-8)
    assert lane.resume() == "scheduled"
    lane.pass_sweeping(9)
    assert lane.state() == "running"


def test_a_cancelled_campaign_does_not_start(lane):
    lane.campaign(1, starts_at=T0 + 2 * S)
    lane.cancel()
    lane.pass_sweeping(3)
    assert lane.state() == "cancelled"
    assert fates(lane) == ["cancelled"]


def test_what_is_unsent_at_the_end_is_expired(lane):
    lane.campaign(1, 2, 1, ends_at=T0 + 10 * S)
    lane.settle(lane.next_one(), "u", "lost")
    held = lane.next_one()
    lane.pass_sweeping(10)
    assert fates(lane) == ["unconfirmed", "in_flight", "in_flight", "expired"]
    assert isinstance(lane.take(), Stop)
    lane.settle(held, "aa")
    assert (lane.state(), fates(lane)) == ("finished", ["unconfirmed", "accepted", "accepted", "expired"])
    adds_up(lane)


def test_nothing_goes_after_the_end_although_nobody_has_swept(lane):
    lane.campaign(1, ends_at=T0 + 10 * S)
    lane.pass_s(9.5)
    assert isinstance(lane.take(late_us=S), Stop)
    lane.pass_s(1)
    assert isinstance(lane.take(), Stop)


def test_what_comes_back_after_the_end_is_expired(lane):
    lane.campaign(2, ends_at=T0 + 10 * S)
    held = lane.next_one()
    lane.pass_sweeping(11)
    assert lane.back(held, "throttled") == "back"
    assert (lane.state(), fates(lane)) == ("finished", ["expired", "expired"])
    adds_up(lane)


def test_a_refused_batch_is_not_divided_after_the_end(lane):
    lane.campaign(2, ends_at=T0 + 10 * S)
    held = lane.next_one()
    lane.pass_sweeping(11)
    lane.refuse(held)
    assert (lane.state(), fates(lane)) == ("finished", ["expired", "expired"])
    adds_up(lane)


def test_a_late_proof_after_the_end_does_not_run_a_finished_campaign_again(lane):
    lane.campaign(1, ends_at=T0 + 60 * S)
    held = lane.next_one()
    lane.pass_sweeping(41)
    assert lane.state() == "finished"
    lane.pass_sweeping(20)
    assert lane.back(held) == "late"
    assert (lane.state(), fates(lane)) == ("finished", ["expired"])
    adds_up(lane)


def test_unconfirmed_messages_are_not_sent_again_after_the_end(lane):
    lane.campaign(1, ends_at=T0 + 60 * S, on_unconfirmed="resend")
    lane.next_one()
    lane.pass_sweeping(90)
    assert lane.resend() == "dropped"
    assert (lane.state(), fates(lane)) == ("finished", ["unconfirmed"])
    adds_up(lane)


@pytest.mark.parametrize("how", ["paused", "scheduled", "producing"])
def test_the_end_comes_whatever_the_campaign_waits_for(lane, how):
    if how == "producing":
        lane.begin(ends_at=T0 + 5 * S)
        lane.append([1])
        lane.pass_sweeping(6)
        lane.append([1], at=1)
        lane.start(at=2)
    else:
        hold, starts_at = ("waits", 0) if how == "paused" else ("", T0 + 9 * S)
        lane.campaign(2, ends_at=T0 + 5 * S, hold=hold, starts_at=starts_at)
        lane.pass_sweeping(10)
    assert (lane.state(), fates(lane)) == ("finished", ["expired", "expired"])
    adds_up(lane)


def test_a_cancelled_campaigns_messages_do_not_expire_as_well(lane):
    lane.campaign(1, 1, ends_at=T0 + 5 * S)
    held = lane.next_one()
    lane.cancel()
    lane.pass_sweeping(6)
    lane.back(held)
    assert fates(lane) == ["cancelled", "cancelled"]
    adds_up(lane)


def test_an_expired_campaign_that_is_cancelled_says_expired(lane):
    lane.campaign(1, 1, ends_at=T0 + 5 * S)
    held = lane.next_one()
    lane.pass_sweeping(6)
    lane.cancel()
    lane.back(held)
    assert fates(lane) == ["expired", "expired"]
    adds_up(lane)


def test_nothing_goes_before_the_hours_open(lane):
    lane.campaign(1, hours=(10, 20))
    assert isinstance(lane.take(), Stop)
    assert reason(lane) == "outside its hours: goes on at 2027-01-15T08:00:10+00:00"
    lane.pass_sweeping(9)
    assert lane.sweep().hours == ()
    lane.pass_s(1)
    assert lane.sweep().hours == ("c",)
    assert lane.set_hours(0, 10)
    assert isinstance(lane.take(), Batches)


def test_hours_that_are_due_are_named_until_somebody_renews_them(lane):
    lane.campaign(1, hours=(2, 20))
    lane.pass_sweeping(2)
    lane.pass_s(1)
    assert lane.sweep().hours == ("c",)
    lane.set_hours(-1, 17)
    lane.pass_s(1)
    assert lane.sweep().hours == ()


def test_a_slot_whose_lateness_falls_after_the_hours_is_not_given(lane):
    lane.campaign(1, 1, hours=(-5, 10))
    lane.pass_s(9.5)
    assert isinstance(lane.take(late_us=S), Stop)


def test_a_campaign_leaves_its_lanes_at_closing_time_and_comes_back(lane):
    lane.campaign(1, 1, hours=(-5, 10))
    lane.settle(lane.next_one(), "a")
    lane.pass_sweeping(10)
    lane.pass_s(1)
    assert lane.sweep().hours == ("c",)
    assert not lane.set_hours(100, 200)
    assert isinstance(lane.take(), Stop)
    lane.pass_sweeping(101)
    lane.set_hours(-1, 99)
    lane.settle(lane.next_one(), "a")
    assert lane.state() == "finished"
    adds_up(lane)


def test_one_campaigns_hours_do_not_keep_another_waiting(lane):
    lane.campaign(1, hours=(100, 200))
    lane.campaign(1, name="d")
    assert lane.take_one().campaign == "d"


def test_a_resumed_campaign_outside_its_hours_waits_for_them(lane):
    lane.campaign(1, hours=(100, 200))
    lane.pause()
    lane.resume()
    assert isinstance(lane.take(), Stop)


def test_past_hours_are_renewed_at_once_also_after_the_clock_stepped_back(lane):
    lane.campaign(1, hours=(-100, 200))
    lane.pause()
    lane.pass_s(300)
    lane.resume()
    lane.pass_s(-200)
    assert lane.sweep().hours == ("c",)


def test_a_campaign_whose_hours_lie_ahead_again_after_a_step_back_waits_for_them(lane):
    lane.campaign(1, 1, hours=(-5, 100))
    lane.pass_s(-20)
    assert isinstance(lane.take(), Stop)
    lane.pass_s(14)
    assert lane.sweep().hours == ()
    lane.pass_s(1)
    assert lane.sweep().hours == ("c",)
    lane.set_hours(0, 100)
    assert isinstance(lane.take(), Batches)


def test_hours_renewed_while_the_clock_was_ahead_are_renewed_again(lane):
    lane.campaign(1, hours=(-5, 10))
    lane.pass_s(20)
    lane.sweep()
    lane.set_hours(86_400, 90_000)
    lane.pass_s(-15)
    assert lane.sweep().hours == ("c",)


@pytest.mark.parametrize("hours", [(-5, 100), (50, 100)], ids=["open", "closed"])
def test_hours_that_are_to_be_renewed_stay_so_whatever_comes_back_meanwhile(lane, hours):
    lane.campaign(1, 1, hours=hours)
    lane.sweep()
    lane.pass_s(-20)
    assert lane.sweep().hours == ("c",)
    lane.resume()
    assert isinstance(lane.take(), Stop)
    lane.pass_s(1)
    assert lane.sweep().hours == ("c",)


def test_campaigns_whose_hours_nobody_can_renew_do_not_keep_others_waiting(lane):
    for number in range(AT_ONCE + 1):
        lane.campaign(1, name=f"c{number:03}", hours=(2, 20))
    lane.pass_s(2)
    named = set(lane.sweep().hours)
    lane.pass_s(1)
    assert len(named) == AT_ONCE
    assert len(named.union(lane.sweep().hours)) == AT_ONCE + 1


def test_an_ended_campaigns_hours_are_forgotten(lane):
    lane.campaign(1, hours=(2, 20))
    lane.cancel()
    lane.pass_sweeping(4)
    assert not lane.set_hours(0, 1)
    lane.pass_s(1)
    assert lane.sweep().hours == ()
