"""How long a gateway asks to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.answers import Answer
from worker.domain.ratelimit import LONGEST_PAUSE_S, exhausted_for_s, retry_after_s

AT = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # AT
LATER = "Fri, 15 Jan 2027 08:00:45 GMT"
CLOCK_FAST = "Fri, 15 Jan 2027 09:00:00 GMT"


def answer(status=429, **headers):
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=b"", received_at=AT)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("30", 30.0), (" 30 ", 30.0), ("1.5", 1.5), ("86400", 86400.0), (LATER, 45.0), ("2, 4", 4.0)],
        *[("9" * 18, LONGEST_PAUSE_S), ("9" * 23, LONGEST_PAUSE_S)],
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert retry_after_s(answer(retry_after=text)) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-5", "nan", "inf", "1e5", "soon", "30, soon", "١٢", DATE, "Fri, 99 Jan 2027 08:00:45 GMT"]
)
def test_what_asks_for_no_pause_or_can_not_be_read_is_none(text):
    assert retry_after_s(answer(retry_after=text)) is None


def test_a_date_counts_from_the_gateways_own_clock():
    assert retry_after_s(answer(retry_after="Fri, 15 Jan 2027 09:00:20 GMT", date=CLOCK_FAST)) == 20.0
    assert retry_after_s(answer(retry_after=LATER, date="garbage")) == 45.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_reset": "1800000060"}, 60.0),
        ({"x_ratelimit_reset": "1800000060000"}, 60.0),
        ({"x_ratelimit_reset": "1800003660", "date": CLOCK_FAST}, 60.0),
        ({"x_ratelimit_reset": "20"}, 20.0),
        ({"x_ratelimit_reset": "20", "x_ratelimit_remaining": "0"}, 20.0),
        ({"x_ratelimit_reset": "20", "x_ratelimit_remaining": "3"}, None),
        ({"x_ratelimit_reset": "20", "retry_after": "7"}, 7.0),
        ({"x_ratelimit_reset": "20", "retry_after": "soon"}, 20.0),
        ({"x_ratelimit_reset": "1700000000"}, None),
        ({"x_ratelimit_reset": "never"}, None),
    ],
)
def test_the_reset_of_a_used_up_window_stands_in_for_retry_after(headers, seconds):
    assert retry_after_s(answer(**headers)) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1800000012"}, 12.0),
        (207, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1800009999"}, 900.0),
        (200, {"x_ratelimit_remaining": "1", "x_ratelimit_reset": "1800000012"}, None),
        (200, {"x_ratelimit_reset": "1800000012"}, None),
        (200, {"x_ratelimit_remaining": "0"}, None),
        (429, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1800000012"}, None),
    ],
)
def test_a_window_used_up_by_an_accepted_call_is_seen(status, headers, seconds):
    assert exhausted_for_s(answer(status, **headers)) == seconds


@given(
    st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"]), st.text())
)
def test_no_header_makes_reading_raise(headers):
    for status in (200, 429):
        said = Answer(status=status, headers=headers, body=b"", received_at=AT)
        for pause_s in (retry_after_s(said), exhausted_for_s(said)):
            assert pause_s is None or 0 < pause_s <= LONGEST_PAUSE_S
