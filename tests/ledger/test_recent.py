"""Whom any campaign messaged within so many hours: to the minute, over the ends of days, and forgotten in the end."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.suppression import MOST_HOURS, Checks, Reason, SuppressionList
from worker.ledger.suppression import find_suppressed, remember, suppress

A, B = 919000000001, 919000000002
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
T0 = 20_833 * DAY
"""The start of a day (UTC), in microseconds since the epoch."""


def recent(ledger, hours, now, numbers=(A,)):
    checks = Checks(account="main", sender="", is_promotional=False, not_before_hours=hours)
    return find_suppressed(ledger.redis, checks, numbers, now)


def test_whoever_was_messaged_is_recent_and_nobody_else(ledger):
    remember(ledger.redis, [A], 24, T0)
    assert recent(ledger, 24, T0 + HOUR, (B, A)) == {1: "recent@24"}


@pytest.mark.parametrize("sent_at", [T0, T0 + 10 * HOUR + 30 * MINUTE, T0 + DAY - 1])
@pytest.mark.parametrize("hours", [1, 23, 24, 25, MOST_HOURS])
def test_a_number_is_recent_for_all_of_the_hours_and_at_most_a_minute_more(ledger, sent_at, hours):
    remember(ledger.redis, [A], MOST_HOURS, sent_at)
    assert recent(ledger, hours, sent_at + hours * HOUR) == {0: f"recent@{hours}"}
    assert recent(ledger, hours, sent_at + hours * HOUR + MINUTE) == {}


def test_without_a_cap_nobody_is_recent(ledger):
    remember(ledger.redis, [A], 24, T0)
    assert recent(ledger, 0, T0) == {}


def test_remembering_for_no_hours_writes_nothing(ledger):
    remember(ledger.redis, [A], 0, T0)
    assert ledger.redis.dbsize() == 0


def test_the_last_of_several_messages_counts(ledger):
    for sent_at in (T0 + HOUR, T0 + 2 * HOUR, T0 + DAY + HOUR):
        remember(ledger.redis, [A], 24, sent_at)
    assert recent(ledger, 1, T0 + DAY + 2 * HOUR) == {0: "recent@1"}


def test_a_day_is_forgotten_when_its_last_minute_is_old_enough(ledger):
    remember(ledger.redis, [A, A + 16_384], 24, T0 + 23 * HOUR)
    (key,) = ledger.redis.keys("bs:sent:*")
    assert 24 * 3600 < ledger.redis.ttl(key) <= 25 * 3600


def test_a_later_message_does_not_shorten_what_is_kept(ledger):
    remember(ledger.redis, [A], MOST_HOURS, T0)
    (key,) = ledger.redis.keys("bs:sent:*")
    remember(ledger.redis, [A, A + 16_384], 1, T0 + HOUR)
    assert ledger.redis.ttl(key) > MOST_HOURS * 3600


def test_an_earlier_message_that_is_told_later_does_not_hide_the_last_one(ledger):
    remember(ledger.redis, [A], 24, T0 + 12 * HOUR)
    remember(ledger.redis, [A], 24, T0 + 10 * HOUR)
    assert recent(ledger, 1, T0 + 12 * HOUR + 10 * MINUTE) == {0: "recent@1"}


@pytest.mark.parametrize("number", [A, A + 16_384])
def test_whoever_is_remembered_for_longer_lengthens_what_is_kept(ledger, number):
    remember(ledger.redis, [A], 24, T0)
    remember(ledger.redis, [number], MOST_HOURS, T0 + HOUR)
    (key,) = ledger.redis.keys("bs:sent:*")
    assert ledger.redis.ttl(key) > MOST_HOURS * 3600


def test_five_hundred_numbers_of_a_bucket_lie_packed(ledger):
    remember(ledger.redis, [A + 16_384 * i for i in range(500)], 24, T0)
    (key,) = ledger.redis.keys("bs:sent:*")
    assert ledger.redis.object("encoding", key) == b"listpack"


def given_back(ledger, taken):
    ledger.back(taken)


def voided(ledger, taken):
    ledger.void(taken.attempt)


def refused(ledger, taken):
    ledger.refuse(taken)


@pytest.mark.parametrize("end", [given_back, voided, refused])
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("comes", ["before", "after"])
def test_who_has_the_message_by_a_report_was_messaged_whatever_the_call_came_to(ledger, monkeypatch, end, size, comes):
    monkeypatch.setattr(ledger, "remember_hours", 24)
    ledger.campaign(size, 1)
    ledger.lane(call_us=1000)
    taken = ledger.next_one()
    if comes == "before":
        ledger.report("delivered", row=size)
    end(ledger, taken)
    if comes == "after":
        ledger.report("delivered", row=size)
    assert ledger.counts()["accepted"] == 1
    everybody = [919_000_000_000 + row for row in range(1, size + 2)]
    assert recent(ledger, 24, ledger.now + HOUR, everybody) == {size - 1: "recent@24"}


def test_a_suppression_list_is_told_before_the_cap(ledger):
    suppress(ledger.redis, SuppressionList(), [A], Reason.OPTED_OUT)
    remember(ledger.redis, [A], 24, T0)
    assert recent(ledger, 24, T0) == {0: "opted-out@global"}


messaged = st.tuples(st.integers(0, 4), st.integers(0, 3 * DAY))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(messaged, max_size=15), hours=st.integers(1, 80), after=st.integers(0, 2 * DAY))
def test_nobody_is_forgotten_within_the_hours_whatever_was_sent(ledger, sent, hours, after):
    ledger.wipe()
    for person, at in sent:
        remember(ledger.redis, [A + person], MOST_HOURS, T0 + at)
    last = dict(sorted(sent, key=lambda each: each[1]))
    now = max(last.values(), default=0) + after
    found = recent(ledger, hours, T0 + now, range(A, A + 5)).keys()
    assert found >= {person for person, at in last.items() if now - at <= hours * HOUR}
    assert found <= {person for person, at in last.items() if now - at < hours * HOUR + MINUTE}
