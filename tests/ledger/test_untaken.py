"""Untaken: what the gateway did not take for its account's reason goes again, first and alone, and costs nobody."""

import pytest

from worker.domain.suppression import Checks
from worker.ledger import keys
from worker.ledger.outcomes import unpack_outcomes
from worker.ledger.taking import Stop

from .conftest import S


def taken_of(ledger, *sizes, **options):
    """Produce a campaign of these batches on a lane without a wait, and take the first."""
    ledger.lane(call_us=1)
    ledger.campaign(*sizes, **options)
    return ledger.take_one()


def rows(taken):
    return taken.content().rows


def told(ledger):
    """Return (outcome, batch, attempts) of each row, after holding law and audit against the campaign."""
    ledger.lawful()
    assert ledger.differences() == ()
    return [(line.outcome, line.batch, line.attempts) for line in ledger.rows()]


def test_what_was_not_taken_waits_in_front_and_all_others_settle(ledger):
    taken = taken_of(ledger, 5, 2)
    assert ledger.settle(taken, "aprau", "throttled", pause_s=3) == "settled"
    assert ledger.counts() == {
        "rows": 7, "queued": 7, "batches": 2, "calls": 1, "throttled": 1,
        "accepted": 2, "rejected": 1, "unconfirmed": 1, "pending": 3,
    }  # fmt: skip
    assert ledger.queue() == [3, 2]
    assert (ledger.redis.get(keys.mask("c", 1)), ledger.batch(1)["children"]) == (b".p...", "3")
    assert len(unpack_outcomes(ledger.redis.get(keys.outcomes("c", 1))).messages) == 4
    assert ledger.fields(keys.codes("c")) == {"23010 INVALID": "1"}
    assert told(ledger) == [
        ("accepted", 1, 1), ("pending", 3, 0), ("rejected", 1, 1), ("accepted", 1, 1), ("unconfirmed", 1, 1),
        ("pending", 2, 0), ("pending", 2, 0),
    ]  # fmt: skip
    ledger.pass_s(3)
    again = ledger.next_one()
    assert (again.batch, rows(again)) == (3, (2,))
    ledger.settle(again, "a")
    assert told(ledger)[1] == ("accepted", 3, 1)


def test_it_keeps_its_order_however_often_it_is_not_taken(ledger):
    taken = taken_of(ledger, 6)
    for letters, left in (("papapp", (1, 3, 5, 6)), ("appp", (3, 5, 6)), ("pap", (3, 6))):
        ledger.settle(taken, letters, "throttled", pause_s=1)
        ledger.pass_s(1)
        taken = ledger.next_one()
        assert rows(taken) == left
    ledger.settle(taken, "aa")
    assert [line.batch for line in ledger.rows()] == [2, 1, 4, 1, 3, 4]
    assert (ledger.state(), ledger.counts()["calls"], ledger.counts()["throttled"]) == ("finished", 4, 3)
    assert {outcome for outcome, *_ in told(ledger)} == {"accepted"}


def test_a_throttle_pauses_the_lane_and_halves_its_rate(ledger):
    ledger.settle(taken_of(ledger, 2), "ap", "throttled", "too many calls", pause_s=7)
    assert (ledger.pause_s(), ledger.lane_field("pause_reason")) == (7, "too many calls")
    assert ledger.lane_field("factor") == "0.5"
    assert ledger.take() == Stop()


def test_a_throttle_that_does_not_say_how_long_has_its_own_back_off(ledger):
    taken = taken_of(ledger, 3)
    pauses = []
    for spread in (0.0, 1.0):
        ledger.settle(taken, "a" + "p" * (len(rows(taken)) - 1), "throttled", spread=spread)
        pauses.append(ledger.pause_s())
        ledger.pass_s(2)
        taken = ledger.next_one()
    assert pauses == [0.5, 2]


@pytest.mark.parametrize("probe_s", [0, 30])
def test_what_is_wrong_with_the_account_holds_the_lane_and_one_batch_is_tried_where_it_may_pass(ledger, probe_s):
    ledger.settle(taken_of(ledger, 2, 2), "ap", "hold", "recharge", pause_s=probe_s)
    assert (ledger.lane_field("state"), ledger.lane_field("reason")) == ("held", "recharge")
    assert "throttled" not in ledger.counts()
    ledger.pass_s(30)
    if not probe_s:
        assert ledger.take() == Stop()
        ledger.open()
    tried = ledger.next_one()
    assert rows(tried) == (2,)
    ledger.settle(tried, "a")
    assert ledger.lane_field("state") == "open"
    assert told(ledger)[:2] == [("accepted", 1, 1), ("accepted", 3, 1)]


@pytest.mark.parametrize("kind", ["throttled", "hold"])
@pytest.mark.parametrize(("letters", "ends"), [("rp", False), ("up", False), ("ap", True), ("pra", True)])
def test_it_is_no_refusal_and_ends_a_row_of_them_only_where_something_was_accepted(ledger, letters, ends, kind):
    ledger.settle(taken_of(ledger, 1, len(letters)), "r", "refused", "too many refusals")
    ledger.settle(ledger.next_one(), letters, kind, pause_s=1)
    fields = ledger.fields(keys.campaign("c"))
    assert (fields["refusals"], fields.get("passed")) == (("0", "1") if ends else ("1", None))


@pytest.mark.parametrize("kind", ["throttled", "hold"])
def test_a_repeated_settlement_has_no_further_effect(ledger, kind):
    taken = taken_of(ledger, 3)
    ledger.settle(taken, "apa", kind, pause_s=5)
    before = ledger.redis.hgetall(keys.campaign("c")), ledger.redis.hgetall(keys.lane("main")), ledger.queue()
    ledger.pass_s(1)
    assert ledger.settle(taken, "apa", kind, pause_s=5) == "already"
    assert ledger.back(taken) == "gone"
    assert ledger.refuse(taken) == "gone"
    after = ledger.redis.hgetall(keys.campaign("c")), ledger.redis.hgetall(keys.lane("main")), ledger.queue()
    assert after == before


def test_a_late_answer_takes_back_what_the_sweep_had_to_say_of_all(ledger):
    taken = taken_of(ledger, 4, on_unconfirmed="resend")
    ledger.pass_sweeping()
    assert (ledger.counts()["unconfirmed"], ledger.fields(keys.campaign("c"))["resends"]) == (4, "1")
    assert ledger.settle(taken, "appr", "throttled", pause_s=1) == "late"
    assert ledger.counts() == {
        "rows": 4, "queued": 4, "batches": 1, "calls": 1, "throttled": 1, "accepted": 1, "rejected": 1, "pending": 2,
    }  # fmt: skip
    assert ledger.fields(keys.campaign("c"))["resends"] == "0"
    assert told(ledger) == [("accepted", 1, 1), ("pending", 2, 0), ("pending", 2, 0), ("rejected", 1, 1)]
    assert ledger.settle(taken, "appr", "throttled", pause_s=1) == "already"


def test_a_late_answer_makes_a_finished_campaign_run_again(ledger):
    taken = taken_of(ledger, 2)
    ledger.pass_sweeping()
    assert ledger.state() == "finished"
    ledger.settle(taken, "ap", "throttled", pause_s=1)
    assert ledger.state() == "running"
    assert ledger.due() <= 0
    ledger.pass_s(1)
    ledger.settle(ledger.next_one(), "a")
    assert ledger.state() == "finished"
    assert told(ledger) == [("accepted", 1, 1), ("accepted", 2, 1)]


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_in_a_campaign_that_is_over_it_ends_with_the_campaign(ledger, end, late):
    ends_s = 60 if late else 20
    taken = taken_of(ledger, 3, 1, ends_at=ledger.now + ends_s * S)
    if end == "cancelled":
        ledger.cancel()
    if end == "expired" or late:
        ledger.pass_sweeping(ends_s + 1)
    assert ledger.settle(taken, "app", "throttled", pause_s=1) == ("late" if late else "settled")
    assert ledger.queue() == []
    assert told(ledger) == [("accepted", 1, 1), (end, 3, 0), (end, 3, 0), (end, 2, 0)]
    assert ledger.state() == ("cancelled" if end == "cancelled" else "finished")


def test_in_a_paused_campaign_it_waits_for_the_resume(ledger):
    taken = taken_of(ledger, 2)
    ledger.pause()
    ledger.settle(taken, "ap", "throttled", pause_s=1)
    ledger.pass_s(1)
    assert (ledger.state(), ledger.take()) == ("paused", Stop())
    ledger.resume()
    assert rows(ledger.next_one()) == (2,)


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
def test_whoever_a_report_has_told_of_does_not_go_again(ledger, late):
    taken = taken_of(ledger, 4)
    ledger.report("delivered", row=2, gateway_id="early")
    ledger.report("delivered", row=4, gateway_id="early too")
    if late:
        ledger.pass_sweeping()
    ledger.settle(taken, "appa", "throttled", pause_s=1, gateway_ids=["s1", "", "", "s4"])
    assert ledger.counts()["delivered"] == 2
    assert [line.gateway_id for line in ledger.rows()] == ["s1", "early", None, "s4"]
    assert [outcome for outcome, *_ in told(ledger)] == ["accepted", "accepted", "pending", "accepted"]
    ledger.pass_s(1)
    assert rows(ledger.next_one()) == (3,)


def test_where_reports_have_told_of_all_that_was_not_taken_nothing_waits(ledger):
    taken = taken_of(ledger, 2)
    ledger.report("delivered", row=2)
    ledger.settle(taken, "ap", "throttled", pause_s=1)
    assert (ledger.queue(), ledger.state()) == ([], "finished")
    assert told(ledger) == [("accepted", 1, 1), ("accepted", 2, 0)]


def test_a_report_that_names_the_old_batch_follows_it(ledger):
    ledger.settle(taken_of(ledger, 3), "apa", "throttled", pause_s=1, gateway_ids=["s1", "", "s3"])
    ledger.pass_s(1)
    ledger.settle(ledger.next_one(), "a", gateway_ids=["s2"])
    assert ledger.report("delivered", n=1, row=2, gateway_id="s2").matched == 1
    assert ledger.report("failed", n=1, row=3, gateway_id="s3").matched == 1
    assert [line.delivery for line in ledger.rows()] == ["awaiting", "delivered", "undelivered"]
    assert ledger.differences() == ()


def test_of_messages_that_were_passed_over_none_is_mistaken_for_one_that_went(ledger):
    taken = taken_of(ledger, 5)
    ledger.report("delivered", row=2)
    ledger.back(taken)
    taken = ledger.next_one()
    assert rows(taken) == (1, 3, 4, 5)
    ledger.settle(taken, "apra", "throttled", pause_s=1)
    assert ledger.redis.get(keys.mask("c", 1)) == b".rp.."
    assert told(ledger) == [
        ("accepted", 1, 1), ("accepted", 1, 0), ("pending", 2, 0), ("rejected", 1, 1), ("accepted", 1, 1),
    ]  # fmt: skip
    ledger.pass_s(1)
    assert rows(ledger.next_one()) == (3,)


def test_only_what_is_unconfirmed_in_the_rest_is_planned_for_its_resend(ledger):
    ledger.settle(taken_of(ledger, 3, on_unconfirmed="resend"), "pua", "throttled", pause_s=1)
    assert ledger.resend(1) == "resent"
    assert ledger.queue() == [2, 3]
    assert told(ledger) == [("pending", 2, 0), ("pending", 3, 1), ("accepted", 1, 1)]


def test_what_was_not_taken_of_a_resend_is_not_sent_a_third_time(ledger):
    ledger.settle(taken_of(ledger, 2, on_unconfirmed="resend"), "uu", "lost")
    ledger.resend(1)
    ledger.settle(ledger.next_one(), "ap", "throttled", pause_s=1)
    ledger.pass_s(1)
    ledger.settle(ledger.next_one(), "u", "lost")
    assert ledger.fields(keys.campaign("c"))["resends"] == "0"
    assert told(ledger) == [("accepted", 2, 2), ("unconfirmed", 3, 2)]
    assert ledger.state() == "finished"


def test_whoever_was_not_taken_is_not_remembered_as_messaged(ledger):
    ledger.remember_hours = 24
    checks = Checks(account="main", sender="", is_promotional=False, not_before_hours=24)
    ledger.settle(taken_of(ledger, 2, checks=checks), "ap", "throttled", pause_s=1)
    ledger.pass_s(1)
    assert rows(ledger.next_one()) == (2,)


def test_a_batch_of_which_nothing_at_all_was_taken_goes_again_whole(ledger):
    ledger.settle(taken_of(ledger, 2), "pp", "throttled", pause_s=1)
    ledger.pass_s(1)
    assert told(ledger) == [("pending", 2, 0)] * 2
    ledger.settle(ledger.next_one(), "aa")
    assert told(ledger) == [("accepted", 2, 1)] * 2


def test_a_part_that_was_not_taken_goes_again(ledger):
    ledger.lane(call_us=1)
    ledger.campaign(2)
    ledger.settle(ledger.next_one(limit=1), "p", "throttled", pause_s=1)
    ledger.pass_s(1)
    assert rows(ledger.next_one(limit=1)) == (1,)
    assert told(ledger) == [("in_flight", 3, 1), ("pending", 1, 0)]
