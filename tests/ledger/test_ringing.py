"""Rings: no lane with work stays without somebody to serve it, and each is named to one process at a time."""

import pytest

from worker.ledger import keys
from worker.ledger.ringing import Rung

S = 1_000_000


def ring_for(ledger, seconds, owner="w"):
    """Ask every second for so long, as a live worker; return at which seconds there was a lane to serve."""
    rung = []
    for second in range(seconds):
        ledger.pass_s(1)
        ledger.sweep(owner)
        if ledger.ring(owner).accounts:
            rung.append(second + 1)
    return rung


def test_a_lane_that_is_due_and_unserved_is_rung_for_after_1_2_4_to_30_seconds(ledger):
    ledger.campaign(1)
    ledger.sweep()
    assert ledger.ring() == Rung(accounts=("main",), more_wait=False)
    rung = ring_for(ledger, 200)
    assert rung == [1, 3, 7, 15, 31, 61, 91, 121, 151, 181]


def test_a_lane_is_rung_for_at_once_when_its_worker_is_gone(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.sweep()
    assert ring_for(ledger, 5) == [5]


def test_the_drain_that_starts_clears_the_ring(ledger):
    ledger.campaign(1)
    ledger.sweep()
    ring_for(ledger, 10)
    ledger.lane()
    assert ledger.lane_field("ring_until") is None
    assert ring_for(ledger, 8) == [5, 6, 8]


def test_a_renewed_seat_says_nothing_of_the_ring_for_another(ledger):
    ledger.announce(call_us=S / 400)
    ledger.announce("idle", call_us=S / 400)
    ledger.sit()
    ledger.campaign(1)
    ledger.sweep()
    assert ledger.ring("idle").accounts == ("main",)
    rung = []
    for second in range(1, 21):
        ledger.pass_s(1)
        ledger.sit()
        if ledger.ring("idle").accounts:
            rung.append(second)
    assert rung == [1, 3, 7, 15]


def test_no_more_seats_are_rung_for_than_workers_live(ledger):
    ledger.lane(call_us=S / 1000)
    ledger.campaign(1)
    ledger.redis.delete(keys.WORKERS)
    ledger.sweep()
    ledger.pass_s(1)
    assert ledger.ring("another").accounts == ()
    ledger.sweep("another")
    assert ledger.lane_field("seats") == "5"
    assert ledger.ring("another").accounts == ("main",)


@pytest.mark.parametrize("why", ["served", "held", "nothing pending", "paused"])
def test_nobody_is_rung_for_where_nothing_is_due(ledger, why):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.sweep()
    if why == "nothing pending":
        ledger.pause()
    if why == "held":
        ledger.hold()
    if why == "paused":
        ledger.back(ledger.take_one(), "throttled", pause_s=3600)
    if why != "served":
        ledger.take()
        ledger.leave()
    ledger.pass_s(4)
    assert ledger.ring().accounts == ()


def test_a_paused_lane_is_rung_for_when_its_pause_ends(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.sweep()
    ledger.back(ledger.take_one(), "throttled", pause_s=20)
    ledger.take()
    ledger.leave()
    assert ledger.due() == 20
    assert ring_for(ledger, 20) == [20]


def test_after_the_clock_stepped_back_a_lane_is_rung_for_at_the_next_sweep(ledger):
    ledger.campaign(1)
    ledger.sweep()
    ring_for(ledger, 100)
    ledger.pass_s(-3600)
    ledger.sweep()
    assert ledger.ring().accounts == ("main",)


def test_lanes_are_rung_for_in_the_order_in_which_they_became_due_each_to_one_process(ledger):
    names = [f"lane-{i}" for i in range(5)]
    for name in names:
        ledger.campaign(1, name=name, accounts=(name,))
        ledger.pass_s(0.001)
    ledger.sweep()
    ledger.sweep("other")
    assert ledger.ring("w", 2) == Rung(accounts=("lane-0", "lane-1"), more_wait=True)
    assert ledger.ring("other", 2) == Rung(accounts=("lane-2", "lane-3"), more_wait=True)
    assert ledger.ring("w", 2) == Rung(accounts=("lane-4",), more_wait=False)


def test_who_has_no_room_learns_that_a_lane_waits_and_leaves_it_to_others(ledger):
    ledger.campaign(1)
    ledger.sweep()
    for _ in range(3):
        assert ledger.ring(most=0) == Rung(accounts=(), more_wait=True)
    assert ledger.lane_field("ring_until") is None
    assert ledger.ring("other", 1).accounts == ("main",)
    assert ledger.ring(most=0) == Rung(accounts=(), more_wait=False)


def test_who_has_a_seat_in_a_lane_is_not_asked_to_serve_it_again(ledger):
    ledger.lane(call_us=S / 1000)
    ledger.campaign(1)
    ledger.sweep()
    ledger.sweep("other")
    assert ledger.ring() == Rung(accounts=(), more_wait=False)
    assert ledger.ring("other").accounts == ("main",)


def test_a_lane_that_gives_its_seat_up_waits_behind_those_that_wait_already(ledger):
    ledger.lane("busy")
    ledger.campaign(1, name="b", accounts=("busy",))
    ledger.pass_s(1)
    ledger.campaign(1, name="q", accounts=("quiet",))
    ledger.pass_s(1)
    ledger.sweep()
    ledger.abandon(account="busy")
    assert ledger.ring().accounts == ("quiet", "busy")


def test_a_seat_given_up_makes_no_lane_due_and_none_due_sooner(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.sweep()
    ledger.back(ledger.take_one(), "throttled", pause_s=20)
    ledger.take()
    ledger.abandon()
    assert ledger.due() == 20
    ledger.lane("idle")
    ledger.abandon(account="idle")
    assert ledger.due("idle") is None


def test_among_many_lanes_that_are_served_those_that_wait_are_found(ledger):
    for i in range(250):
        ledger.redis.zadd(keys.DUE, {f"busy-{i}": ledger.now})
        ledger.redis.zadd(keys.seats(f"busy-{i}"), {"other": ledger.now + 5 * S})
    ledger.pass_s(1)
    ledger.campaign(1)
    ledger.sweep()
    assert ledger.ring() == Rung(accounts=("main",), more_wait=False)


@pytest.mark.parametrize("again", ["a campaign comes", "a batch comes back", "it is opened"])
def test_a_lane_that_waits_keeps_its_place_whatever_becomes_due_again(ledger, again):
    ledger.lane("main", "dead")
    ledger.campaign(1, 1)
    ledger.pass_s(1)
    ledger.campaign(1, name="d", accounts=("spare",))
    taken = ledger.next_one(owner="dead")
    ledger.pass_s(9)
    ledger.sweep()
    match again:
        case "a campaign comes":
            ledger.campaign(1, name="e")
        case "a batch comes back":
            ledger.back(taken)
        case "it is opened":
            ledger.open()
    assert ledger.due() == -10
    assert ledger.ring("other").accounts == ("main", "spare")


def test_a_pausing_lane_is_due_at_once_when_work_comes(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.back(ledger.next_one(), "throttled", pause_s=60)
    ledger.take()
    assert ledger.due() == 60
    ledger.campaign(1, name="d")
    assert ledger.due() == 0
