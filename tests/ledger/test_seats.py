"""Seats: a lane is served by as many processes as its ceiling needs, and by no fewer while work is due."""

import pytest

from worker.ledger import keys, seats
from worker.ledger.seats import Left, NoSeat, Seat, Stay
from worker.ledger.taking import Stop

S = 1_000_000


def live(ledger):
    return sorted(owner.decode() for owner in ledger.redis.zrange(keys.seats("main"), 0, -1))


def test_one_seat_serves_200_calls_a_second(ledger):
    for owner in "abcd":
        ledger.announce(owner, call_us=S / 200)
    assert ledger.sit("a") == Seat(concurrency=100, call_us=5000)
    assert ledger.sit("b") == NoSeat()
    assert live(ledger) == ["a"]


def test_a_ceiling_above_has_as_many_seats_as_it_needs(ledger):
    for owner in "abcd":
        ledger.announce(owner, call_us=S / 401)
    assert [isinstance(ledger.sit(owner), Seat) for owner in "abcd"] == [True, True, True, False]
    assert live(ledger) == ["a", "b", "c"]


def test_a_seat_is_renewed_by_its_owner_and_is_one_seat(ledger):
    ledger.lane()
    ledger.pass_s(3)
    ledger.sit()
    assert live(ledger) == ["w"]
    assert ledger.redis.zscore(keys.seats("main"), "w") == ledger.now + 5 * S


def test_a_renewed_seat_lasts_its_full_length_from_then(ledger):
    seat = ledger.lane(concurrency=7)
    ledger.pass_s(3)
    assert ledger.renew() == seat == Seat(concurrency=7, call_us=1_000_000)
    assert ledger.redis.zscore(keys.seats("main"), "w") == ledger.now + 5 * S


def test_a_renewal_tells_of_a_ceiling_that_has_changed(ledger):
    ledger.lane(call_us=1000, concurrency=9)
    ledger.announce("other", call_us=3000, concurrency=4)
    assert ledger.renew() == Seat(concurrency=4, call_us=3000)


def test_a_ceiling_that_is_withdrawn_holds_no_more(ledger):
    ledger.lane(call_us=1000, concurrency=9)
    ledger.announce("other", call_us=3000, concurrency=4)
    ledger.run(seats.withdraw(ledger.aredis, "other", ["main", "elsewhere"]))
    assert ledger.renew() == Seat(concurrency=9, call_us=1000)


def test_a_ceiling_is_read_as_it_was_written():
    ceiling = seats.Ceiling(call_us=1_212_000.0, message_us=33_666.667, concurrency=8)
    assert seats.Ceiling.read(ceiling.line()) == ceiling


@pytest.mark.parametrize("lost", ["expired", "left", "abandoned", "never taken"])
def test_a_seat_that_is_not_held_is_not_renewed(ledger, lost):
    if lost == "never taken":
        ledger.announce()
    else:
        ledger.lane()
    match lost:
        case "expired":
            ledger.pass_s(5)
        case "left":
            assert ledger.leave() == Left()
        case "abandoned":
            ledger.abandon()
    assert ledger.renew() == NoSeat()
    assert live(ledger) == []
    assert isinstance(ledger.sit(), Seat), "it may be taken anew"


def test_a_renewal_takes_no_seat_from_its_successor(ledger):
    ledger.lane(owner="slept")
    ledger.pass_s(5)
    ledger.lane(owner="w")
    assert ledger.renew("slept") == NoSeat()
    assert live(ledger) == ["w"]


def test_a_renewal_that_fails_leaves_the_ring_to_who_hears_it(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.abandon()
    assert ledger.ring().accounts == ("main",)
    until = ledger.lane_field("ring_until")
    assert until is not None
    assert ledger.renew() == NoSeat()
    assert ledger.lane_field("ring_until") == until


def test_a_dead_owner_s_seat_is_free_after_5_seconds(ledger):
    ledger.lane(owner="dead")
    ledger.announce("w")
    ledger.now += 5 * S - 1
    assert ledger.sit() == NoSeat()
    ledger.now += 1
    assert isinstance(ledger.sit(), Seat)
    assert live(ledger) == ["w"]


def test_after_the_clock_stepped_back_a_dead_owner_s_seat_is_free_after_5_seconds(ledger):
    ledger.lane(owner="dead")
    ledger.pass_s(-3600)
    ledger.announce("w")
    assert ledger.sit() == NoSeat()
    ledger.pass_s(5)
    assert isinstance(ledger.sit(), Seat)


def test_the_lowest_ceiling_of_live_workers_holds(ledger):
    ledger.announce("one", call_us=1000, message_us=50, concurrency=9)
    ledger.announce("two", call_us=3000, message_us=20, concurrency=4)
    assert ledger.sit("one") == Seat(concurrency=4, call_us=3000)
    assert ledger.lane_field("message_us") == "50"


def test_the_ceilings_of_a_worker_that_is_gone_are_forgotten(ledger):
    ledger.announce("dead", call_us=3000, concurrency=4)
    ledger.run(seats.report_problem(ledger.aredis, "main", "dead", "no secret"))
    ledger.pass_s(30)
    ledger.announce("w", call_us=1000, concurrency=9)
    assert ledger.sit() == Seat(concurrency=9, call_us=1000)
    assert ledger.fields(keys.ceilings("main")) == {"w": "1000.000 0.000 9"}
    assert ledger.redis.exists(keys.problems("main")) == 0


def test_a_lane_of_which_no_worker_knows_the_ceiling_has_no_seat(ledger):
    assert ledger.sit() == NoSeat()


def test_a_seat_clears_the_problem_that_its_owner_had(ledger):
    ledger.announce()
    ledger.run(seats.report_problem(ledger.aredis, "main", "w", "no secret"))
    ledger.run(seats.report_problem(ledger.aredis, "main", "other", "no secret"))
    ledger.announce("other")
    ledger.sit()
    assert ledger.fields(keys.problems("main")) == {"other": "no secret"}


def test_a_seat_can_not_be_left_while_work_is_due(ledger):
    ledger.lane()
    ledger.campaign(1)
    assert ledger.leave() == Stay()
    ledger.take_one()
    assert ledger.leave() == Stay(), "nobody has looked since"
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    assert ledger.leave() == Left()
    assert live(ledger) == []


def test_what_is_resumed_after_the_last_look_keeps_the_seat(ledger):
    ledger.lane()
    ledger.campaign(1, hold="waits")
    assert ledger.take() == Stop()
    ledger.resume()
    assert ledger.leave() == Stay()
    assert live(ledger) == ["w"]


@pytest.mark.parametrize("again", ["given back", "opened", "started"])
def test_whatever_makes_work_due_keeps_the_seat(ledger, again):
    ledger.lane()
    ledger.campaign(1)
    taken = ledger.take_one()
    ledger.pass_s(1)
    ledger.take()
    match again:
        case "given back":
            ledger.back(taken)
        case "opened":
            ledger.open()
        case "started":
            ledger.campaign(1, name="next")
    assert ledger.leave() == Stay()


def test_a_paused_lane_may_be_left_before_its_pause_ends(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.back(ledger.take_one(), "throttled", pause_s=60)
    ledger.take()
    assert ledger.leave() == Left()


def test_an_abandoned_seat_is_free_at_once_whatever_is_due(ledger):
    ledger.lane(owner="stops")
    ledger.campaign(1)
    ledger.announce("w")
    ledger.run(seats.abandon_seat(ledger.aredis, "main", "stops"))
    assert isinstance(ledger.sit(), Seat)
    assert ledger.due() == 0
