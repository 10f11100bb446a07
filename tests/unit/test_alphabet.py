import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.alphabet import GSM_BASIC, GSM_EXTENSION, is_gsm


def test_the_alphabet_has_as_many_characters_as_the_standard_gives():
    # 128 places less the escape; and the form feed, the euro sign and eight more that are escaped.
    assert (len(GSM_BASIC), len(GSM_EXTENSION)) == (127, 10)
    assert not GSM_BASIC & GSM_EXTENSION


@pytest.mark.parametrize("text", ["", "Dear Æsop, £5 & §3!\r\n", "ΔΦΓΛΩΠΨΣΘΞ", "{a} [b] ~ | \\ ^ 10 €", "é à Ç ñ ß"])
def test_a_text_of_the_alphabet_is_gsm(text):
    assert is_gsm(text)


@pytest.mark.parametrize(
    "text", ["₹5", "it`s", "ç", "wait…", "“x”", "\u2013", "a\u00a0b", "नमस्ते", "🙂", "\x1b", "\t", "\u03b1"]
)
def test_one_character_outside_makes_a_text_unicode(text):
    assert not is_gsm(f"Dear customer {text}")


@given(st.text(), st.text())
def test_a_text_is_gsm_where_both_its_parts_are(one, other):
    assert is_gsm(one + other) == (is_gsm(one) and is_gsm(other))
