"""A token in a callback URL: good for its own batch, under this secret or the one before, and for nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.callback_token import WHOLE_ACCOUNT, account_url, callback_url, is_signed, sign

MADE_UP = "a-long-made-up-text-for-tests"
BATCH = ("main", "offer-x1", 7)
NAMES = st.text("abc019-_.", max_size=8)


def test_a_token_is_made_of_256_bits_that_need_no_escape_in_a_url():
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", sign(MADE_UP, *BATCH))


def test_a_token_does_not_change_with_a_release():
    # URLs that gateways have already been given must stay good.
    assert sign(MADE_UP, *BATCH) == "zcL__JuS5oJm4qqAgSd_RfzoBGzO8aFXuWxqNCYXsoY"


@pytest.mark.parametrize("secrets", [[MADE_UP], ["new", MADE_UP], [MADE_UP, "old"]])
def test_a_token_is_good_under_any_of_the_secrets(secrets):
    assert is_signed(sign(MADE_UP, *BATCH), secrets, *BATCH)


@pytest.mark.parametrize(
    ("token", "secrets", "batch"),
    [
        (sign("another", *BATCH), [MADE_UP], BATCH),
        (sign(MADE_UP, *BATCH), ["another", "and one more"], BATCH),
        (sign(MADE_UP, *BATCH), [], BATCH),
        (sign(MADE_UP, *BATCH), [MADE_UP], ("other", "offer-x1", 7)),
        (sign(MADE_UP, *BATCH), [MADE_UP], ("main", "offer-x2", 7)),
        (sign(MADE_UP, *BATCH), [MADE_UP], ("main", "offer-x1", 8)),
        (sign(MADE_UP, *BATCH), [MADE_UP], ("main", *WHOLE_ACCOUNT)),
        (sign(MADE_UP, "main", *WHOLE_ACCOUNT), [MADE_UP], BATCH),
        (sign(MADE_UP, *BATCH)[:-1], [MADE_UP], BATCH),
        (sign(MADE_UP, *BATCH) + "=", [MADE_UP], BATCH),
        ("", [MADE_UP], BATCH),
        ("é\ud800", [MADE_UP], BATCH),
    ],
)
def test_any_other_token_is_not(token, secrets, batch):
    assert not is_signed(token, secrets, *batch)


@given(st.tuples(NAMES, NAMES, st.integers(0, 99)), st.tuples(NAMES, NAMES, st.integers(0, 99)))
def test_two_batches_never_share_a_token(one, other):
    assert is_signed(sign(MADE_UP, *one), [MADE_UP], *other) == (one == other)


def test_urls_name_the_batch_or_the_account_alone():
    public = "https://sms.example/hooks"
    assert callback_url(public, MADE_UP, *BATCH) == f"{public}/reports/main/offer-x1/7/{sign(MADE_UP, *BATCH)}"
    assert account_url(public, MADE_UP, "main") == f"{public}/reports/main/{sign(MADE_UP, 'main', '', 0)}"
