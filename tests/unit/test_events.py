"""What Flower gets to see of an attempt, judged by Celery's own picture of the cluster."""

import queue
import threading
from itertools import count

import pytest
from celery.events.event import Event
from celery.events.state import State

from worker.domain.answers import Accepted, Rejected, Unconfirmed, Untaken
from worker.events import MOST_OPEN, MOST_WAITING, NAME, SHOWN_PER_SECOND, BatchEvents, Undelivered, counted

NODE = "celery@here"


class Clock:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


class Office:
    """Makes postmen; keeps what they delivered. While `is_shut`, none can be made and none delivers."""

    def __init__(self):
        self.delivered = []
        self.is_shut = False
        self.made = self.closed = 0
        self.refused = threading.Semaphore(0)
        self.taken = threading.Semaphore(0)

    def postman(self):
        self._check()
        self.made += 1
        return self

    def deliver(self, notes):
        self._check()
        self.delivered += notes
        self.taken.release()

    def close(self):
        self.closed += 1

    def _check(self):
        if self.is_shut:
            self.refused.release()
            raise Undelivered("away")

    def picture(self):
        """Give Celery's picture of the cluster after all that was delivered."""
        state, clocks = State(), count(1)
        for note in self.delivered:
            state.event(Event(note.kind, hostname=NODE, clock=next(clocks), local_received=0, pid=1, **note.fields))
        return state


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def office():
    return Office()


@pytest.fixture
def events(office, clock):
    return BatchEvents(office.postman, monotonic=clock, now=lambda: 5e8)


def carried(events):
    """Let the thread carry what waits, and end."""
    events.start()
    events.stop()


def start(events, attempt="a1", batch=3):
    events.started(attempt, "diwali-x1", batch, "main", 100)


def test_a_batch_on_the_wire_is_a_started_task_of_its_worker(events, office):
    start(events)
    carried(events)
    task = office.picture().tasks["a1"]
    assert (task.name, task.state, task.worker.hostname) == (NAME, "STARTED", NODE)
    assert task.kwargs == "{'campaign': 'diwali-x1', 'batch': 3, 'account': 'main', 'messages': 100}"
    assert task.sent == task.received == task.started == 5e8


@pytest.mark.parametrize(
    ("kind", "state", "place"),
    [("succeeded", "SUCCESS", "result"), ("retried", "RETRY", "exception"), ("failed", "FAILURE", "exception")],
)
def test_an_end_has_its_words_and_repeats_who_it_was(events, office, clock, kind, state, place):
    start(events)
    clock.at += 0.5
    events.ended("a1", kind, "98 accepted, 2 rejected")
    carried(events)
    task = office.picture().tasks["a1"]
    assert (task.state, getattr(task, place)) == (state, "98 accepted, 2 rejected")
    assert task.runtime == (0.5 if kind == "succeeded" else None)
    office.delivered = office.delivered[-1:]
    alone = office.picture().tasks["a1"]
    assert (alone.name, alone.kwargs, alone.state) == (NAME, task.kwargs, state)


@pytest.mark.parametrize("number", ["+919000000001", "919000000001", "90000 00001", "(900) 000-0001"])
def test_a_phone_number_in_a_gateways_words_is_cut_out(events, office, number):
    start(events)
    events.ended("a1", "retried", f"HTTP 400/40202: To {number} is wrong, see 2026")
    carried(events)
    told = office.picture().tasks["a1"].exception
    assert "[number]" in told
    assert "0000" not in told
    assert told.startswith("HTTP 400/40202: To ")
    assert told.endswith(" is wrong, see 2026")


def test_of_a_second_the_first_thirty_are_shown_and_whole(events, office, clock):
    for second in range(2):
        for number in range(100):
            start(events, f"{second}-{number}", number)
        clock.at += 1
    for second in range(2):
        for number in range(100):
            events.ended(f"{second}-{number}", "succeeded", "100 accepted")
    carried(events)
    tasks = office.picture().tasks
    assert set(tasks) == {f"{second}-{number}" for second in range(2) for number in range(SHOWN_PER_SECOND)}
    assert {task.state for task in tasks.values()} == {"SUCCESS"}


def test_nobody_waits_for_a_thread_that_does_not_come(events, clock):
    for number in range(2 * MOST_WAITING):
        clock.at += 1
        start(events, f"a{number}")
        events.ended(f"a{number}", "succeeded", "100 accepted")
    assert events._waiting.qsize() == MOST_WAITING


def test_attempts_that_never_end_are_forgotten_in_the_end(events, clock):
    events._waiting = queue.Queue()
    for number in range(MOST_OPEN + 10):
        clock.at += 1
        start(events, f"a{number}")
    assert len(events._open) == MOST_OPEN
    assert "a0" not in events._open


def go_on(office, events, clock, attempt):
    """Show one attempt, as often as it takes to be past the pause that a failure makes."""
    office.is_shut, clock.at = False, clock.at + 31
    start(events, attempt)
    while not office.taken.acquire(timeout=0.5):
        clock.at += 31
        start(events, attempt)


def test_a_broker_that_is_away_at_the_start_is_found_later(events, office, clock):
    office.is_shut = True
    events.start()
    assert office.refused.acquire(timeout=5)
    go_on(office, events, clock, "kept")
    events.stop()
    assert office.picture().tasks["kept"].state == "STARTED"
    assert (office.made, office.closed) == (1, 1)


def test_a_connection_that_breaks_is_let_go_and_a_new_one_made(events, office, clock):
    events.start()
    start(events, "first")
    assert office.taken.acquire(timeout=5)
    office.is_shut = True
    start(events, "lost")
    assert office.refused.acquire(timeout=5)
    go_on(office, events, clock, "last")
    events.stop()
    assert set(office.picture().tasks) == {"first", "last"}
    assert (office.made, office.closed) == (2, 2)


def test_stopping_before_the_start_is_nothing(events, office):
    events.stop()
    assert office.made == 0


def test_outcomes_are_counted_in_words():
    accepted, rejected = Accepted(gateway_id="s1"), Rejected(code="23040", reason="FAILED")
    assert counted([accepted, rejected, accepted]) == "2 accepted, 1 rejected"
    unconfirmed = Unconfirmed(reason="no answer within 30 s")
    assert counted([accepted, unconfirmed, unconfirmed]) == "1 accepted, 2 unconfirmed: no answer within 30 s"
    untaken = Untaken(code="429", reason="too many calls")
    assert counted([accepted, untaken, rejected]) == "1 accepted, 1 rejected, 1 not taken: too many calls"
