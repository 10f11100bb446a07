"""Characters that cost are replaced where it helps, and nothing else is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.lookalikes import LOOKALIKES, replaced
from worker.domain.segments import is_gsm, segments

COSTLY = "".join(LOOKALIKES.values())


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Don’t wait – it’s “free”…", "Don't wait - it's \"free\"..."),
        ("Rs.\u00a0500\u202fonly", "Rs. 500 only"),
        ("a\u200bb\ufeff\u00ad", "ab"),
        ("• one\u2028• two", "* one\n* two"),
        ("é € {x} stays, ’ goes", "é € {x} stays, ' goes"),
    ],
)
def test_what_looks_the_same_and_costs_nothing_stands_there(text, plain):
    assert replaced(text) == plain


@pytest.mark.parametrize(
    "text", ["", "plain 'text' - é€", "₹500 – today’s", "नमस्ते – “आशा”", "क्\u200dष", "Ámbar’s", "😀…"]
)
def test_a_text_that_would_stay_dear_is_left_as_it_is(text):
    assert replaced(text) == text


def test_a_text_that_would_grow_is_left_as_it_is():
    assert replaced("…" * 134) == "…" * 134
    assert replaced("…" * 53) == "..." * 53


def test_the_table_names_each_character_once_and_none_of_the_alphabet():
    assert len(set(COSTLY)) == len(COSTLY)
    assert not any(map(is_gsm, COSTLY))
    assert all(map(is_gsm, LOOKALIKES))


@given(text=st.text() | st.text(alphabet=COSTLY + "abc é€\n", max_size=400))
def test_replacing_never_costs_and_touches_nothing_else(text):
    plain = replaced(text)
    assert segments(plain).count <= segments(text).count
    assert replaced(plain) == plain
    if plain != text:
        assert is_gsm(plain)
        assert [c for c in text if c not in COSTLY and c not in "'\"-. \n*/:"] == [
            c for c in plain if c not in "'\"-. \n*/:"
        ]
