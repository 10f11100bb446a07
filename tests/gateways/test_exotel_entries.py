"""Which entry of a bulk answer belongs to which message."""

import pytest

from worker.domain.answers import Accepted, Rejected, Unconfirmed
from worker.domain.batch import Message
from worker.gateways.exotel_entries import entries_of, outcomes_of
from worker.gateways.json_answer import code_of

A, B, C = 919000000001, 919000000002, 919000000003
MESSAGES = (Message(to=A, body="one"), Message(to=B, body="two"), Message(to=C, body="three"))


def ok(to, sid="s", body=None):
    return {"Sid": sid, "To": to, "Body": body, "Status": "queued"}


def failed(to, code=23010):
    return {"Sid": None, "To": to, "Status": "failed", "DetailedStatusCode": code, "DetailedStatus": "FAILED_X"}


def kinds(entries, messages=MESSAGES):
    """The outcomes in short: the id of an accepted message, "-" for rejected, "?" for unconfirmed."""
    shown = {Rejected: "-", Unconfirmed: "?"}
    outcomes = outcomes_of(entries, messages)
    return [outcome.gateway_id if isinstance(outcome, Accepted) else shown[type(outcome)] for outcome in outcomes]


def test_without_any_echo_the_place_decides():
    assert kinds([ok(None, "a"), failed(None), ok("", "c")]) == ["a", "-", "c"]


def test_an_entry_that_names_a_stranger_leaves_its_message_unconfirmed():
    assert kinds([ok("09000000001", "a"), failed("09000000099"), ok("09000000003", "c")]) == ["a", "?", "c"]


def test_a_stranger_in_a_shifted_answer_makes_nobody_rejected():
    assert kinds([ok("09000000099", "x"), failed(None), failed(None)]) == ["?", "?", "?"]


@pytest.mark.parametrize("to", [919000000001.0, {"number": "09000000001"}, ["09000000001"], True])
def test_a_number_that_is_no_number_names_nobody(to):
    assert kinds([ok(to, "a"), ok("09000000002", "b"), failed(None)]) == ["?", "b", "?"]


def test_entries_in_another_order_are_matched_by_number_alone():
    assert kinds([failed("09000000002"), ok("09000000001", "a"), failed(None)]) == ["a", "-", "?"]


def test_a_number_that_stands_twice_names_nobody():
    assert kinds([ok("09000000001", "a"), ok("09000000001", "b"), ok("09000000003", "c")]) == ["?", "?", "c"]


def test_an_echo_that_may_name_two_messages_names_neither():
    messages = (Message(to=A, body="one"), Message(to=9000000001, body="two"))
    assert kinds([ok("9000000001", "a")], messages) == ["?", "?"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], ["?", "?", "?"]),
        ([failed(None)], ["?", "?", "?"]),
        ([ok("+919000000002", "b")], ["?", "b", "?"]),
        ([ok("09000000001", "a"), failed("09000000003")], ["a", "?", "-"]),
        ([ok("09000000001", "a"), failed(None), ok("09000000003", "c"), failed(None)], ["a", "?", "c"]),
    ],
)
def test_in_an_answer_of_another_length_only_a_number_names_a_message(entries, expected):
    assert kinds(entries) == expected


def test_another_text_than_was_sent_contradicts():
    assert kinds([ok("09000000001", "a", "one"), ok("09000000002", "b", "six"), failed(None)]) == ["a", "?", "-"]


def test_white_space_in_a_text_may_differ():
    assert kinds([ok(None, "a", " one\n"), ok(None, "b", "two "), ok(None, "c")]) == ["a", "b", "c"]


def test_where_all_texts_are_equal_an_echoed_text_tells_nothing():
    same = tuple(Message(to=to, body="same") for to in (A, B))
    assert kinds([ok(None, "a", "shortened"), ok(None, "b")], same) == ["a", "b"]


@pytest.mark.parametrize("state", ["failed", "failed-dnd", "failed_dnd", "FAILED", " Failed-DND "])
def test_a_failure_is_a_failure_with_an_id_too(state):
    one = (Message(to=A, body="one"),)
    entry = {"Sid": "s1", "To": None, "Status": state, "DetailedStatusCode": "23005"}
    assert outcomes_of([entry], one) == (Rejected(code="23005", reason="FAILED_REJECTED_DND"),)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"DetailedStatus": "FAILED_REJECTED"}, "FAILED_REJECTED"),
        ({"DetailedStatusCode": 23000}, "FAILED_MISSING_BODY"),
        ({"DetailedStatusCode": 23999}, "FAILED"),
        ({"DetailedStatus": "not to 09000000001"}, "FAILED"),
        ({"DetailedStatus": 7}, "FAILED"),
    ],
)
def test_a_reason_is_a_word_of_exotels_and_never_a_number(fields, reason):
    (outcome,) = outcomes_of([{"Status": "failed", **fields}], MESSAGES[:1])
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason


@pytest.mark.parametrize("sid", [None, "", 7.5, True, [], {"a": 1}, "two words", "s" * 129, "ü"])
def test_without_an_id_and_without_a_failure_it_is_not_known(sid):
    (outcome,) = outcomes_of([{"Sid": sid, "Status": "queued"}], MESSAGES[:1])
    assert isinstance(outcome, Unconfirmed)


@pytest.mark.parametrize("state", [None, 1, "sent", "a new word"])
def test_an_id_counts_with_any_state_that_is_no_failure(state):
    assert kinds([{"Sid": "s1", "Status": state}], MESSAGES[:1]) == ["s1"]


def test_a_number_may_be_echoed_as_an_integer():
    assert kinds([{"Sid": "s1", "To": B, "Status": "queued"}]) == ["?", "s1", "?"]


@pytest.mark.parametrize(
    ("document", "entries"),
    [
        ([{"SMSMessage": {"Sid": "a"}}, {"Other": 1}, 7, {"SMSMessage": None}], [{"Sid": "a"}, {}, {}, {}]),
        ({"SMSMessage": {"Sid": "a"}}, [{"Sid": "a"}]),
        ([], []),
        ({"SMSMessages": []}, None),
        (None, None),
        ("text", None),
    ],
)
def test_entries_are_an_array_or_one_bare(document, entries):
    assert entries_of(document) == entries


@pytest.mark.parametrize(("value", "code"), [(23010, "23010"), (" 23010 ", "23010"), ("RATE_LIMIT", "RATE_LIMIT")])
def test_a_code_may_be_an_integer_or_a_string(value, code):
    assert code_of(value) == code
