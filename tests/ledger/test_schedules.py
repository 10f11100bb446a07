"""Schedules on the real server: each due time begins once, whoever asks, and what is broken off is ended by another."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.conftest import T0
from worker.domain.recurrence import Due, Run, turn
from worker.intake.schedule_options import ScheduleOptions
from worker.ledger import keys, schedules

START = datetime.fromtimestamp(T0 / 1e6, UTC)
DUE = START + timedelta(hours=1)
HOURLY = ScheduleOptions(cron="0 * * * *").due_times("Asia/Kolkata")


def us(at):
    return round(at.timestamp() * 1e6)


@pytest.fixture
def client(ledger):
    put(ledger.redis)
    return ledger.redis


def put(client):
    schedules.put(client, "offer", "{}", DUE)
    client.hset(keys.schedule("offer"), "done", T0)  # as though it had been added then


def claim(client, token="t", due=DUE, by="bell", at=DUE):
    return schedules.claim(client, "offer", due, token, by=by, now=us(at))


def end(client, token="t", outcome="started", at=DUE, look_at=DUE):
    return schedules.end(client, "offer", token, "offer-1", outcome, "why", look_at=look_at, now=us(at))


def found(client):
    return schedules.find(client, ["offer"])[0]


def test_one_of_two_that_ask_has_the_run_and_when_it_has_ended_nobody_has(client):
    assert (claim(client, "a"), claim(client, "b")) == ("yours", "busy")
    assert not end(client, "b")
    assert end(client, "a")
    assert (claim(client, "a"), claim(client, "b")) == ("done", "done")
    assert (found(client).done, found(client).unfinished) == (DUE, None)
    assert (found(client).last.outcome, found(client).last.due_at) == ("started", DUE)


def test_who_says_nothing_for_a_minute_loses_the_run_to_the_next_that_asks(client):
    claim(client, "a")
    almost = DUE + timedelta(seconds=schedules.LEASE_S - 1)
    assert schedules.renew(client, "offer", "a", now=us(almost))
    assert claim(client, "b", at=DUE + timedelta(seconds=schedules.LEASE_S + 1)) == "busy"
    assert claim(client, "b", at=almost + timedelta(seconds=schedules.LEASE_S)) == "yours"
    assert not schedules.renew(client, "offer", "a", now=us(almost))
    assert not end(client, "a")


def test_a_run_that_was_broken_off_goes_before_the_next_due_time(client):
    claim(client, "a")
    end(client, "a", "interrupted")
    assert (found(client).unfinished, found(client).last.outcome) == (DUE, "interrupted")
    later = DUE + timedelta(hours=1)
    assert claim(client, "b", due=later, at=later) == "busy"
    assert claim(client, "b", at=later) == "yours"
    end(client, "b", at=later)
    assert claim(client, "b", due=later, at=later) == "yours"


def test_a_person_may_run_what_is_done_and_what_is_paused(client):
    claim(client)
    end(client, outcome="failed")
    assert schedules.pause(client, "offer", "by ann")
    assert (claim(client), claim(client, by="hand")) == ("paused", "yours")
    end(client)
    assert found(client).done == DUE


def test_what_fell_due_while_it_was_paused_is_not_made_up_for(client):
    schedules.pause(client, "offer", "by ann")
    assert client.zscore(keys.SCHEDULES, "offer") == float("inf")
    assert schedules.resume(client, "offer", DUE)
    assert found(client).paused == ""
    assert found(client).done > datetime.now(UTC) - timedelta(minutes=1)


def test_a_schedule_that_is_replaced_stays_paused_and_keeps_its_last_run(client):
    claim(client)
    end(client)
    schedules.pause(client, "offer", "by ann")
    assert not schedules.put(client, "offer", '{"new": 1}', DUE)
    assert (found(client).doc, found(client).paused, found(client).last.id) == (b'{"new": 1}', "by ann", "offer-1")
    assert client.zscore(keys.SCHEDULES, "offer") == float("inf")


def test_of_one_that_was_removed_nothing_is_left_and_nothing_comes_back(client):
    claim(client)
    assert schedules.remove(client, "offer")
    assert not schedules.remove(client, "offer")
    assert (claim(client), end(client), schedules.renew(client, "offer", "t")) == ("gone", False, False)
    assert not schedules.pause(client, "offer", "by ann")
    assert not schedules.resume(client, "offer", DUE)
    assert client.keys("bs:schedule*") == []


def test_workers_ring_for_what_nobody_answered_once_in_half_a_minute(client, ledger):
    def overdue(at):
        return ledger.run(schedules.overdue(ledger.aredis, now=us(at)))

    assert overdue(DUE - timedelta(seconds=1)) == []
    assert overdue(DUE) == ["offer"]
    assert overdue(DUE + timedelta(seconds=29)) == []
    assert overdue(DUE + timedelta(seconds=30)) == ["offer"]
    claim(client, at=DUE + timedelta(seconds=31))
    assert overdue(DUE + timedelta(seconds=90)) == []
    assert overdue(DUE + timedelta(seconds=91)) == ["offer"]  # who had it died
    schedules.pause(client, "offer", "by ann")
    assert overdue(DUE + timedelta(days=1)) == []


steps = st.tuples(
    st.sampled_from(["a", "b", "c"]),  # whose bell rings
    st.integers(-20, 7200),  # seconds by which the clock moves before it
    st.sampled_from(["started", "failed", "interrupted", "dies"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=25))
def test_for_any_clock_and_any_number_of_beats_each_due_time_is_run_at_most_once(ledger, taken):
    ledger.wipe()
    put(ledger.redis)
    now, whole, before = START, [], START
    for token, seconds, outcome in taken:
        now += timedelta(seconds=seconds)
        schedule = found(ledger.redis)
        match turn(HOURLY, "run", done=schedule.done, unfinished=schedule.unfinished, now=now):
            case Run(due=due):
                if claim(ledger.redis, token, due=due.at, at=now) != "yours" or outcome == "dies":
                    continue
                end(ledger.redis, token, outcome, at=now)
                whole += [] if outcome == "interrupted" else [due.at]
        assert found(ledger.redis).done >= before
        before = found(ledger.redis).done
    assert whole == sorted(set(whole))
    ids = [Due(at=at, zone=HOURLY.zone).run_id("offer") for at in whole]
    assert len(set(ids)) == len(ids)
