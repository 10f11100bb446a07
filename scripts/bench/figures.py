"""What a measurement gives: ratios of two things that were measured in the same run, with the absolute values beside.

A machine is as fast as its neighbours let it be; a ratio survives that, and the CPU that others used while a figure
was made stands in its line, so that a disturbed one is seen as such.
"""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to measure: rounds of each figure, and the share of the full length of each."""

    rounds: int
    share: float


FULL = Plan(rounds=3, share=1.0)
QUICK = Plan(rounds=1, share=0.3)
"""A tenth of the time: for a look, and for the test of the code path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One value a round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the middle one, or the mean of the two in the middle."""
        return median(self.rounds)

    def text(self, digits: int) -> str:
        """Return median and, where there are several rounds, the least and the most."""
        middle = f"{self.median:,.{digits}f}"
        if len(self.rounds) == 1:
            return middle
        return f"{middle} ({min(self.rounds):,.{digits}f}-{max(self.rounds):,.{digits}f})"

    def as_json(self) -> dict[str, Any]:
        """Return median, least, most and each round."""
        return {
            "median": self.median,
            "min": min(self.rounds),
            "max": max(self.rounds),
            "rounds": list(self.rounds),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the median of the ratio should be: at least or at most so much."""

    bound: float
    is_floor: bool

    def met(self, ratio: float) -> bool:
        """Whether the ratio is on the right side."""
        return ratio >= self.bound if self.is_floor else ratio <= self.bound

    @property
    def text(self) -> str:
        """Return it as one writes it."""
        return f"{'≥' if self.is_floor else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    `refused`: calls that the gateway refused; the target wants none. `others`: cores that processes not of this run
    used meanwhile, `None` where unknown.
    """

    measurement: str
    what: str
    ratio: Spread
    of: str
    absolute: Spread
    unit: str
    target: Target | None
    facts: dict[str, Any]
    others: float | None
    refused: int = 0

    @property
    def met(self) -> bool | None:
        """Whether the target is met; `None` without one."""
        return None if self.target is None else self.target.met(self.ratio.median) and not self.refused

    def as_json(self) -> dict[str, Any]:
        """Return everything that the table shows, unrounded."""
        return {
            "measurement": self.measurement,
            "what": self.what,
            "ratio": self.ratio.as_json(),
            "of": self.of,
            "absolute": self.absolute.as_json(),
            "unit": self.unit,
            "target": self.target.text if self.target else None,
            "met": self.met,
            "refused": self.refused,
            "facts": self.facts,
            "others_cores": self.others,
        }
