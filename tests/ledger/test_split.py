"""Split: a batch that was refused whole is divided until what is wrong in it stands alone, and nobody else pays."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.answers import Rejected
from worker.domain.content import BatchContent, Passed
from worker.ledger import keys, production, settling
from worker.ledger.audit import audit
from worker.ledger.packing import pack, unpack
from worker.ledger.record import report_rows
from worker.ledger.stored import NO_ANSWER
from worker.ledger.taking import Batches, Stop

S = 1_000_000
REFUSAL = Rejected(code="40202", reason="Message body is invalid.")
WORDS = "40202 Message body is invalid."
LIMIT = settling.REFUSED_LIMIT


def produce(ledger, *sizes, passed=0):
    """Produce a campaign of batches of so many rows, the first `passed` of each invalid, on a lane without a wait."""
    ledger.lane(call_us=0.001)
    ledger.begin()
    at, stretches = 0, []
    for size in sizes:
        rows = range(at + 1, at + size + 1)
        stretches.append(content(rows[:passed], rows[passed:]))
        at += size
    assert production.append(
        ledger.redis, "c", token="t", position=0, new_position=at, digest="d",
        invalid=passed * len(sizes), duplicate=0, suppressed=0,
        stretches=[production.Stretch(messages=len(each.rows), packed=pack(each)) for each in stretches],
    )  # fmt: skip
    assert ledger.start(at=at) == "running"


def content(invalid, rows):
    return BatchContent(
        columns=("to",),
        rows=tuple(rows),
        numbers=tuple(919_000_000_000 + row for row in rows),
        values=tuple([f"90000{row:05}"] for row in rows),
        passed=tuple(Passed(row=row, outcome="invalid", to="?", reason="why", values=("?",)) for row in invalid),
    )


def rows(taken):
    return unpack(taken.packed).rows


def refuse(ledger, taken):
    """Tell the ledger that the call was refused because of something in its batch."""
    return ledger.run(settling.isolate(ledger.aredis, "main", taken, REFUSAL, ledger.now / S, now=ledger.now))


def send_all(ledger, poison, refusals=10_000):
    """Send until nothing may go: a call with a poisoned row is refused whole. Return the calls by how they ended."""
    calls = []
    while calls.count("refused") < refusals:
        ledger.pass_s(0.01)
        turn = ledger.take()
        if not isinstance(turn, Batches):
            assert turn == Stop(), turn
            break
        (taken,) = turn.taken
        if poison.isdisjoint(rows(taken)):
            ledger.settle(taken, "a" * len(rows(taken)))
            calls.append("accepted")
        else:
            refuse(ledger, taken)
            calls.append("refused")
    return calls


def outcomes(ledger):
    """Return the rows by outcome, after holding the audit against the campaign."""
    assert audit(ledger.redis, "c") == ()
    report = list(report_rows(ledger.redis, "c"))
    assert [line.row for line in report] == list(range(1, len(report) + 1))
    found = {}
    for line in report:
        found.setdefault(line.outcome, set()).add(line.row)
    return found


def expire(ledger, seconds=41):
    for _ in range(seconds):
        ledger.pass_s(1)
        ledger.sweep()


def test_a_refused_batch_becomes_two_that_wait_behind_the_others(ledger):
    produce(ledger, 5, 3)
    taken = ledger.take_one()
    assert refuse(ledger, taken) == "split"
    assert ledger.queue() == [2, 3, 4]
    assert ledger.batch(1)["state"] == "moved"
    assert ledger.batch(1)["children"] == "3 4"
    assert ledger.redis.exists(keys.outcomes("c", 1)) == 0
    assert ledger.counts() == {"rows": 8, "queued": 8, "pending": 8, "batches": 2, "calls": 1}
    assert ledger.redis.hlen(keys.lane_attempts("main")) == ledger.redis.zcard(keys.ATTEMPTS) == 0
    assert [rows(ledger.next_one()) for _ in range(3)] == [(6, 7, 8), (1, 2), (3, 4, 5)]


def test_the_lane_hears_of_the_halves_though_it_had_nothing_left(ledger):
    produce(ledger, 2)
    taken = ledger.take_one()
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    assert ledger.due() is None
    refuse(ledger, taken)
    assert ledger.due() == 0
    assert rows(ledger.next_one()) == (1,)


@pytest.mark.parametrize("bad", [1, 50, 100, 137, 300])
def test_one_bad_message_in_three_hundred_is_found_in_at_most_16_extra_calls(ledger, bad):
    produce(ledger, 100, 100, 100)
    calls = send_all(ledger, {bad})
    assert len(calls) - 3 <= 16
    assert outcomes(ledger) == {"accepted": set(range(1, 301)) - {bad}, "rejected": {bad}}
    assert ledger.state() == "finished"
    assert ledger.fields(keys.codes("c")) == {WORDS: "1"}


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exactly_the_bad_messages_are_rejected_whichever_they_are(ledger, data):
    sizes = data.draw(st.lists(st.integers(min_value=1, max_value=24), min_size=1, max_size=4))
    everybody = set(range(1, sum(sizes) + 1))
    poison = data.draw(st.sets(st.sampled_from(sorted(everybody)), max_size=len(everybody) - 1))
    ledger.wipe()
    produce(ledger, *sizes)
    send_all(ledger, poison)
    pauses = 0
    while ledger.state() == "paused":
        assert outcomes(ledger).get("rejected", set()) <= poison
        ledger.pass_s(1)
        ledger.resume()
        send_all(ledger, poison)
        pauses += 1
        assert pauses < 2 * len(everybody) / LIMIT + 2
    found = outcomes(ledger)
    assert (found.get("rejected", set()), found["accepted"]) == (poison, everybody - poison)
    assert ledger.state() == "finished"


def test_moved_messages_stand_once_in_the_report_each_with_the_batch_that_ended_it(ledger):
    produce(ledger, 6, 6, passed=2)
    send_all(ledger, {4})
    report = list(report_rows(ledger.redis, "c"))
    told = [(line.row, line.outcome, line.batch, line.code) for line in report]
    assert told == [
        (1, "invalid", None, None),
        (2, "invalid", None, None),
        (3, "accepted", 5, None),
        (4, "rejected", 6, "40202"),
        (5, "accepted", 4, None),
        (6, "accepted", 4, None),
        (7, "invalid", None, None),
        (8, "invalid", None, None),
        *((row, "accepted", 2, None) for row in range(9, 13)),
    ]
    assert {line.attempts for line in report if line.batch} == {1}
    assert report[3].reason == REFUSAL.reason
    assert audit(ledger.redis, "c") == ()


def test_halves_on_the_wire_and_lost_ones_count_where_they_are(ledger):
    produce(ledger, 4)
    refuse(ledger, ledger.take_one())
    ledger.next_one()
    assert outcomes(ledger) == {"in_flight": {1, 2}, "pending": {3, 4}}
    expire(ledger)
    assert outcomes(ledger) == {"unconfirmed": {1, 2}, "pending": {3, 4}}
    assert next(report_rows(ledger.redis, "c")).reason == NO_ANSWER


def test_a_second_split_by_the_same_attempt_does_nothing(ledger):
    produce(ledger, 4)
    taken = ledger.take_one()
    refuse(ledger, taken)
    before = ledger.fields(keys.campaign("c"))
    assert refuse(ledger, taken) == "gone"
    assert ledger.fields(keys.campaign("c")) == before
    assert ledger.queue() == [2, 3]


def test_what_was_split_can_not_be_settled_given_back_or_voided(ledger):
    produce(ledger, 4)
    taken = ledger.take_one()
    refuse(ledger, taken)
    before = ledger.counts()
    assert ledger.settle(taken, "aaaa") == "already"
    assert ledger.back(taken) == "gone"
    assert ledger.void(taken.attempt) == "gone"
    assert (ledger.counts(), ledger.queue()) == (before, [2, 3])
    assert outcomes(ledger) == {"pending": {1, 2, 3, 4}}


@pytest.mark.parametrize("size", [1, 4])
def test_an_attempt_that_never_held_the_batch_splits_nothing(ledger, size):
    produce(ledger, size)
    first = ledger.take_one()
    ledger.back(first)
    second = ledger.next_one()
    assert refuse(ledger, first) == "gone"
    assert ledger.counts()["in_flight"] == size
    assert ledger.settle(second, "a" * size) == "settled"
    assert refuse(ledger, second) == "gone"
    assert outcomes(ledger) == {"accepted": set(range(1, size + 1))}


def test_the_late_refusal_of_an_expired_attempt_divides_its_batch_and_a_finished_campaign_runs_again(ledger):
    produce(ledger, 4)
    taken = ledger.take_one()
    expire(ledger)
    assert (ledger.counts()["unconfirmed"], ledger.state()) == (4, "finished")
    assert refuse(ledger, taken) == "split"
    assert ledger.counts() == {"rows": 4, "queued": 4, "pending": 4, "batches": 1, "calls": 1}
    assert ledger.state() == "running"
    assert refuse(ledger, taken) == "gone"
    assert outcomes(ledger) == {"pending": {1, 2, 3, 4}}
    send_all(ledger, set())
    assert outcomes(ledger) == {"accepted": {1, 2, 3, 4}}
    assert ledger.counts()["calls"] == 3


def test_the_late_refusal_of_a_single_message_rejects_it(ledger):
    produce(ledger, 1)
    taken = ledger.take_one()
    expire(ledger)
    assert refuse(ledger, taken) == "rejected"
    assert outcomes(ledger) == {"rejected": {1}}
    assert (ledger.counts()["calls"], ledger.state()) == (1, "finished")


def test_one_message_is_rejected_only_once_a_call_of_the_campaign_was_accepted(ledger):
    produce(ledger, 1, 1)
    assert refuse(ledger, ledger.take_one()) == "back"
    assert ledger.queue() == [2, 1]
    assert outcomes(ledger) == {"pending": {1, 2}}
    ledger.settle(ledger.next_one(), "a")
    assert refuse(ledger, ledger.next_one()) == "rejected"
    assert outcomes(ledger) == {"accepted": {2}, "rejected": {1}}
    assert ledger.state() == "finished"


def test_a_call_whose_every_message_was_refused_for_itself_was_accepted(ledger):
    produce(ledger, 2)
    assert refuse(ledger, ledger.take_one()) == "split"
    ledger.settle(ledger.next_one(), "r")
    assert send_all(ledger, {2}) == ["refused"]
    assert outcomes(ledger) == {"rejected": {1, 2}}
    assert ledger.state() == "finished"


def test_the_only_message_of_a_campaign_is_rejected(ledger):
    produce(ledger, 1)
    assert send_all(ledger, {1}) == ["refused"]
    assert outcomes(ledger) == {"rejected": {1}}
    assert ledger.fields(keys.codes("c")) == {WORDS: "1"}
    assert ledger.state() == "finished"


def test_a_campaign_of_which_every_call_is_refused_pauses_at_the_twentieth_and_burns_nobody(ledger):
    produce(ledger, 3, 3)
    assert send_all(ledger, set(range(1, 7))) == ["refused"] * LIMIT
    assert ledger.state() == "paused"
    assert ledger.fields(keys.campaign("c"))["reason"] == f"20 calls in a row were refused, the last: {WORDS}"
    assert outcomes(ledger) == {"pending": set(range(1, 7))}
    ledger.pass_s(1)
    ledger.resume()
    assert send_all(ledger, set(range(1, 7))) == ["refused"] * LIMIT
    assert outcomes(ledger) == {"pending": set(range(1, 7))}


def test_a_batch_that_is_bad_throughout_pauses_the_campaign_and_each_resume_goes_on_with_twenty_more(ledger):
    produce(ledger, 100, 100)
    bad = set(range(101, 201))
    pauses = 0
    while True:
        calls = send_all(ledger, bad)
        found = outcomes(ledger)
        assert found["accepted"] == set(range(1, 101))
        assert found.get("rejected", set()) | found.get("pending", set()) == bad
        if ledger.state() == "finished":
            break
        assert (ledger.state(), calls.count("refused")) == ("paused", LIMIT)
        pauses += 1
        ledger.pass_s(1)
        ledger.resume()
    assert found["rejected"] == bad
    # 199 calls divide 100 messages into ones.
    assert pauses == 199 // LIMIT
    assert ledger.counts()["calls"] == 1 + 199


def test_an_accepted_call_ends_the_row_of_refusals(ledger):
    produce(ledger, *[1] * 60)
    assert send_all(ledger, set(range(1, 61)), refusals=LIMIT - 1) == ["refused"] * (LIMIT - 1)
    ledger.settle(ledger.next_one(), "a")
    send_all(ledger, set(range(1, 61)), refusals=LIMIT - 1)
    assert ledger.state() == "running"
    send_all(ledger, set(range(1, 61)), refusals=1)
    assert ledger.state() == "paused"


def test_batches_of_invalid_numbers_only_count_as_refused_calls_and_are_rejected(ledger):
    produce(ledger, *[2] * (LIMIT + 3))
    for _ in range(LIMIT):
        assert ledger.state() == "running"
        ledger.settle(ledger.next_one(), "rr", "refused", "too many refusals")
    assert (ledger.state(), ledger.fields(keys.campaign("c"))["reason"]) == ("paused", "too many refusals")
    assert ledger.counts()["rejected"] == 2 * LIMIT
    assert ledger.take() == Stop()
    assert ledger.lane_field("state") is None
    assert outcomes(ledger)["pending"] == set(range(2 * LIMIT + 1, 2 * LIMIT + 7))


def test_the_two_kinds_of_refusal_make_one_row(ledger):
    produce(ledger, *[2] * 60)
    for _ in range(LIMIT // 2):
        refuse(ledger, ledger.next_one())
        assert ledger.state() == "running"
        ledger.settle(ledger.next_one(), "rr", "refused", "too many refusals")
    assert ledger.state() == "paused"


def test_refusals_of_calls_from_before_a_resume_do_not_count(ledger):
    produce(ledger, *[2] * 60)
    taken = ledger.take(LIMIT, lookahead_us=100).taken
    assert len(taken) == LIMIT
    ledger.pause()
    ledger.pass_s(1)
    ledger.resume()
    for each in taken[:-1]:
        assert refuse(ledger, each) == "split"
    ledger.settle(taken[-1], "rr", "refused", "too many refusals")
    assert ledger.state() == "running"
    everybody = set(range(1, 121))
    assert send_all(ledger, everybody, refusals=LIMIT - 1) == ["refused"] * (LIMIT - 1)
    assert ledger.state() == "running"
    send_all(ledger, everybody, refusals=1)
    assert ledger.state() == "paused"


def test_a_late_refusal_counts_for_the_breaker_unless_the_campaign_was_resumed_since(ledger):
    produce(ledger, *[2] * 60)
    stale = ledger.take_one()
    send_all(ledger, set(range(3, 121)))
    assert ledger.state() == "paused"
    expire(ledger)
    ledger.resume()
    assert refuse(ledger, stale) == "split"
    assert ledger.fields(keys.campaign("c"))["refusals"] == "0"


def test_a_paused_campaign_is_divided_and_stays_paused(ledger):
    produce(ledger, 4)
    taken = ledger.take_one()
    ledger.pause()
    assert refuse(ledger, taken) == "split"
    assert ledger.state() == "paused"
    assert ledger.take() == Stop()
    assert outcomes(ledger) == {"pending": {1, 2, 3, 4}}
    ledger.resume()
    send_all(ledger, {3})
    assert outcomes(ledger) == {"accepted": {1, 2, 4}, "rejected": {3}}


def test_a_campaign_paused_meanwhile_is_finished_by_its_last_refusal(ledger):
    produce(ledger, 1, 1)
    ledger.settle(ledger.take_one(), "a")
    taken = ledger.next_one()
    ledger.pause()
    assert refuse(ledger, taken) == "rejected"
    assert ledger.state() == "finished"


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("size", [1, 4])
def test_what_was_refused_in_a_cancelled_campaign_is_cancelled(ledger, size, late):
    produce(ledger, size, 2)
    taken = ledger.take_one()
    ledger.cancel()
    if late:
        expire(ledger)
    assert refuse(ledger, taken) == "back"
    assert ledger.state() == "cancelled"
    assert ledger.queue() == []
    assert outcomes(ledger) == {"cancelled": set(range(1, size + 3))}
    assert refuse(ledger, taken) == "gone"


def test_halves_that_wait_when_the_campaign_is_cancelled_are_cancelled(ledger):
    produce(ledger, 4)
    refuse(ledger, ledger.take_one())
    ledger.settle(ledger.next_one(), "aa")
    ledger.cancel()
    assert outcomes(ledger) == {"accepted": {1, 2}, "cancelled": {3, 4}}


def test_a_refusal_is_an_answer_to_the_lane(ledger):
    produce(ledger, *[2] * 8)
    for _ in range(4):
        ledger.settle(ledger.next_one(), "uu", "lost")
    assert (ledger.lane_field("streak"), ledger.lane_field("careful")) == ("4", "1")
    refuse(ledger, ledger.next_one())
    assert (ledger.lane_field("streak"), ledger.lane_field("careful")) == ("0", "0")


def test_a_half_given_back_goes_to_the_front_as_any_batch(ledger):
    produce(ledger, 4)
    refuse(ledger, ledger.take_one())
    half = ledger.next_one()
    assert ledger.back(half) == "back"
    assert ledger.queue() == [2, 3]
    assert outcomes(ledger) == {"pending": {1, 2, 3, 4}}
