import pytest

from config.rate import Rate


@pytest.mark.parametrize(
    ("text", "per_second", "window_s"),
    [
        ("50/minute", 50 / 60, 60.0),
        ("30/second", 30.0, 1.0),
        ("0.5/second", 0.5, 1.0),
        ("12.25/hour", 12.25 / 3600, 3600.0),
    ],
)
def test_a_rate_is_read_as_its_mean_and_its_window(text, per_second, window_s):
    assert Rate.parse(text) == Rate(per_second=per_second, window_s=window_s, text=text)
    assert str(Rate.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "50",
        "0/minute",
        "0.0/hour",
        "-1/second",
        "1e3/second",
        "50/day",
        "50 / minute",
        "50/minute\n",
        "nan/hour",
        "٣/hour",
    ],
)
def test_what_is_not_a_rate_is_refused(text):
    with pytest.raises(ValueError, match="N/minute"):
        Rate.parse(text)


def test_the_least_rate_is_taken_and_one_below_it_is_told_what_it_is():
    assert Rate.parse("0.000000001/hour").per_second == 1e-9 / 3600
    with pytest.raises(ValueError, match=r"with N from 0\.000000001 to 999999999$"):
        Rate.parse("0.0000000001/hour")
