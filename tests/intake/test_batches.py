"""Production without Redis: nobody is lost, nobody is doubled, and the same input gives the same batches."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from worker.domain.content import Passed, messages
from worker.domain.content_template import NEUTRAL
from worker.domain.template import compile_template
from worker.intake.batches import GatewayChecks, prepare
from worker.intake.campaign import Campaign
from worker.intake.readers import open_rows, rows_from
from worker.intake.stretch import MAX_BYTES, MAX_CELLS

CAMPAIGN = Campaign(name="offer", accounts=("main",), body="Hi {name}")


def number(index):
    return f"+9190000{index:05}"


def produce(recipients, campaign=CAMPAIGN, **options):
    return list(prepare(rows_from(recipients), campaign, **options))


def produce_csv(text, campaign=CAMPAIGN, **options):
    return list(prepare(open_rows("-", stdin=io.BytesIO(text.encode())), campaign, **options))


def as_csv(recipients):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("to", "name"))
    writer.writerows((row["to"], row["name"]) for row in recipients)
    return text.getvalue()


class InPieces(io.RawIOBase):
    """A standard input that gives its bytes in pieces of odd sizes."""

    def __init__(self, content, size):
        self._content, self._size = io.BytesIO(content), size

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._content.readinto(memoryview(buffer)[: self._size])


def test_a_batch_has_at_most_a_hundred_messages_and_the_last_has_the_rest():
    batches = produce([{"to": number(n), "name": "a"} for n in range(250)])
    assert [len(batch.content.numbers) for batch in batches] == [100, 100, 50]
    assert [batch.last_row for batch in batches] == [100, 200, 250]
    assert batches[1].content.rows == tuple(range(101, 201))


def test_rows_passed_over_stand_in_the_batch_in_which_they_fall():
    first, second = produce(
        [
            {"to": number(1), "name": "a"},
            {"to": "nobody", "name": "b"},
            {"to": "90000 00001", "name": "c"},
            {"to": number(2), "name": "d"},
            {"to": number(3), "name": None},
        ],
        batch_size=2,
    )
    assert first.content.rows == (1, 4)
    assert first.content.numbers == (919000000001, 919000000002)
    assert first.content.passed == (
        Passed(row=2, outcome="invalid", to="nobody", reason="not a phone number", values=("nobody", "b")),
        Passed(
            row=3,
            outcome="duplicate",
            to="+919000000001",
            reason="the number stands in an earlier row",
            values=("90000 00001", "c"),
        ),
    )
    assert (first.rows, first.invalid, first.duplicate, first.last_row) == (4, 1, 1, 4)
    assert (second.rows, second.invalid, second.duplicate, second.last_row) == (1, 1, 0, 5)
    assert second.content.numbers == ()


@pytest.mark.parametrize(
    ("recipient", "to", "reason"),
    [
        ({"name": "a"}, "", "no value in column 'to'"),
        ({"to": None, "name": "a"}, "", "no value in column 'to'"),
        ({"to": "", "name": "a"}, "", "no number"),
        ({"to": number(1)}, number(1), "no value in column 'name'"),
        ({"to": number(1), "name": None}, number(1), "no value in column 'name'"),
        (
            {"to": number(1), "name": "a" * 2_001},
            number(1),
            "body has 2,001 characters, at most 2,000 are sent at any gateway",
        ),
        ({"to": number(1), "name": " \n"}, number(1), "no value in column 'name'"),
        ({"to": number(1), "name": ""}, number(1), "no value in column 'name'"),
    ],
)
def test_an_invalid_row_says_why(recipient, to, reason):
    [batch] = produce([recipient], CAMPAIGN.model_copy(update={"body": "{name}"}))
    [passed] = batch.content.passed
    assert (passed.outcome, passed.to, passed.reason) == ("invalid", to, reason)


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_body_that_comes_out_empty_is_invalid(value):
    campaign = CAMPAIGN.model_copy(update={"body": "{name|}"})
    [batch] = produce([{"to": number(1), "name": value}, {"to": number(2), "name": "a"}], campaign)
    assert [passed.reason for passed in batch.content.passed] == ["empty body"]


def test_a_body_of_two_thousand_characters_is_sent():
    [batch] = produce([{"to": number(1), "name": "a" * 1_997}])
    assert batch.invalid == 0


def test_an_invalid_row_does_not_take_the_number_from_a_later_one():
    [batch] = produce([{"to": number(1), "name": None}, {"to": number(1), "name": "a"}])
    assert batch.content.rows == (2,)


def test_a_ragged_row_is_invalid_and_keeps_the_number_that_stood_there():
    [batch] = produce_csv(f"name,to\na,{number(1)},x\nb\nc,{number(2)}\n")
    assert batch.content.passed == (
        Passed(
            row=1,
            outcome="invalid",
            to=number(1),
            reason="row has 3 fields, the header has 2",
            values=("a", number(1)),
        ),
        Passed(row=2, outcome="invalid", to="", reason="row has 1 field, the header has 2", values=("b", None)),
    )
    assert batch.content.rows == (3,)


def test_an_input_that_is_all_wrong_is_cut_after_a_thousand_rows():
    batches = produce([{"to": "nobody", "name": "a"}] * 2_500)
    assert [batch.rows for batch in batches] == [1000, 1000, 500]
    assert [batch.invalid for batch in batches] == [1000, 1000, 500]


def test_long_rows_end_a_batch_before_they_fill_memory():
    long = "x" * (MAX_BYTES // 32)
    for rows in ([{"to": number(n), "name": "a", "long": long} for n in range(99)], [{"to": "-", "long": long}] * 500):
        *full, last = produce(rows)
        assert all(32 <= batch.rows < 48 for batch in full)
        assert sum(batch.rows for batch in full) + last.rows == len(rows)


def test_long_rows_change_no_digest_and_a_continued_production_finds_the_same_batches():
    rows = [{"to": number(n), "name": "a", "long": "x" * (n % 7) * 40_000} for n in range(120)]
    batches = produce(rows)
    assert len(batches) > 2
    assert produce(rows) == batches
    assert produce(rows, batch_size=1)[-1].digest == batches[-1].digest


def test_rows_with_many_columns_of_their_own_end_a_batch_before_they_fill_memory():
    width = 2_000
    rows = [{"to": number(n), "name": "a"} | dict.fromkeys(f"{n}-{i}" for i in range(width)) for n in range(100)]
    batches = produce(rows)
    assert all(len(batch.content.columns) * batch.rows <= MAX_CELLS for batch in batches)
    assert [batch.rows for batch in batches] == [22, 22, 22, 22, 12]
    assert produce(rows, batch_size=1)[-1].digest == batches[-1].digest


def test_rows_with_few_of_many_columns_end_a_batch_before_they_fill_memory():
    wide = {"to": number(0), "name": "a"} | dict.fromkeys(f"{i}" for i in range(16_000))
    batches = produce([wide, *({"to": number(n), "name": "a"} for n in range(1, 150))])
    assert [len(batch.content.columns) for batch in batches] == [16_002, 2]
    assert batches[0].rows < MAX_CELLS // 16_000 + 17


def test_an_input_without_rows_gives_no_batch():
    assert produce([]) == []
    assert produce_csv("to,name\n") == []


def test_columns_of_a_batch_are_all_its_rows_columns_in_order_of_appearance():
    [batch] = produce(
        [
            {"to": number(1), "name": "a"},
            {"city": "Pune", "to": number(2), "name": "b"},
            {"to": "nobody", "code": "7"},
        ]
    )
    assert batch.content.columns == ("to", "name", "city", "code")
    assert batch.content.values == ([number(1), "a", None, None], [number(2), "b", "Pune", None])
    assert batch.content.passed[0].values == ("nobody", None, None, "7")


def test_a_batch_has_only_the_columns_of_its_own_rows():
    first, second = produce([{"to": number(1), "name": "a", "old": "x"}, {"to": number(2), "name": "b"}], batch_size=1)
    assert first.content.columns == ("to", "name", "old")
    assert second.content.columns == ("to", "name")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("phone,name", 'standard input: there is no column "to"'),
        ("to,nmae", 'standard input: there is no column "name"; did you mean "nmae"?'),
    ],
)
def test_a_column_that_the_header_lacks_is_an_error_before_anything_is_read(header, sentence):
    rows = open_rows("-", stdin=io.BytesIO(f"{header}\n1,2\n".encode()))
    with pytest.raises(ConfigError) as caught:
        prepare(rows, CAMPAIGN)
    assert str(caught.value) == sentence


# Properties: a small world, so that duplicates, bad numbers and missing values meet often.

cells = st.none() | st.sampled_from(["", "a", "Asha", " "])
recipients = st.lists(
    st.fixed_dictionaries(
        {"to": st.none() | st.sampled_from(["", "x", *map(number, range(6)), "9000000001", "90000 00002"])},
        optional={"name": cells, "city": cells, "\n": cells},
    ),
    max_size=30,
)
sizes = st.integers(min_value=1, max_value=7)


CONTENT = Campaign(name="offer", accounts=("main",), content={"type": "text", "text": {"body": "Hi {name}"}})


def test_each_content_is_judged_by_the_check_that_is_given():
    seen = []

    def check(text):
        seen.append(text)
        return "text.body is too rude" if "rude" in text else ""

    recipients = [{"to": number(1), "name": 'A"'}, {"to": number(2), "name": "rude"}, {"to": number(2), "name": "b"}]
    (batch,) = produce(recipients, CONTENT, checks=GatewayChecks(text=check))
    assert seen[0] == '{"text":{"body":"Hi A\\""},"type":"text"}'
    assert len(seen) == 3
    assert batch.content.rows == (1, 3)
    assert [(row.row, row.outcome, row.to, row.reason) for row in batch.content.passed] == [
        (2, "invalid", number(2), "text.body is too rude")
    ]
    sent = messages(batch.content, CONTENT.wording())
    assert [message.body for message in sent] == [seen[0], seen[2]]


def test_a_text_that_all_get_is_judged_once():
    seen = []
    campaign = Campaign(name="offer", accounts=("main",), content={"type": "text"})

    def check(text):
        seen.append(text)
        return ""

    produce([{"to": number(n)} for n in range(3)], campaign, checks=GatewayChecks(text=check))
    assert seen == ['{"type":"text"}']


def test_a_text_that_all_get_and_can_not_be_sent_stops_production_at_once():
    campaign = Campaign(name="offer", accounts=("main",), content={"type": "text"})
    rows = rows_from([{"to": number(1)}])
    with pytest.raises(ConfigError, match=r"^campaign offer: text is missing$"):
        prepare(rows, campaign, checks=GatewayChecks(text=lambda _text: "text is missing"))


def test_a_mistake_that_no_value_can_mend_stops_production_at_once():
    def check(text):
        return "" if text == f'{{"text":{{"body":"Hi {NEUTRAL}"}},"type":"text"}}' else "not the wording"

    rows = rows_from([{"to": number(1), "name": "A"}])
    prepare(rows, CONTENT, checks=GatewayChecks(text=lambda _text: "", wording=check))
    with pytest.raises(ConfigError, match=r"^campaign offer: the content has a type that is not known$"):
        prepare(rows, CONTENT, checks=GatewayChecks(wording=lambda _text: "the content has a type that is not known"))


def test_a_sender_that_the_gateway_does_not_take_makes_its_row_invalid():
    campaign = Campaign(name="offer", accounts=("main",), body="Hi", sender="{header}")
    checks = GatewayChecks(sender=lambda sender: "" if len(sender) < 12 else "is too long")
    rows = [{"to": number(1), "header": "Dunder Mifflin"}, {"to": number(2), "header": "DUNDER"}]
    (batch,) = produce(rows, campaign, checks=checks)
    assert batch.content.rows == (2,)
    assert [(row.row, row.outcome, row.to, row.reason) for row in batch.content.passed] == [
        (1, "invalid", number(1), "from is too long")
    ]


@given(recipients=recipients, batch_size=sizes)
def test_every_row_stands_in_exactly_one_batch_once(recipients, batch_size):
    batches = produce(recipients, batch_size=batch_size)
    rows = [sorted([*batch.content.rows, *(p.row for p in batch.content.passed)]) for batch in batches]
    assert [row for batch_rows in rows for row in batch_rows] == list(range(1, len(recipients) + 1))
    assert [batch.last_row for batch in batches] == [batch_rows[-1] for batch_rows in rows]
    for batch in batches:
        outcomes = [passed.outcome for passed in batch.content.passed]
        assert (batch.invalid, batch.duplicate) == (outcomes.count("invalid"), outcomes.count("duplicate"))
        assert batch.rows == len(batch.content.numbers) + batch.invalid + batch.duplicate
        assert len(batch.content.numbers) <= batch_size


@given(recipients=recipients, batch_size=sizes)
def test_each_valid_number_is_messaged_once_with_the_first_of_its_valid_rows(recipients, batch_size):
    template = compile_template(CAMPAIGN.body)
    sent = [
        (row, message)
        for batch in produce(recipients, batch_size=batch_size)
        for row, message in zip(batch.content.rows, messages(batch.content, template), strict=True)
    ]
    expected, seen = [], set()
    for row, recipient in enumerate(recipients, 1):
        digits = (recipient["to"] or "").replace(" ", "").removeprefix("+91")
        if digits.startswith("9") and (recipient.get("name") or "").strip() and digits not in seen:
            seen.add(digits)
            expected.append((row, int(f"91{digits}"), f"Hi {recipient['name']}"))
    assert [(row, message.to, message.body) for row, message in sent] == expected


@given(recipients=recipients, batch_size=sizes)
def test_the_values_of_every_row_are_kept(recipients, batch_size):
    for batch in produce(recipients, batch_size=batch_size):
        content = batch.content
        kept = [*zip(content.rows, content.values, strict=True), *((p.row, p.values) for p in content.passed)]
        for row, values in kept:
            given_values = {column: value for column, value in recipients[row - 1].items() if value is not None}
            held = dict(zip(content.columns, values, strict=True))
            assert {column: value for column, value in held.items() if value is not None} == given_values


@given(recipients=recipients, more=recipients, sizes=st.tuples(sizes, sizes))
def test_the_digest_at_a_row_depends_only_on_the_rows_up_to_it(recipients, more, sizes):
    once = {batch.last_row: batch.digest for batch in produce(recipients, batch_size=sizes[0])}
    again = {batch.last_row: batch.digest for batch in produce(recipients + more, batch_size=sizes[1])}
    assert all(again[row] == digest for row, digest in once.items() if row in again)


@given(recipients=recipients.filter(bool), data=st.data())
def test_another_value_anywhere_gives_another_digest(recipients, data):
    changed = [dict(row) for row in recipients]
    row = data.draw(st.sampled_from(changed))
    row["to"] = f"{row['to']}'"
    assert produce(changed)[-1].digest != produce(recipients)[-1].digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"a": "bc"}], [{"ab": "c"}]),
        ([{"a": "1", "b": "2"}], [{"a": "1"}, {"b": "2"}]),
        ([{"a": None}], [{"a": ""}]),
        ([{"a": None}], [{"a": "null"}]),
        ([{"a": "1"}], [{"a": "1"}, {"a": "1"}]),
    ],
)
def test_rows_that_look_alike_when_run_together_have_other_digests(one, other):
    assert produce(one)[-1].digest != produce(other)[-1].digest


full_rows = st.lists(
    st.fixed_dictionaries(
        {
            "to": st.sampled_from(["x", *map(number, range(6))]),
            "name": st.sampled_from(["", "a,b", 'q"q', "नाम", "l\nl"]),
        }
    ),
    min_size=1,
    max_size=20,
)


@given(recipients=full_rows, batch_size=sizes, size=st.integers(min_value=1, max_value=50))
def test_batches_do_not_depend_on_how_the_input_arrives(recipients, batch_size, size):
    text = as_csv(recipients)
    whole = produce_csv(text, batch_size=batch_size)
    pieces = io.BufferedReader(InPieces(text.encode(), size), buffer_size=16)
    assert list(prepare(open_rows("-", stdin=pieces), CAMPAIGN, batch_size=batch_size)) == whole
    in_order = [{"to": row["to"], "name": row["name"]} for row in recipients]
    assert produce(in_order, batch_size=batch_size) == whole


@given(recipients=full_rows, batch_size=sizes)
def test_json_lines_and_mappings_of_the_same_rows_give_the_same_batches(recipients, batch_size):
    lines = "\n".join(json.dumps(row) for row in recipients)
    assert produce_csv(lines, batch_size=batch_size) == produce(recipients, batch_size=batch_size)


WITH_OPTIONS = Campaign(
    name="offer", accounts=("main",), body="Hi", sender="{header}", sms_type="{kind}", dlt_template_id="1{dlt}"
)
GOOD = {"header": "EXOTEL", "kind": "transactional", "dlt": "107"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"header": None}, "no value in column 'header'"),
        ({"header": " "}, "no value in column 'header'"),
        ({"kind": None}, "no value in column 'kind'"),
        ({"kind": ""}, "no value in column 'kind'"),
        ({"kind": "otp"}, "sms_type 'otp' is none of transactional, transactional_opt_in, promotional"),
        ({"dlt": None}, "no value in column 'dlt'"),
    ],
)
def test_a_row_whose_settings_can_not_be_is_invalid_and_does_not_use_up_its_number(change, reason):
    (batch,) = produce([{"to": number(1), **GOOD, **change}, {"to": number(1), **GOOD}], WITH_OPTIONS)
    assert [(passed.row, passed.outcome, passed.reason) for passed in batch.content.passed] == [(1, "invalid", reason)]
    assert batch.content.rows == (2,)


@pytest.mark.parametrize("kind", ["transactional", "transactional_opt_in", "promotional"])
def test_each_message_has_the_settings_of_its_row(kind):
    rows = [{"to": number(1), **GOOD}, {"to": number(2), **GOOD, "kind": kind, "header": "600100", "dlt": "108"}]
    (batch,) = produce(rows, WITH_OPTIONS)
    written = messages(batch.content, compile_template("Hi"), WITH_OPTIONS.message_options())
    assert [dict(message.options) for message in written] == [
        {"from": "EXOTEL", "sms_type": "transactional", "dlt_template_id": "1107"},
        {"from": "600100", "sms_type": kind, "dlt_template_id": "1108"},
    ]


def test_a_header_without_a_settings_column_is_refused_at_once():
    with pytest.raises(ConfigError, match='there is no column "header"'):
        produce_csv("to,kind,dlt\n", WITH_OPTIONS)


def test_a_body_that_the_operators_would_refuse_is_invalid_with_the_place():
    campaign = Campaign(
        name="offer", accounts=("main",), body="Dear {name}, order ready.", dlt_template="Dear {#var#}, order ready."
    )
    (batch,) = produce([{"to": number(1), "name": "Asha"}, {"to": number(2), "name": "A" * 31}], campaign)
    assert len(batch.content.numbers) == 1
    (passed,) = batch.content.passed
    assert passed.outcome == "invalid"
    assert passed.reason.startswith("does not match the DLT template at character")


def test_look_alikes_are_replaced_before_a_body_is_held_against_its_registered_text_and_its_length():
    registered = Campaign(
        name="offer", accounts=("main",), body="It\u2019s {name}", dlt_template="It's {#alphanumeric#}"
    )
    rows = [{"to": number(1), "name": "Asha"}]
    assert [batch.invalid for batch in produce(rows, registered)] == [1]
    assert [batch.invalid for batch in produce(rows, registered.in_ascii())] == [0]
    grown = Campaign(name="offer", accounts=("main",), body="{name}").in_ascii()
    (batch,) = produce([{"to": number(1), "name": "\u2026" * 700 + "a" * 1200}], grown)
    assert "at most 2,000 are sent" in batch.content.passed[0].reason


def test_the_length_of_a_dlt_variable_may_be_given():
    template = "Dear {#var#}, order ready."
    texts = {"body": "Dear {name}, order ready.", "dlt_template": template, "dlt_variable_length": 40}
    (batch,) = produce([{"to": number(1), "name": "A" * 31}], Campaign(name="offer", accounts=("main",), **texts))
    assert len(batch.content.numbers) == 1


def test_a_text_for_all_that_the_operators_would_refuse_is_refused_before_anything_is_queued():
    campaign = Campaign(name="offer", accounts=("main",), body="Order ready", dlt_template="Order ready.")
    with pytest.raises(ConfigError, match="does not match the DLT template"):
        produce([{"to": number(1)}], campaign)


@pytest.mark.parametrize("sms_type", ["promotional", "transactional_opt_in"])
def test_a_promotional_campaign_to_another_country_passes_over_indian_numbers(sms_type):
    campaign = Campaign(name="offer", accounts=("main",), body="Hi", default_country="AE", sms_type=sms_type)
    (batch,) = produce([{"to": number(1)}, {"to": "+971500000001"}], campaign)
    assert batch.content.numbers == (971500000001,)
    assert "an Indian number in a promotional campaign" in batch.content.passed[0].reason
