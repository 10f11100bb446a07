"""The server's clock, seen from this process: slots come in Redis time and are waited for on the monotonic clock.

Invariant: the offset lies within what the latest exchange with Redis allows, so a clock that drifts or steps is
followed at the next take.
"""

import time
from dataclasses import dataclass


def suspended_clock() -> float:
    """Return seconds on a clock that goes on while the machine sleeps (where the system has one)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True)
class ServerClock:
    """`offset_s` = server time less monotonic time; meaningless until the first `observe`."""

    offset_s: float | None = None

    def observe(self, asked_at: float, answered_at: float, server_us: int) -> None:
        """Narrow the offset: the server read its clock between two instants of ours (seconds, monotonic)."""
        lowest, highest = server_us / 1e6 - answered_at, server_us / 1e6 - asked_at
        if self.offset_s is None:
            self.offset_s = (lowest + highest) / 2
        self.offset_s = min(max(self.offset_s, lowest), highest)

    def local(self, server_us: int) -> float:
        """Return the monotonic instant (seconds) of a server instant."""
        return server_us / 1e6 - (self.offset_s or 0.0)

    def server_s(self, local: float) -> float:
        """Return the server's time (seconds since the epoch) at a monotonic instant."""
        return local + (self.offset_s or 0.0)
