"""What delivery reports do to the messages that they are about, whenever they come."""

from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.delivery import Feedback
from worker.domain.suppression import Reason, SuppressionList
from worker.ledger import keys
from worker.ledger.reading import standings
from worker.ledger.receiving import MISCONFIGURED_LIMIT
from worker.ledger.suppression import suppress

from .conftest import S


@pytest.fixture
def sent(ledger):
    """A batch of three that is on the wire."""
    ledger.campaign(3)
    ledger.lane(call_us=1000)
    ledger.taken = ledger.next_one()
    return ledger


def lines(ledger):
    return [(row.outcome, row.delivery) for row in ledger.rows()]


def adds_up(ledger):
    ledger.lawful()
    assert ledger.differences() == ()


def test_a_report_for_an_accepted_message_tells_its_delivery(sent):
    sent.settle(sent.taken, "aaa")
    sent.report("delivered", row=1, code="20005", at=1_800_000_100.5)
    sent.report("failed", row=2, code="23035")
    assert lines(sent) == [("accepted", "delivered"), ("accepted", "undelivered"), ("accepted", "awaiting")]
    assert (sent.counts()["delivered"], sent.counts()["undelivered"]) == (1, 1)
    first, second, _ = sent.rows()
    assert (first.delivery_code, first.delivered_at) == ("20005", "2027-01-15T08:01:40.500+00:00")
    assert (second.delivery_code, second.reason, second.delivered_at) == ("23035", "FAILED", None)
    assert standings(sent.redis, ["c"])[0].codes == {"23035 FAILED": 1}
    adds_up(sent)


def test_a_code_below_zero_is_counted_as_it_stands(sent):
    sent.settle(sent.taken, "aaa")
    sent.report("failed", row=1, code="-5")
    sent.report("failed", row=2)
    assert standings(sent.redis, ["c"])[0].codes == {"-5 FAILED": 1, "FAILED": 1}
    adds_up(sent)


def test_a_report_is_found_by_the_gateways_id(ledger):
    ledger.campaign(1)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "a")
    assert ledger.report("delivered", gateway_id="sid").matched == 1
    assert lines(ledger) == [("accepted", "delivered")]


def test_an_id_that_the_gateway_gave_to_several_messages_names_none_of_them(sent):
    sent.settle(sent.taken, "aaa")
    sent.report("delivered", row=1, gateway_id="sid")
    assert sent.report("delivered", gateway_id="sid").unmatched == 1
    assert [delivery for _, delivery in lines(sent)] == ["delivered", "awaiting", "awaiting"]


@pytest.mark.parametrize("answer", [None, "uuu", "aaa"])
def test_an_id_that_a_report_has_told_finds_the_message_again(sent, answer):
    sent.report("sent", row=2, gateway_id="told")
    if answer:
        sent.settle(sent.taken, answer)
    assert sent.report("delivered", gateway_id="told").matched == 1
    if not answer:
        sent.settle(sent.taken, "aaa")
    assert lines(sent)[1] == ("accepted", "delivered")
    adds_up(sent)


def test_an_id_that_a_report_has_told_finds_the_message_where_it_has_moved_to(sent):
    sent.refuse(sent.taken)
    sent.report("sent", row=3, gateway_id="told")
    assert sent.report("delivered", gateway_id="told").matched == 1
    assert lines(sent) == [("pending", None), ("pending", None), ("accepted", "delivered")]


def test_a_report_without_a_number_is_about_the_only_message_of_its_batch(ledger):
    ledger.campaign(1)
    ledger.lane(call_us=1000)
    ledger.next_one()
    assert ledger.report("delivered", gateway_id="nobody-knows-yet").matched == 1


def test_a_report_that_comes_before_the_answer_counts_when_it_comes(sent):
    sent.report("delivered", row=1)
    assert lines(sent) == [("in_flight", None)] * 3
    assert "delivered" not in sent.counts()
    sent.settle(sent.taken, "aaa")
    assert lines(sent) == [("accepted", "delivered"), ("accepted", "awaiting"), ("accepted", "awaiting")]
    adds_up(sent)


def test_a_report_makes_an_unconfirmed_message_accepted(sent):
    sent.settle(sent.taken, "uuu", "lost")
    sent.report("delivered", row=1, gateway_id="late-sid")
    assert lines(sent) == [("accepted", "delivered"), ("unconfirmed", None), ("unconfirmed", None)]
    assert sent.rows()[0].gateway_id == "late-sid"
    adds_up(sent)


def test_a_report_of_a_failure_makes_an_unconfirmed_message_accepted_and_undelivered(sent):
    sent.settle(sent.taken, "uuu", "lost")
    sent.report("failed", row=3, code="23005")
    assert lines(sent)[2] == ("accepted", "undelivered")
    adds_up(sent)


@pytest.mark.parametrize("reported", ["before the expiry", "after it"])
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("accepted", [("accepted", "delivered"), ("accepted", "awaiting"), ("accepted", "awaiting")]),
        ("back", [("accepted", "delivered"), ("pending", None), ("pending", None)]),
        ("refused", [("accepted", "delivered"), ("pending", None), ("pending", None)]),
    ],
)
def test_the_late_answer_of_an_expired_attempt_leaves_what_was_reported(sent, how, expected, reported):
    sent.sweep()
    if reported == "before the expiry":
        sent.report("delivered", row=1)
    sent.pass_sweeping()
    sent.report("delivered", row=1)
    assert lines(sent) == [("accepted", "delivered"), ("unconfirmed", None), ("unconfirmed", None)]
    adds_up(sent)
    match how:
        case "accepted":
            assert sent.settle(sent.taken, "aaa") == "late"
        case "back":
            assert sent.back(sent.taken) == "late"
        case "refused":
            assert sent.refuse(sent.taken) == "split"
    assert lines(sent) == expected
    adds_up(sent)


def test_a_waiting_message_with_a_report_is_accepted_and_not_sent(sent):
    sent.back(sent.taken)
    sent.report("delivered", row=2)
    assert lines(sent) == [("pending", None), ("accepted", "delivered"), ("pending", None)]
    adds_up(sent)
    taken = sent.next_one()
    assert [number % 10 for number in taken.content().numbers] == [1, 3]
    sent.settle(taken, "ar")
    assert lines(sent) == [("accepted", "awaiting"), ("accepted", "delivered"), ("rejected", None)]
    assert sent.state() == "finished"
    adds_up(sent)


def test_a_batch_whose_messages_are_all_reported_leaves_the_queue(sent):
    sent.back(sent.taken)
    for row in (1, 2, 3):
        sent.report("delivered", row=row)
    assert sent.queue() == []
    assert sent.state() == "finished"
    adds_up(sent)


def test_a_report_on_the_wire_outlives_that_the_batch_goes_back(sent):
    sent.report("sent", row=1)
    sent.back(sent.taken)
    assert lines(sent) == [("accepted", "awaiting"), ("pending", None), ("pending", None)]
    adds_up(sent)


def test_a_report_follows_a_message_to_the_half_it_moved_to(sent):
    sent.refuse(sent.taken)
    sent.report("delivered", row=3)
    assert lines(sent) == [("pending", None), ("pending", None), ("accepted", "delivered")]
    adds_up(sent)


def test_a_report_follows_a_message_to_its_resend(ledger):
    ledger.campaign(2, on_unconfirmed="resend")
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "au")
    ledger.resend()
    ledger.report("delivered", row=2)
    assert lines(ledger) == [("accepted", "awaiting"), ("accepted", "delivered")]
    assert ledger.state() == "finished"
    adds_up(ledger)


@pytest.mark.parametrize("report", ["delivered", "failed"])
@pytest.mark.parametrize("end", ["opted out", "opted out among others", "cancelled", "expired"])
def test_a_report_of_the_first_call_counts_though_the_resend_did_not_go(ledger, end, report):
    ledger.campaign(3, on_unconfirmed="resend", ends_at=ledger.now + 60 * S)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "auu")
    ledger.resend()
    if end == "cancelled":
        ledger.cancel()
    elif end == "expired":
        ledger.pass_sweeping(60)
    else:
        rows = [2, 3] if end == "opted out" else [2]
        suppress(ledger.redis, SuppressionList(), [919_000_000_000 + row for row in rows], Reason.OPTED_OUT)
        ledger.take(lookahead_us=S)
    word = "suppressed" if end.startswith("opted out") else end
    other = "in_flight" if end == "opted out among others" else word
    assert [row.outcome for row in ledger.rows()] == ["accepted", word, other]
    for _ in range(2):
        assert ledger.report("sent", row=2).matched == ledger.report(report, row=2, gateway_id="x").matched == 1
        adds_up(ledger)
    told = "delivered" if report == "delivered" else "undelivered"
    assert lines(ledger) == [("accepted", "awaiting"), ("accepted", told), (other, None)]
    second = ledger.rows()[1]
    assert (second.gateway_id, second.batch, second.attempts, ledger.counts()[told]) == ("x", 2, 1, 1)


def test_a_report_for_a_message_that_was_suppressed_while_its_batch_went_tells_nothing(ledger):
    ledger.campaign(2)
    ledger.lane(call_us=1000)
    suppress(ledger.redis, SuppressionList(), [919_000_000_001], Reason.OPTED_OUT)
    taken = ledger.next_one()
    for _ in range(2):
        assert ledger.report("delivered", row=1).unmatched == 1
        ledger.settle(taken, "a")
    assert lines(ledger) == [("suppressed", None), ("accepted", "awaiting")]
    adds_up(ledger)


def test_a_report_follows_a_message_through_any_number_of_resends(ledger):
    ledger.campaign(1)
    ledger.lane(call_us=1000)
    for n in range(1, 26):
        ledger.settle(ledger.next_one(), "u", "lost")
        ledger.resolve("resend", n)
        ledger.open()
    assert ledger.report("delivered", row=1).matched == 1
    assert lines(ledger) == [("accepted", "delivered")]


def test_an_unconfirmed_message_with_a_report_is_not_sent_again(ledger):
    ledger.campaign(2, on_unconfirmed="resend")
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "uu", "lost")
    ledger.report("delivered", row=1)
    assert ledger.resend() == "resent"
    assert [number % 10 for number in ledger.next_one().content().numbers] == [2]
    adds_up(ledger)


def test_nothing_is_left_to_send_again_when_all_unconfirmed_ones_are_reported(ledger):
    ledger.campaign(1, on_unconfirmed="resend")
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "u", "lost")
    assert ledger.state() == "running"
    ledger.report("delivered", row=1)
    assert ledger.state() == "finished"
    assert ledger.resend() == "gone"
    adds_up(ledger)


def test_a_message_taken_alone_gets_its_reports(ledger):
    ledger.campaign(2)
    ledger.lane(call_us=1000)
    taken = ledger.next_one(limit=1)
    ledger.settle(taken, "u", "lost")
    ledger.report("delivered", n=taken.batch, row=1)
    assert lines(ledger) == [("accepted", "delivered"), ("pending", None)]
    adds_up(ledger)


@pytest.mark.parametrize(
    "settled",
    ["rejected", "cancelled", "elsewhere", "no such batch", "no such campaign"],
)
def test_a_report_that_can_change_nothing_is_kept_once(sent, settled):
    where = {"row": 1}
    if settled == "rejected":
        sent.settle(sent.taken, "raa")
    elif settled == "cancelled":
        sent.back(sent.taken)
        sent.cancel()
    elif settled == "elsewhere":
        where = {"row": 77}
    else:
        where = {"row": 1, "n": 9} if settled == "no such batch" else {"row": 1, "name": "other"}
    before = lines(sent)
    for _ in range(2):
        assert sent.report("delivered", **where).unmatched == 1
    assert lines(sent) == before
    kept = keys.UNMATCHED if settled == "no such campaign" else keys.unmatched("c")
    assert sent.redis.zcard(kept) == 1
    adds_up(sent)


def test_a_report_that_follows_its_message_to_a_damaged_batch_keeps_no_other_report_waiting(sent):
    sent.refuse(sent.taken)
    sent.redis.set(keys.packed("c", 2), b"x")
    assert sent.report("delivered", row=1).unmatched == 1
    assert sent.report("delivered", row=3).matched == 1


REPORTS = [
    {"state": "sent", "code": "30001", "at": 100.0},
    {"state": "failed", "code": "23035", "at": 101.0},
    {"state": "delivered", "code": "20005", "at": 102.0},
    {"state": "delivered", "code": "20006", "at": 102.0},
]


@pytest.mark.parametrize("answer", ["a", "u", "expired"])
def test_the_end_is_the_same_for_every_order_of_reports_and_answer(ledger, answer):
    """Reports in every order, each twice, the answer at every place among them: one end."""
    ends = set()
    for order in permutations([*range(len(REPORTS)), "answer"]):
        ledger.wipe()
        ledger.campaign(1)
        ledger.lane(call_us=1000)
        taken = ledger.next_one()
        ledger.sweep()
        for step in order:
            if step != "answer":
                for _ in range(2):
                    ledger.report(row=1, gateway_id=f"id{step}", **REPORTS[step])
            elif answer == "expired":
                ledger.pass_sweeping()
            else:
                ledger.settle(taken, answer, "lost" if answer == "u" else "ok")
        (row,) = ledger.rows()
        fields = (row.outcome, row.delivery, row.delivery_code, row.delivered_at, row.gateway_id)
        ends.add((fields, tuple(sorted(ledger.counts().items()))))
    assert len(ends) == 1
    ((outcome, delivery, code, _, _), _) = ends.pop()
    assert (outcome, delivery, code) == ("accepted", "delivered", "20006")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(REPORTS)), max_size=12),
    st.integers(0, 12),
    st.text("aau", min_size=4, max_size=4),
)
def test_merging_reports_commutes_and_repeats_harmlessly(ledger, reports, answer_at, letters):
    def play(order):
        ledger.wipe()
        ledger.campaign(4)
        ledger.lane(call_us=1000)
        taken = ledger.next_one()
        for place, (row, report) in enumerate(order):
            if place == answer_at:
                ledger.settle(taken, letters)
            ledger.report(row=row, **report)
        if answer_at >= len(order):
            ledger.settle(taken, letters)
        adds_up(ledger)
        return lines(ledger), ledger.counts()

    assert play(reports) == play([*reversed(reports), *reports])


def test_a_run_of_configuration_failures_pauses_the_campaign(ledger):
    ledger.campaign(30, 30)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "a" * 30)
    for row in range(1, MISCONFIGURED_LIMIT):
        ledger.report("failed", row=row, code="23182", feedback=Feedback.MISCONFIGURED)
        ledger.report("failed", row=row, code="23182", feedback=Feedback.MISCONFIGURED)
    assert ledger.state() == "running"
    ledger.report("failed", row=MISCONFIGURED_LIMIT, code="23182", feedback=Feedback.MISCONFIGURED)
    assert ledger.state() == "paused"
    reason = standings(ledger.redis, ["c"])[0].reason
    assert reason.startswith("20 of the last 20 delivery reports say that sender, template or content is refused")
    ledger.resume()
    ledger.report("failed", row=21, code="23182", feedback=Feedback.MISCONFIGURED)
    assert ledger.state() == "running"
    adds_up(ledger)


def test_reports_of_calls_from_before_the_resume_do_not_help_to_pause_it_again(ledger):
    ledger.campaign(30, 1, 1)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "a" * 30)
    ledger.pass_s(1)
    ledger.pause()
    ledger.resume()
    for row in range(1, 31):
        ledger.report("failed", row=row, code="23182", feedback=Feedback.MISCONFIGURED)
    ledger.pass_s(1)
    ledger.settle(ledger.next_one(), "a")
    ledger.report("failed", n=2, row=31, code="23182", feedback=Feedback.MISCONFIGURED)
    assert ledger.state() == "running"


def test_a_report_that_says_too_fast_slows_the_account_down_once(sent):
    sent.settle(sent.taken, "aaa")
    sent.pass_s(1)
    for row in (1, 2, 3):
        sent.report("failed", row=row, code="30007", feedback=Feedback.THROTTLED)
    assert float(sent.lane_field("factor")) == 0.5
    assert sent.pause_s() > 0
    adds_up(sent)


def test_a_report_that_says_too_fast_is_no_answer_to_a_call(ledger):
    ledger.campaign(1, 1)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "a")
    ledger.settle(ledger.next_one(), "u", "lost")
    ledger.report("failed", row=1, code="30007", feedback=Feedback.THROTTLED)
    assert float(ledger.lane_field("factor")) == 0.5
    assert (ledger.lane_field("careful"), ledger.lane_field("streak")) == ("1", "1")


def test_the_numbers_of_the_unwelcome_are_told(sent):
    sent.settle(sent.taken, "aaa")
    received = sent.report("failed", row=1, code="23020", feedback=Feedback.OPTED_OUT)
    assert received.unwelcome == [(919_000_000_001, Feedback.OPTED_OUT)]
    assert "919" not in repr(received)
