"""What passes by itself is tried again, and what does not is told: also as servers before 7.0 say it."""

import pytest
from redis.exceptions import ResponseError

from worker.ledger.errors import LedgerBroken, LedgerUnavailable, translated

OLD = "Error running script (call to f_2d1c): @user_script:1: @user_script: 1: -{} and so on."


@pytest.mark.parametrize("code", ["READONLY", "OOM", "MISCONF", "NOREPLICAS", "LOADING", "BUSY", "MASTERDOWN"])
@pytest.mark.parametrize("form", ["{} and so on", OLD], ids=["plain", "wrapped"])
def test_a_refusal_that_passes_is_no_broken_ledger(code, form):
    with pytest.raises(LedgerUnavailable), translated():
        raise ResponseError(form.format(code))


@pytest.mark.parametrize("words", ["BULKSEND counts differ from the batch", OLD.format("WRONGTYPE"), "ERR unknown"])
def test_any_other_refusal_is_told(words):
    with pytest.raises(LedgerBroken), translated():
        raise ResponseError(words)
