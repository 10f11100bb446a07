"""A gateway that takes one recipient a call: message by message, each a batch of its own."""

import pytest

from worker.ledger import keys
from worker.ledger.packing import PackingError, pack
from worker.ledger.parts import Part, content_on_wire, open_batch, part_of, positions_on_wire
from worker.ledger.taking import Batches, Stop

from .conftest import stretches


@pytest.fixture
def produced(ledger):
    ledger.campaign(3, 2)
    ledger.lane(call_us=1000)
    return ledger


def numbers_of(taken):
    return [number - 919_000_000_000 for number in taken.content().numbers]


def fates(ledger):
    return [row.outcome for row in ledger.rows()]


def test_each_call_has_one_message_in_the_order_of_the_input(produced):
    taken = [produced.next_one(limit=1) for _ in range(5)]
    assert [numbers_of(each) for each in taken] == [[1], [2], [3], [4], [5]]
    produced.pass_s(1)
    assert isinstance(produced.take(limit=1), Stop)


def test_what_is_left_of_the_batch_stays_pending(produced):
    produced.next_one(limit=1)
    assert produced.counts() == {"rows": 5, "queued": 5, "batches": 2, "pending": 4, "in_flight": 1}
    assert fates(produced) == ["in_flight", "pending", "pending", "pending", "pending"]
    produced.lawful()
    assert produced.differences() == ()


def test_each_message_is_settled_by_itself(produced):
    for letter in "aru":
        produced.settle(produced.next_one(limit=1), letter, "lost" if letter == "u" else "ok")
    assert fates(produced) == ["accepted", "rejected", "unconfirmed", "pending", "pending"]
    assert [row.attempts for row in produced.rows()] == [1, 1, 1, 0, 0]
    assert produced.differences() == ()


def test_a_message_that_goes_back_is_the_next_one(produced):
    produced.back(produced.next_one(limit=1))
    assert fates(produced) == ["pending"] * 5
    assert produced.differences() == ()
    assert numbers_of(produced.next_one(limit=1)) == [1]


def test_a_dead_worker_leaves_only_what_was_on_the_wire_unconfirmed(produced):
    produced.next_one(limit=1)
    produced.next_one(limit=1)
    produced.pass_sweeping()
    assert fates(produced) == ["unconfirmed", "unconfirmed", "pending", "pending", "pending"]
    assert produced.differences() == ()


def test_the_campaign_finishes_with_the_last_message(produced):
    for _ in range(5):
        assert produced.state() == "running"
        produced.settle(produced.next_one(limit=1), "a")
    assert produced.state() == "finished"
    assert produced.differences() == ()


def test_several_messages_of_a_batch_are_taken_at_once(produced):
    turn = produced.take(4, lookahead_us=1_000_000, limit=1)
    assert isinstance(turn, Batches)
    assert [numbers_of(each) for each in turn.taken] == [[1], [2], [3], [4]]
    assert len({each.batch for each in turn.taken}) == 4


@pytest.mark.parametrize("end", ["back", "split", "resent"])
def test_a_batch_of_which_some_messages_went_singly_may_go_whole(produced, end):
    produced.settle(produced.next_one(limit=1), "a")
    taken = produced.next_one()
    assert numbers_of(taken) == [2, 3]
    match end:
        case "back":
            produced.back(taken)
        case "split":
            produced.refuse(taken)
        case "resent":
            produced.settle(taken, "uu", "lost")
            assert produced.report("delivered", n=1, row=2).matched == 1
            produced.resolve("resend")
            assert produced.report("delivered", n=1, row=3).matched == 1
    last = "accepted" if end == "resent" else "pending"
    assert fates(produced) == ["accepted", last, last, "pending", "pending"]
    produced.lawful()
    assert produced.differences() == ()


def test_a_cancelled_campaign_keeps_what_its_messages_came_to(produced):
    produced.settle(produced.next_one(limit=1), "a")
    held = produced.next_one(limit=1)
    produced.cancel()
    assert fates(produced) == ["accepted", "in_flight", "cancelled", "cancelled", "cancelled"]
    produced.back(held)
    assert fates(produced) == ["accepted", *["cancelled"] * 4]
    assert produced.differences() == ()


def test_an_unconfirmed_message_is_sent_once_more_where_the_file_says_so(ledger):
    ledger.campaign(2, on_unconfirmed="resend")
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(limit=1), "u", "lost")
    ledger.settle(ledger.next_one(limit=1), "a")
    assert ledger.resend(2) == "resent"
    again = ledger.next_one(limit=1)
    assert numbers_of(again) == [1]
    ledger.settle(again, "u", "lost")
    assert ledger.state() == "finished"
    assert [(row.outcome, row.attempts) for row in ledger.rows()] == [("unconfirmed", 2), ("accepted", 1)]
    assert ledger.differences() == ()


def test_a_single_refusal_is_final_once_a_call_has_passed(produced):
    refused = produced.next_one(limit=1)
    assert produced.refuse(refused) == "back"
    for letter in "a":
        produced.settle(produced.next_one(limit=1), letter)
    produced.settle(produced.next_one(limit=1), "a")
    produced.settle(produced.next_one(limit=1), "a")
    produced.settle(produced.next_one(limit=1), "a")
    again = produced.next_one(limit=1)
    assert produced.refuse(again) == "rejected"
    assert sorted(fates(produced)) == ["accepted"] * 4 + ["rejected"]
    assert produced.differences() == ()


def test_a_part_whose_batch_is_lost_pauses_the_campaign(produced):
    produced.back(produced.next_one(limit=1))
    produced.redis.delete(keys.packed("c", 1))
    produced.pass_s(1)
    produced.take(limit=1)
    assert produced.state() == "paused"


def test_a_part_names_its_batch_and_its_place_there(produced):
    taken = produced.next_one(limit=1)
    assert part_of(taken.packed) == Part(batch=1, position=0)
    assert part_of(taken.whole) is None


def test_a_part_of_another_batch_is_refused(produced):
    taken = produced.next_one(limit=1)
    (other,) = stretches(10, [], [3])
    with pytest.raises(PackingError):
        open_batch(taken.packed, pack(other))


def test_a_mask_says_which_messages_go():
    (content,) = stretches(0, [], [4])
    assert positions_on_wire("", 3) == [0, 1, 2]
    assert positions_on_wire(".r.s", 4) == [0, 2]
    assert content_on_wire(pack(content), b"", "r..s").rows == (2, 3)
