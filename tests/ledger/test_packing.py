"""A batch's content comes back from its bytes as it was, or not at all."""

import struct
import zlib
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.content import BatchContent, Passed
from worker.ledger.packing import PackingError, numbers_of, pack, unpack

SPELLINGS = ("+{}".format, "{}".format, "00{}".format, lambda n: str(n)[2:], lambda n: f"0{str(n)[2:]}")

text = st.text(max_size=8)
value = st.none() | text


def rows_of(count):
    """Row numbers that follow each other, and such that do not."""
    row = st.integers(min_value=1, max_value=10**9)
    return row.map(lambda first: range(first, first + count)) | st.lists(row, min_size=count, max_size=count)


@st.composite
def contents(draw):
    columns = tuple(draw(st.lists(text, max_size=3, unique=True)))
    numbers = draw(st.lists(st.integers(min_value=1, max_value=10**15), max_size=5))
    spellings = [spelling(number) for number in numbers for spelling in SPELLINGS]
    each = value | st.sampled_from(spellings) if spellings else value
    row = st.lists(each, min_size=len(columns), max_size=len(columns))
    passed = st.builds(
        Passed,
        row=st.integers(min_value=1, max_value=10**9),
        outcome=st.sampled_from(["invalid", "duplicate", "suppressed"]),
        to=text,
        reason=text,
        values=row.map(tuple),
    )
    return BatchContent(
        columns=columns,
        rows=tuple(draw(rows_of(len(numbers)))),
        numbers=tuple(numbers),
        values=tuple(draw(row) for _ in numbers),
        passed=tuple(draw(st.lists(passed, max_size=3))),
    )


EXAMPLE = BatchContent(
    columns=("to",), rows=(1, 2), numbers=(919000000001, 919000000002), values=(["a"], [None]), passed=()
)


@given(content=contents())
def test_a_content_comes_back_as_it_was(content):
    packed = pack(content)
    assert unpack(packed) == content
    assert numbers_of(packed) == content.numbers


def test_count_and_numbers_lie_open_at_the_front():
    assert pack(EXAMPLE).startswith(struct.pack(">HQQ", 2, 919000000001, 919000000002))


@given(content=contents(), data=st.data())
def test_a_single_wrong_bit_is_found(content, data):
    packed = bytearray(pack(content))
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(packed) - 1))
    packed[bit // 8] ^= 1 << bit % 8
    with suppress(PackingError):
        assert unpack(bytes(packed)) == content  # a bit of zlib's header that changes nothing


@given(content=contents(), data=st.data())
def test_a_content_cut_short_is_found(content, data):
    packed = pack(content)
    with pytest.raises(PackingError):
        unpack(packed[: data.draw(st.integers(min_value=0, max_value=len(packed) - 1))])


@pytest.mark.parametrize(
    "rest",
    [
        b"not zlib",
        zlib.compress(b"not json"),
        zlib.compress(b"7"),
        zlib.compress(b"[1]"),
        zlib.compress(orjson.dumps([1, zlib.crc32(b"\0\0"), [], [], [], []])),
        zlib.compress(orjson.dumps([2, 0, [], [], [], []])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), [], [1], [], []])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), [], [], [], [[1]]])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), ["a"], 1, [["b"]], []])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), ["a"], 1, [{}], []])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), ["a"], 1, [{"spelled": [9, []]}], []])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), ["a"], 1, [{"spelled": [0, [[0, "x"]]]}], []])),
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), 7, [], [], []])),
    ],
)
def test_what_this_version_did_not_write_is_refused(rest):
    with pytest.raises(PackingError):
        unpack(b"\0\0" + rest)


def test_columns_of_another_number_than_the_names_are_refused():
    head = struct.pack(">HQ", 1, 919000000001)
    rest = [2, zlib.crc32(head), ["to", "name"], 1, [["a"]], []]
    with pytest.raises(PackingError):
        unpack(head + zlib.compress(orjson.dumps(rest)))


def of_a_hundred(spelling, **differing):
    """A content of a hundred whose column spells the numbers so, but for some places."""
    # A multiple of a prime: digits that do not compress by themselves.
    numbers = tuple(919_000_000_000 + 7_654_321 * place % 10_000_000 for place in range(100))
    values = [spelling(number) for number in numbers]
    for place, value in differing.items():
        values[int(place.removeprefix("at_"))] = value
    return BatchContent(
        columns=("to",), rows=tuple(range(7, 107)), numbers=numbers, values=tuple([v] for v in values), passed=()
    )


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_column_that_spells_the_numbers_takes_no_room(spelling):
    content = of_a_hundred(spelling)
    packed = pack(content)
    assert unpack(packed) == content
    assert len(packed) < 802 + 70


def test_values_that_differ_from_the_columns_spelling_come_back_as_they_stood():
    content = of_a_hundred(SPELLINGS[0], at_3="(0)90000 00003", at_70=None, at_99="")
    packed = pack(content)
    assert unpack(packed) == content
    assert len(packed) < 802 + 110


def test_rows_that_follow_each_other_take_no_room_and_others_come_back_too():
    unbroken = of_a_hundred(SPELLINGS[0])
    broken = replace(unbroken, rows=(*range(7, 106), 200))
    assert unpack(pack(broken)) == broken
    assert len(pack(unbroken)) + 100 < len(pack(broken))


def test_numbers_of_too_few_bytes_are_refused():
    with pytest.raises(PackingError):
        numbers_of(b"\0\x02\0")
