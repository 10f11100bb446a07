"""A ceiling as an operator writes it: "50/minute". The throttle in Redis and the fuse in a process both read this."""

import re
from dataclasses import dataclass
from typing import Self

_WINDOWS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_RATE = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,9}})?)/({'|'.join(_WINDOWS_S)})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in a window: `per_second` is the mean, `window_s` (1, 60 or 3600) the time over which it is promised."""

    per_second: float
    window_s: float
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N/second`, `N/minute` or `N/hour`, N with up to 9 digits and 9 decimals, not 0; else `ValueError`."""
        match = _RATE.fullmatch(text)
        if match is None or float(match[1]) <= 0:
            raise ValueError(
                'should be "N/second", "N/minute" or "N/hour", as in "50/minute", with N from 0.000000001 to 999999999'
            )
        window_s = _WINDOWS_S[match[2]]
        return cls(per_second=float(match[1]) / window_s, window_s=window_s, text=text)

    def __str__(self) -> str:
        """Give the rate as it was written."""
        return self.text
