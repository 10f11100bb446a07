"""Numbers as people write them; the shortcut for Indian mobiles agrees with the library everywhere."""

import re
import unicodedata

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.intake.phones import BadNumber, Normaliser

CUT_OFF = "a spreadsheet has cut digits off; format the column as text before it is exported"
ZEROS = [chr(code) for code in range(0x80, 0x20000) if unicodedata.decimal(chr(code), None) == 0]
INDIAN, BRITISH = Normaliser("IN"), Normaliser("GB")


def by_the_library(text: str, country: str) -> int | None:
    """Ask the library alone, after the one rule of ours: only digits, one leading plus, marks between them."""
    if re.search(r"[^\d\s+().\-]", text) or "+" in text.lstrip(" ()-.")[1:] or re.fullmatch(r"\s*\d+\.000+\s*", text):
        return None
    text = re.sub(r"^(\s*\d+)\.00?(\s*)$", r"\1\2", text)
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def accepted(normaliser: Normaliser, text: str) -> int | None:
    number = normaliser.canonical(text)
    return None if isinstance(number, BadNumber) else number


@pytest.mark.parametrize(
    "text",
    [
        "+919000000001",
        "919000000001",
        "9000000001",
        "09000000001",
        "+91 90000 00001",
        "+91-90000-00001",
        "(+91) 90000 00001",
        "+91 (0) 90000 00001",
        "0091 90000 00001",
        "  9000000001 ",
        "90000.00001",
        "\u202a+91 90000 00001\u202c",
        "+91\u00a090000\u201100001",
        "९००००००००१",
        "+৯১ ৯০০০০ ০০০০১",
        "\uff0b91 90000 0000\uff11",
        "९00000000१",
        "9000000001.0",
        "919000000001.00",
        " 919000000001.0 ",
        "९000000001.0",
        "'9000000001",
        "\u2019+91 90000 00001",
        "'919000000001.0",
        '="919000000001"',
        "9.19000000001E+11",
        "9.19000000001e11",
        "9,19000000001E+11",
        "9.190000000010E+11",
        "919000000001E0",
        "9.000000001E+09",
    ],
)
def test_one_number_in_its_many_spellings(text):
    assert INDIAN.canonical(text) == 919000000001


def test_numbers_of_other_countries_and_italian_zeros():
    assert INDIAN.canonical("+44 7400 123456") == 447400123456
    assert BRITISH.canonical("+91 90000 00001") == 919000000001
    assert INDIAN.canonical("+39 02 1234 5678") == 390212345678


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no number"),
        ("  \t", "no number"),
        (" " * 300, "no number"),
        ("hello", "not a phone number"),
        ("+", "not a phone number"),
        ("12", "too short for IN"),
        ("+91 90000 00001 ext 5", "not a phone number"),
        ("+919000000001;ext=5", "not a phone number"),
        ("tel:+919000000001", "not a phone number"),
        ("1800-FLOWERS", "not a phone number"),
        ("9000000001x5", "not a phone number"),
        ("9000000001/9000000002", "not a phone number"),
        ("9000000001, 9000000002", "not a phone number"),
        ("+91+9000000001", "not a phone number"),
        ("9.19E+11", CUT_OFF),
        ("9.19877E+11", CUT_OFF),
        ("9.1900000000E+11", CUT_OFF),
        ("9E+09", CUT_OFF),
        ("9.190000000012E+11", "not a phone number"),
        ("'9.19E+11", CUT_OFF),
        ("1E+300", "not a phone number"),
        ("+9.19000000001E+11", "not a phone number"),
        ("9.19000000001E-11", "not a phone number"),
        ("90000.000", "not a phone number"),
        ("9000000001.5", "not a valid number in IN"),
        ("+9190000000.01.0", "not a valid number in IN"),
        ("''9000000001", "not a phone number"),
        ("9000000001'", "not a phone number"),
        ('="9000000001"&"2"', "not a phone number"),
        ("9,000,000,001", "not a phone number"),
        ("'", "no number"),
        ('=""', "no number"),
        ("900000000", "not a valid number in IN"),
        ("90000000012", "not a valid number in IN"),
        ("+91900000000123456", "too long for IN"),
        ("+91900000000123456789", "too long"),
        ("5000000001", "not a valid number in IN"),
        ("+44 1", "too short"),
        ("+999 12345678", "unknown country code"),
        ("+800 1234 5", "too short for country code 800"),
        ("9" * 300, "too long"),
        ("-" * 200_000 + "x", "too long"),
    ],
)
def test_what_is_no_number_is_refused_in_words_without_repeating_it(text, reason):
    assert INDIAN.canonical(text) == BadNumber(reason=reason)


def test_a_number_without_a_code_is_one_of_the_default_country_or_none():
    assert BRITISH.canonical("07400 123456") == 447400123456
    assert BRITISH.canonical("6000000001") == BadNumber(reason="not a valid number in GB")


def test_every_start_of_an_indian_mobile_is_judged_as_by_the_library():
    """Every seventh of the first five digits, which is as far as the library's patterns look."""
    for start in range(60_000, 100_000, 7):
        for rest in ("00001", "71234"):
            text = f"{start}{rest}"
            assert accepted(INDIAN, text) == by_the_library(text, "IN"), text


@given(number=st.integers(10**6, 10**15), kept=st.integers(1, 16))
def test_scientific_notation_is_certain_exactly_where_it_has_every_digit(number, kept):
    digits = str(number)
    spoiled = f"{digits[0]}.{digits[1:kept]}E+{len(digits) - 1}" if kept > 1 else f"{digits[0]}E+{len(digits) - 1}"
    if kept >= len(digits):
        assert INDIAN.canonical(spoiled) == INDIAN.canonical(digits)
    else:
        assert INDIAN.canonical(spoiled) == BadNumber(reason=CUT_OFF)


@given(digits=st.from_regex(r"[0-9]{7,13}", fullmatch=True), zero=st.sampled_from(ZEROS))
def test_digits_of_every_script_are_digits(digits, zero):
    assert INDIAN.canonical("".join(chr(ord(zero) + int(digit)) for digit in digits)) == INDIAN.canonical(digits)


near_numbers = st.one_of(
    st.tuples(
        st.sampled_from(["", "+91", "91", "0", "+910", "910", "0091", "+91 ", "(+91)", "+", "00", "+44", "+1"]),
        st.from_regex(r"[0-9]{7,13}|[6-9][0-9]{9}", fullmatch=True),
    ).map("".join),
    st.text(alphabet="0123456789+-() .x/", max_size=16),
)


@settings(max_examples=200)
@given(text=near_numbers, marks=st.lists(st.tuples(st.integers(0, 16), st.sampled_from(" -()")), max_size=4))
@example(text="9190000000", marks=[])
@example(text="919190000000", marks=[])
@example(text="910" + "9000000001", marks=[])
def test_the_shortcut_gives_what_the_library_gives(text, marks):
    for place, mark in marks:
        text = text[:place] + mark + text[place:]
    if re.search(r"[x/]", text):
        assert isinstance(INDIAN.canonical(text), BadNumber)
    assert accepted(INDIAN, text) == by_the_library(text, "IN")
    assert accepted(BRITISH, text) == by_the_library(text, "GB")
