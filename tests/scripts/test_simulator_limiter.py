"""The simulator's limiter: the law of each window, and what a refused call is told."""

from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulator.limiter import Limit, SlidingWindow, WindowKind, worst
from scripts.simulator.options import parse_limit

NUMBER = "+919000000001"
gaps = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0]), max_size=60)


def _instants(steps):
    now, instants = 1_000.0, []
    for step in steps:
        now += step
        instants.append(now)
    return instants


@given(gaps, st.integers(1, 5))
def test_no_sliding_window_admits_more_than_its_limit_and_none_is_refused_without_need(steps, calls):
    window, admitted = SlidingWindow(Limit(calls=calls, window_s=2.0)), []
    for at in _instants(steps):
        due = sum(before > at - 2.0 for before in admitted) < calls
        assert window.admit(at) is due
        admitted += [at] if due else []
    assert worst(admitted, 2.0) <= calls


@given(gaps)
def test_the_worst_window_is_that_of_a_slow_count(steps):
    instants = _instants(steps)
    slow = max((sum(start <= at < start + 2.0 for at in instants) for start in instants), default=0)
    assert worst(instants, 2.0) == slow


@pytest.mark.anyio
async def test_a_sliding_window_refuses_the_call_too_many_until_the_first_is_a_window_old(site):
    async with site(limit=parse_limit("2/60s")) as it:
        seen = []
        for moment in (0.0, 30.0, 59.9, 60.0, 60.0):
            it.clock.now = 1_800_000_000.0 + moment
            seen.append((await it.bulk([NUMBER])).status_code)
        assert seen == [200, 200, 429, 200, 429]
        assert it.simulator.stats()["throttled"] == 2
        assert it.simulator.stats()["worst_window"] == 4
        assert it.simulator.stats()["worst_second"] == 3
        assert it.simulator.stats()["accepted"] == 3


@pytest.mark.anyio
async def test_a_fixed_window_starts_anew_at_each_multiple(site):
    async with site(limit=parse_limit("2/60s"), window=WindowKind.FIXED) as it:
        seen = []
        for moment in (58.0, 59.0, 59.9, 60.0, 60.1, 60.2):
            it.clock.now = 1_800_000_000.0 + moment
            seen.append((await it.bulk([NUMBER])).status_code)
        assert seen == [200, 200, 429, 200, 200, 429]


@pytest.mark.anyio
async def test_refused_calls_count_where_the_gateway_is_that_strict(site):
    async with site(limit=parse_limit("1/10s"), count_refused=True, rate_limit_headers=True) as it:
        seen = []
        for moment in (0.0, 9.0, 18.0, 28.0):
            it.clock.now = 1_800_000_000.0 + moment
            answer = await it.bulk([NUMBER])
            seen.append((answer.status_code, int(answer.headers["X-RateLimit-Reset"]) - 1_800_000_000))
        assert seen == [(200, 10), (429, 19), (429, 28), (200, 38)]


@pytest.mark.anyio
@pytest.mark.parametrize(("over", "code"), [(429, 40402), (503, 40405)])
async def test_too_many_calls_get_the_documented_refusal(site, over, code):
    async with site(limit=parse_limit("1/1s"), over=over, retry_after_s=30) as it:
        await it.bulk([NUMBER])
        refused = await it.bulk([NUMBER])
        assert refused.status_code == over
        assert refused.json()["RestException"]["Code"] == code
        assert refused.headers["Retry-After"] == "30"
        assert it.simulator.stats()["accepted"] == 1


@pytest.mark.anyio
async def test_retry_after_is_absent_unless_asked_for_and_may_be_a_date(site):
    async with site(limit=parse_limit("1/1s")) as it:
        await it.bulk([NUMBER])
        assert "Retry-After" not in (await it.bulk([NUMBER])).headers
    async with site(limit=parse_limit("1/1s"), retry_after_s=30, retry_after_date=True) as it:
        await it.bulk([NUMBER])
        date = (await it.bulk([NUMBER])).headers["Retry-After"]
        assert parsedate_to_datetime(date).timestamp() == 1_800_000_030


@pytest.mark.anyio
async def test_rate_limit_headers_tell_what_is_left_and_until_when(site):
    async with site(limit=parse_limit("2/60s"), rate_limit_headers=True) as it:
        seen = [(await it.bulk([NUMBER])).headers for _ in range(3)]
        assert [headers["X-RateLimit-Limit"] for headers in seen] == ["2", "2", "2"]
        assert [headers["X-RateLimit-Remaining"] for headers in seen] == ["1", "0", "0"]
        assert seen[2]["X-RateLimit-Reset"] == "1800000060"


@pytest.mark.anyio
async def test_each_account_has_a_limit_of_its_own(site):
    async with site(limit=parse_limit("1/1s"), sids=("*",)) as it:
        form = {"Messages[0][To]": NUMBER, "Messages[0][Body]": "Hello"}
        seen = [
            (await it.client.post(f"/v1/Accounts/{sid}/Sms/bulksend.json", data=form)).status_code
            for sid in ("one", "two", "one")
        ]
        assert seen == [200, 200, 429]
        assert it.simulator.stats()["worst_window"] == 2
