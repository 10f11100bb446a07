"""Segments, counted against one who writes them out character by character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.segments import Segments, is_gsm, segments, total_segments

# 3GPP TS 23.038, 6.2.1, as the table stands there: sixteen to a row, read down; ESC is no character.
BASIC = (
    "@Δ 0¡P¿p£_!1AQaq$Φ\"2BRbr¥Γ#3CScsèΛ¤4DTdtéΩ%5EUeuùΠ&6FVfvìΨ'7GWgwòΣ(8HXhxÇΘ)9IYiy\nΞ*:JZjzØ+;KÄkä"
    "øÆ,<LÖlö\ræ-=MÑmñÅß.>NÜnüåÉ/?O§oà"
)
EXTENSION = "\f^{}\\[~]|€"


def written_out(text):
    """One segment after the other is filled with whole characters."""
    gsm = all(character in BASIC + EXTENSION for character in text)
    sizes = [1 + (c in EXTENSION if gsm else ord(c) > 0xFFFF) for c in text]
    one, each = (160, 153) if gsm else (70, 67)
    count, room = 1, one if sum(sizes) <= one else each
    for size in sizes:
        if size > room:
            count, room = count + 1, each
        room -= size
    return Segments(count=count, alphabet="gsm7" if gsm else "ucs2", units=sum(sizes))


def gsm7(count, units):
    return Segments(count=count, alphabet="gsm7", units=units)


def ucs2(count, units):
    return Segments(count=count, alphabet="ucs2", units=units)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", gsm7(1, 0)),
        ("a" * 160, gsm7(1, 160)),
        ("a" * 161, gsm7(2, 161)),
        ("a" * 306, gsm7(2, 306)),
        ("a" * 307, gsm7(3, 307)),
        ("€" * 80, gsm7(1, 160)),
        ("€" * 81, gsm7(2, 162)),
        ("a" * 152 + "€" + "a" * 151, gsm7(2, 305)),
        ("a" * 152 + "€" + "a" * 152, gsm7(3, 306)),
        ("a" * 152 + "^" + "a" * 152, gsm7(3, 306)),
        ("€" * 153, gsm7(3, 306)),
        ("{name}", gsm7(1, 8)),
        ("₹" + "a" * 69, ucs2(1, 70)),
        ("₹" + "a" * 70, ucs2(2, 71)),
        ("नमस्ते", ucs2(1, 6)),
        ("न" * 134, ucs2(2, 134)),
        ("न" * 135, ucs2(3, 135)),
        ("😀" * 35, ucs2(1, 70)),
        ("न" * 66 + "😀" + "न" * 66, ucs2(3, 134)),
        ("😀" * 67, ucs2(3, 134)),
        ("ç", ucs2(1, 1)),
        ("`", ucs2(1, 1)),
        ("\u00a0", ucs2(1, 1)),
        ("\t", ucs2(1, 1)),
        ("\x1b", ucs2(1, 1)),
    ],
)
def test_the_edges_of_both_alphabets(text, expected):
    assert segments(text) == expected


def test_every_character_of_the_basic_plane_is_put_in_its_alphabet():
    of_gsm = {chr(code) for code in range(0x10000) if is_gsm(chr(code))}
    assert of_gsm == set(BASIC + EXTENSION)
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10


pieces = st.lists(
    st.sampled_from(["a", "€", "é", "^", "न", "😀", "₹"]) | st.sampled_from([*BASIC, *EXTENSION]), max_size=12
)
lengths = st.integers(0, 320)
texts = st.one_of(
    st.text(max_size=200),
    st.tuples(pieces, lengths).map(lambda made: ("".join(made[0]) * (made[1] // max(len(made[0]), 1) + 1))[: made[1]]),
    st.tuples(st.sampled_from("aन"), lengths, pieces, lengths).map(
        lambda made: made[0] * made[1] + "".join(made[2]) + made[0] * made[3]
    ),
)


@given(text=texts)
def test_segments_are_as_many_as_when_they_are_written_out(text):
    assert segments(text) == written_out(text)
    assert is_gsm(text) == (segments(text).alphabet == "gsm7")


@given(bodies=st.lists(texts, max_size=8))
def test_many_bodies_together_are_the_sum_of_each(bodies):
    assert total_segments(bodies) == sum(written_out(body).count for body in bodies)


@given(sizes=st.lists(st.integers(0, 320), max_size=8))
def test_plain_bodies_together_are_the_sum_of_each(sizes):
    assert total_segments(["a" * size for size in sizes]) == sum(written_out("a" * size).count for size in sizes)
