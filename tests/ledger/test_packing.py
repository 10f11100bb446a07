"""A batch's content comes back from its bytes as it was, or not at all."""

import struct
import zlib
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.content import BatchContent, Passed
from worker.ledger.packing import PackingError, numbers_of, pack, unpack

text = st.text(max_size=8)
value = st.none() | text


@st.composite
def contents(draw):
    columns = tuple(draw(st.lists(text, max_size=3, unique=True)))
    numbers = draw(st.lists(st.integers(min_value=1, max_value=10**15), max_size=5))
    row = st.lists(value, min_size=len(columns), max_size=len(columns))
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
        rows=tuple(draw(st.integers(min_value=1, max_value=10**9)) for _ in numbers),
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
        zlib.compress(orjson.dumps([2, zlib.crc32(b"\0\0"), [], [], [], []])),
        zlib.compress(orjson.dumps([1, 0, [], [], [], []])),
        zlib.compress(orjson.dumps([1, zlib.crc32(b"\0\0"), [], [1], [], []])),
        zlib.compress(orjson.dumps([1, zlib.crc32(b"\0\0"), [], [], [], [[1]]])),
        zlib.compress(orjson.dumps([1, zlib.crc32(b"\0\0"), 7, [], [], []])),
    ],
)
def test_what_this_version_did_not_write_is_refused(rest):
    with pytest.raises(PackingError):
        unpack(b"\0\0" + rest)


def test_numbers_of_too_few_bytes_are_refused():
    with pytest.raises(PackingError):
        numbers_of(b"\0\x02\0")
