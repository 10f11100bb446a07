"""Whether an echoed number is the one that was sent: every doubt is a "no"."""

import pytest

from worker.domain.identity import same_number

INDIAN, AMERICAN = 919000000001, 12025550123


@pytest.mark.parametrize(
    ("echo", "sent"),
    [
        ("09000000001", INDIAN),
        ("9000000001", INDIAN),
        ("919000000001", INDIAN),
        ("+919000000001", INDIAN),
        ("00919000000001", INDIAN),
        ("0919000000001", INDIAN),
        ("+91 90000-00001", INDIAN),
        ("+1 (202) 555.0123", AMERICAN),
        ("0012025550123", AMERICAN),
        ("12025550123", AMERICAN),
    ],
)
def test_an_echo_in_any_spelling_names_the_number(echo, sent):
    assert same_number(echo, sent)


@pytest.mark.parametrize(
    ("echo", "sent"),
    [
        ("09000000002", INDIAN),
        ("+9000000001", INDIAN),
        ("009000000001", INDIAN),
        ("+19000000001", INDIAN),
        ("9100000001", INDIAN),
        ("00000001", INDIAN),
        ("2025550123", AMERICAN),
        ("02025550123", AMERICAN),
        ("XXXXX00001", INDIAN),
        ("٠٩٠٠٠٠٠٠٠٠١", INDIAN),
        ("++919000000001", INDIAN),
        ("+", INDIAN),
        ("", INDIAN),
    ],
)
def test_what_is_not_certain_is_another_number(echo, sent):
    assert not same_number(echo, sent)


def test_a_country_code_tells_two_equal_national_numbers_apart():
    indian, austrian = 919000000001, 439000000001
    assert not same_number("+439000000001", indian)
    assert not same_number("09000000001", austrian)
