"""What is done for a schedule at one moment."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from worker.domain.recurrence import Due, Run, Skip, Wait, turn, unknown_field
from worker.intake.schedule_options import ScheduleOptions

KOLKATA = ZoneInfo("Asia/Kolkata")
DAILY = ScheduleOptions(cron="0 11 * * *").due_times("Asia/Kolkata")


def local(text):
    return datetime.fromisoformat(f"2026-11-{text}+05:30")


def due(text):
    return Due(at=local(text), zone=KOLKATA)


@pytest.mark.parametrize(
    ("done", "unfinished", "now", "on_missed", "expected"),
    [
        ("21T11:00", None, "22T10:59", "run", Wait()),
        ("21T11:00", None, "22T11:00", "run", Run(due=due("22T11:00"), note="")),
        ("21T11:00", None, "22T11:05", "skip", Run(due=due("22T11:00"), note="")),
        ("22T11:00", None, "22T11:00", "run", Wait()),
        ("22T11:07", None, "22T11:06", "run", Wait()),  # a clock that went back
        ("21T11:00", None, "22T11:42", "run", Run(due=due("22T11:00"), note="ran 42 minutes late")),
        ("21T11:00", None, "22T11:42", "skip", Skip(due=due("22T11:00"), note="1 run was missed, and passed over")),
        (
            *("19T11:00", None, "22T13:00", "run"),
            Run(due=due("22T11:00"), note="ran 2 hours late; 2 runs were missed, and passed over"),
        ),
        ("19T11:00", None, "22T13:00", "skip", Skip(due=due("22T11:00"), note="3 runs were missed, and passed over")),
        ("19T11:00", None, "22T11:01", "skip", Run(due=due("22T11:00"), note="2 runs were missed, and passed over")),
        # What was begun is ended first, however late, unless what is late is passed over.
        ("20T11:00", "21T11:00", "22T11:01", "run", Run(due=due("21T11:00"), note="ran 24 hours late")),
        (
            *("20T11:00", "21T11:00", "22T11:01", "skip"),
            Skip(due=due("21T11:00"), note="1 run was missed, and passed over"),
        ),
        ("21T11:00", "21T11:00", "21T11:02", "run", Run(due=due("21T11:00"), note="")),
    ],
)  # fmt: skip
def test_the_ledger_and_the_clock_decide(done, unfinished, now, on_missed, expected):
    begun = local(unfinished) if unfinished else None
    assert turn(DAILY, on_missed, done=local(done), unfinished=begun, now=local(now)) == expected


def test_a_schedule_of_every_minute_that_was_away_for_years_is_counted_up_to_a_thousand():
    every_minute = ScheduleOptions(cron="* * * * *").due_times("Asia/Kolkata")
    found = turn(every_minute, "run", done=local("01T00:00"), unfinished=None, now=local("30T00:00"))
    assert found == Run(due=due("30T00:00"), note="more than 1,000 runs were missed, and passed over")


def test_the_id_and_the_path_of_a_run_are_made_of_its_local_due_time():
    run = due("22T11:00")
    assert run.run_id("diwali-offer") == "diwali-offer-20261122-1100"
    assert run.fill("/in/orders-{date}/{time}.csv") == "/in/orders-2026-11-22/1100.csv"


@pytest.mark.parametrize(
    ("path", "unknown"),
    [("/in/{date}-{time}.csv", ""), ("/in/a.csv", ""), ("/{day}/{date}", "{day}"), ("/{}.csv", "{}")],
)
def test_a_field_that_no_path_has_is_found(path, unknown):
    assert unknown_field(path) == unknown


def test_two_days_late_is_said_in_days():
    found = turn(DAILY, "run", done=local("01T11:00"), unfinished=local("19T11:00"), now=local("22T12:00"))
    assert found.note.startswith("ran 3 days late; ")
    assert local("22T12:00") - local("19T11:00") > timedelta(days=3)
