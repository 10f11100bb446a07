"""How a ceiling becomes spacing: no window of the gateway's, fixed or sliding, sees more calls than it allows.

Slots are spaced evenly (GCRA with a burst of one) and a little wider than the ceiling says. The room so gained,
`headroom` of the window, is what lateness and the network's jitter may use up.
"""

MICROSECONDS = 1_000_000

UNHURRIED_PER_SECOND = 1_000
"""Above so many calls a second no process comes near the ceiling; there a call may be late by half a window."""


def headroom(window_s: float, jitter_s: float) -> float:
    """Return the share by which slots are spaced wider than the ceiling: 1 %, more where the window is short."""
    return max(0.01, 2 * jitter_s / window_s)


def spacing_us(per_second: float, window_s: float, jitter_s: float) -> float:
    """Return the microseconds between two slots."""
    return MICROSECONDS / per_second * (1 + headroom(window_s, jitter_s))


def tolerance_s(per_second: float, window_s: float, jitter_s: float) -> float:
    """Return how late after its slot a call may still go; a later one gives its slot up.

    Half of the headroom, so that the other half is left to the network.
    """
    if per_second > UNHURRIED_PER_SECOND:
        return window_s / 2
    return headroom(window_s, jitter_s) * window_s / 2
