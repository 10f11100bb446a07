"""Counts the calls of one account and says which are too many: strict, so that a sender's throttle is really tested.

A window is asked once for every call, at the instant its head was read, in the order of arrival. The (N+1)th call in
any window is refused; refused ones count only where the limit says so. Seconds are since the epoch, given by the
caller.
"""

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class WindowKind(enum.StrEnum):
    """How the gateway counts: which of the two it does is not documented."""

    SLIDING = "sliding"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `calls` calls in `window_s` seconds."""

    calls: int
    window_s: float

    def __str__(self) -> str:
        """As it is written: 50/60s."""
        return f"{self.calls}/{self.window_s:g}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How calls are counted: the kind of window, and whether refused calls count too."""

    kind: WindowKind = WindowKind.SLIDING
    refused: bool = False


class Window(Protocol):
    """What both kinds of window can be asked."""

    def admit(self, at: float) -> bool:
        """Whether the call that arrived at `at` is within the limit; if so it is counted."""

    def remaining(self, at: float) -> int:
        """How many more calls could arrive at `at`."""

    def resets_at(self, at: float) -> float:
        """When the next call that is now refused could be admitted; `at` where one could be at once."""


@dataclass(slots=True)
class SlidingWindow:
    """At most N calls in every span of the window's length, wherever it starts; its end is outside."""

    limit: Limit
    count_refused: bool = False
    _counted: deque[float] = field(default_factory=deque)

    def admit(self, at: float) -> bool:
        """See `Window`."""
        admitted = self.remaining(at) > 0
        if admitted or self.count_refused:
            self._counted.append(at)
        return admitted

    def remaining(self, at: float) -> int:
        """See `Window`."""
        while self._counted and self._counted[0] <= at - self.limit.window_s:
            self._counted.popleft()
        return max(0, self.limit.calls - len(self._counted))

    def resets_at(self, at: float) -> float:
        """See `Window`."""
        return at if self.remaining(at) else self._counted[-self.limit.calls] + self.limit.window_s


@dataclass(slots=True)
class FixedWindow:
    """At most N calls between two multiples of the window's length.

    The count starts anew at each multiple, so that counting refused calls too would change nothing.
    """

    limit: Limit
    _window: int = -1
    _count: int = 0

    def admit(self, at: float) -> bool:
        """See `Window`."""
        admitted = self.remaining(at) > 0
        self._count += admitted
        return admitted

    def remaining(self, at: float) -> int:
        """See `Window`."""
        window = int(at // self.limit.window_s)
        if window != self._window:
            self._window, self._count = window, 0
        return self.limit.calls - self._count

    def resets_at(self, at: float) -> float:
        """See `Window`."""
        return at if self.remaining(at) else (self._window + 1) * self.limit.window_s


def window_for(limit: Limit, counting: Counting) -> Window:
    """An empty window that counts so."""
    match counting.kind:
        case WindowKind.SLIDING:
            return SlidingWindow(limit, count_refused=counting.refused)
        case WindowKind.FIXED:
            return FixedWindow(limit)


def worst(arrivals: list[float], window_s: float) -> int:
    """The most of `arrivals` (ascending) in any sliding window of `window_s`, its end outside."""
    most = first = 0
    for count, at in enumerate(arrivals, start=1):
        while arrivals[first] <= at - window_s:
            first += 1
        most = max(most, count - first)
    return most
