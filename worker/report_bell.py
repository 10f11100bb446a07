"""Rings for the task that applies reports, at most once a second and off the path of every answer.

Celery's client blocks, for seconds where the broker is away; so a thread of its own rings, and nobody waits for it.
The last report of a burst is rung for too. A bell that can not ring is no error: the reports lie in the stream.
"""

import threading
from collections.abc import Callable

import structlog
from kombu.exceptions import OperationalError

from worker.app import app

log = structlog.stdlib.get_logger("bulksend.callbacks")

EVERY_S = 1.0
STOP_S = 2.0
"""How long a stopping process waits for a bell that is being rung."""


def ring_receive() -> None:
    """Send the Celery message; raises kombu's `OperationalError` where the broker does not take it."""
    app.send_task("bulksend.receive", retry=False)


class Bell:
    """One process's bell: `ring` any time, from any thread."""

    def __init__(self, send: Callable[[], None] = ring_receive, every_s: float = EVERY_S) -> None:
        """`send` may block; `OperationalError` and `OSError` of it are passed over."""
        self._send, self._every_s = send, every_s
        self._wanted, self._wake, self._stopping = threading.Event(), threading.Event(), threading.Event()
        # A daemon: a broker that swallows bytes must not keep the process from ending.
        self._thread = threading.Thread(target=self._keep_ringing, name="bulksend-bell", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ring(self) -> None:
        """Have it ring, at once or when the second since the last ring is over; returns at once."""
        self._wanted.set()
        self._wake.set()

    def stop(self) -> None:
        """Ring once more where that is wanted, and end the thread; waits for 2 s at most."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(STOP_S)

    def _keep_ringing(self) -> None:
        while self._wanted.is_set() or not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._wanted.is_set():
                self._wanted.clear()
                self._try()
                self._stopping.wait(self._every_s)

    def _try(self) -> None:
        try:
            self._send()
        except (OperationalError, OSError) as error:
            log.info("bell.not_rung", why=str(error))
