"""The bell: at most once in its time, the last wish never unheard, and nobody ever waits for it."""

import threading

from kombu.exceptions import OperationalError

from worker.report_bell import Bell


class Tower:
    """Counts rings, each of which waits for leave to end."""

    def __init__(self, *errors):
        self.rings, self.errors = 0, list(errors)
        self.begun, self.leave = threading.Semaphore(0), threading.Semaphore(0)

    def ring(self):
        self.rings += 1
        self.begun.release()
        assert self.leave.acquire(timeout=10)
        if self.errors:
            raise self.errors.pop(0)


def test_wishes_during_a_ring_are_one_more_ring():
    tower = Tower()
    bell = Bell(tower.ring, every_s=0)
    bell.start()
    bell.ring()
    assert tower.begun.acquire(timeout=10)
    for _ in range(50):
        bell.ring()
    tower.leave.release(2)
    assert tower.begun.acquire(timeout=10)
    bell.stop()
    assert tower.rings == 2


def test_wishes_within_its_time_wait_until_it_stops_at_the_latest():
    tower = Tower()
    tower.leave.release(2)
    bell = Bell(tower.ring, every_s=3600)
    bell.start()
    bell.ring()
    assert tower.begun.acquire(timeout=10)
    bell.ring()
    assert not tower.begun.acquire(timeout=0.05)
    bell.stop()
    assert tower.rings == 2


def test_a_bell_that_can_not_ring_is_no_error_and_is_tried_again():
    tower = Tower(OperationalError("away"), ConnectionResetError("away"))
    tower.leave.release(3)
    bell = Bell(tower.ring, every_s=0)
    bell.start()
    for _ in range(3):
        bell.ring()
        assert tower.begun.acquire(timeout=10)
    bell.stop()
    assert tower.rings == 3


def test_a_bell_that_nobody_wants_stops_without_a_ring():
    tower = Tower()
    bell = Bell(tower.ring)
    bell.start()
    bell.stop()
    assert tower.rings == 0
    assert not bell._thread.is_alive()


def test_a_ring_that_hangs_keeps_nobody_from_ending(monkeypatch):
    monkeypatch.setattr("worker.report_bell.STOP_S", 0.05)
    tower = Tower()
    bell = Bell(tower.ring)
    bell.start()
    bell.ring()
    assert tower.begun.acquire(timeout=10)
    bell.stop()
    assert bell._thread.daemon
    tower.leave.release()
    bell._thread.join(10)
