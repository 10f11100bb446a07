"""Messages are written again from what was stored."""

import pytest

from worker.domain.batch import Message
from worker.domain.content import BatchContent, Passed, messages, without
from worker.domain.template import compile_template

CONTENT = BatchContent(
    columns=("to", "name"),
    rows=(1, 3),
    numbers=(919000000001, 919000000003),
    values=(["9000000001", "Asha"], ["9000000003", "Ravi"]),
    passed=(Passed(row=2, outcome="invalid", to="x", reason="not a phone number", values=("x", "Mina")),),
)


def test_messages_are_written_in_order_from_numbers_and_values():
    assert messages(CONTENT, compile_template("Hi {name}")) == (
        Message(to=919000000001, body="Hi Asha"),
        Message(to=919000000003, body="Hi Ravi"),
    )


def test_a_content_made_for_another_template_writes_nothing():
    with pytest.raises(ValueError, match="row 1 has no value in column 'city'"):
        messages(CONTENT, compile_template("Hi {city}"))


def test_messages_carry_their_own_options_and_share_equal_ones():
    options = {"from": compile_template("X"), "sms_type": compile_template("{name}")}
    asha, ravi = messages(CONTENT, compile_template("Hi"), options)
    assert dict(asha.options) == {"from": "X", "sms_type": "Asha"}
    assert dict(ravi.options) == {"from": "X", "sms_type": "Ravi"}
    first, second = messages(CONTENT, compile_template("Hi {name}"), {"from": compile_template("X")})
    assert first.options is second.options


def test_options_for_which_a_value_is_missing_write_nothing():
    with pytest.raises(ValueError, match="row 1 has no value in column 'city'"):
        messages(CONTENT, compile_template("Hi"), {"from": compile_template("{city}")})


def test_a_suppressed_message_becomes_a_row_passed_over_in_its_place():
    kept = without(CONTENT, {1: "opted out", 0: "DND"})
    assert (kept.rows, kept.numbers, kept.values, kept.columns) == ((), (), (), CONTENT.columns)
    assert kept.passed == (
        Passed(row=1, outcome="suppressed", to="+919000000001", reason="DND", values=("9000000001", "Asha")),
        *CONTENT.passed,
        Passed(row=3, outcome="suppressed", to="+919000000003", reason="opted out", values=("9000000003", "Ravi")),
    )


def test_the_others_of_a_batch_stay_as_they_were():
    kept = without(CONTENT, {0: "DND"})
    assert messages(kept, compile_template("Hi {name}")) == (Message(to=919000000003, body="Hi Ravi"),)
    assert (kept.rows, [passed.row for passed in kept.passed]) == ((3,), [1, 2])


def test_a_batch_of_which_nobody_is_suppressed_is_left_as_it_is():
    assert without(CONTENT, {}) is CONTENT


def test_neither_numbers_nor_values_show_in_a_repr():
    assert "9000000001" not in repr(CONTENT)
    assert "Asha" not in repr(CONTENT)
    assert "Mina" not in repr(CONTENT)
